/* Bundles in, envelopes out; this device's own prekeys are net_prekeys.c's. */
#include "common/net_sessions.h"

#include "cli/diag.h"
#include "common/net_post.h"
#include "net/keys.h"

#include <stdlib.h>
#include <string.h>

#define ENVELOPE_MAX ((size_t)64 << 20)

/* --- Bundles --- */

struct fetching {
	struct sm_bundles *b;
	const struct sm_targets *t;
	const struct sm_self *self;
	bool *wanted; /* of each target: it has no session, and no bundle yet */
	int64_t now;
	size_t bad; /* the target that a forged bundle was for */
};

static struct sm_want *want_of(struct sm_want *want, size_t *n, const struct sm_address *address)
{
	for (size_t i = *n; i > 0; i--)
		if (want[i - 1].n < SM_DEVICES_LIST_MAX && !strcmp(want[i - 1].address.text, address->text))
			return &want[i - 1];
	want[*n] = (struct sm_want){.address = *address};
	return &want[(*n)++];
}

static enum sm_err list_wanted(struct sm_want *want, size_t *n, const struct fetching *f, struct sm_db *db)
{
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < f->t->n; i++) {
		const struct sm_target *t = &f->t->v[i];
		bool has = t->hpke;
		if (!has)
			e = sm_pair_exists(&has, db, f->self->key, t->device.pk);
		if (e != SM_OK || has)
			continue;
		struct sm_want *w = want_of(want, n, &t->party.address);
		w->device[w->n++] = t->device.number;
		f->wanted[i] = true;
	}
	return e;
}

static enum sm_err add_bundle(struct sm_bundles *b, const struct sm_bundle *x)
{
	if (b->n == b->cap) {
		size_t cap = b->cap ? 2 * b->cap : 4;
		struct sm_bundle *v = reallocarray(b->v, cap, sizeof(*v));
		if (!v)
			return SM_ERR_NOMEM;
		b->v = v;
		b->cap = cap;
	}
	b->v[b->n++] = *x;
	return SM_OK;
}

static enum sm_err take_bundle(void *ctx, const struct sm_bundle *x)
{
	struct fetching *f = ctx;
	for (size_t i = 0; i < f->t->n; i++) {
		const struct sm_target *t = &f->t->v[i];
		if (!f->wanted[i] || memcmp(t->device.pk, x->end.pk, SM_PK_LEN) != 0 || t->device.number != x->end.device ||
		    strcmp(t->party.address.text, x->end.address.text) != 0)
			continue;
		enum sm_err e = sm_bundle_check(x, f->now);
		if (e == SM_ERR_POLICY)
			return SM_OK; /* stays wanted */
		if (e == SM_ERR_SIGNATURE || e == SM_ERR_FORMAT) {
			f->bad = i;
			return SM_ERR_SIGNATURE;
		}
		f->wanted[i] = e != SM_OK;
		return e == SM_OK ? add_bundle(f->b, x) : e;
	}
	return SM_OK;
}

static enum sm_err fetch_wanted(struct fetching *f, size_t *at, struct sm_online *o, struct sm_db *db)
{
	struct sm_want *want = calloc(f->t->n, sizeof(*want));
	size_t n = 0;
	enum sm_err e = want ? list_wanted(want, &n, f, db) : SM_ERR_NOMEM;
	if (e == SM_OK && n)
		e = sm_net_bundles(&o->client, want, n, take_bundle, f);
	if (e == SM_ERR_SIGNATURE)
		*at = f->bad;
	for (size_t i = 0; e == SM_OK && i < f->t->n; i++)
		if (f->wanted[i]) {
			*at = i;
			e = SM_ERR_POLICY;
		}
	free(want);
	return e;
}

enum sm_err sm_bundles_fetch(struct sm_bundles *b, struct sm_online *o, struct sm_db *db, const struct sm_self *self,
                             const struct sm_targets *t, int64_t now, size_t *stale)
{
	struct sm_bundles got = {0};
	struct fetching f = {.b = &got, .t = t, .self = self, .now = now};
	size_t at = 0;
	if (!t->n)
		return SM_OK;
	f.wanted = calloc(t->n, sizeof(*f.wanted));
	enum sm_err e = f.wanted ? fetch_wanted(&f, &at, o, db) : SM_ERR_NOMEM;
	if (e == SM_OK || e == SM_ERR_POLICY)
		*b = got;
	else
		sm_bundles_release(&got);
	if ((e == SM_ERR_POLICY || e == SM_ERR_SIGNATURE) && stale)
		*stale = at;
	free(f.wanted);
	return e;
}

void sm_bundles_release(struct sm_bundles *b)
{
	free(b->v);
	*b = (struct sm_bundles){0};
}

/* --- Transmitting --- */

static enum sm_err post(struct sm_sent *sent, struct sm_online *o, const struct sm_outbox_row *row, const struct sm_buf *envelope)
{
	return sm_post(sent, &o->client, row->key, *row->query ? row->query : NULL, envelope);
}

static enum sm_err transmit_parts(struct sm_online *o, struct sm_db *db, const struct sm_self *self, const struct sm_outbox_row *row)
{
	struct sm_outbox_row part;
	struct sm_sent sent;
	struct sm_buf envelope;
	enum sm_err e = SM_OK;
	sm_buf_init(&envelope, ENVELOPE_MAX);
	while (e == SM_OK) {
		sm_buf_clear(&envelope);
		e = sm_outbox_part(&part, &envelope, db, self->key, self->end.address.text, row->key);
		if (e == SM_ERR_NOTFOUND) {
			e = SM_OK;
			break;
		}
		if (e == SM_OK)
			e = post(&sent, o, &part, &envelope);
		if (e == SM_OK)
			e = sm_outbox_sent(db, part.n);
		sm_wipe(&part.meta, sizeof(part.meta));
	}
	sm_buf_release(&envelope);
	return e;
}

enum sm_err sm_transmit(struct sm_sent *sent, struct sm_online *o, struct sm_db *db, const struct sm_self *self,
                        const struct sm_outbox_row *row)
{
	struct sm_outbox_row kept = {0};
	struct sm_buf envelope;
	sm_buf_init(&envelope, ENVELOPE_MAX);
	enum sm_err e = transmit_parts(o, db, self, row);
	if (e == SM_OK && (e = sm_outbox_get(&kept, &envelope, db, self->key, self->end.address.text, row->key)) == SM_ERR_NOTFOUND)
		e = SM_ERR_BUG;
	if (e == SM_OK)
		e = post(sent, o, &kept, &envelope);
	/* What is sent and not marked so is sent once more at worst, under its key. */
	if (e == SM_OK && kept.state != SM_OUTBOX_SENT && sm_outbox_sent(db, kept.n) != SM_OK)
		sm_note("sent, but '%s' could not be written to say so", db->path);
	sm_wipe(&kept.meta, sizeof(kept.meta));
	sm_buf_release(&envelope);
	return e;
}
