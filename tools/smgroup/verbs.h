/* smgroup's verbs; tools/smgroup.c has the options. Each verb says what is wrong itself and returns the exit code. */
#ifndef SM_SMGROUP_VERBS_H
#define SM_SMGROUP_VERBS_H

#include "common/net_group_send.h"
#include "common/unlock.h"
#include "wire/roster_rules.h"

struct options {
	struct sm_opts opts;
	struct sm_common common;
	bool json;
	char **arg;
	int nargs;
	/* open while a verb runs */
	struct sm_online online;
	struct sm_db db;
	struct sm_identity id;
	struct sm_self self;
};

int sm_group_create(struct options *o);
int sm_group_add(struct options *o);
int sm_group_remove(struct options *o);
int sm_group_promote(struct options *o);
int sm_group_rename(struct options *o);
int sm_group_leave(struct options *o);
int sm_group_list(struct options *o);
int sm_group_show(struct options *o);

/* Rosters are signed with the user key: SM_EXIT_REFUSED, said, on a device that does not hold it. */
int sm_group_signing(const struct options *o);

/* One change of a group's roster: edits next, the newest roster with epoch and previous set for the one to come. Says what is wrong and
 * returns an exit code; SM_EXIT_NO: there is nothing to change. It may be called again, when another admin has been quicker. */
typedef int sm_group_edit(struct options *o, struct sm_roster *next, void *ctx);
/* Finds the group (arg[0]), edits, signs and puts the roster. *g is the group afterwards. */
int sm_group_change(struct sm_group *g, struct options *o, sm_group_edit *edit, void *ctx);

#endif
