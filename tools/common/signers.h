/* Whose signatures count: the one asked for with -s, one's own, and the contacts'. Gives lib/stream its find_signer. */
#ifndef SM_COMMON_SIGNERS_H
#define SM_COMMON_SIGNERS_H

#include "common/who.h"

struct sm_signers {
	const char *profile;
	const struct sm_who *wanted;  /* -s WHO, or NULL */
	const struct sm_public *self; /* may be NULL */
	/* set by sm_signers_find: who it was, "" when found only as a key */
	char address[SM_ADDRESS_MAX + 1];
};

/* SM_ERR_NOTFOUND when the key is none of theirs: the user's own, or a device's in the user's list, and then address says whose. A contact
 * whose key changed counts with its pinned key. */
SM_CHECKED enum sm_err sm_signers_find(struct sm_signers *s, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN]);

#endif
