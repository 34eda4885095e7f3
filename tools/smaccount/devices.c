/* smaccount devices: lists them, lets one in, lets none in, takes one out. */
#include "smaccount/devices.h"
#include "cli/diag.h"
#include "cli/exit.h"

#include <string.h>

static const struct {
	const char *name;
	int operands;
	int (*run)(struct sm_devices_run *r);
} actions[] = {
        {"list", 0, sm_devices_list},
        {"approve", 1, sm_devices_approve},
        {"refuse", 0, sm_devices_refuse},
        {"remove", 1, sm_devices_remove},
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static size_t find_action(const struct options *o)
{
	const char *name = o->operands ? o->operand[0] : "list";
	size_t i = 0;
	while (i < ACTIONS && strcmp(actions[i].name, name) != 0)
		i++;
	if (i == ACTIONS)
		sm_usage(&o->opts, "'%s' is none of list, approve, refuse and remove", name);
	int given = o->operands ? o->operands - 1 : 0;
	if (given < actions[i].operands)
		sm_usage(&o->opts, !strcmp(name, "approve") ? "approve wants the CODE that the new device shows"
		                                            : "remove wants the device's number");
	if (given > actions[i].operands)
		sm_usage(&o->opts, "too many arguments");
	return i;
}

/* What belongs to another action is refused, never ignored. */
static void check_options(const struct options *o, const char *action)
{
	bool signs = !strcmp(action, "approve") || !strcmp(action, "remove");
	if (o->json && strcmp(action, "list") != 0)
		sm_usage(&o->opts, "--json goes with list");
	if (!signs && (o->recovery || o->code.file || o->code.fd >= 0))
		sm_usage(&o->opts, "a recovery code goes with approve and remove");
	if (o->yes && strcmp(action, "remove") != 0)
		sm_usage(&o->opts, "--yes goes with remove");
}

int sm_account_devices(struct options *o)
{
	struct sm_devices_run r = {.o = o};
	size_t i = find_action(o);
	check_options(o, actions[i].name);
	r.operand = o->operands > 1 ? o->operand[1] : NULL;
	int code = sm_online_start(&r.on, o->common.profile);
	if (code != SM_EXIT_OK)
		goto out;
	enum sm_err e = sm_db_open(&r.db, o->common.profile);
	code = e == SM_OK ? actions[i].run(&r) : sm_fail(e, "cannot open the profile's database");
out:
	sm_db_close(&r.db);
	sm_online_close(&r.on);
	return code;
}
