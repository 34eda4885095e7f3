/* The server's own keys, all derived from DATA/master.key: sm-protocol(7), "Derived keys". Nothing else at rest is secret. */
#ifndef SM_SMSERVER_KEYS_H
#define SM_SMSERVER_KEYS_H

#include "base/secret.h"

struct sm_keys {
	struct sm_secret secret;                               /* 4 keys of 32 bytes */
	const uint8_t *jwt, *unknown_salt, *session, *refresh; /* into secret */
};

/* Reads dir/master.key; create: makes it when it is not there. SM_ERR_NOTFOUND, SM_ERR_PERM (others may read it), SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_keys_load(struct sm_keys *k, const char *dir, bool create);
void sm_keys_release(struct sm_keys *k);
/* HMAC(session key root, sid of 26 characters). */
void sm_keys_session(const struct sm_keys *k, uint8_t out[static 32], const char *sid);

#endif
