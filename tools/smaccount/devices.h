/* The actions of `smaccount devices`. */
#ifndef SM_SMACCOUNT_DEVICES_H
#define SM_SMACCOUNT_DEVICES_H

#include "smaccount/own.h"

struct sm_devices_run {
	struct options *o;
	struct sm_online on; /* logged in */
	struct sm_db db;
	const char *operand; /* CODE or NUMBER */
	bool user_gone;      /* remove: the device held the user key */
};

int sm_devices_list(struct sm_devices_run *r);
int sm_devices_approve(struct sm_devices_run *r);
int sm_devices_refuse(struct sm_devices_run *r);
int sm_devices_remove(struct sm_devices_run *r);

#endif
