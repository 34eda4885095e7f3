/* From a name to a pinned key with the server's help: the one place where trust on first use happens. */
#ifndef SM_COMMON_NET_KEYS_H
#define SM_COMMON_NET_KEYS_H

#include "common/net_client.h"
#include "net/keys.h"
#include "store/contacts.h"

/* who: a bare name or name@host of the account's own server. Asks the server for its key and pins it, or finds it unchanged; the list of
 * its devices is stored. Says what is wrong and returns an exit code: 67 for nobody, another server's address or a key; 77 for a changed
 * key; 76 for a list of devices that is older than the known one. *added (may be NULL): newly pinned. */
int sm_peer_resolve(struct sm_user_key *k, bool *added, struct sm_online *o, struct sm_db *db, const char *who);
/* The same for n of them, stored in one commit when all have been found. */
int sm_peer_resolve_all(struct sm_user_key *k, struct sm_online *o, struct sm_db *db, char *const *who, size_t n);
/* The same without words, for an address that some message came from. */
SM_CHECKED enum sm_err sm_peer_lookup(struct sm_user_key *k, struct sm_online *o, const struct sm_address *who);
/* Only the first half of it: the address that who means. 67 with words. */
int sm_peer_address(struct sm_address *a, const struct sm_online *o, const char *who);
/* Pins what sm_peer_lookup gave, and stores the devices. SM_ERR_CHANGED; SM_ERR_POLICY: the list may not follow the stored one. The own
 * address is never pinned on first use, unless to the key of this device. */
SM_CHECKED enum sm_err sm_peer_keep(struct sm_db *db, const struct sm_online *o, const struct sm_user_key *k, bool *added);
/* "the key of ... has changed", and what to do. Returns 77. */
int sm_peer_say_changed(struct sm_db *db, const char *address);
/* Of a list of devices that is older than the known one, or another of its age. Returns 76. */
int sm_peer_say_fork(const char *address);

#endif
