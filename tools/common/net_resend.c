/* Only what is in the outbox, was for that device, and goes to a user whose pin has not changed. What a resend repeats is always the first
 * envelope, so that repetitions of repetitions are counted with it. */
#include "common/net_resend.h"

#include "base/base64.h"
#include "base/time.h"
#include "cli/diag.h"
#include "store/groups.h"
#include "store/healing.h"

#include <stdlib.h>
#include <string.h>

#define CONTENT_MAX ((size_t)64 << 20)
#define REFUSED_MAX ((size_t)1 << 20)
#define QUERY "partial=yes&self=none"

struct answer {
	struct sm_online *o;
	struct sm_reader *r;
	const struct sm_wanted *w;
	struct sm_speaker who;
	struct sm_targets to; /* that device */
	struct sm_bundles bundles;
	struct sm_buf envelope, content;
	struct sm_outbox_row was;
	struct sm_source in;
	struct sm_opened opened;
	struct sm_buf file[SM_ATTACH_MAX];
	struct sm_source file_in[SM_ATTACH_MAX];
	struct sm_seal_attachment attach[SM_ATTACH_MAX];
};

static const char *account(const struct answer *a) { return a->r->device.end.address.text; }

/* --- May it be answered? SM_ERR_POLICY: never --- */

static enum sm_err find_asker(struct answer *a)
{
	struct sm_party party = {.has_fp = true};
	struct sm_listed_device d = {0};
	if (sm_address_parse(&party.address, a->w->address, strlen(a->w->address)) != SM_OK)
		return SM_ERR_POLICY;
	memcpy(party.fp, a->w->fp, SM_FP_LEN);
	enum sm_err e = sm_reader_speaker(&a->who, a->r, &party);
	if (e == SM_ERR_NOTFOUND || e == SM_ERR_CHANGED || (e == SM_OK && (a->who.trust == SM_TRUST_CHANGED || !a->who.device)))
		return SM_ERR_POLICY;
	if (e != SM_OK)
		return e;
	d.number = a->who.device;
	memcpy(d.pk, a->who.pub.ed25519, SM_PK_LEN);
	memcpy(d.fp, a->who.pub.fp, SM_FP_LEN);
	return sm_targets_add_one(&a->to, &party.address, &d);
}

/* The user was in the roster; and of the user's devices, those alone that could read it then. */
static enum sm_err was_for_group(struct answer *a, const struct sm_header *h)
{
	struct sm_roster roster = {0};
	bool then = false;
	enum sm_err e = sm_group_roster(&roster, NULL, &a->r->db, h->group.id, h->group.epoch);
	if (e == SM_OK && !sm_roster_find(&roster, a->w->address))
		e = SM_ERR_POLICY;
	sm_roster_release(&roster);
	if (e == SM_OK)
		e = sm_chain_read_by(&then, &a->r->db, h->stanza[0].senderkey.chain, a->w->fp, a->was.n);
	return e == SM_ERR_NOTFOUND || (e == SM_OK && !then) ? SM_ERR_POLICY : e;
}

/* A request that did not arrive is not worth repeating: who waits for the answer asks again. */
static bool only_requests(const struct answer *a)
{
	struct sm_control *line;
	size_t n = 0;
	bool other = false;
	if (!a->opened.fields->type || strcmp(a->opened.fields->type, SM_CONTROL_TYPE) != 0)
		return false;
	line = calloc(SM_CONTROL_LINES, sizeof(*line));
	if (!line || sm_control_parse(line, &n, a->content.data, a->content.len) != SM_OK)
		other = true;
	for (size_t i = 0; i < n; i++)
		other |= line[i].kind != SM_CONTROL_RESEND;
	if (line)
		sm_wipe(line, SM_CONTROL_LINES * sizeof(*line));
	free(line);
	return !other;
}

/* --- What was sent --- */

static enum sm_err read_file(struct answer *a, size_t i)
{
	const struct sm_attach_field *f = &a->opened.fields->attach[i];
	struct sm_sink out;
	sm_buf_init(&a->file[i], CONTENT_MAX);
	sm_sink_mem(&out, &a->file[i], NULL);
	enum sm_err e = sm_open_attachment(&a->opened, i, &out);
	sm_sink_release(&out);
	sm_source_mem(&a->file_in[i], a->file[i].data, a->file[i].len, false);
	a->attach[i] = (struct sm_seal_attachment){.in = &a->file_in[i], .name = f->name, .type = f->type};
	return e;
}

static enum sm_err load(struct answer *a)
{
	struct sm_opener opener = {.file_key = a->was.meta.file_key, .threads = 1};
	struct sm_sink out;
	enum sm_err e = sm_outbox_by_id(&a->was, &a->envelope, &a->r->db, a->r->device.key, account(a), a->w->id);
	if (e == SM_ERR_NOTFOUND)
		return SM_ERR_POLICY;
	sm_source_mem(&a->in, a->envelope.data, a->envelope.len, false);
	if (e == SM_OK)
		e = sm_open_verify(&a->opened, &opener, &a->in);
	if (e == SM_OK) {
		sm_sink_mem(&out, &a->content, NULL);
		e = sm_open_release(&a->opened, &out);
		sm_sink_release(&out);
	}
	for (size_t i = 0; e == SM_OK && i < a->opened.header.nattach; i++)
		e = read_file(a, i);
	return e;
}

static enum sm_err allowed(struct answer *a)
{
	const struct sm_header *h = &a->opened.header;
	if (only_requests(a))
		return SM_ERR_POLICY;
	if (h->has_group)
		return was_for_group(a, h);
	return sm_header_find_to(h, a->w->fp) >= 0 ? SM_OK : SM_ERR_POLICY;
}

/* --- Sealing it anew --- */

static const char *first_id(const struct answer *a)
{
	const char *o = a->opened.fields->original;
	return o && *o ? o : a->w->id;
}

static enum sm_err seal_message(struct sm_outbox_row *row, struct answer *a, int64_t now)
{
	const char *address = a->w->address;
	struct sm_sealing s = {.self = &a->r->device,
	                       .db = &a->r->db,
	                       .to = &a->to,
	                       .bundle = a->bundles.v,
	                       .nbundle = a->bundles.n,
	                       .fields = *a->opened.fields,
	                       .content = {a->content.data, a->content.len},
	                       .attach = a->attach,
	                       .nattach = a->opened.header.nattach,
	                       .no_signature = a->opened.proof == SM_PROOF_NONE,
	                       .now = now,
	                       .rand = &sm_rand_system};
	s.fields.nattach = 0;
	s.fields.original = first_id(a);
	memcpy(row->key, a->w->key, sizeof(a->w->key));
	memcpy(row->query, QUERY, sizeof(QUERY));
	enum sm_err e = sm_sealing_digest(row->meta.digest, &s, &address, 1);
	return e == SM_OK ? sm_sealing_make(row, &s, NULL) : e;
}

enum sm_err sm_control_seal(struct sm_outbox_row *row, struct sm_reader *r, const struct sm_targets *to, const struct sm_bundles *b,
                            const struct sm_control *line, size_t n, const char *parent)
{
	struct sm_sealing s = {.self = &r->device,
	                       .db = &r->db,
	                       .to = to,
	                       .bundle = b->v,
	                       .nbundle = b->n,
	                       .fields = {.type = SM_CONTROL_TYPE},
	                       .now = sm_time_now(),
	                       .rand = &sm_rand_system};
	const char *address = to->v[0].party.address.text;
	struct sm_buf text;
	uint8_t random[16];
	sm_buf_init(&text, SM_CONTROL_MAX);
	sm_rand_fill(&sm_rand_system, random, sizeof(random));
	sm_base32_id(row->key, random);
	memcpy(row->query, QUERY, sizeof(QUERY));
	row->part = parent ? 1 : 0;
	if (parent)
		memcpy(row->parent, parent, strlen(parent) + 1);
	enum sm_err e = sm_control_write(&text, line, n);
	s.content = (struct sm_span){text.data, text.len};
	if (e == SM_OK)
		e = sm_sealing_digest(row->meta.digest, &s, &address, 1);
	if (e == SM_OK)
		e = sm_sealing_make(row, &s, NULL);
	sm_buf_release(&text);
	return e;
}

static enum sm_err was_given(bool *given, struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN])
{
	struct sm_buf fps;
	bool found = false;
	sm_buf_init(&fps, (size_t)1 << 20);
	enum sm_err e = sm_chain_given(&fps, db, chain);
	for (size_t i = 0; e == SM_OK && i + SM_FP_LEN <= fps.len; i += SM_FP_LEN)
		found |= sm_equal(fps.data + i, fp, SM_FP_LEN);
	sm_buf_release(&fps);
	if (e == SM_OK)
		*given = found;
	return e;
}

/* The chain as it is now, when this device was given it before; else only that there is the group. */
static enum sm_err group_line(struct sm_control *line, struct answer *a, const struct sm_roster *roster)
{
	struct sm_sender_chain c = {0};
	bool given = false;
	*line = (struct sm_control){.kind = SM_CONTROL_GROUP, .epoch = roster->epoch};
	memcpy(line->id, roster->group, sizeof(line->id));
	memcpy(line->roster, roster->hash, sizeof(line->roster));
	enum sm_err e = sm_chain_own(&c, &a->r->db, a->r->device.key, roster->group);
	if (e == SM_OK)
		e = was_given(&given, &a->r->db, c.id, a->w->fp);
	if (e == SM_OK && given) {
		line->kind = SM_CONTROL_CHAIN;
		memcpy(line->chain, c.id, sizeof(line->chain));
		memcpy(line->key, c.ck, sizeof(line->key));
		line->n = c.n;
	}
	sm_sender_chain_release(&c);
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

/* Who could not open a group's message may have lost the group altogether. */
static enum sm_err seal_group(struct answer *a)
{
	const struct sm_header *h = &a->opened.header;
	struct sm_outbox_row row = {0};
	struct sm_roster roster = {0};
	struct sm_control line = {0};
	if (!h->has_group)
		return SM_OK;
	enum sm_err e = sm_group_roster(&roster, NULL, &a->r->db, h->group.id, 0);
	if (e == SM_OK && sm_roster_find(&roster, a->w->address)) {
		e = group_line(&line, a, &roster);
		if (e == SM_OK)
			e = sm_control_seal(&row, a->r, &a->to, &a->bundles, &line, 1, a->w->key);
	}
	sm_roster_release(&roster);
	sm_wipe(&line, sizeof(line));
	sm_wipe(&row.meta, sizeof(row.meta));
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

/* Everything in one commit: counted, sealed, in the outbox. */
static enum sm_err seal(struct sm_outbox_row *row, struct answer *a)
{
	int64_t now = sm_time_now();
	enum sm_err e = sm_db_begin(&a->r->db);
	if (e != SM_OK)
		return e;
	e = sm_heal_count(&a->r->db, false, a->w->fp, first_id(a), SM_HEAL_TRIES, now);
	if (e == SM_ERR_LIMIT)
		e = SM_ERR_POLICY;
	if (e == SM_OK)
		e = seal_message(row, a, now);
	if (e == SM_OK)
		e = seal_group(a); /* a part, which goes first; it is added behind, because adding a message clears its parts */
	if (e == SM_OK)
		e = sm_db_commit(&a->r->db);
	if (e != SM_OK)
		sm_db_rollback(&a->r->db);
	return e;
}

static enum sm_err make(struct sm_outbox_row *row, struct answer *a)
{
	size_t stale;
	enum sm_err e = find_asker(a);
	if (e != SM_OK)
		return e;
	e = sm_outbox_get(row, NULL, &a->r->db, a->r->device.key, account(a), a->w->key);
	if (e != SM_ERR_NOTFOUND)
		return e; /* an earlier run was ended between making and sending it */
	e = load(a);
	if (e == SM_OK)
		e = allowed(a);
	if (e == SM_OK)
		e = sm_bundles_fetch(&a->bundles, a->o, &a->r->db, &a->r->device, &a->to, sm_time_now(), &stale);
	return e == SM_OK ? seal(row, a) : e;
}

static void release(struct answer *a)
{
	for (size_t i = 0; i < a->opened.header.nattach; i++) {
		sm_source_release(&a->file_in[i]);
		sm_buf_release(&a->file[i]);
	}
	sm_opened_release(&a->opened);
	sm_source_release(&a->in);
	sm_buf_release(&a->content);
	sm_buf_release(&a->envelope);
	sm_bundles_release(&a->bundles);
	sm_targets_release(&a->to);
	sm_wipe(&a->was.meta, sizeof(a->was.meta));
	free(a);
}

static bool server_away(enum sm_err e) { return e == SM_ERR_NET || e == SM_ERR_BUSY || e == SM_ERR_DENIED; }

/* refused: gets its number (be64) when it is never to be answered; the others are dropped at once. */
static enum sm_err answer_one(struct sm_online *o, struct sm_reader *r, const struct sm_wanted *w, struct sm_buf *refused)
{
	struct answer *a = calloc(1, sizeof(*a));
	struct sm_outbox_row row = {0};
	struct sm_sent sent;
	if (!a)
		return SM_ERR_NOMEM;
	a->o = o, a->r = r, a->w = w;
	sm_buf_init(&a->envelope, CONTENT_MAX);
	sm_buf_init(&a->content, CONTENT_MAX);
	enum sm_err e = make(&row, a);
	if (e == SM_OK)
		e = sm_transmit(&sent, o, &r->db, &r->device, &row);
	if (e == SM_OK)
		sm_note("sent again to %s: message %s", w->address, w->id);
	else
		sm_note("message %s, which %s has asked for, is not sent again: %s", w->id, w->address,
		        e == SM_ERR_POLICY ? "it is not kept, or was not for them" : sm_err_text(e));
	if (e == SM_ERR_POLICY)
		e = sm_buf_add_be64(refused, (uint64_t)w->n);
	else if (!server_away(e))
		e = sm_wanted_drop(&r->db, w->n);
	sm_wipe(&row.meta, sizeof(row.meta));
	release(a);
	return e;
}

/* All in one commit: a stranger can ask for a lot that is not to be answered. */
static enum sm_err drop_refused(struct sm_db *db, const struct sm_buf *refused)
{
	struct sm_span left = {refused->data, refused->len};
	uint64_t n;
	if (!refused->len)
		return SM_OK;
	enum sm_err e = sm_db_begin(db);
	if (e != SM_OK)
		return e;
	while (e == SM_OK && sm_span_take_be64(&left, &n))
		e = sm_wanted_drop(db, (int64_t)n);
	if (e == SM_OK)
		e = sm_db_commit(db);
	if (e != SM_OK)
		sm_db_rollback(db);
	return e;
}

enum sm_err sm_resend_wanted(struct sm_online *o, struct sm_reader *r)
{
	struct sm_wanted w = {0};
	struct sm_buf refused;
	enum sm_err dropped, e = SM_OK;
	sm_buf_init(&refused, REFUSED_MAX);
	while (e == SM_OK && (e = sm_wanted_next(&w, &r->db, w.n)) == SM_OK)
		e = answer_one(o, r, &w, &refused);
	dropped = drop_refused(&r->db, &refused);
	sm_buf_release(&refused);
	return e == SM_OK || e == SM_ERR_NOTFOUND ? dropped : e;
}
