/* From a name to a pinned key with the server's help: the one place where trust on first use happens. */
#ifndef SM_COMMON_NET_KEYS_H
#define SM_COMMON_NET_KEYS_H

#include "common/net_client.h"
#include "net/account.h"
#include "store/contacts.h"

/* who: a bare name or name@host of the account's own server. Asks the server for its key and pins it, or finds it unchanged. Says what is
 * wrong and returns an exit code: 67 for nobody, another server's address or a key; 77 for a changed key. *added (may be NULL): newly
 * pinned. */
int sm_peer_resolve(struct sm_user_key *k, bool *added, struct sm_online *o, struct sm_db *db, const char *who);
/* The same without words, for an address that some message came from. */
SM_CHECKED enum sm_err sm_peer_lookup(struct sm_user_key *k, struct sm_online *o, const struct sm_address *who);
/* "the key of ... has changed", and what to do. Returns 77. */
int sm_peer_say_changed(struct sm_db *db, const char *address);

#endif
