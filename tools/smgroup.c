/* smgroup: who is in a group, and whose word that is. */
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/verb.h"
#include "smgroup/verbs.h"

#include <signal.h>

enum { OPT_JSON = SM_OPT_LONG };

static const struct sm_opt plain_table[] = {SM_COMMON_OPTS, {0}};
static const struct sm_opt json_table[] = {{OPT_JSON, "json", NULL, "one JSON object a line"}, SM_COMMON_OPTS, {0}};

static const char *const lines[] = {"create NAME [WHO...]     make a group, with these members",
                                    "add GROUP WHO...         take people in",
                                    "remove GROUP WHO...      put people out",
                                    "promote GROUP WHO...     make members admins",
                                    "list                     the groups this account is in",
                                    "show GROUP               its members",
                                    "leave GROUP              go",
                                    "rename GROUP NAME        give it another name",
                                    NULL};

static const struct sm_verb table[] = {
        {"create", "NAME [WHO...]", "make a group, with these members", plain_table, 1, SM_ROSTER_MAX, sm_group_create},
        {"add", "GROUP WHO...", "take people into a group", plain_table, 2, SM_ROSTER_MAX, sm_group_add},
        {"remove", "GROUP WHO...", "put people out of a group", plain_table, 2, SM_ROSTER_MAX, sm_group_remove},
        {"promote", "GROUP WHO...", "make members of a group admins", plain_table, 2, SM_ROSTER_MAX, sm_group_promote},
        {"list", "[--json]", "list the groups this account is in", json_table, 0, 0, sm_group_list},
        {"show", "[--json] GROUP", "show the members of a group", json_table, 1, 1, sm_group_show},
        {"leave", "GROUP", "leave a group", plain_table, 1, 1, sm_group_leave},
        {"rename", "GROUP NAME", "give a group another name", plain_table, 2, 2, sm_group_rename},
};

static const struct sm_verbs verbs = {table, sizeof(table) / sizeof(table[0]), "create|add|remove|promote|list|show|leave|rename ...",
                                      "groups and their members", lines};

static void parse(struct options *o, const struct sm_verb *v, int argc, char **argv)
{
	int c;

	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1) {
		if (c == OPT_JSON)
			o->json = true;
		else
			(void)sm_common_opt(&o->common, &o->opts, c);
	}
	o->nargs = sm_verb_operands(&o->opts, v, argc);
	o->arg = argv + o->opts.index;
}

static int start(struct options *o)
{
	enum sm_err e;
	int code = sm_online_start(&o->online, o->common.profile);

	if (code != SM_EXIT_OK)
		return code;
	if ((e = sm_db_open(&o->db, o->common.profile)) != SM_OK)
		return sm_fail(e, "cannot open the groups");
	if ((e = sm_unlock(&o->id, NULL, &o->common)) != SM_OK)
		return sm_exit_code(e);
	e = sm_self_load(&o->self, &o->id, &o->db, &o->online.self, o->online.client.session->device);
	if (e == SM_ERR_POLICY) {
		sm_error("this device has been removed from %s", o->online.self.text);
		return SM_EXIT_REFUSED;
	}
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot use '%s'", o->db.path);
}

static void stop(struct options *o)
{
	sm_self_release(&o->self);
	sm_identity_release(&o->id);
	sm_db_close(&o->db);
	sm_online_close(&o->online);
}

int main(int argc, char **argv)
{
	static struct options o = {.common = SM_COMMON_INIT};

	sm_diag_init(argv[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	enum sm_err e = sm_secret_harden();
	if (e != SM_OK)
		return sm_fail(e, "cannot protect this process's memory");
	const struct sm_verb *v = sm_verb_find(&o.opts, &verbs, argc, argv);
	parse(&o, v, argc - 1, argv + 1);
	int code = start(&o);
	if (code == SM_EXIT_OK)
		code = v->run(&o);
	stop(&o);
	return code;
}
