/* A roster is the server's to keep and nobody's to make but the members': every epoch is verified before it is stored. */
#include "common/net_groups.h"

#include "base/base64.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_keys.h"
#include "crypto/hash.h"
#include "net/groups.h"
#include "wire/roster_rules.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX ((size_t)64 << 20)

/* A chain of epochs as it comes in. */
struct chain {
	const struct sm_group *group;
	const struct sm_self *self;
	struct sm_roster last; /* epoch 0: none yet */
	struct sm_buf texts;   /* lp(text) of those that are new */
	bool trusted;          /* begins with what is stored, or one of them is what was told of, or signed by oneself */
};

static bool by_oneself(const struct chain *c, const struct sm_roster *r)
{
	const struct sm_member *m = sm_roster_find(r, c->self->end.address.text);

	return m && !strcmp(r->signer.text, c->self->end.address.text) && sm_equal(m->pk, c->self->user, SM_PK_LEN);
}

/* Does r belong behind what there is? */
static enum sm_err judge(struct chain *c, const struct sm_roster *r)
{
	const struct sm_group *g = c->group;
	enum sm_err e = SM_ERR_PROTOCOL;

	if (strcmp(r->group, g->id) != 0)
		return SM_ERR_PROTOCOL;
	e = c->last.epoch ? sm_roster_follows(&c->last, r) : sm_roster_begins(r);
	if (e == SM_OK && g->expect == r->epoch) {
		/* the word of somebody who is not in it counts for nothing */
		bool told = !*g->teller || sm_roster_find(r, g->teller);
		bool same = !memcmp(r->hash, g->expected, sizeof(r->hash));
		if (told && !same && !g->epoch)
			return SM_ERR_PROTOCOL;
		/* where rosters are known they lead on, whatever a member says: it must not be able to stop them */
		if (told && !same)
			sm_warning("%s has told of another list of who is in the group %s than its admins have signed", g->teller,
			           g->alias);
		c->trusted |= told && same;
	}
	if (e == SM_OK)
		c->trusted |= by_oneself(c, r);
	return e == SM_ERR_POLICY || e == SM_ERR_SIGNATURE || e == SM_ERR_FORMAT ? SM_ERR_PROTOCOL : e;
}

static enum sm_err take_epoch(void *ctx, struct sm_span text)
{
	struct chain *c = ctx;
	struct sm_roster r = {0};
	enum sm_err e = sm_roster_parse(&r, (const char *)text.p, text.n);

	if (e)
		return e == SM_ERR_FORMAT ? SM_ERR_PROTOCOL : e;
	if (!(e = judge(c, &r)))
		e = sm_buf_add_lp(&c->texts, text.p, text.n);
	if (e) {
		sm_roster_release(&r);
		return e;
	}
	sm_roster_release(&c->last);
	c->last = r;
	return SM_OK;
}

static enum sm_err put_texts(struct chain *c, struct sm_db *db)
{
	struct sm_span left = {c->texts.data, c->texts.len}, text;
	enum sm_err e = SM_OK;

	while (!e && sm_span_take_lp(&left, &text)) {
		struct sm_roster r = {0};
		if (!(e = sm_roster_parse(&r, (const char *)text.p, text.n)))
			e = sm_group_roster_put(db, &r, (const char *)text.p, text.n);
		sm_roster_release(&r);
	}
	return e;
}

/* The new epochs and what they make of the group, in one commit; another process may have stored some of them meanwhile. */
static enum sm_err store_chain(struct chain *c, struct sm_group *g, struct sm_db *db)
{
	struct sm_group now;
	bool in = sm_roster_find(&c->last, c->self->end.address.text) != NULL;
	enum sm_err e = sm_db_begin(db);

	if (e)
		return e;
	if ((e = sm_group_get(&now, db, g->id)) == SM_ERR_NOTFOUND) {
		now = *g;
		e = SM_OK;
	}
	if (!e && !*now.alias)
		memcpy(now.alias, c->last.name, sizeof(now.alias));
	now.state = in ? SM_GROUP_IN : SM_GROUP_LEFT;
	if (!e && !(e = sm_group_put(db, &now)) && now.epoch < c->last.epoch)
		e = put_texts(c, db);
	if (!e)
		e = sm_group_get(g, db, now.id);
	if (!e)
		e = sm_db_commit(db);
	if (e)
		sm_db_rollback(db);
	return e ? e : in ? SM_OK : SM_ERR_NOTFOUND;
}

static enum sm_err set_left(struct sm_group *g, struct sm_db *db)
{
	enum sm_err e = sm_db_begin(db);

	if (e)
		return e;
	if (g->state == SM_GROUP_IN) {
		g->state = SM_GROUP_LEFT;
		e = sm_group_put(db, g);
	} else if (g->state == SM_GROUP_INVITED) {
		e = sm_group_forget(db, g->id);
	}
	if (!e)
		e = sm_db_commit(db);
	if (e)
		sm_db_rollback(db);
	return e;
}

enum sm_err sm_group_refresh(struct sm_group *g, struct sm_online *o, struct sm_db *db, const struct sm_self *self)
{
	struct chain c = {.group = g, .self = self};
	enum sm_err e = SM_OK;

	sm_buf_init(&c.texts, TEXTS_MAX);
	if (g->epoch && (e = sm_group_roster(&c.last, NULL, db, g->id, 0)))
		goto out;
	c.trusted = c.last.epoch > 0;
	e = sm_net_group_rosters(&o->client, g->id, c.last.epoch, take_epoch, &c);
	if (e == SM_ERR_NOTFOUND && !(e = set_left(g, db)))
		e = SM_ERR_NOTFOUND;
	if (e)
		goto out;
	if (!c.trusted)
		e = c.last.epoch ? SM_ERR_POLICY : SM_ERR_PROTOCOL;
	else if (c.texts.len)
		e = store_chain(&c, g, db);
out:
	sm_roster_release(&c.last);
	sm_buf_release(&c.texts);
	return e;
}

int sm_group_say(const struct sm_online *o, enum sm_err e, const struct sm_group *g)
{
	if (e == SM_ERR_NOTFOUND) {
		sm_error("this account is not in the group %s (any more)", *g->alias ? g->alias : g->id);
		return SM_EXIT_NORECIPIENT;
	}
	if (e == SM_ERR_POLICY) {
		sm_error("no member has told this device of the group %s yet: 'sminbox' fetches what they have sent", g->id);
		return SM_EXIT_NORECIPIENT;
	}
	if (e == SM_ERR_PROTOCOL && !o->client.error.status) {
		sm_error("the server's roster of the group %s is not what its members have signed: refused", *g->alias ? g->alias : g->id);
		return SM_EXIT_PROTOCOL;
	}
	return sm_net_say(&o->client, e);
}

/* --- Finding --- */

/* Groups that are to be looked at: ids, 26 characters each. */
struct prepare {
	struct sm_online *o;
	struct sm_db *db;
	const struct sm_self *self;
	bool all; /* also those that nobody has told of */
	size_t untold;
	struct sm_buf ids;
};

/* Of the groups that the server has this account in, those that one was invited to: one request, however many invitations there are. */
static enum sm_err note_wanted(void *ctx, const char *id, uint64_t epoch)
{
	struct prepare *p = ctx;
	struct sm_group g;
	enum sm_err e = sm_group_get(&g, p->db, id);

	(void)epoch;
	if (e == SM_ERR_NOTFOUND)
		return p->all ? sm_buf_add(&p->ids, id, SM_ID_LEN) : SM_OK;
	if (e)
		return e;
	return g.state == SM_GROUP_INVITED || (g.state == SM_GROUP_LEFT && p->all) ? sm_buf_add(&p->ids, id, SM_ID_LEN) : SM_OK;
}

static enum sm_err has_invitation(void *ctx, const struct sm_group *g)
{
	bool *is = ctx;

	*is |= g->state == SM_GROUP_INVITED;
	return SM_OK;
}

static void announce(const struct sm_group *g)
{
	if (*g->teller)
		sm_warning("%s has taken this account into the group %s: 'smgroup show %s'", g->teller, g->alias, g->alias);
	else
		sm_warning("this account is in the group %s: 'smgroup show %s'", g->alias, g->alias);
}

static void refresh_noted(struct prepare *p)
{
	for (size_t i = 0; i + SM_ID_LEN <= p->ids.len; i += SM_ID_LEN) {
		struct sm_group g = {.state = SM_GROUP_INVITED};
		char id[SM_ID_LEN + 1] = "";
		memcpy(id, p->ids.data + i, SM_ID_LEN);
		if (sm_group_get(&g, p->db, id) == SM_ERR_NOTFOUND)
			memcpy(g.id, id, sizeof(g.id));
		enum sm_err e = sm_group_refresh(&g, p->o, p->db, p->self);
		p->untold += e == SM_ERR_POLICY;
		if (e == SM_OK)
			announce(&g);
		else if (e == SM_ERR_PROTOCOL)
			sm_warning("the server's roster of the group %s is not what its members have signed: not believed", id);
	}
}

static size_t prepare(struct sm_online *o, struct sm_db *db, const struct sm_self *self, bool all)
{
	struct prepare p = {.o = o, .db = db, .self = self, .all = all};
	bool invited = false;

	sm_buf_init(&p.ids, TEXTS_MAX);
	if (sm_group_each(db, has_invitation, &invited) == SM_OK && (all || invited) && sm_net_groups(&o->client, note_wanted, &p) == SM_OK)
		refresh_noted(&p);
	sm_buf_release(&p.ids);
	return p.untold;
}

size_t sm_groups_look(struct sm_online *o, struct sm_db *db, const struct sm_self *self) { return prepare(o, db, self, true); }

void sm_groups_prepare(struct sm_online *o, struct sm_db *db, const struct sm_self *self, const struct sm_header *h)
{
	struct sm_group g;

	if (!h) {
		(void)prepare(o, db, self, false);
		return;
	}
	if (!h->has_group || sm_group_get(&g, db, h->group.id) != SM_OK)
		return;
	if (g.epoch < h->group.epoch && sm_group_refresh(&g, o, db, self) == SM_ERR_PROTOCOL)
		sm_note("the server's roster of the group %s is not believed", g.id);
}

/* By its id one means a group, whatever its name; by its name only when that is known to be its. */
static enum sm_err look_up(struct sm_group *g, struct sm_db *db, const char *who)
{
	uint8_t raw[16];
	enum sm_err e = SM_ERR_NOTFOUND;

	if (sm_base32_id_parse(raw, who, strlen(who)) == SM_OK && (e = sm_group_get(g, db, who)) == SM_OK)
		g->chosen = true;
	if (e == SM_ERR_NOTFOUND)
		e = sm_group_by_alias(g, db, who);
	return e == SM_OK && g->state != SM_GROUP_IN ? SM_ERR_NOTFOUND : e;
}

int sm_group_find(struct sm_group *g, struct sm_online *o, struct sm_db *db, const struct sm_self *self, const char *who)
{
	struct sm_group r;
	const char *name = *who == '@' ? who + 1 : who;
	enum sm_err e = look_up(&r, db, name);

	if (e == SM_ERR_NOTFOUND) {
		(void)sm_groups_look(o, db, self);
		e = look_up(&r, db, name);
	}
	if (e == SM_ERR_NOTFOUND) {
		sm_error("no group is called '%s' here ('smgroup list' shows those that there are; 'sminbox' fetches invitations)", name);
		return SM_EXIT_NORECIPIENT;
	}
	if (e != SM_OK)
		return sm_fail(e, "cannot use '%s'", db->path);
	*g = r;
	return SM_EXIT_OK;
}

/* --- Names --- */

struct naming {
	struct sm_db *db;
	const struct sm_group *g;
	char name[SM_NAME_MAX + 1];
	struct sm_group other; /* id "": none */
};

static enum sm_err name_of(char name[static SM_NAME_MAX + 1], struct sm_db *db, const struct sm_group *g)
{
	struct sm_roster r = {0};
	enum sm_err e = sm_group_roster(&r, NULL, db, g->id, 0);

	if (e == SM_OK)
		memcpy(name, r.name, sizeof(r.name));
	sm_roster_release(&r);
	return e;
}

static enum sm_err same_name(void *ctx, const struct sm_group *g)
{
	struct naming *n = ctx;
	char name[SM_NAME_MAX + 1];
	enum sm_err e;

	if (g->state != SM_GROUP_IN || !strcmp(g->id, n->g->id))
		return SM_OK;
	if ((e = name_of(name, n->db, g)) == SM_OK && !strcmp(name, n->name))
		n->other = *g;
	return e;
}

static const char *known_by(const struct sm_group *g) { return *g->teller ? g->teller : "this account"; }

int sm_group_choose(struct sm_db *db, const struct sm_group *g)
{
	struct naming n = {.db = db, .g = g};

	if (g->chosen)
		return SM_EXIT_OK;
	enum sm_err e = name_of(n.name, db, g);
	if (e == SM_OK)
		e = sm_group_each(db, same_name, &n);
	if (e != SM_OK)
		return sm_fail(e, "cannot use '%s'", db->path);
	if (!*n.other.id) {
		sm_warning("the first message to @%s, which %s has taken this account into", g->alias, known_by(g));
		return SM_EXIT_OK;
	}
	sm_error("two groups call themselves %s: @%s (by %s) and @%s (by %s): say once by its id which is meant ('smgroup list')", n.name,
	         g->alias, known_by(g), n.other.alias, known_by(&n.other));
	return SM_EXIT_REFUSED;
}

enum sm_err sm_group_chosen(struct sm_db *db, const struct sm_group *g)
{
	struct sm_group now;
	enum sm_err e = sm_group_get(&now, db, g->id);

	if (e || now.chosen)
		return e;
	if ((e = sm_db_begin(db)))
		return e;
	if (!(e = sm_group_get(&now, db, g->id))) {
		now.chosen = true;
		e = sm_group_put(db, &now);
	}
	if (!e)
		e = sm_db_commit(db);
	if (e)
		sm_db_rollback(db);
	return e;
}

/* --- Devices --- */

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, SM_FP_LEN); }

/* SHA-256 over the fingerprints of all devices of all members, in order. */
static enum sm_err make_digest(uint8_t digest[static 32], const struct sm_targets *t, const struct sm_self *self)
{
	uint8_t *all = malloc((t->n + 1) * SM_FP_LEN);

	if (!all)
		return SM_ERR_NOMEM;
	for (size_t i = 0; i < t->n; i++)
		memcpy(all + i * SM_FP_LEN, t->v[i].device.fp, SM_FP_LEN);
	memcpy(all + t->n * SM_FP_LEN, self->id->pub.fp, SM_FP_LEN);
	qsort(all, t->n + 1, SM_FP_LEN, by_bytes);
	sm_sha256(digest, all, (t->n + 1) * SM_FP_LEN);
	free(all);
	return SM_OK;
}

/* A member's key must be the pinned one, where there is a pin. */
static enum sm_err check_pin(struct sm_db *db, const struct sm_self *self, const struct sm_member *m)
{
	struct sm_contact c;
	enum sm_err e;

	if (!strcmp(m->address.text, self->end.address.text))
		return sm_equal(m->pk, self->user, SM_PK_LEN) ? SM_OK : SM_ERR_CHANGED;
	if ((e = sm_contact_get(&c, db, m->address.text)))
		return e == SM_ERR_NOTFOUND ? SM_OK : e;
	return c.trust == SM_TRUST_CHANGED || !sm_equal(c.pub.ed25519, m->pk, SM_PK_LEN) ? SM_ERR_CHANGED : SM_OK;
}

static enum sm_err add_others(struct sm_targets *t, const struct sm_device_list *l, const struct sm_self *self)
{
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < l->n; i++)
		if (memcmp(l->device[i].pk, self->end.pk, SM_PK_LEN) != 0)
			e = sm_targets_add_one(t, &l->address, &l->device[i]);
	return e;
}

enum sm_err sm_group_devices(struct sm_targets *t, uint8_t digest[static 32], struct sm_db *db, const struct sm_self *self,
                             const struct sm_roster *r, struct sm_address *whose)
{
	struct sm_targets got = {0};
	struct sm_device_list list;
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < r->n; i++) {
		const struct sm_member *m = &r->member[i];
		if ((e = check_pin(db, self, m)) == SM_ERR_CHANGED)
			*whose = m->address;
		if (!e && !(e = sm_devices_of(&list, db, &m->address, m->pk)))
			e = add_others(&got, &list, self);
	}
	if (!e)
		e = make_digest(digest, &got, self);
	if (e)
		sm_targets_release(&got);
	else
		*t = got;
	return e;
}

/* What the server says of the members, to be stored in one commit when all of it is here. */
struct fetching {
	const struct sm_roster *r;
	struct sm_address *whose;
	struct sm_user_key *k; /* owned */
	size_t n;
};

static enum sm_err take_member(void *ctx, const struct sm_user_key *k)
{
	struct fetching *f = ctx;
	const struct sm_member *m = sm_roster_find(f->r, k->address);

	if (!m || f->n == f->r->n)
		return SM_OK; /* of an epoch that is newer than ours: the server will say so */
	if (!sm_equal(k->pub.ed25519, m->pk, SM_PK_LEN)) {
		*f->whose = m->address;
		return SM_ERR_CHANGED;
	}
	f->k[f->n++] = *k;
	return SM_OK;
}

static enum sm_err keep_members(struct fetching *f, struct sm_online *o, struct sm_db *db)
{
	enum sm_err changed = SM_OK, e = sm_db_begin(db);

	if (e)
		return e;
	for (size_t i = 0; !e && i < f->n; i++) {
		e = sm_peer_keep(db, o, &f->k[i], NULL);
		if (e == SM_ERR_CHANGED) { /* that it has is to be kept */
			*f->whose = sm_roster_find(f->r, f->k[i].address)->address;
			changed = e;
			e = SM_OK;
		}
	}
	if (!e)
		e = sm_db_commit(db);
	if (e)
		sm_db_rollback(db);
	return e == SM_ERR_POLICY ? SM_ERR_PROTOCOL : e ? e : changed;
}

enum sm_err sm_group_fetch_devices(struct sm_online *o, struct sm_db *db, const struct sm_roster *r, struct sm_address *whose)
{
	struct fetching f = {.r = r, .whose = whose, .k = calloc(r->n, sizeof(*f.k))};
	uint64_t epoch;
	enum sm_err e = f.k ? sm_net_group_members(&epoch, &o->client, r->group, o->self.host, take_member, &f) : SM_ERR_NOMEM;

	if (!e)
		e = keep_members(&f, o, db);
	free(f.k);
	return e;
}
