/* One message to a group. */
#ifndef SM_COMMON_NET_GROUP_SEND_H
#define SM_COMMON_NET_GROUP_SEND_H

#include "common/net_groups.h"
#include "net/mailbox.h"

/* A fresh chain where one is due (somebody it was given to is gone; too old), its key to every device that has it not, in envelopes of
 * their own, the message under it: all committed at once, then transmitted in this order. What the server calls stale is brought up to date
 * and made again, three times at most. A key that is in the outbox already: the same bytes again (SM_ERR_EXISTS in words when they are
 * another message's). s: self, db, content, fields, attachments, now and rand are set. Says what is wrong and returns an exit code. */
int sm_group_send(struct sm_sent *sent, struct sm_online *o, struct sm_sealing *s, struct sm_group *g, const char *key);

/* Tells the devices of these members (addresses) that they are in the group, over sessions; what cannot be sent now goes with the next
 * message. Says what is wrong and returns an exit code. */
int sm_group_tell(struct sm_online *o, struct sm_db *db, const struct sm_self *self, const struct sm_group *g, const struct sm_address *who,
                  size_t n);

#endif
