/* The verbs that change who is in a group, and what it is called. */
#include "base/base64.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_keys.h"
#include "net/groups.h"
#include "smgroup/verbs.h"

#include <stdlib.h>
#include <string.h>

static struct sm_member *find(struct sm_roster *r, const char *address)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->member[i].address.text, address))
			return &r->member[i];
	return NULL;
}

static bool is_admin(const struct options *o, struct sm_roster *r)
{
	const struct sm_member *self = find(r, o->self.end.address.text);

	return self && self->admin;
}

static int admins_only(const struct options *o, struct sm_roster *r)
{
	if (is_admin(o, r))
		return SM_EXIT_OK;
	sm_error("only its admins may change the group %s", r->name);
	return SM_EXIT_REFUSED;
}

/* A bare name or an address of somebody who is in it, without asking anybody. */
static struct sm_member *find_named(const struct options *o, struct sm_roster *r, const char *who)
{
	struct sm_member *m;
	struct sm_buf text;

	sm_buf_init(&text, SM_ADDRESS_MAX + 1);
	if (strchr(who, '@') || sm_buf_addf(&text, "%s@%s", who, o->online.self.host) != SM_OK || !sm_buf_str(&text))
		m = find(r, who);
	else
		m = find(r, (const char *)text.data);
	sm_buf_release(&text);
	if (!m)
		sm_error("%s is not in the group %s", who, r->name);
	return m;
}

/* The people on the command line, resolved and pinned. */
struct people {
	struct sm_member *m;        /* owned */
	struct sm_address *address; /* owned: of those that were new */
	size_t n, fresh;
};

static enum sm_err to_member(struct sm_member *m, const struct sm_user_key *k)
{
	*m = (struct sm_member){0};
	memcpy(m->pk, k->pub.ed25519, sizeof(m->pk));
	return sm_address_parse(&m->address, k->address, strlen(k->address));
}

static int resolve(struct people *p, struct options *o, int from)
{
	size_t n = (size_t)(o->nargs - from);
	struct sm_user_key *k = calloc(n ? n : 1, sizeof(*k));
	enum sm_err e = SM_OK;
	int code;

	p->m = calloc(n ? n : 1, sizeof(*p->m));
	p->address = calloc(n ? n : 1, sizeof(*p->address));
	code = k && p->m && p->address ? sm_peer_resolve_all(k, &o->online, &o->db, o->arg + from, n)
	                               : sm_fail(SM_ERR_NOMEM, "cannot start");
	for (; code == SM_EXIT_OK && e == SM_OK && p->n < n; p->n++)
		e = to_member(&p->m[p->n], &k[p->n]);
	free(k);
	return e == SM_OK ? code : SM_EXIT_PROTOCOL;
}

static void release(struct people *p)
{
	free(p->m);
	free(p->address);
}

static int add_people(struct sm_roster *r, struct people *p)
{
	p->fresh = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct sm_member *there = find(r, p->m[i].address.text);
		if (there && memcmp(there->pk, p->m[i].pk, sizeof(there->pk)) != 0) {
			sm_error("%s is in the group with another key: remove them first", p->m[i].address.text);
			return SM_EXIT_REFUSED;
		}
		if (there)
			continue;
		if (r->n == SM_ROSTER_MAX)
			return sm_fail_plain(SM_ERR_LIMIT, "a group has at most %d members", SM_ROSTER_MAX);
		r->member[r->n++] = p->m[i];
		p->address[p->fresh++] = p->m[i].address;
	}
	return p->fresh ? SM_EXIT_OK : SM_EXIT_NO;
}

static int edit_add(struct options *o, struct sm_roster *next, void *ctx)
{
	int code = admins_only(o, next);

	return code == SM_EXIT_OK ? add_people(next, ctx) : code;
}

int sm_group_add(struct options *o)
{
	struct people p = {0};
	struct sm_group g;
	int code = resolve(&p, o, 1);

	if (code == SM_EXIT_OK)
		code = sm_group_change(&g, o, edit_add, &p);
	if (code == SM_EXIT_OK && p.fresh)
		code = sm_group_tell(&o->online, &o->db, &o->self, &g, p.address, p.fresh);
	release(&p);
	return code;
}

/* --- create --- */

static enum sm_err first_roster(struct sm_buf *text, struct sm_roster *r, const struct options *o)
{
	uint8_t id[16];

	sm_rand_fill(&sm_rand_system, id, sizeof(id));
	sm_base32_id(r->group, id);
	r->epoch = 1;
	memcpy(r->name, o->arg[0], strlen(o->arg[0]) + 1);
	r->date = sm_time_now();
	r->signer = o->self.end.address;
	enum sm_err e = sm_roster_sign(text, r, &o->id);
	return e == SM_OK && !sm_buf_str(text) ? SM_ERR_NOMEM : e;
}

static int create(struct options *o, struct sm_roster *r, struct people *p)
{
	struct sm_group g = {.state = SM_GROUP_INVITED, .chosen = true};
	struct sm_buf text;
	enum sm_err e;

	sm_buf_init(&text, SM_ROSTER_TEXT_MAX + 1);
	if ((e = first_roster(&text, r, o)) == SM_OK)
		e = sm_net_group_create(&o->online.client, (const char *)text.data);
	sm_buf_release(&text);
	if (e != SM_OK)
		return sm_net_say(&o->online.client, e);
	memcpy(g.id, r->group, sizeof(g.id));
	if ((e = sm_group_refresh(&g, &o->online, &o->db, &o->self)) != SM_OK)
		return sm_group_say(&o->online, e, &g);
	if (strcmp(g.alias, o->arg[0]) != 0)
		sm_warning("there is a group '%s' here already: this one is '%s' on this device", o->arg[0], g.alias);
	return p->fresh ? sm_group_tell(&o->online, &o->db, &o->self, &g, p->address, p->fresh) : SM_EXIT_OK;
}

int sm_group_create(struct options *o)
{
	struct sm_roster r = {0};
	struct people p = {0};
	const char *name = *o->arg[0] == '@' ? ++o->arg[0] : o->arg[0];
	int code = SM_EXIT_OK;

	if (!sm_name_valid(name, strlen(name)))
		sm_usage(&o->opts, "'%s' cannot be a group's name: up to %d of a-z 0-9 . _ -, beginning with a letter or digit", name,
		         SM_NAME_MAX);
	if ((code = sm_group_signing(o)) || (code = resolve(&p, o, 1)))
		goto out;
	if (!(r.member = calloc(SM_ROSTER_MAX, sizeof(*r.member)))) {
		code = sm_fail(SM_ERR_NOMEM, "cannot start");
		goto out;
	}
	r.member[r.n] = (struct sm_member){.address = o->self.end.address, .admin = true};
	memcpy(r.member[r.n++].pk, o->self.user, SM_PK_LEN);
	code = add_people(&r, &p);
	if (code == SM_EXIT_OK || code == SM_EXIT_NO)
		code = create(o, &r, &p);
out:
	sm_roster_release(&r);
	release(&p);
	return code;
}

/* --- remove, promote, rename, leave --- */

static void take_out(struct sm_roster *r, struct sm_member *m)
{
	size_t at = (size_t)(m - r->member);

	memmove(m, m + 1, (r->n - at - 1) * sizeof(*m));
	r->n--;
}

static bool has_admin(const struct sm_roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->member[i].admin)
			return true;
	return false;
}

static int edit_remove(struct options *o, struct sm_roster *next, void *ctx)
{
	int code = admins_only(o, next);

	(void)ctx;
	for (int i = 1; code == SM_EXIT_OK && i < o->nargs; i++) {
		struct sm_member *m = find_named(o, next, o->arg[i]);
		if (!m)
			return SM_EXIT_NORECIPIENT;
		if (!strcmp(m->address.text, o->self.end.address.text)) {
			sm_error("that is this account: 'smgroup leave %s' leaves", o->arg[0]);
			return SM_EXIT_REFUSED;
		}
		take_out(next, m);
	}
	return code;
}

static int edit_promote(struct options *o, struct sm_roster *next, void *ctx)
{
	int code = admins_only(o, next);
	bool changed = false;

	(void)ctx;
	for (int i = 1; code == SM_EXIT_OK && i < o->nargs; i++) {
		struct sm_member *m = find_named(o, next, o->arg[i]);
		if (!m)
			return SM_EXIT_NORECIPIENT;
		changed |= !m->admin;
		m->admin = true;
	}
	return code != SM_EXIT_OK ? code : changed ? SM_EXIT_OK : SM_EXIT_NO;
}

static int edit_rename(struct options *o, struct sm_roster *next, void *ctx)
{
	const char *name = ctx;
	int code = admins_only(o, next);

	if (code != SM_EXIT_OK)
		return code;
	if (!strcmp(next->name, name))
		return SM_EXIT_NO;
	memcpy(next->name, name, strlen(name) + 1);
	return SM_EXIT_OK;
}

static int edit_leave(struct options *o, struct sm_roster *next, void *ctx)
{
	struct sm_member *m = find(next, o->self.end.address.text);

	(void)ctx;
	if (!m)
		return SM_EXIT_NO;
	take_out(next, m);
	if (has_admin(next))
		return SM_EXIT_OK;
	sm_error("nobody else is an admin of the group %s: 'smgroup promote %s WHO' first", next->name, o->arg[0]);
	return SM_EXIT_REFUSED;
}

int sm_group_remove(struct options *o)
{
	struct sm_group g;

	return sm_group_change(&g, o, edit_remove, NULL);
}

int sm_group_promote(struct options *o)
{
	struct sm_group g;

	return sm_group_change(&g, o, edit_promote, NULL);
}

/* The name that others see, and what it is called here. */
int sm_group_rename(struct options *o)
{
	struct sm_group g;
	char *name = *o->arg[1] == '@' ? o->arg[1] + 1 : o->arg[1];
	enum sm_err e;

	if (!sm_name_valid(name, strlen(name)))
		sm_usage(&o->opts, "'%s' cannot be a group's name: up to %d of a-z 0-9 . _ -, beginning with a letter or digit", name,
		         SM_NAME_MAX);
	int code = sm_group_change(&g, o, edit_rename, name);
	if (code != SM_EXIT_OK)
		return code;
	memcpy(g.alias, name, strlen(name) + 1);
	if ((e = sm_db_begin(&o->db)) == SM_OK && (e = sm_group_put(&o->db, &g)) == SM_OK)
		e = sm_db_commit(&o->db);
	if (e != SM_OK) {
		sm_db_rollback(&o->db);
		return sm_fail(e, "cannot use '%s'", o->db.path);
	}
	return SM_EXIT_OK;
}

/* The last member ends the group. */
static int end(struct options *o, struct sm_group *g)
{
	enum sm_err e = sm_net_group_end(&o->online.client, g->id);

	if (e == SM_OK && (e = sm_group_refresh(g, &o->online, &o->db, &o->self)) == SM_ERR_NOTFOUND)
		return SM_EXIT_OK;
	return sm_group_say(&o->online, e, g);
}

int sm_group_leave(struct options *o)
{
	struct sm_roster r = {0};
	struct sm_group g;
	int code = sm_group_find(&g, &o->online, &o->db, &o->self, o->arg[0]);

	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_group_refresh(&g, &o->online, &o->db, &o->self);
	if (e == SM_OK)
		e = sm_group_roster(&r, NULL, &o->db, g.id, 0);
	if (e != SM_OK)
		return sm_group_say(&o->online, e, &g);
	code = r.n == 1 ? end(o, &g) : sm_group_change(&g, o, edit_leave, NULL);
	sm_roster_release(&r);
	return code;
}
