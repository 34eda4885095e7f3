/* The nonces a session has used, for as long as they could be replayed. A nonce is filed under the second it says it was
 * created in; what is accepted lies within 30 s of now, so it falls into at most two neighbouring windows of 64 s, and a
 * third window can take the place of the one before the last without looking at its entries. */
#ifndef SM_SMSERVER_NONCES_H
#define SM_SMSERVER_NONCES_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SM_NONCE 16
#define SM_NONCES_MAX 262144 /* live ones for a session */

struct sm_nonce_window {
	int64_t window;
	size_t n, cap;             /* cap is a power of two, or 0 */
	uint8_t (*slot)[SM_NONCE]; /* all zero: empty */
};

struct sm_nonces {
	struct sm_nonce_window w[2];
	size_t max;    /* 0: SM_NONCES_MAX */
	uint64_t salt; /* random, so that nobody can choose nonces that collide */
};

/* SM_OK: not seen before, and remembered. SM_ERR_EXISTS: a replay. SM_ERR_LIMIT: too many are live. SM_ERR_NOMEM. */
SM_CHECKED enum sm_err sm_nonces_use(struct sm_nonces *s, const uint8_t nonce[static SM_NONCE], int64_t created);
void sm_nonces_release(struct sm_nonces *s);

#endif
