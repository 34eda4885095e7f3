/* Groups this profile knows: their verified rosters, the sender chains of others, and this device's own. key as in store/prekeys.h. */
#ifndef SM_STORE_GROUPS_H
#define SM_STORE_GROUPS_H

#include "session/senderkey.h"
#include "store/db.h"
#include "wire/roster.h"

enum sm_group_state { SM_GROUP_INVITED /* told of by a member, rosters not fetched yet */, SM_GROUP_IN, SM_GROUP_LEFT };

struct sm_group {
	char id[SM_ID_LEN + 1];
	char alias[SM_NAME_MAX + 1]; /* what @NAME means here, unique in the profile; "" while invited */
	enum sm_group_state state;
	uint64_t epoch;  /* the newest verified one, 0 for none */
	uint64_t expect; /* an epoch that somebody has told of over a session, and its roster hash */
	uint8_t expected[32];
	char teller[SM_ADDRESS_MAX + 1]; /* who told of it; "" for nobody */
	bool chosen;                     /* made here, or sent to from here: what its alias means is known to its user */
};

/* SM_ERR_NOTFOUND. By id, or by alias. */
SM_CHECKED enum sm_err sm_group_get(struct sm_group *g, struct sm_db *db, const char *id);
SM_CHECKED enum sm_err sm_group_by_alias(struct sm_group *g, struct sm_db *db, const char *alias);
/* Inserts or replaces, but for epoch. An alias that another group has gets "-2", "-3" ... behind it (set in g). */
SM_CHECKED enum sm_err sm_group_put(struct sm_db *db, struct sm_group *g);
typedef enum sm_err sm_group_fn(void *ctx, const struct sm_group *g);
SM_CHECKED enum sm_err sm_group_each(struct sm_db *db, sm_group_fn *fn, void *ctx);
/* A roster that has been verified and may follow what is there; text as it was signed. The group's epoch is the newest one's. SM_OK also
 * when it is there already; SM_ERR_POLICY when another one is, or the one before is missing or another. */
SM_CHECKED enum sm_err sm_group_roster_put(struct sm_db *db, const struct sm_roster *r, const char *text, size_t n);
/* epoch 0: the newest. r needs release. text (may be NULL): appended. SM_ERR_NOTFOUND, also for one so old that its text is gone (the
 * newest 16 MiB of a group are kept). */
SM_CHECKED enum sm_err sm_group_roster(struct sm_roster *r, struct sm_buf *text, struct sm_db *db, const char *group, uint64_t epoch);
SM_CHECKED enum sm_err sm_group_forget(struct sm_db *db, const char *group); /* its chains too */

/* Others' chains: by (group, sender device, chain id), skipped keys loaded. SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_chain_get(struct sm_sender_chain *c, struct sm_db *db, const uint8_t key[static 32], const char *group,
                                    const uint8_t sender[static SM_PK_LEN], const char *chain);
/* fresh: it came in a control message, and never replaces one with the same id that opens; of one sender in one group the newest 32 are
 * kept. Else it is a step of one that was loaded in this transaction; skipped keys are written when c->skipped.changed. */
SM_CHECKED enum sm_err sm_chain_put(struct sm_db *db, const uint8_t key[static 32], const struct sm_sender_chain *c, bool fresh,
                                    const struct sm_rand *rand);
/* This device's own chain for a group: the newest, which is the only one that is kept. Another id in sm_chain_own_put takes its place, and
 * has been given to nobody. SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_chain_own(struct sm_sender_chain *c, struct sm_db *db, const uint8_t key[static 32], const char *group);
SM_CHECKED enum sm_err sm_chain_own_put(struct sm_db *db, const uint8_t key[static 32], const struct sm_sender_chain *c,
                                        const struct sm_rand *rand);
/* To which devices the own chain's key has been given: fingerprints, appended to fps, 32 bytes each, sorted. */
SM_CHECKED enum sm_err sm_chain_given(struct sm_buf *fps, struct sm_db *db, const char *chain);
SM_CHECKED enum sm_err sm_chain_give(struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN]);
SM_CHECKED enum sm_err sm_chain_ungive(struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN]);
/* Forgets others' chains of removed members and those older than 30 days. */
SM_CHECKED enum sm_err sm_chain_sweep(struct sm_db *db, int64_t now);

#endif
