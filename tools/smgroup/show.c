/* The verbs that only look. */
#include "base/file.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/tty.h"
#include "common/json.h"
#include "smgroup/verbs.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)64 << 20)

static int print(const struct sm_buf *b, enum sm_err e)
{
	if (e == SM_OK)
		e = sm_put_text(STDOUT_FILENO, b->data, b->len);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot write to standard output");
}

/* --- list --- */

struct listing {
	struct options *o;
	struct sm_buf text;
};

static bool own_admin(const struct options *o, const struct sm_roster *r)
{
	const struct sm_member *m = sm_roster_find(r, o->self.end.address.text);

	return m && m->admin;
}

static enum sm_err group_json(struct sm_buf *b, const struct options *o, const struct sm_group *g, const struct sm_roster *r)
{
	enum sm_err e = sm_buf_adds(b, "{\"v\":1,");

	if (e == SM_OK)
		e = sm_json_member(b, "group", g->alias);
	if (e == SM_OK)
		e = sm_buf_adds(b, ",");
	if (e == SM_OK)
		e = sm_json_member(b, "name", r->name);
	return e == SM_OK ? sm_buf_addf(b, ",\"id\":\"%s\",\"epoch\":%" PRIu64 ",\"members\":%zu,\"admin\":%s}\n", g->id, r->epoch, r->n,
	                                own_admin(o, r) ? "true" : "false")
	                  : e;
}

static enum sm_err add_group(void *ctx, const struct sm_group *g)
{
	struct listing *l = ctx;
	struct sm_roster r = {0};
	enum sm_err e;

	if (g->state != SM_GROUP_IN)
		return SM_OK;
	if ((e = sm_group_roster(&r, NULL, &l->o->db, g->id, 0)) != SM_OK)
		return e;
	if (l->o->json)
		e = group_json(&l->text, l->o, g, &r);
	else
		e = sm_buf_addf(&l->text, "%s\t%zu member%s\t%s\t%s\n", g->alias, r.n, r.n == 1 ? "" : "s",
		                own_admin(l->o, &r) ? "admin" : "member", g->id);
	sm_roster_release(&r);
	return e;
}

struct noted {
	struct sm_buf ids;
};

static enum sm_err note(void *ctx, const struct sm_group *g)
{
	struct noted *n = ctx;

	return g->state == SM_GROUP_IN ? sm_buf_add(&n->ids, g->id, SM_ID_LEN) : SM_OK;
}

/* Everything that is known, brought up to date, and what one has been invited to. One group that the server lies about does not hide the
 * others; the exit code tells of it. */
static int refresh_all(struct options *o)
{
	struct noted n;
	size_t untold = sm_groups_look(&o->online, &o->db, &o->self);
	int code = SM_EXIT_OK;

	if (untold)
		sm_warning("the server has this account in %zu more group%s, of which no member has told this device yet", untold,
		           untold == 1 ? "" : "s");
	sm_buf_init(&n.ids, TEXT_MAX);
	enum sm_err e = sm_group_each(&o->db, note, &n);
	for (size_t i = 0; e == SM_OK && i + SM_ID_LEN <= n.ids.len; i += SM_ID_LEN) {
		struct sm_group g;
		char id[SM_ID_LEN + 1] = "";
		memcpy(id, n.ids.data + i, SM_ID_LEN);
		if ((e = sm_group_get(&g, &o->db, id)) != SM_OK)
			break;
		enum sm_err fresh = sm_group_refresh(&g, &o->online, &o->db, &o->self);
		if (fresh != SM_OK && fresh != SM_ERR_NOTFOUND)
			code = sm_group_say(&o->online, fresh, &g);
		if (fresh == SM_ERR_NET)
			break; /* nor will the others be had */
	}
	sm_buf_release(&n.ids);
	return e == SM_OK ? code : sm_fail(e, "cannot use '%s'", o->db.path);
}

int sm_group_list(struct options *o)
{
	struct listing l = {.o = o};
	int said = refresh_all(o), code;

	sm_buf_init(&l.text, TEXT_MAX);
	enum sm_err e = sm_group_each(&o->db, add_group, &l);
	code = e == SM_OK ? print(&l.text, e) : sm_fail(e, "cannot use '%s'", o->db.path);
	sm_buf_release(&l.text);
	return code == SM_EXIT_OK ? said : code;
}

/* --- show --- */

/* What is known here of a member's key. */
static const char *trust_of(struct options *o, const struct sm_member *m)
{
	struct sm_contact c;

	if (!strcmp(m->address.text, o->self.end.address.text))
		return memcmp(m->pk, o->self.user, sizeof(m->pk)) ? "changed" : "self";
	if (sm_contact_get(&c, &o->db, m->address.text) != SM_OK)
		return "unknown";
	if (c.trust == SM_TRUST_CHANGED || memcmp(c.pub.ed25519, m->pk, sizeof(m->pk)) != 0)
		return "changed";
	return c.trust == SM_TRUST_VERIFIED ? "verified" : "unverified";
}

static enum sm_err add_member(struct sm_buf *b, struct options *o, const struct sm_member *m)
{
	char fp[SM_FP_TEXT_LEN + 1];
	struct sm_public pub;
	const char *role = m->admin ? "admin" : "member", *trust = trust_of(o, m);
	enum sm_err e = sm_public_from_ed25519(&pub, m->pk);

	if (e != SM_OK)
		return e;
	sm_fp_format(fp, pub.fp);
	if (!o->json)
		return sm_buf_addf(b, "%s\t%s\t%s\t%s\n", m->address.text, role, trust, fp);
	return sm_buf_addf(b, "{\"v\":1,\"address\":\"%s\",\"role\":\"%s\",\"trust\":\"%s\",\"fingerprint\":\"%s\"}\n", m->address.text,
	                   role, trust, fp);
}

int sm_group_show(struct options *o)
{
	struct sm_roster r = {0};
	struct sm_group g;
	struct sm_buf text;
	int code = sm_group_find(&g, &o->online, &o->db, &o->self, o->arg[0]);

	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_group_refresh(&g, &o->online, &o->db, &o->self);
	if (e != SM_OK)
		return sm_group_say(&o->online, e, &g);
	if ((e = sm_group_roster(&r, NULL, &o->db, g.id, 0)) != SM_OK)
		return sm_fail(e, "cannot use '%s'", o->db.path);
	sm_buf_init(&text, TEXT_MAX);
	for (size_t i = 0; e == SM_OK && i < r.n; i++)
		e = add_member(&text, o, &r.member[i]);
	code = print(&text, e);
	sm_buf_release(&text);
	sm_roster_release(&r);
	return code;
}
