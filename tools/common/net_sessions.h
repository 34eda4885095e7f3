/* What sessions need of the server: other devices' bundles, and this device's own prekeys there. */
#ifndef SM_COMMON_NET_SESSIONS_H
#define SM_COMMON_NET_SESSIONS_H

#include "common/net_client.h"
#include "common/sealing.h"
#include "net/mailbox.h"

struct sm_bundles {
	struct sm_bundle *v; /* owned; each passed sm_bundle_check */
	size_t n, cap;
};
/* For every target without a session: in calls of at most 1,024 accounts, in which a target that has one is left out. A bundle for another
 * key than the target's is dropped. SM_ERR_POLICY: *stale (may be NULL) is the first target without a signed prekey, or with one that is
 * too old; b holds all that are fine, and needs release, then too. SM_ERR_SIGNATURE: *stale is a target whose prekey its device has not
 * signed, or whose key is one that is refused. b zeroed before. */
SM_CHECKED enum sm_err sm_bundles_fetch(struct sm_bundles *b, struct sm_online *o, struct sm_db *db, const struct sm_self *self,
                                        const struct sm_targets *t, int64_t now, size_t *stale);
void sm_bundles_release(struct sm_bundles *b);

/* Sends what is new: a signed prekey when there is none or it is SM_SPK_DAYS_NEW old, one-time prekeys up to SM_OPK_FULL when the server
 * has fewer than SM_OPK_LOW. Asks the server how many it has only every 6 hours, or when asked is true (first messages have come). After a
 * restored backup its ids go above those that the server has seen. An error is for a note, never a reason not to send or read. */
SM_CHECKED enum sm_err sm_prekeys_keep(struct sm_online *o, struct sm_db *db, const struct sm_self *self, bool asked);

/* Transmits row and its pending parts before it, in order, with net_post's patience; each marked as sent in the outbox. Errors as
 * sm_post's. */
SM_CHECKED enum sm_err sm_transmit(struct sm_sent *sent, struct sm_online *o, struct sm_db *db, const struct sm_self *self,
                                   const struct sm_outbox_row *row);

#endif
