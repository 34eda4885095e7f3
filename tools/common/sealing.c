/* One envelope at a time: a step of each session, the envelope, its row in the outbox. */
#include "common/sealing.h"

#include "base/secret.h"
#include "cli/diag.h"
#include "crypto/hash.h"
#include "store/groups.h"

#include <stdlib.h>
#include <string.h>

#define ENVELOPE_MAX ((size_t)64 << 20)
#define DIGEST_LABEL "SM-send-v1"
#define SWEEP_EVERY 16 /* one envelope in so many, at random, pays for holding the outbox to its bounds */

/* --- Whom it is for --- */

static bool has_target(const struct sm_targets *t, const struct sm_address *address, const struct sm_listed_device *d)
{
	for (size_t i = 0; i < t->n; i++)
		if (!memcmp(t->v[i].device.pk, d->pk, SM_PK_LEN) && !strcmp(t->v[i].party.address.text, address->text))
			return true;
	return false;
}

enum sm_err sm_targets_add_one(struct sm_targets *t, const struct sm_address *address, const struct sm_listed_device *d)
{
	struct sm_target *x;
	if (has_target(t, address, d))
		return SM_OK;
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 8;
		if (!(x = reallocarray(t->v, cap, sizeof(*x))))
			return SM_ERR_NOMEM;
		t->v = x;
		t->cap = cap;
	}
	x = &t->v[t->n++];
	*x = (struct sm_target){.party = {.address = *address, .has_fp = true}, .device = *d};
	memcpy(x->party.fp, d->fp, SM_FP_LEN);
	return SM_OK;
}

enum sm_err sm_targets_add(struct sm_targets *t, const struct sm_device_list *l, const struct sm_self *self, bool to_self)
{
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < l->n; i++) {
		bool own = !memcmp(l->device[i].pk, self->end.pk, SM_PK_LEN);
		if (own && !to_self)
			continue;
		size_t n = t->n;
		e = sm_targets_add_one(t, &l->address, &l->device[i]);
		if (t->n > n)
			t->v[n].hpke = own;
		if (t->n > SM_TO_MAX)
			e = SM_ERR_LIMIT;
	}
	return e;
}

void sm_targets_release(struct sm_targets *t)
{
	free(t->v);
	*t = (struct sm_targets){0};
}

/* --- Stanzas --- */

struct making {
	struct sm_sealing *s;
	bool without, forged; /* a device has neither session nor bundle; its bundle has a key of low order */
	size_t missing;       /* that device */
};

static const struct sm_bundle *find_bundle(const struct sm_sealing *s, const struct sm_target *t)
{
	for (size_t i = 0; i < s->nbundle; i++)
		if (!memcmp(s->bundle[i].end.pk, t->device.pk, SM_PK_LEN) &&
		    !strcmp(s->bundle[i].end.address.text, t->party.address.text) && s->bundle[i].end.device == t->device.number)
			return &s->bundle[i];
	return NULL;
}

static enum sm_err begin_session(struct sm_pair *p, struct making *m, size_t i)
{
	const struct sm_sealing *s = m->s;
	const struct sm_target *t = &s->to->v[i];
	const struct sm_bundle *b = find_bundle(s, t);
	if (!b) {
		m->without = true;
		m->missing = i;
		return SM_ERR_BUSY;
	}
	enum sm_err e = sm_pair_start(p, s->self->id, &s->self->end, b, s->rand);
	m->forged = e == SM_ERR_FORMAT;
	m->missing = i;
	if (e == SM_OK)
		sm_note("%s, device %u: a session is begun%s", t->party.address.text, (unsigned)t->device.number,
		        b->has_opk ? "" : ", without a one-time prekey: the server has none left for it");
	return e;
}

/* Load, step, store. */
static enum sm_err ratchet_stanza(struct making *m, struct sm_stanza *stanza, size_t i, const uint8_t *file_key)
{
	const struct sm_sealing *s = m->s;
	const struct sm_target *t = &s->to->v[i];
	struct sm_pair p = {0};
	enum sm_err e = sm_pair_latest(&p, s->db, s->self->key, t->device.pk);
	if (e == SM_ERR_NOTFOUND)
		e = begin_session(&p, m, i);
	if (e == SM_OK)
		e = sm_pair_seal(&p, stanza, t->device.number, file_key, s->rand);
	if (e == SM_OK)
		e = sm_pair_put(s->db, s->self->key, &p, false, s->rand);
	sm_pair_release(&p);
	return e;
}

/* For sm_seal. SM_ERR_NOTFOUND from here means "statelessly", which nothing but writing to oneself may come to. */
static enum sm_err make_stanza(void *ctx, struct sm_stanza *stanza, const struct sm_header *h, size_t i,
                               const uint8_t file_key[static SM_FILE_KEY])
{
	struct making *m = ctx;
	enum sm_err e;
	if (m->s->group) {
		e = sm_sender_chain_seal(m->s->chain, stanza, h, file_key, m->s->rand);
	} else if (m->s->to->v[i].hpke) {
		sm_note("%s: to this device itself, without a session", m->s->to->v[i].party.address.text);
		return SM_ERR_NOTFOUND;
	} else {
		e = ratchet_stanza(m, stanza, i, file_key);
	}
	return e == SM_ERR_NOTFOUND ? SM_ERR_BUG : e;
}

/* --- The envelope --- */

/* Attachments are read from memory that stays as it is, so that the same content can be sealed again. */
struct reading {
	struct sm_source content;
	struct sm_source in[SM_ATTACH_MAX];
	struct sm_seal_attachment attach[SM_ATTACH_MAX];
	struct sm_party *to;
	struct sm_public *pub;
};

static enum sm_err read_content(struct reading *r, const struct sm_sealing *s)
{
	size_t n = s->group ? 0 : s->to->n;
	enum sm_err e = SM_OK;
	if (s->nattach > SM_ATTACH_MAX)
		return SM_ERR_LIMIT;
	sm_source_mem(&r->content, s->content.p, s->content.n, false);
	for (size_t i = 0; i < s->nattach; i++) {
		sm_source_mem(&r->in[i], s->attach[i].in->mem.p, s->attach[i].in->mem.n, false);
		r->attach[i] = s->attach[i];
		r->attach[i].in = &r->in[i];
	}
	r->to = calloc(n ? n : 1, sizeof(*r->to));
	r->pub = calloc(n ? n : 1, sizeof(*r->pub));
	if (!r->to || !r->pub)
		return SM_ERR_NOMEM;
	for (size_t i = 0; e == SM_OK && i < n; i++) {
		r->to[i] = s->to->v[i].party;
		e = sm_public_from_ed25519(&r->pub[i], s->to->v[i].device.pk);
	}
	return e;
}

static void release_content(struct reading *r, const struct sm_sealing *s)
{
	sm_source_release(&r->content);
	for (size_t i = 0; i < s->nattach && i < SM_ATTACH_MAX; i++)
		sm_source_release(&r->in[i]);
	free(r->to);
	free(r->pub);
	free(r);
}

static enum sm_err seal_envelope(struct sm_buf *envelope, struct sm_outbox_row *row, struct making *m)
{
	const struct sm_sealing *s = m->s;
	struct sm_seal job = {.from = {.address = s->self->end.address, .has_fp = true},
	                      .nto = s->group ? 0 : s->to->n,
	                      .stanza = make_stanza,
	                      .ctx = m,
	                      .group = s->group,
	                      .signer = s->no_signature ? NULL : s->self->id,
	                      .fields = &s->fields,
	                      .nattach = s->nattach,
	                      .date = s->now,
	                      .rand = s->rand,
	                      .threads = 1};
	struct reading *r = calloc(1, sizeof(*r));
	struct sm_secret key = {0};
	struct sm_sink out;
	if (!r)
		return SM_ERR_NOMEM;
	memcpy(job.from.fp, s->self->id->pub.fp, SM_FP_LEN);
	sm_sink_mem(&out, envelope, NULL);
	enum sm_err e = read_content(r, s);
	if (e == SM_OK) {
		job.to = r->to, job.to_pub = r->pub, job.attach = r->attach;
		e = sm_seal(&job, &r->content, &out, row->id, &key);
	}
	if (e == SM_OK)
		memcpy(row->meta.file_key, key.data, SM_FILE_KEY);
	sm_secret_release(&key);
	sm_sink_release(&out);
	release_content(r, s);
	return e;
}

static enum sm_err keep_envelope(const struct sm_outbox_row *row, const struct sm_sealing *s, const struct sm_buf *envelope)
{
	struct sm_span bytes = {envelope->data, envelope->len};
	enum sm_err e = SM_OK;
	uint8_t die;
	sm_rand_fill(s->rand, &die, sizeof(die));
	if (s->group)
		e = sm_chain_own_put(s->db, s->self->key, s->chain, s->rand);
	if (e == SM_OK)
		e = sm_outbox_add(s->db, s->self->key, s->self->end.address.text, row, bytes, s->rand);
	if (e == SM_OK && die % SWEEP_EVERY == 0)
		e = sm_outbox_sweep(s->db, s->now);
	return e;
}

enum sm_err sm_sealing_make(struct sm_outbox_row *row, struct sm_sealing *s, size_t *missing)
{
	struct sm_outbox_row made = *row;
	struct making m = {.s = s};
	struct sm_buf envelope;
	sm_buf_init(&envelope, ENVELOPE_MAX);
	made.created = s->now;
	made.state = SM_OUTBOX_PENDING;
	enum sm_err e = s->group ? sm_sealing_digest(made.meta.digest, s, NULL, 0) : SM_OK;
	if (e == SM_OK)
		e = seal_envelope(&envelope, &made, &m);
	if (e == SM_OK)
		e = keep_envelope(&made, s, &envelope);
	if (e == SM_OK)
		*row = made;
	else if (m.without || m.forged)
		e = m.without ? SM_ERR_NOTFOUND : SM_ERR_SIGNATURE;
	if ((e == SM_ERR_NOTFOUND || e == SM_ERR_SIGNATURE) && missing)
		*missing = m.missing;
	sm_wipe(&made.meta, sizeof(made.meta));
	sm_buf_release(&envelope);
	return e;
}

/* --- The digest of what was asked for --- */

static void add_lp(struct sm_sha256 *h, const void *p, size_t n)
{
	uint8_t len[8];
	sm_put_be64(len, n);
	sm_sha256_update(h, len, sizeof(len));
	if (n)
		sm_sha256_update(h, p, n);
}

static void add_text(struct sm_sha256 *h, const char *s) { add_lp(h, s ? s : "", s ? strlen(s) : 0); }

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* The order in which people are named makes no other message; nor does naming one twice. */
static enum sm_err add_recipients(struct sm_sha256 *h, const char *const *address, size_t n)
{
	const char **sorted = calloc(n ? n : 1, sizeof(*sorted));
	if (!sorted)
		return SM_ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = address[i];
	qsort(sorted, n, sizeof(*sorted), by_text);
	for (size_t i = 0; i < n; i++)
		if (!i || strcmp(sorted[i - 1], sorted[i]) != 0)
			add_text(h, sorted[i]);
	add_text(h, NULL);
	free(sorted);
	return SM_OK;
}

static void add_fields(struct sm_sha256 *h, const struct sm_sealing *s)
{
	const struct sm_fields *f = &s->fields;
	const char *const value[] = {f->type, f->name, f->subject, f->thread, f->reply_to, s->no_signature ? "unsigned" : NULL};
	for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++)
		add_text(h, value[i]);
	for (size_t i = 0; i < s->nattach; i++) {
		add_text(h, s->attach[i].name);
		add_lp(h, s->attach[i].in->mem.p, s->attach[i].in->mem.n);
	}
}

enum sm_err sm_sealing_digest(uint8_t out[static 32], const struct sm_sealing *s, const char *const *address, size_t n)
{
	struct sm_sha256 h;
	enum sm_err e = sm_sha256_init(&h);
	if (e != SM_OK)
		return e;
	sm_sha256_update(&h, DIGEST_LABEL, sizeof(DIGEST_LABEL));
	add_text(&h, s->group ? s->group->id : NULL);
	if ((e = add_recipients(&h, address, n)) == SM_OK) {
		add_fields(&h, s);
		add_lp(&h, s->content.p, s->content.n);
		sm_sha256_final(&h, out);
	}
	sm_sha256_release(&h);
	return e;
}
