/* Opening and judging. A signature proves an address only when the key that made it is a device of the user who is pinned for that very
 * address (common/speaker.h). */
#include "common/letter.h"

#include "cli/diag.h"
#include "cli/exit.h"
#include "common/attachments.h"
#include "store/account.h"
#include "store/keyring.h"
#include "stream/resign.h"

#include <stdlib.h>
#include <string.h>

#define ENVELOPE_MAX ((size_t)64 << 20)

/* --- Who reads --- */

enum sm_err sm_reader_refresh(struct sm_reader *r)
{
	const struct sm_listed_device *d;
	struct sm_address address;
	memset(&r->speakers, 0, sizeof(r->speakers));
	sm_self_release(&r->device);
	r->has_device = false;
	if (!*r->self)
		return SM_OK;
	enum sm_err e = sm_address_parse(&address, r->self, strlen(r->self));
	if (e == SM_OK)
		e = sm_self_load(&r->device, &r->id, &r->db, &address, r->number);
	r->has_device = e == SM_OK;
	r->removed = e == SM_ERR_POLICY;
	/* Without a login session the number is what the account's list says; without a list there is one device. */
	if (r->has_device && !r->number && (d = sm_device_list_find(&r->device.own, r->id.pub.fp)))
		r->device.end.device = d->number;
	return e == SM_ERR_POLICY || e == SM_ERR_SUITE ? SM_OK : e;
}

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
	if (e == SM_OK)
		e = sm_reader_refresh(r);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot open the inbox");
}

void sm_reader_close(struct sm_reader *r)
{
	sm_self_release(&r->device);
	sm_db_close(&r->db);
	sm_identity_release(&r->id);
	sm_wipe(r->key, sizeof(r->key));
}

/* --- Judging --- */

struct judging {
	struct sm_opening o; /* first: sm_opening_session's */
	struct sm_reader *r;
	struct sm_party from;
	struct sm_speaker speaker;
	bool changed;       /* the address is pinned to another key */
	enum sm_err failed; /* the database's error, if it had one */
};

/* This identity's own key needs no account. */
static bool by_myself(const struct sm_reader *r, const struct sm_party *from)
{
	return from->has_fp && sm_equal(from->fp, r->id.pub.fp, SM_FP_LEN) &&
	       (!*from->address.text || !strcmp(from->address.text, r->self));
}

enum sm_err sm_reader_speaker(struct sm_speaker *s, struct sm_reader *r, const struct sm_party *from)
{
	enum sm_err e = sm_speakers_find(s, NULL, &r->speakers, &r->db, r->has_device ? &r->device : NULL, from);
	if ((e == SM_ERR_NOTFOUND || e == SM_ERR_CHANGED) && by_myself(r, from)) {
		*s = (struct sm_speaker){.pub = r->id.pub, .trust = SM_TRUST_VERIFIED, .own = true};
		memcpy(s->user, r->id.pub.fp, SM_FP_LEN);
		e = SM_OK;
	}
	return e;
}

/* The envelope's header was parsed before it was opened, so that its `from` address can be looked at here. */
static enum sm_err find_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	struct judging *j = ctx;
	if (!j->from.has_fp || !sm_equal(fp, j->from.fp, SM_FP_LEN))
		return SM_ERR_NOTFOUND;
	enum sm_err e = sm_reader_speaker(&j->speaker, j->r, &j->from);
	j->changed = e == SM_ERR_CHANGED;
	if (e != SM_OK && e != SM_ERR_NOTFOUND && e != SM_ERR_CHANGED)
		j->failed = e;
	if (e != SM_OK)
		return SM_ERR_NOTFOUND;
	*pub = j->speaker.pub;
	return SM_OK;
}

/* All of a group hold the key that its messages are under: only the signature says who wrote one. */
static enum sm_err policy(void *ctx, const struct sm_header *h, enum sm_proof proof)
{
	struct judging *j = ctx;
	if (!h->has_group || !j->o.group || proof == SM_PROOF_PROVEN)
		return SM_OK;
	j->o.why = SM_INBOX_WHY_UNSIGNED;
	return SM_ERR_POLICY;
}

bool sm_letter_fault(enum sm_err e) { return e >= SM_ERR_ARMOR && e <= SM_ERR_LIMIT; }

/* As far as the header can be read: who it says it is from, its id and date, and the group. */
static void read_header(struct sm_letter *l, struct sm_span envelope)
{
	struct sm_inbox_meta *m = &l->meta;
	struct sm_header h = {0};
	unsigned line;
	size_t n;
	if (sm_header_find(&n, envelope.p, envelope.n) != SM_OK || sm_header_parse(&h, &line, envelope.p, n) != SM_OK)
		return;
	m->from = h.from;
	memcpy(m->id, h.id, sizeof(m->id));
	m->date = h.date;
	if (h.has_group)
		memcpy(m->group, h.group.id, sizeof(m->group));
	l->alone = h.nto == 1;
	sm_header_release(&h);
}

static enum sm_inbox_proof proof_of(const struct sm_opened *o, const struct judging *j)
{
	if (o->proof == SM_PROOF_PROVEN)
		return SM_INBOX_PROVEN;
	if (o->proof == SM_PROOF_NONE)
		return SM_INBOX_NONE;
	return j->changed ? SM_INBOX_CHANGED : SM_INBOX_UNKNOWN;
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
		keep(m->original, sizeof(m->original), o->fields->original);
	}
	m->size = o->content;
	memcpy(m->file_key, o->file_key.data, SM_FILE_KEY);
}

static void take_proof(struct sm_letter *l, const struct sm_opened *o, const struct judging *j)
{
	struct sm_inbox_meta *m = &l->meta;
	m->proof = proof_of(o, j);
	if (m->proof != SM_INBOX_PROVEN)
		return;
	m->has_user = true;
	memcpy(m->user, j->speaker.user, SM_FP_LEN);
	l->trusted = j->speaker.trust != SM_TRUST_CHANGED;
}

/* What is no control message in canonical form is a message like all others. */
static enum sm_err take_control(struct sm_letter *l, struct sm_opened *o)
{
	struct sm_control *line;
	struct sm_buf text;
	struct sm_sink out;
	size_t n = 0;
	if (!l->opening.pairwise || !l->trusted || strcmp(l->meta.type, SM_CONTROL_TYPE) != 0 || o->content > SM_CONTROL_MAX)
		return SM_OK;
	line = calloc(SM_CONTROL_LINES, sizeof(*line));
	if (!line)
		return SM_ERR_NOMEM;
	sm_buf_init(&text, SM_CONTROL_MAX);
	sm_sink_mem(&out, &text, NULL);
	enum sm_err e = sm_open_release(o, &out);
	if (e == SM_OK)
		e = sm_control_parse(line, &n, text.data, text.len);
	if (e == SM_OK) {
		l->line = line;
		l->nline = n;
		line = NULL;
	}
	free(line);
	sm_sink_release(&out);
	sm_buf_release(&text);
	return e == SM_ERR_PAYLOAD ? SM_OK : e;
}

static enum sm_err judge(struct sm_letter *l, struct judging *j, struct sm_opened *o, struct sm_source *in)
{
	struct sm_opener opener = {
	        .id = &j->r->id, .session = sm_opening_session, .find_signer = find_signer, .policy = policy, .ctx = j, .threads = 1};
	enum sm_err e = sm_open_verify(o, &opener, in);
	l->opening = j->o;
	memset(&j->o, 0, sizeof(j->o));
	if (j->failed != SM_OK)
		return j->failed;
	if (e != SM_OK)
		return e;
	take_fields(&l->meta, o);
	take_proof(l, o, j);
	return take_control(l, o);
}

static enum sm_err verify_unopened(bool *good, const struct sm_public *pub, struct sm_span envelope)
{
	struct sm_scanned scan = {0};
	struct sm_source in;
	sm_source_mem(&in, envelope.p, envelope.n, false);
	enum sm_err e = sm_scan(&scan, &in, NULL, NULL);
	*good = e == SM_OK && scan.siglen && scan.header.suite == pub->suite &&
	        sm_signature_verify(pub, scan.header.hh, scan.digest, scan.sig, scan.siglen) == SM_OK;
	sm_header_release(&scan.header);
	sm_source_release(&in);
	return e != SM_OK && !sm_letter_fault(e) ? e : SM_OK;
}

/* What did not open may be anybody's, who wants us to begin sessions: the signature can be verified without opening it. */
static enum sm_err judge_unopened(struct sm_letter *l, struct sm_reader *r, struct sm_span envelope)
{
	struct sm_inbox_meta *m = &l->meta;
	struct sm_speaker s;
	if (m->why != SM_INBOX_WHY_SESSION && m->why != SM_INBOX_WHY_GROUP && m->why != SM_INBOX_WHY_CHAIN)
		return SM_OK;
	enum sm_err e = sm_reader_speaker(&s, r, &m->from);
	if (e == SM_OK)
		return verify_unopened(&l->ask, &s.pub, envelope);
	if (e != SM_ERR_NOTFOUND && e != SM_ERR_CHANGED)
		return e;
	m->why = SM_INBOX_WHY_SENDER;
	return SM_OK;
}

enum sm_err sm_letter_judge(struct sm_letter *l, struct sm_reader *r, struct sm_span envelope, int64_t now)
{
	struct judging j = {.r = r};
	struct sm_opened o = {0};
	struct sm_source in;
	read_header(l, envelope);
	j.from = l->meta.from;
	j.o = (struct sm_opening){
	        .self = r->has_device ? &r->device : NULL, .speakers = &r->speakers, .db = &r->db, .now = now, .rand = &sm_rand_system};
	sm_source_mem(&in, envelope.p, envelope.n, false);
	enum sm_err e = judge(l, &j, &o, &in);
	if (sm_letter_fault(e)) {
		l->meta.problem = e;
		l->meta.why = l->opening.why;
		e = judge_unopened(l, r, envelope);
	}
	sm_opened_release(&o);
	sm_source_release(&in);
	return e;
}

void sm_letter_release(struct sm_letter *l)
{
	sm_opening_release(&l->opening);
	if (l->line)
		sm_wipe(l->line, SM_CONTROL_LINES * sizeof(*l->line));
	free(l->line);
	sm_wipe(l, sizeof(*l));
}

/* --- Again --- */

enum sm_err sm_letter_reopen(struct sm_reopened *x, struct sm_inbox_row *row, struct sm_reader *r)
{
	struct judging j = {.r = r};
	struct sm_opener opener = {.file_key = row->meta.file_key, .find_signer = find_signer, .ctx = &j, .threads = 1};
	sm_buf_init(&x->envelope, ENVELOPE_MAX);
	enum sm_err e = sm_inbox_get(row, &x->envelope, &r->db, r->key, row->n);
	sm_source_mem(&x->in, x->envelope.data, x->envelope.len, false);
	if (e == SM_OK)
		e = row->meta.problem;
	j.from = row->meta.from;
	if (e == SM_OK)
		e = sm_open_verify(&x->opened, &opener, &x->in);
	if (j.failed != SM_OK)
		e = j.failed;
	if (e != SM_OK)
		return e;
	/* what was proven once stays so while the user is the same (letter_keep.c), whatever became of the device */
	if (row->meta.proof != SM_INBOX_PROVEN || x->opened.proof == SM_PROOF_PROVEN)
		row->meta.proof = proof_of(&x->opened, &j);
	if (x->opened.proof == SM_PROOF_PROVEN) {
		row->meta.has_user = true;
		memcpy(row->meta.user, j.speaker.user, SM_FP_LEN);
	}
	return SM_OK;
}

void sm_reopened_release(struct sm_reopened *x)
{
	sm_opened_release(&x->opened);
	sm_source_release(&x->in);
	sm_buf_release(&x->envelope);
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

static enum sm_err read_letter(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, const char *dir, bool *said)
{
	struct sm_reopened x = {0};
	struct sm_sink out;
	enum sm_err e = sm_letter_reopen(&x, row, r);
	if (e == SM_OK) {
		sm_sink_mem(&out, content, NULL);
		e = sm_open_release(&x.opened, &out);
		sm_sink_release(&out);
	}
	if (e == SM_OK && said && (e = see_to_attachments(&x.opened, dir)) != SM_OK)
		*said = true;
	sm_reopened_release(&x);
	return e;
}

enum sm_err sm_letter_read(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, int64_t n)
{
	row->n = n;
	return read_letter(row, content, r, NULL, NULL);
}

enum sm_err sm_letter_take(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, int64_t n, const char *dir, bool *said)
{
	row->n = n;
	*said = false;
	return read_letter(row, content, r, dir, said);
}
