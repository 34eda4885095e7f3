/* smaccount's verbs, one file each; tools/smaccount.c has the options. Each verb says what is wrong itself and returns the exit code. */
#ifndef SM_SMACCOUNT_VERBS_H
#define SM_SMACCOUNT_VERBS_H

#include "common/net_place.h"
#include "common/unlock.h"

struct options {
	struct sm_opts opts;
	struct sm_common common;
	struct sm_place place;
	const char *invite, *invite_file;
	struct sm_passphrase_source password, code; /* code: --recovery-file, --recovery-fd */
	bool json, recovery, no_wait, yes;
	char **operand;
	int operands;
};

int sm_account_register(struct options *o);
int sm_account_login(struct options *o);
int sm_account_logout(struct options *o);
int sm_account_status(struct options *o);
int sm_account_devices(struct options *o);

#endif
