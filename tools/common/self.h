/* This device, as sessions need it: its identity, its number and address, its account's user key and devices. No network. */
#ifndef SM_COMMON_SELF_H
#define SM_COMMON_SELF_H

#include "session/x3dh.h"
#include "store/contacts.h"
#include "store/devices.h"

struct sm_self {
	const struct sm_identity *id; /* borrowed */
	struct sm_end end;            /* pk, address, device number */
	uint8_t user[SM_PK_LEN];      /* the account's user key: this device's own, or the one pinned under the own address */
	bool holds_user;              /* this device's key is the user key: it may sign lists and rosters */
	struct sm_device_list own;    /* the account's devices */
	uint8_t key[32];              /* sm_keyring_store_key "sessions"; wipe */
};

/* number: the login session's (net/session.h). A device that is not in its own account's stored list is SM_ERR_POLICY only when that list
 * is not implied: it has been removed. SM_ERR_SUITE: an identity of another suite than x25519, which has neither sessions nor devices. */
SM_CHECKED enum sm_err sm_self_load(struct sm_self *s, const struct sm_identity *id, struct sm_db *db, const struct sm_address *address,
                                    uint32_t number);
void sm_self_release(struct sm_self *s); /* wipes */

#endif
