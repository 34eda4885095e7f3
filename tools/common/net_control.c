/* The asking half of healing. A request goes over a fresh session, because the one that there was does not open what comes over it; both go
 * into the store in one commit before anything is sent. */
#include "common/net_control.h"

#include "base/time.h"
#include "cli/diag.h"
#include "common/letter_keep.h"
#include "common/net_resend.h"
#include "net/keys.h"
#include "store/healing.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 256 /* that are looked at in a run */
#define ASK_IDS 32      /* of one request */
#define ASK_DEVICES 64  /* that are asked in a run */
#define REQUESTS_MAX 32 /* to one device, within SM_OUTBOX_DAYS: two that cannot hear each other fall silent */
#define REQUESTS "requests"

struct request {
	struct sm_speaker to;
	size_t n;
	int64_t row[ASK_IDS];
	char id[ASK_IDS][SM_ID_LEN + 1];
};
struct healing {
	struct sm_online *o;
	struct sm_reader *r;
	struct sm_buf *opened;
	struct request *v;
	size_t n;
};

/* --- Whom to ask for what --- */

static struct request *request_to(struct healing *h, const struct sm_speaker *to)
{
	for (size_t i = 0; i < h->n; i++)
		if (sm_equal(h->v[i].to.pub.fp, to->pub.fp, SM_FP_LEN) && h->v[i].n < ASK_IDS)
			return &h->v[i];
	if (h->n == ASK_DEVICES)
		return NULL;
	h->v[h->n] = (struct request){.to = *to};
	return &h->v[h->n++];
}

static bool may_be_asked(const struct healing *h, const struct sm_speaker *s)
{
	return s->device && s->trust != SM_TRUST_CHANGED && *s->address.text && memcmp(s->pub.ed25519, h->r->device.end.pk, SM_PK_LEN) != 0;
}

/* Tries it once more, then notes it down. */
static enum sm_err look_at(void *ctx, const struct sm_inbox_row *found)
{
	struct healing *h = ctx;
	struct sm_inbox_row row = *found;
	struct sm_speaker s;
	struct request *q;
	enum sm_err e = sm_letter_retry(&row, h->r);
	bool open = e == SM_ERR_NOTFOUND || (e == SM_OK && row.meta.problem == SM_OK), ask = e == SM_OK && !open && row.asked;
	if (e == SM_OK && open)
		e = sm_buf_add_be64(h->opened, (uint64_t)row.n);
	else if (ask)
		e = sm_reader_speaker(&s, h->r, &row.meta.from);
	if (ask && e == SM_OK && may_be_asked(h, &s) && (q = request_to(h, &s))) {
		q->row[q->n] = row.n;
		memcpy(q->id[q->n++], row.meta.id, sizeof(row.meta.id));
	}
	sm_wipe(&row, sizeof(row));
	return e == SM_ERR_NOTFOUND || e == SM_ERR_CHANGED ? SM_OK : e;
}

/* --- Asking --- */

/* Keeps those that may be asked for still. */
static enum sm_err count(struct request *q, struct sm_db *db, int64_t now)
{
	size_t kept = 0;
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < q->n; i++) {
		e = sm_heal_count(db, true, q->to.pub.fp, q->id[i], SM_HEAL_TRIES, now);
		if (e == SM_OK)
			memmove(q->id[kept++], q->id[i], sizeof(q->id[i]));
		else if (e == SM_ERR_LIMIT)
			e = sm_inbox_wait(db, q->row[i], false);
	}
	q->n = kept;
	return e == SM_OK && kept ? sm_heal_count(db, true, q->to.pub.fp, REQUESTS, REQUESTS_MAX, now) : e;
}

static enum sm_err begin_session(const struct healing *h, const struct sm_bundle *b)
{
	struct sm_pair p = {0};
	enum sm_err e = sm_pair_start(&p, h->r->device.id, &h->r->device.end, b, &sm_rand_system);
	if (e == SM_OK)
		e = sm_pair_put(&h->r->db, h->r->device.key, &p, true, &sm_rand_system);
	sm_pair_release(&p);
	return e;
}

static enum sm_err seal_request(struct sm_outbox_row *row, struct healing *h, const struct request *q, const struct sm_targets *to)
{
	struct sm_control line[ASK_IDS];
	struct sm_bundles none = {0};
	memset(line, 0, sizeof(line));
	for (size_t i = 0; i < q->n; i++) {
		line[i].kind = SM_CONTROL_RESEND;
		memcpy(line[i].id, q->id[i], sizeof(line[i].id));
	}
	return sm_control_seal(row, h->r, to, &none, line, q->n, NULL);
}

/* One commit; q->n is 0 when nothing may be asked for any more. */
static enum sm_err make_request(struct sm_outbox_row *row, struct healing *h, struct request *q, const struct sm_bundle *b,
                                const struct sm_targets *to)
{
	struct sm_db *db = &h->r->db;
	enum sm_err e = sm_db_begin(db);
	if (e != SM_OK)
		return e;
	e = count(q, db, sm_time_now());
	if (e == SM_OK && q->n)
		e = begin_session(h, b);
	if (e == SM_OK && q->n)
		e = seal_request(row, h, q, to);
	if (e == SM_OK)
		e = sm_db_commit(db);
	if (e != SM_OK)
		sm_db_rollback(db);
	return e;
}

struct wanted_bundle {
	struct sm_bundle b;
	const struct sm_speaker *of;
	bool got;
};

static enum sm_err take_bundle(void *ctx, const struct sm_bundle *b)
{
	struct wanted_bundle *w = ctx;
	if (b->end.device == w->of->device && !memcmp(b->end.pk, w->of->pub.ed25519, SM_PK_LEN) &&
	    !strcmp(b->end.address.text, w->of->address.text) && sm_bundle_check(b, sm_time_now()) == SM_OK) {
		w->b = *b;
		w->got = true;
	}
	return SM_OK;
}

static enum sm_err fetch_bundle(struct wanted_bundle *w, struct healing *h)
{
	struct sm_want want = {.address = w->of->address, .device = {w->of->device}, .n = 1};
	enum sm_err e = sm_net_bundles(&h->o->client, &want, 1, take_bundle, w);
	return e == SM_OK && !w->got ? SM_ERR_NOTFOUND : e;
}

static enum sm_err ask(struct healing *h, struct request *q)
{
	struct wanted_bundle w = {.of = &q->to};
	struct sm_listed_device d = {.number = q->to.device};
	struct sm_outbox_row row = {0};
	struct sm_targets to = {0};
	struct sm_sent sent;
	enum sm_err e = fetch_bundle(&w, h);
	memcpy(d.pk, q->to.pub.ed25519, SM_PK_LEN);
	memcpy(d.fp, q->to.pub.fp, SM_FP_LEN);
	if (e == SM_OK)
		e = sm_targets_add_one(&to, &q->to.address, &d);
	if (e == SM_OK)
		e = make_request(&row, h, q, &w.b, &to);
	if (e == SM_OK && q->n)
		e = sm_transmit(&sent, h->o, &h->r->db, &h->r->device, &row);
	if (e == SM_OK && q->n)
		sm_note("%s, device %u, is asked for %zu message%s that did not open", q->to.address.text, (unsigned)q->to.device, q->n,
		        q->n == 1 ? "" : "s");
	sm_wipe(&row.meta, sizeof(row.meta));
	sm_targets_release(&to);
	return e;
}

static enum sm_err ask_all(struct healing *h)
{
	enum sm_err e = sm_inbox_waiting(&h->r->db, h->r->key, WAITING_MAX, look_at, h);
	for (size_t i = 0; e == SM_OK && i < h->n; i++) {
		e = ask(h, &h->v[i]);
		if (e == SM_OK || e == SM_ERR_NET)
			continue;
		sm_note("%s, device %u, cannot be asked for messages that did not open: %s", h->v[i].to.address.text,
		        (unsigned)h->v[i].to.device, sm_err_text(e));
		e = SM_OK;
	}
	return e;
}

void sm_heal(struct sm_online *o, struct sm_reader *r, struct sm_buf *opened)
{
	struct healing h = {.o = o, .r = r, .opened = opened, .v = calloc(ASK_DEVICES, sizeof(*h.v))};
	enum sm_err e = h.v ? ask_all(&h) : SM_ERR_NOMEM;
	if (e == SM_OK)
		e = sm_resend_wanted(o, r);
	if (e != SM_OK)
		sm_note("messages that did not open are not seen to now: %s", sm_err_text(e));
	free(h.v);
}
