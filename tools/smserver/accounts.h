/* Accounts and their devices in memory, for routing: read from the store at first use, dropped when something about them
 * changes. Any thread. */
#ifndef SM_SMSERVER_ACCOUNTS_H
#define SM_SMSERVER_ACCOUNTS_H

#include "store.h"

#include <stdatomic.h>

/* An identity that signs in: always an Ed25519 key, and kept small, since there may be many (struct sm_public has room for any suite's). */
struct sm_account_key {
	uint8_t pk[SM_PK_LEN];
	uint8_t fp[SM_FP_LEN];
};

struct sm_device {
	int64_t mailbox;
	uint32_t number;
	struct sm_account_key key;
};

struct sm_account {
	atomic_int refs;
	struct sm_account *next; /* in its bucket */
	int64_t id, created, changed;
	char name[SM_NAME_MAX + 1];
	bool disabled;
	struct sm_account_key identity;
	size_t ndevice;
	struct sm_device device[SM_DEVICES_MAX];
	uint64_t version;     /* of the list */
	uint32_t next_device; /* number */
	char list[];          /* the signed text; "" when there is none */
};

struct sm_accounts;
struct sm_accounts *sm_accounts_new(void);
void sm_accounts_free(struct sm_accounts *a);
/* *out is the caller's reference. SM_ERR_NOTFOUND; disabled accounts are found. */
SM_CHECKED enum sm_err sm_accounts_get(struct sm_accounts *a, struct sm_reader *r, const char *name, struct sm_account **out);
void sm_account_release(struct sm_account *a);
/* After the commit of a change. */
void sm_accounts_drop(struct sm_accounts *a, const char *name);
/* From an op's run, which changes an account or a group in a transaction that is not committed yet: what was checked before and comes
 * later in the same transaction must be checked again. */
void sm_accounts_changing(struct sm_accounts *a);
/* After the commit of a change to a group. */
void sm_accounts_changed(struct sm_accounts *a);
/* Grows with every drop or change. What was checked against accounts and groups is still right while this has not changed. */
unsigned long sm_accounts_generation(struct sm_accounts *a);
/* NULL when the account has no such device. */
const struct sm_device *sm_account_device(const struct sm_account *a, const uint8_t fp[static SM_FP_LEN]);
const struct sm_device *sm_account_device_mailbox(const struct sm_account *a, int64_t mailbox);

#endif
