/* The key first, then the message. What is to be given to whom is decided again under the database's lock, since another process may
 * have sent meanwhile; bundles are fetched before, without it. */
#include "common/net_group_send.h"

#include "base/base64.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_keys.h"
#include "common/net_post.h"
#include "net/groups.h"
#include "store/healing.h"
#include "wire/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3
#define PART_MAX 256 /* devices in one envelope of keys: some 400 bytes each, and servers take 256 KiB */
#define ENVELOPE_MAX ((size_t)64 << 20)

struct sending {
	struct sm_online *o;
	struct sm_sealing *s; /* db, self, content */
	struct sm_group *g;
	const char *key;
	struct sm_group_line line;
	struct sm_roster roster;
	struct sm_targets all;  /* every device but this one */
	struct sm_targets left; /* of these, the ones that have not been given the chain */
	uint8_t digest[32];     /* of the devices */
	struct sm_sender_chain chain;
	struct sm_bundles bundles;
	struct sm_outbox_row row; /* the message */
	struct sm_address whose;  /* a key has changed */
	bool stale;               /* what is known here was not enough; ask the server */
};

static void release(struct sending *x)
{
	sm_roster_release(&x->roster);
	sm_targets_release(&x->all);
	sm_targets_release(&x->left);
	sm_bundles_release(&x->bundles);
	sm_sender_chain_release(&x->chain);
	sm_wipe(&x->row.meta, sizeof(x->row.meta));
}

/* --- What to give to whom --- */

static bool has_fp(const struct sm_buf *fps, const uint8_t fp[static SM_FP_LEN])
{
	size_t lo = 0, hi = fps->len / SM_FP_LEN;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = memcmp(fps->data + mid * SM_FP_LEN, fp, SM_FP_LEN);
		if (!d)
			return true;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* Has the chain been given to a device that is no reader any more? */
static bool given_too_far(const struct sm_buf *given, const struct sm_targets *all)
{
	size_t still = 0;

	for (size_t i = 0; i < all->n; i++)
		still += has_fp(given, all->v[i].device.fp);
	return still < given->len / SM_FP_LEN;
}

static enum sm_err fill_left(struct sending *x, const struct sm_buf *given)
{
	enum sm_err e = SM_OK;

	sm_targets_release(&x->left);
	for (size_t i = 0; !e && i < x->all.n; i++)
		if (!has_fp(given, x->all.v[i].device.fp))
			e = sm_targets_add_one(&x->left, &x->all.v[i].party.address, &x->all.v[i].device);
	return e;
}

/* This device's chain, or a new one, and who has it not yet. */
static enum sm_err choose_chain(struct sending *x)
{
	struct sm_sealing *s = x->s;
	struct sm_buf given;
	enum sm_err e;

	sm_buf_init(&given, (size_t)1 << 26);
	sm_sender_chain_release(&x->chain);
	e = sm_chain_own(&x->chain, s->db, s->self->key, x->g->id);
	if (!e && !(e = sm_chain_given(&given, s->db, x->chain.id)) &&
	    (sm_sender_chain_old(&x->chain, s->now) || given_too_far(&given, &x->all) || x->chain.sender.device != s->self->end.device))
		e = SM_ERR_NOTFOUND;
	if (e == SM_ERR_NOTFOUND) {
		sm_sender_chain_release(&x->chain);
		sm_sender_chain_new(&x->chain, x->g->id, &s->self->end, s->now, s->rand);
		sm_buf_clear(&given);
		e = SM_OK;
	}
	if (!e)
		e = fill_left(x, &given);
	sm_buf_release(&given);
	return e;
}

static enum sm_err load_roster(struct sending *x)
{
	enum sm_err e;

	sm_roster_release(&x->roster);
	sm_targets_release(&x->all);
	if ((e = sm_group_roster(&x->roster, NULL, x->s->db, x->g->id, 0)))
		return e;
	memcpy(x->line.id, x->g->id, sizeof(x->line.id));
	x->line.epoch = x->roster.epoch;
	memcpy(x->line.roster, x->roster.hash, sizeof(x->line.roster));
	return sm_group_devices(&x->all, x->digest, x->s->db, x->s->self, &x->roster, &x->whose);
}

static bool has_bundle(const struct sending *x, const struct sm_target *t)
{
	for (size_t i = 0; i < x->bundles.n; i++)
		if (!memcmp(x->bundles.v[i].end.pk, t->device.pk, SM_PK_LEN))
			return true;
	return false;
}

/* One member who has been away for a month must not keep the others from talking: a device that no session can be begun with goes without,
 * and asks for what it missed when it is back. */
static enum sm_err drop_absent(struct sending *x)
{
	size_t kept = 0;
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < x->left.n; i++) {
		const struct sm_target t = x->left.v[i];
		bool is = false;
		if ((e = sm_pair_exists(&is, x->s->db, x->s->self->key, t.device.pk)))
			break;
		if (is || has_bundle(x, &t)) {
			x->left.v[kept++] = t;
			continue;
		}
		sm_warning("%s, device %u: no prekeys, or too old ones; it can ask for this message when it is back", t.party.address.text,
		           (unsigned)t.device.number);
		if (*x->chain.id)
			e = sm_chain_left_out(x->s->db, x->chain.id, t.device.fp);
	}
	if (!e)
		x->left.n = kept;
	return e;
}

/* --- Making --- */

/* One envelope with a control line for at most PART_MAX of the devices, from the first-th on. parent: the group, so that the next
 * message finds it if this run ends before it is sent. */
static enum sm_err make_part(struct sending *x, const struct sm_control *line, const struct sm_targets *to, size_t first, uint8_t part)
{
	struct sm_targets some = {.v = to->v + first, .n = to->n - first < PART_MAX ? to->n - first : PART_MAX};
	struct sm_outbox_row row = {.part = part};
	struct sm_sealing s = *x->s;
	struct sm_buf text;
	enum sm_err e;

	sm_buf_init(&text, SM_CONTROL_MAX);
	if ((e = sm_control_write(&text, line, 1)))
		goto out;
	s.to = &some;
	s.group = NULL;
	s.chain = NULL;
	s.bundle = x->bundles.v, s.nbundle = x->bundles.n;
	s.fields = (struct sm_fields){.type = SM_CONTROL_TYPE};
	s.content = (struct sm_span){text.data, text.len};
	s.attach = NULL, s.nattach = 0;
	s.no_signature = false;
	sm_key_make(row.key, s.now * 1000, s.rand);
	memcpy(row.parent, x->g->id, sizeof(x->g->id));
	(void)snprintf(row.query, sizeof(row.query), "partial=yes&self=none");
	e = sm_sealing_make(&row, &s, NULL);
out:
	sm_buf_release(&text);
	return e;
}

static enum sm_err make_parts(struct sending *x, struct sm_control *line, const struct sm_targets *to)
{
	enum sm_err e = SM_OK;
	uint8_t part = 1;

	line->epoch = x->line.epoch;
	memcpy(line->id, x->g->id, sizeof(line->id));
	memcpy(line->roster, x->line.roster, sizeof(line->roster));
	for (size_t i = 0; !e && i < to->n; i += PART_MAX)
		e = make_part(x, line, to, i, part++);
	return e;
}

static enum sm_err give_chain(struct sending *x)
{
	struct sm_control line = {.kind = SM_CONTROL_CHAIN, .n = x->chain.n};
	enum sm_err e;

	memcpy(line.chain, x->chain.id, sizeof(line.chain));
	memcpy(line.key, x->chain.ck, sizeof(line.key));
	e = make_parts(x, &line, &x->left);
	sm_wipe(&line, sizeof(line));
	for (size_t i = 0; !e && i < x->left.n; i++)
		e = sm_chain_give(x->s->db, x->chain.id, x->left.v[i].device.fp);
	return e;
}

static enum sm_err make_message(struct sending *x)
{
	struct sm_sealing s = *x->s;
	char hex[65];

	sm_hex(hex, x->digest, sizeof(x->digest));
	x->row = (struct sm_outbox_row){.part = 0};
	memcpy(x->row.key, x->key, strlen(x->key) + 1);
	(void)snprintf(x->row.query, sizeof(x->row.query), "devices=%s", hex);
	s.to = NULL;
	s.group = &x->line;
	s.chain = &x->chain;
	return sm_sealing_make(&x->row, &s, NULL);
}

/* The keys and the message, in one commit. SM_ERR_NOTFOUND: a device has no session, and there is no bundle. */
static enum sm_err make_all(struct sending *x)
{
	enum sm_err e = sm_db_begin(x->s->db);

	if (e)
		return e;
	if (!(e = load_roster(x)) && !(e = choose_chain(x)) && !(e = drop_absent(x)) &&
	    !(e = sm_chain_own_put(x->s->db, x->s->self->key, &x->chain, x->s->rand)) && !(e = give_chain(x)) && !(e = make_message(x)))
		e = sm_db_commit(x->s->db);
	if (e)
		sm_db_rollback(x->s->db);
	return e;
}

/* Without the lock: who would need a bundle. Devices that have none, or only an old one, are left out (drop_absent). */
static enum sm_err fetch_bundles(struct sending *x)
{
	size_t bad = 0;
	enum sm_err e;

	sm_bundles_release(&x->bundles);
	e = sm_bundles_fetch(&x->bundles, x->o, x->s->db, x->s->self, &x->left, x->s->now, &bad);
	if (e == SM_ERR_SIGNATURE)
		x->whose = x->left.v[bad].party.address;
	return e == SM_ERR_POLICY ? SM_OK : e;
}

/* --- Transmitting --- */

/* Everything for this group that has to be at the server before the message. A part that the server will never take (a device is gone)
 * is dropped: whom it was for is asked for anew. */
static enum sm_err send_parts(struct sending *x)
{
	struct sm_db *db = x->s->db;
	const char *account = x->s->self->end.address.text;
	struct sm_outbox_row row;
	struct sm_buf envelope;
	struct sm_sent sent;
	enum sm_err e = SM_OK;

	sm_buf_init(&envelope, ENVELOPE_MAX);
	while (!e) {
		sm_buf_clear(&envelope);
		e = sm_outbox_part(&row, &envelope, db, x->s->self->key, account, x->g->id);
		if (e == SM_ERR_NOTFOUND) {
			e = SM_OK;
			break;
		}
		if (e)
			break;
		e = sm_post(&sent, &x->o->client, row.key, row.query, &envelope);
		if (e == SM_OK)
			e = sm_outbox_sent(db, row.n);
		else if (e == SM_ERR_CONFLICT || e == SM_ERR_NOTFOUND || e == SM_ERR_PROTOCOL)
			x->stale = true, e = sm_outbox_drop(db, account, row.key);
	}
	sm_wipe(&row, sizeof(row));
	sm_buf_release(&envelope);
	return e;
}

/* A dropped part's devices have not got the chain: a new one is made, for all. */
static enum sm_err forget_chain(struct sending *x)
{
	struct sm_sender_chain fresh;
	enum sm_err e;

	sm_sender_chain_new(&fresh, x->g->id, &x->s->self->end, x->s->now, x->s->rand);
	e = sm_chain_own_put(x->s->db, x->s->self->key, &fresh, x->s->rand);
	sm_sender_chain_release(&fresh);
	return e;
}

static enum sm_err transmit(struct sm_sent *sent, struct sending *x)
{
	enum sm_err e = send_parts(x);

	if (e == SM_OK && x->stale && (e = forget_chain(x)) == SM_OK)
		e = SM_ERR_CONFLICT;
	return e ? e : sm_transmit(sent, x->o, x->s->db, x->s->self, &x->row);
}

/* --- Keeping up --- */

/* After the server has called something stale, or where nothing is known yet. */
static enum sm_err catch_up(struct sending *x)
{
	struct sm_roster r = {0};
	enum sm_err e = sm_group_refresh(x->g, x->o, x->s->db, x->s->self);

	if (!e && !(e = sm_group_roster(&r, NULL, x->s->db, x->g->id, 0)))
		e = sm_group_fetch_devices(x->o, x->s->db, &r, &x->whose);
	sm_roster_release(&r);
	return e;
}

/* The server could not take it as it stood, and knows more than we do: of the roster, of devices, or that we are out. */
static bool is_stale(const struct sending *x, enum sm_err e)
{
	static const char *const codes[] = {"stale_group", "stale_group_devices", "not_member", "no_such_group"};

	if (e == SM_ERR_CONFLICT || e == SM_ERR_DENIED || e == SM_ERR_NOTFOUND)
		for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
			if (!strcmp(x->o->client.error.code, codes[i]))
				return true;
	return x->stale;
}

/* A key that the roster has is not the one that is believed here: it has changed, or it was accepted here and not in the group. */
static int say_key(struct sending *x)
{
	const char *who = x->whose.text;
	struct sm_contact c;

	if (!strcmp(who, x->s->self->end.address.text))
		sm_error("the group %s has another key for this account than its own: an admin must take it out and in again", x->g->alias);
	else if (sm_contact_get(&c, x->s->db, who) == SM_OK && !c.has_seen)
		sm_error("the group %s has another key for %s than the accepted one: an admin must 'smgroup remove' and 'smgroup add' them",
		         x->g->alias, who);
	else
		return sm_peer_say_changed(x->s->db, who);
	return SM_EXIT_REFUSED;
}

static int say(struct sending *x, enum sm_err e)
{
	if (e == SM_ERR_CHANGED)
		return say_key(x);
	if (e == SM_ERR_POLICY) {
		sm_error("%s speaks of a newer list of who is in the group %s than the server gives: nothing is sent on the old one",
		         x->g->teller, x->g->alias);
		return SM_EXIT_PROTOCOL;
	}
	if (e == SM_ERR_SIGNATURE) {
		sm_error("the server's prekey of %s is not signed by their device: refused", x->whose.text);
		return SM_EXIT_PROTOCOL;
	}
	if (e == SM_ERR_NOTFOUND || e == SM_ERR_PROTOCOL)
		return sm_group_say(x->o, e, x->g);
	return e == SM_ERR_EXISTS ? sm_fail_plain(SM_ERR_CONFLICT, "the key '%s' was used for another message already", x->key)
	                          : sm_net_say(&x->o->client, e);
}

/* Has a member told of an epoch that is not here? Then who was put out might still be in the newest one that is. */
static enum sm_err look_behind(struct sending *x, bool *behind)
{
	struct sm_roster r = {0};
	enum sm_err e = sm_group_get(x->g, x->s->db, x->g->id);

	*behind = false;
	if (!e && x->g->expect > x->g->epoch && !(e = sm_group_roster(&r, NULL, x->s->db, x->g->id, 0)))
		*behind = sm_roster_find(&r, x->g->teller) != NULL;
	sm_roster_release(&r);
	return e;
}

static enum sm_err keep_up(struct sending *x)
{
	bool behind;
	enum sm_err e = look_behind(x, &behind);

	if (!e && behind && !(e = catch_up(x)) && !(e = look_behind(x, &behind)) && behind)
		e = SM_ERR_POLICY;
	return e;
}

/* One try. *again: the server knows more than we do. */
static enum sm_err attempt(struct sm_sent *sent, struct sending *x, bool *again)
{
	enum sm_err e;

	*again = false;
	x->stale = false;
	if ((e = load_roster(x)) || (e = choose_chain(x)))
		return e;
	if (x->left.n && (e = fetch_bundles(x)))
		return e;
	if ((e = make_all(x)) == SM_OK)
		e = transmit(sent, x);
	if (e && is_stale(x, e)) {
		*again = true;
		e = sm_outbox_drop(x->s->db, x->s->self->end.address.text, x->key);
	}
	return e;
}

/* The message is in the outbox under this key: the same bytes once more, when it is the same message. */
static enum sm_err repeat(struct sm_sent *sent, struct sending *x, bool *there)
{
	struct sm_sealing s = *x->s;
	uint8_t digest[32];
	enum sm_err e = sm_outbox_get(&x->row, NULL, s.db, s.self->key, s.self->end.address.text, x->key);

	*there = e == SM_OK;
	if (e)
		return e == SM_ERR_NOTFOUND ? SM_OK : e;
	memcpy(x->line.id, x->g->id, sizeof(x->line.id));
	s.group = &x->line;
	if ((e = sm_sealing_digest(digest, &s, NULL, 0)))
		return e;
	return sm_equal(digest, x->row.meta.digest, sizeof(digest)) ? transmit(sent, x) : SM_ERR_EXISTS;
}

int sm_group_send(struct sm_sent *sent, struct sm_online *o, struct sm_sealing *s, struct sm_group *g, const char *key)
{
	struct sending x = {.o = o, .s = s, .g = g, .key = key};
	bool again = true, there = false;
	enum sm_err e;
	int code = sm_group_choose(s->db, g);

	if (code != SM_EXIT_OK)
		return code;
	if ((e = keep_up(&x)) == SM_OK)
		e = repeat(sent, &x, &there);

	if (e != SM_OK && is_stale(&x, e)) {
		there = false;
		e = sm_outbox_drop(s->db, s->self->end.address.text, key);
		if (!e)
			e = catch_up(&x);
	}
	for (int i = 0; !e && !there && again && i < TRIES; i++) {
		e = attempt(sent, &x, &again);
		if (again && !e)
			e = catch_up(&x);
	}
	if (!e && !there && again)
		e = SM_ERR_BUSY;
	code = e == SM_OK ? SM_EXIT_OK : say(&x, e);
	if (e == SM_OK && sm_group_chosen(s->db, g) != SM_OK)
		sm_note("'%s' could not be written", s->db->path);
	release(&x);
	return code;
}

/* --- Invitations --- */

static enum sm_err pick(struct sending *x, const struct sm_address *who, size_t n)
{
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < x->all.n; i++)
		for (size_t k = 0; !e && k < n; k++)
			if (!strcmp(x->all.v[i].party.address.text, who[k].text))
				e = sm_targets_add_one(&x->left, &who[k], &x->all.v[i].device);
	return e;
}

static enum sm_err make_notices(struct sending *x)
{
	struct sm_control line = {.kind = SM_CONTROL_GROUP};
	enum sm_err e = sm_db_begin(x->s->db);

	if (e)
		return e;
	if (!(e = drop_absent(x)) && !(e = make_parts(x, &line, &x->left)))
		e = sm_db_commit(x->s->db);
	if (e)
		sm_db_rollback(x->s->db);
	return e;
}

int sm_group_tell(struct sm_online *o, struct sm_db *db, const struct sm_self *self, const struct sm_group *g, const struct sm_address *who,
                  size_t n)
{
	struct sm_group group = *g;
	struct sm_sealing s = {.self = self, .db = db, .now = sm_time_now(), .rand = &sm_rand_system};
	struct sending x = {.o = o, .s = &s, .g = &group};
	enum sm_err e = catch_up(&x);

	if (!e && !(e = load_roster(&x)) && !(e = pick(&x, who, n)) && x.left.n) {
		if (!(e = fetch_bundles(&x)) && !(e = make_notices(&x)))
			e = send_parts(&x);
	}
	int code = e == SM_OK ? SM_EXIT_OK : say(&x, e);
	release(&x);
	return code;
}
