/* This device's prekeys at the server: made here, private halves first, and told to the server until it has said that it has them. */
#include "common/net_sessions.h"

#include "base/time.h"
#include "cli/diag.h"
#include "net/keys.h"
#include "store/prekeys.h"

#include <stdlib.h>
#include <string.h>

#define ASK_EVERY (6 * 3600) /* seconds */
#define DAY 86400

struct keeping {
	struct sm_online *o;
	struct sm_db *db;
	const struct sm_self *self;
	int64_t now;
};

/* --- The signed prekey --- */

static bool too_old(const struct sm_own_prekey *p, int64_t now)
{
	return p->created > now + SM_SPK_AHEAD || now - p->created >= SM_SPK_DAYS_NEW * DAY;
}

/* In a transaction: two processes make one. */
static enum sm_err newest_signed(struct sm_own_prekey *p, bool *sent, const struct keeping *k, bool another)
{
	bool old;
	enum sm_err e = sm_signed_prekey_newest(p, sent, k->db, k->self->key);
	if (e == SM_OK && !another && !too_old(p, k->now))
		return SM_OK;
	if ((e != SM_OK && e != SM_ERR_NOTFOUND) || (e = sm_db_begin(k->db)) != SM_OK)
		return e;
	e = sm_signed_prekey_newest(p, sent, k->db, k->self->key);
	old = e == SM_ERR_NOTFOUND || (e == SM_OK && (another || too_old(p, k->now)));
	if (old) {
		*sent = false;
		e = sm_signed_prekey_make(p, k->db, k->self->key, k->now, &sm_rand_system);
	}
	if (e == SM_OK)
		e = sm_db_commit(k->db);
	if (e != SM_OK)
		sm_db_rollback(k->db);
	return e;
}

static enum sm_err put_signed(const struct keeping *k, const struct sm_own_prekey *p)
{
	struct sm_signed_prekey s = {.id = p->id, .created = p->created};
	memcpy(s.key, p->pk, sizeof(s.key));
	enum sm_err e = sm_signed_prekey_sign(&s, k->self->end.device, k->self->id);
	if (e == SM_OK)
		e = sm_net_signed_prekey_put(&k->o->client, &s);
	return e == SM_OK ? sm_signed_prekey_sent(k->db, p->id) : e;
}

/* The server has seen ids that this store has not made: it was restored from a copy. */
static enum sm_err put_another(const struct keeping *k, struct sm_own_prekey *p, int64_t floor)
{
	bool sent;
	enum sm_err e = sm_prekeys_floor(k->db, false, floor);
	if (e == SM_OK)
		e = newest_signed(p, &sent, k, true);
	return e == SM_OK ? put_signed(k, p) : e;
}

static enum sm_err keep_signed(const struct keeping *k)
{
	struct sm_own_prekey p;
	struct sm_prekey_count count;
	bool sent = false;
	enum sm_err e = newest_signed(&p, &sent, k, false);
	if (e == SM_OK && !sent)
		e = put_signed(k, &p);
	if (e == SM_ERR_CONFLICT && (e = sm_net_prekey_count(&count, &k->o->client)) == SM_OK)
		e = put_another(k, &p, count.has_signed ? (int64_t)count.signed_id : (int64_t)p.id);
	sm_wipe(&p, sizeof(p));
	return e;
}

/* What the server has is not what was made here last: another machine with a copy of this profile, or a server that was restored. */
static enum sm_err repair_signed(const struct keeping *k, const struct sm_prekey_count *count)
{
	struct sm_own_prekey p;
	bool sent;
	enum sm_err e = sm_signed_prekey_newest(&p, &sent, k->db, k->self->key);
	if (e == SM_OK && !(count->has_signed && count->signed_id == p.id && count->signed_created == p.created)) {
		e = SM_ERR_CONFLICT;
		if (!count->has_signed || count->signed_id < p.id)
			e = put_signed(k, &p);
		if (e == SM_ERR_CONFLICT)
			e = put_another(k, &p, count->has_signed ? (int64_t)count->signed_id : (int64_t)p.id);
	}
	sm_wipe(&p, sizeof(p));
	return e;
}

/* --- One-time prekeys --- */

static enum sm_err put_one_time(const struct keeping *k, const struct sm_own_prekey *p, size_t n)
{
	uint32_t id[SM_OPK_FULL], last = 0;
	uint8_t pk[SM_OPK_FULL][32];
	for (size_t i = 0; i < n; i++) {
		id[i] = p[i].id;
		memcpy(pk[i], p[i].pk, sizeof(pk[i]));
		last = id[i] > last ? id[i] : last;
	}
	enum sm_err e = sm_net_prekeys_put(&k->o->client, id, (const uint8_t(*)[32])pk, n);
	/* The server is full, or has other keys under these ids: these will not be wanted. */
	if (e == SM_ERR_LIMIT || e == SM_ERR_CONFLICT)
		e = SM_OK;
	return e == SM_OK ? sm_prekeys_sent(k->db, last) : e;
}

/* Those that a run has made and not sent: it was ended between. */
static enum sm_err send_unsent(const struct keeping *k, struct sm_own_prekey *room)
{
	size_t n = 0;
	enum sm_err e = sm_prekeys_unsent(room, SM_OPK_FULL, &n, k->db, k->self->key);
	return e == SM_OK && n ? put_one_time(k, room, n) : e;
}

static enum sm_err refill(const struct keeping *k, struct sm_own_prekey *room, const struct sm_prekey_count *count)
{
	size_t n = count->one_time < 0 ? SM_OPK_FULL : SM_OPK_FULL - (size_t)count->one_time;
	if (count->one_time >= SM_OPK_LOW)
		return SM_OK;
	enum sm_err e = sm_db_begin(k->db);
	if (e != SM_OK)
		return e;
	e = sm_prekeys_floor(k->db, true, count->highest);
	if (e == SM_OK)
		e = sm_prekeys_make(room, n, k->db, k->self->key, k->now, &sm_rand_system);
	if (e == SM_OK)
		e = sm_db_commit(k->db);
	if (e != SM_OK)
		sm_db_rollback(k->db);
	if (e == SM_OK)
		e = put_one_time(k, room, n);
	if (e == SM_OK)
		sm_note("%zu one-time prekeys for those who will write first", n);
	return e;
}

/* --- When --- */

/* Is it time to ask, and is it for this process to do? Whoever asks says so before, so that of many at once only one does. */
static enum sm_err is_due(bool *due, const struct keeping *k, bool asked)
{
	int64_t at = 0;
	enum sm_err e = sm_prekeys_asked(&at, k->db);
	*due = e == SM_OK && (asked || !at || at > k->now || k->now - at >= ASK_EVERY);
	if (!*due || (e = sm_db_begin(k->db)) != SM_OK)
		return e;
	int64_t then = at;
	e = sm_prekeys_asked(&at, k->db);
	*due = at == then;
	if (e == SM_OK && *due)
		e = sm_prekeys_asked_now(k->db, k->now);
	if (e == SM_OK && *due)
		e = sm_prekeys_sweep(k->db, k->now);
	if (e == SM_OK)
		e = sm_db_commit(k->db);
	if (e != SM_OK)
		sm_db_rollback(k->db);
	return e;
}

static enum sm_err ask(const struct keeping *k, struct sm_own_prekey *room)
{
	struct sm_prekey_count count;
	enum sm_err e = sm_net_prekey_count(&count, &k->o->client);
	if (e == SM_OK)
		e = repair_signed(k, &count);
	if (e == SM_OK)
		e = refill(k, room, &count);
	/* The next run asks again. */
	if (e != SM_OK && sm_prekeys_asked_now(k->db, 0) != SM_OK)
		sm_note("'%s' could not be written", k->db->path);
	return e;
}

enum sm_err sm_prekeys_keep(struct sm_online *o, struct sm_db *db, const struct sm_self *self, bool asked)
{
	struct keeping k = {.o = o, .db = db, .self = self, .now = sm_time_now()};
	struct sm_own_prekey *room = calloc(SM_OPK_FULL, sizeof(*room));
	bool due = false;
	enum sm_err e = room ? keep_signed(&k) : SM_ERR_NOMEM;
	if (e == SM_OK)
		e = send_unsent(&k, room);
	if (e == SM_OK)
		e = is_due(&due, &k, asked);
	if (e == SM_OK && due)
		e = ask(&k, room);
	if (room)
		sm_wipe(room, SM_OPK_FULL * sizeof(*room));
	free(room);
	return e;
}
