/* Groups in memory, for delivery: whose members have which devices now. Made from the store and the accounts at first use, and again when
 * any of those has changed. Any thread. */
#ifndef SM_SMSERVER_GROUPS_H
#define SM_SMSERVER_GROUPS_H

#include "accounts.h"
#include "store.h"

#include <stdatomic.h>

/* One moment's state; never changes. */
struct sm_group {
	atomic_int refs;
	struct sm_group *next; /* in its bucket */
	unsigned long generation;
	struct sm_group_row row;
	uint8_t devices[32]; /* SHA-256 over the fingerprints of all devices of all members, sorted as bytes */
	size_t nmember, nmailbox;
	int64_t *member; /* accounts, ascending; mailbox follows in the same piece of memory */
	int64_t *mailbox;
};

struct sm_groups;
struct sm_groups *sm_groups_new(void);
void sm_groups_free(struct sm_groups *g);
/* *out is the caller's reference. It may be older than the accounts' generation by the time it is used: who must be sure compares
 * generations where nothing can change, as with accounts. SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_groups_get(struct sm_groups *g, struct sm_accounts *accounts, struct sm_reader *r, const char *group,
                                     struct sm_group **out);
void sm_group_release(struct sm_group *g);
bool sm_group_has(const struct sm_group *g, int64_t account);

/* The members of a group as accounts, from one moment. Zeroed at first; release in every case. */
struct sm_group_people {
	struct sm_group_row row;
	struct sm_account **account;
	size_t n, cap;
	unsigned long generation; /* they are right while it has not changed */
};
SM_CHECKED enum sm_err sm_group_people_load(struct sm_group_people *p, struct sm_accounts *accounts, struct sm_reader *r,
                                            const char *group);
void sm_group_people_release(struct sm_group_people *p);
/* SHA-256 over the fingerprints of their devices, sorted. */
SM_CHECKED enum sm_err sm_group_people_devices(const struct sm_group_people *p, uint8_t out[static 32]);

#endif
