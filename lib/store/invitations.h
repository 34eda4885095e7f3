/* Invitations to groups that have not been looked at yet: anybody may send them, so of each teller only the newest are kept. */
#ifndef SM_STORE_INVITATIONS_H
#define SM_STORE_INVITATIONS_H

#include "store/groups.h"

#define SM_INVITATIONS_MAX 8 /* of one teller */

/* Drops the oldest ones that teller (an address) has told of until SM_INVITATIONS_MAX are left, with the chains that came with them; a
 * group that this account was in once is left again. Inside a transaction. */
SM_CHECKED enum sm_err sm_invitations_trim(struct sm_db *db, const char *teller);

#endif
