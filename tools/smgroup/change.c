/* From one epoch to the next: the newest roster, edited, signed, put. Two admins may do so at once; who comes second begins again. */
#include "smgroup/verbs.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "net/groups.h"

#include <string.h>

#define TRIES 5

int sm_group_signing(const struct options *o)
{
	if (o->self.holds_user)
		return SM_EXIT_OK;
	sm_error("rosters are signed with the user key of %s, which this device does not hold: do it on the one that does",
	         o->self.end.address.text);
	return SM_EXIT_REFUSED;
}

static int say_refused(const struct options *o, enum sm_err e)
{
	const struct sm_api_error *x = &o->online.client.error;

	if (e == SM_ERR_CONFLICT && !strcmp(x->code, "member_key")) {
		sm_error("a member's key is not the one that the server has now: 'smcontact add WHO' shows whose");
		return SM_EXIT_REFUSED;
	}
	if (e == SM_ERR_NOTFOUND && !strcmp(x->code, "no_such_member")) {
		sm_error("somebody in the group has no account any more: remove them first");
		return SM_EXIT_NORECIPIENT;
	}
	return sm_net_say(&o->online.client, e);
}

/* Signs, puts, and stores what was put. *raced: another epoch came first. */
static int put(struct sm_group *g, struct options *o, struct sm_roster *next, bool *raced)
{
	struct sm_buf text;
	const char *s;
	enum sm_err e;

	sm_buf_init(&text, SM_ROSTER_TEXT_MAX);
	next->date = sm_time_now();
	next->signer = o->self.end.address;
	e = sm_roster_sign(&text, next, &o->id);
	if (e == SM_OK && !(s = sm_buf_str(&text)))
		e = SM_ERR_NOMEM;
	if (e != SM_OK) {
		sm_buf_release(&text);
		return sm_fail(e, "cannot make the roster");
	}
	e = sm_net_group_put(&o->online.client, g->id, s);
	sm_buf_release(&text);
	*raced = e == SM_ERR_CONFLICT && !strcmp(o->online.client.error.code, "stale_group");
	if (e != SM_OK)
		return *raced ? SM_EXIT_TEMP : say_refused(o, e);
	/* Fetched rather than taken as it is: the same way in for every epoch. Who has just left gets SM_ERR_NOTFOUND. */
	e = sm_group_refresh(g, &o->online, &o->db, &o->self);
	if (e == SM_ERR_NOTFOUND && !sm_roster_find(next, o->self.end.address.text))
		return SM_EXIT_OK;
	return e == SM_OK ? SM_EXIT_OK : sm_group_say(&o->online, e, g);
}

static int try_once(struct sm_group *g, struct options *o, sm_group_edit *edit, void *ctx, bool *raced)
{
	struct sm_roster r = {0}, next = {0};
	enum sm_err e = sm_group_refresh(g, &o->online, &o->db, &o->self);
	int code;

	*raced = false;
	if (e != SM_OK)
		return sm_group_say(&o->online, e, g);
	if ((e = sm_group_roster(&r, NULL, &o->db, g->id, 0)) == SM_OK)
		e = sm_roster_next(&next, &r);
	code = e == SM_OK ? edit(o, &next, ctx) : sm_fail(e, "cannot use '%s'", o->db.path);
	if (code == SM_EXIT_OK)
		code = put(g, o, &next, raced);
	else if (code == SM_EXIT_NO)
		code = SM_EXIT_OK;
	sm_roster_release(&next);
	sm_roster_release(&r);
	return code;
}

int sm_group_change(struct sm_group *g, struct options *o, sm_group_edit *edit, void *ctx)
{
	bool raced = true;
	int code = sm_group_signing(o);

	if (code == SM_EXIT_OK)
		code = sm_group_find(g, &o->online, &o->db, &o->self, o->arg[0]);
	if (code != SM_EXIT_OK)
		return code;
	for (int i = 0; raced && i < TRIES; i++)
		code = try_once(g, o, edit, ctx, &raced);
	if (raced)
		sm_error("others are changing the group %s at the same time: try again", g->alias);
	return code;
}
