/* Device lists of others and of the own account as they were last verified, one for an address. Public data. */
#ifndef SM_STORE_DEVICES_H
#define SM_STORE_DEVICES_H

#include "store/db.h"
#include "wire/devices.h"

/* SM_ERR_NOTFOUND: never seen; then sm_device_list_implied of the pin is what there is. */
SM_CHECKED enum sm_err sm_devices_get(struct sm_device_list *l, struct sm_db *db, const char *address);
/* The list of address as it counts: the stored one when its user key is the pinned one (user), else the implied one. */
SM_CHECKED enum sm_err sm_devices_of(struct sm_device_list *l, struct sm_db *db, const struct sm_address *address,
                                     const uint8_t user[static SM_PK_LEN]);
/* Stores a list that has been verified under the pinned user key; text NULL for an implied one (version 0). SM_ERR_POLICY when it may not
 * follow what is stored for the same user key (sm_device_list_follows; a list gone back to implied is a rollback, too). In a transaction of
 * its own. *changed (may be NULL): it is another than before. */
SM_CHECKED enum sm_err sm_devices_put(struct sm_db *db, const struct sm_device_list *l, const char *text, size_t n, bool *changed);
/* Which address has a device with this fingerprint? The stored lists only. SM_ERR_NOTFOUND; SM_ERR_POLICY when several claim it: a list is
 * its account's own claim, so whoever knows the address asks sm_devices_of instead. */
SM_CHECKED enum sm_err sm_devices_by_fp(struct sm_device_list *l, struct sm_db *db, const uint8_t fp[static SM_FP_LEN]);

#endif
