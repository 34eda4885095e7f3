/* Posting one envelope until the server has answered for it, or it is clear that it will not. */
#ifndef SM_COMMON_NET_POST_H
#define SM_COMMON_NET_POST_H

#include "net/mailbox.h"

/* Up to three tries with the same key and bytes, so that a repetition never duplicates. Errors as sm_net_send's; SM_ERR_NET only when no
 * try got through at all, SM_ERR_BUSY when one may have been stored; SM_ERR_LIMIT also when the server hung up on a message that is over
 * its published limit. query as in sm_net_send. */
SM_CHECKED enum sm_err sm_post(struct sm_sent *s, struct sm_client *c, const char *key, const char *query, const struct sm_buf *envelope);
/* The words for an error of sm_post, and its exit code. */
int sm_post_say(struct sm_client *c, enum sm_err e, const char *key, const struct sm_buf *envelope);

#endif
