/* The devices of the profile's account: fetched, held against what is known, and changed under the user key. */
#ifndef SM_SMACCOUNT_OWN_H
#define SM_SMACCOUNT_OWN_H

#include "common/net_client.h"
#include "net/keys.h"
#include "smaccount/verbs.h"
#include "store/contacts.h"
#include "store/devices.h"

/* These return exit codes and say what is wrong. */
/* With the session resumed: what the server says, under the right user key: user; for NULL the one pinned for the own address, or this
 * device's own. first: when nothing is pinned, whatever the server names. 76: not signed by that key, or older than the list that is known
 * (which is not replaced). 77: this device is in it no more. */
int sm_own_fetch(struct sm_own_devices *d, struct sm_online *on, struct sm_db *db, const struct sm_public *user, bool first);
/* Stores what sm_own_fetch gave. */
int sm_own_keep(const struct sm_own_devices *d, const struct sm_online *on, struct sm_db *db);
/* Puts a device at the list's end, under the number that the server names: 76 when that is not one of the next 1,000; 77 when it is full.
 */
int sm_own_append(struct sm_device_list *list, uint32_t next, const struct sm_public *device);

/* The identity that may sign d's list: the recovery code's when o asks for it, else this device's. 77: it is not the user key. user: the
 * account's. key is wiped by sm_identity_release. */
int sm_own_signer(struct sm_identity *key, struct options *o, const struct sm_address *self, const uint8_t user[static SM_PK_LEN]);
/* Signs l with key into text, which has room for SM_DEVICES_TEXT_MAX + 1: known is the list that it comes after. */
int sm_own_sign(char *text, struct sm_device_list *l, const struct sm_device_list *known, const struct sm_identity *key);

/* Sends prekeys where the server needs them. What goes wrong is a note. */
void sm_own_prekeys(struct sm_online *on, struct sm_db *db, const struct sm_identity *id);

#endif
