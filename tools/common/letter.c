/* Opening and judging. A signature proves an address only when the key that made it is the one pinned for that very address: a contact
 * must not pass for another one by writing its address. */
#include "common/letter.h"

#include "cli/diag.h"
#include "cli/exit.h"
#include "common/attachments.h"
#include "store/account.h"
#include "store/keyring.h"

#include <string.h>

#define ENVELOPE_MAX ((size_t)64 << 20)

int sm_reader_open(struct sm_reader *r, struct sm_common *c)
{
	struct sm_account account;
	enum sm_err e = sm_unlock(&r->id, NULL, c);
	if (e != SM_OK)
		return sm_exit_code(e);
	e = sm_account_load(&account, c->profile);
	if (e == SM_OK)
		memcpy(r->self, account.address, sizeof(r->self));
	else if (e != SM_ERR_NOTFOUND)
		return sm_fail(e, "cannot read the profile's account");
	e = sm_keyring_store_key(r->key, &r->id, "inbox");
	if (e == SM_OK)
		e = sm_db_open(&r->db, c->profile);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot open the inbox");
}

void sm_reader_close(struct sm_reader *r)
{
	sm_db_close(&r->db);
	sm_identity_release(&r->id);
	sm_wipe(r->key, sizeof(r->key));
}

/* The key that proves `from`, by the pins of now. SM_ERR_NOTFOUND: none; SM_ERR_CHANGED: the address is pinned to another key. */
static enum sm_err proving_key(struct sm_public *pub, struct sm_reader *r, const struct sm_party *from)
{
	struct sm_contact c;
	const char *address = from->address.text;
	enum sm_err e;
	if (!from->has_fp)
		return SM_ERR_NOTFOUND;
	if (sm_equal(from->fp, r->id.pub.fp, SM_FP_LEN) && (!*address || !strcmp(address, r->self))) {
		*pub = r->id.pub;
		return SM_OK;
	}
	e = *address ? sm_contact_get(&c, &r->db, address) : sm_contact_by_fp(&c, &r->db, from->fp);
	if (e == SM_OK && !sm_equal(c.pub.fp, from->fp, SM_FP_LEN))
		e = SM_ERR_CHANGED;
	if (e == SM_OK)
		*pub = c.pub;
	return e;
}

struct judging {
	struct sm_reader *r;
	struct sm_party from;
	enum sm_err failed; /* the database's error, if it had one */
};

/* The envelope's header was parsed before it was opened, so that its `from` address can be looked at here. */
static enum sm_err find_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	struct judging *j = ctx;
	if (!j->from.has_fp || !sm_equal(fp, j->from.fp, SM_FP_LEN))
		return SM_ERR_NOTFOUND;
	enum sm_err e = proving_key(pub, j->r, &j->from);
	if (e != SM_OK && e != SM_ERR_NOTFOUND && e != SM_ERR_CHANGED)
		j->failed = e;
	return e == SM_OK ? SM_OK : SM_ERR_NOTFOUND;
}

bool sm_letter_fault(enum sm_err e) { return e >= SM_ERR_ARMOR && e <= SM_ERR_LIMIT; }

/* As far as the header can be read: who it says it is from, its id and date. */
static void read_header(struct sm_inbox_meta *m, struct sm_span envelope)
{
	struct sm_header h = {0};
	unsigned line;
	size_t n;
	if (sm_header_find(&n, envelope.p, envelope.n) != SM_OK || sm_header_parse(&h, &line, envelope.p, n) != SM_OK)
		return;
	m->from = h.from;
	memcpy(m->id, h.id, sizeof(m->id));
	m->date = h.date;
	sm_header_release(&h);
}

static enum sm_inbox_proof proof_of(struct sm_reader *r, const struct sm_opened *o, const struct sm_party *from)
{
	struct sm_public pub;
	if (o->proof == SM_PROOF_PROVEN)
		return SM_INBOX_PROVEN;
	if (o->proof == SM_PROOF_NONE)
		return SM_INBOX_NONE;
	return proving_key(&pub, r, from) == SM_ERR_CHANGED ? SM_INBOX_CHANGED : SM_INBOX_UNKNOWN;
}

/* file_key NULL: opens with the identity. */
static enum sm_err open_letter(struct sm_opened *o, struct sm_reader *r, const struct sm_party *from, const uint8_t *file_key,
                               struct sm_source *in)
{
	struct judging j = {.r = r, .from = *from};
	struct sm_opener opener = {
	        .id = file_key ? NULL : &r->id, .file_key = file_key, .find_signer = find_signer, .ctx = &j, .threads = 1};
	enum sm_err e = sm_open_verify(o, &opener, in);
	return j.failed != SM_OK ? j.failed : e;
}

/* As much of a field as the list has room for, whole characters only: the fields may be 64 KiB. */
static void keep(char *out, size_t room, const char *value)
{
	size_t n = value ? strlen(value) : 0;
	if (n >= room)
		for (n = room - 1; n && ((unsigned char)value[n] & 0xc0) == 0x80; n--)
			;
	if (n)
		memcpy(out, value, n);
	out[n] = 0;
}

static void take_fields(struct sm_inbox_meta *m, const struct sm_opened *o)
{
	if (o->fields) {
		keep(m->subject, sizeof(m->subject), o->fields->subject);
		keep(m->name, sizeof(m->name), o->fields->name);
		keep(m->type, sizeof(m->type), o->fields->type);
	}
	m->size = o->content;
	memcpy(m->file_key, o->file_key.data, SM_FILE_KEY);
}

enum sm_err sm_letter_judge(struct sm_inbox_meta *m, struct sm_reader *r, struct sm_span envelope)
{
	struct sm_inbox_meta got = {0};
	struct sm_opened o = {0};
	struct sm_source in;
	read_header(&got, envelope);
	sm_source_mem(&in, envelope.p, envelope.n, false);
	enum sm_err e = open_letter(&o, r, &got.from, NULL, &in);
	if (e == SM_OK) {
		take_fields(&got, &o);
		got.proof = proof_of(r, &o, &got.from);
	} else if (sm_letter_fault(e)) {
		got.problem = e;
		e = SM_OK;
	}
	if (e == SM_OK)
		*m = got;
	sm_opened_release(&o);
	sm_source_release(&in);
	sm_wipe(&got, sizeof(got));
	return e;
}

/* Attachments go into dir, or are told of. */
static enum sm_err see_to_attachments(struct sm_opened *o, const char *dir)
{
	size_t n = o->header.nattach;
	if (n && dir)
		return sm_attachments_save(o, dir);
	if (n)
		sm_warning("with %zu attachment%s: -o DIR saves %s too", n, n == 1 ? "" : "s", n == 1 ? "it" : "them");
	return SM_OK;
}

/* Opens message row->n again under the file key that was kept; content may be NULL. Sets row->meta.proof. */
static enum sm_err reopen(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, const char *dir, bool *said)
{
	struct sm_opened o = {0};
	struct sm_source in;
	struct sm_sink out;
	struct sm_buf envelope;
	sm_buf_init(&envelope, ENVELOPE_MAX);
	enum sm_err e = sm_inbox_get(row, &envelope, &r->db, r->key, row->n);
	sm_source_mem(&in, envelope.data, envelope.len, false);
	if (e == SM_OK)
		e = row->meta.problem;
	if (e == SM_OK)
		e = open_letter(&o, r, &row->meta.from, row->meta.file_key, &in);
	if (e == SM_OK)
		row->meta.proof = proof_of(r, &o, &row->meta.from);
	if (e == SM_OK && content) {
		sm_sink_mem(&out, content, NULL);
		e = sm_open_release(&o, &out);
		if (e == SM_OK)
			e = sm_sink_finish(&out);
		sm_sink_release(&out);
	}
	if (e == SM_OK && said && (e = see_to_attachments(&o, dir)) != SM_OK)
		*said = true;
	sm_opened_release(&o);
	sm_source_release(&in);
	sm_buf_release(&envelope);
	return e;
}

enum sm_err sm_letter_review(struct sm_inbox_row *row, struct sm_reader *r)
{
	struct sm_inbox_meta *m = &row->meta;
	struct sm_public pub;
	if (m->problem != SM_OK || m->proof == SM_INBOX_NONE)
		return SM_OK;
	enum sm_err e = proving_key(&pub, r, &m->from);
	if (e == SM_ERR_NOTFOUND || e == SM_ERR_CHANGED) {
		m->proof = e == SM_ERR_CHANGED ? SM_INBOX_CHANGED : SM_INBOX_UNKNOWN;
		return SM_OK;
	}
	if (e != SM_OK || m->proof == SM_INBOX_PROVEN)
		return e;
	e = reopen(row, NULL, r, NULL, NULL);
	if (sm_letter_fault(e)) {
		m->problem = e; /* the signature, now that it could be checked, is wrong */
		e = SM_OK;
	}
	return e == SM_OK ? sm_inbox_update(&r->db, r->key, row, &sm_rand_system) : e;
}

enum sm_err sm_letter_read(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, int64_t n)
{
	row->n = n;
	return reopen(row, content, r, NULL, NULL);
}

enum sm_err sm_letter_take(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, int64_t n, const char *dir, bool *said)
{
	row->n = n;
	*said = false;
	return reopen(row, content, r, dir, said);
}
