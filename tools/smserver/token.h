/* Access tokens (JWT, HS256, one fixed header) and refresh tokens (opaque): sm-protocol(7). */
#ifndef SM_SMSERVER_TOKEN_H
#define SM_SMSERVER_TOKEN_H

#include "keys.h"
#include "session.h"

#define SM_ACCESS_SECONDS 900
#define SM_REFRESH_MOST 128 /* characters that a client has to be ready for */
#define SM_REFRESH_TEXT 72  /* be32 generation | 32 random | 16 tag: 52 bytes, 70 characters and a terminator */

struct sm_claims {
	char sub[SM_NAME_MAX + 1], sid[SM_ID_LEN + 1];
	int64_t device, exp;
};

SM_CHECKED enum sm_err sm_token_make(char out[static SM_TOKEN_MAX], const struct sm_keys *k, const char *user, uint32_t device,
                                     const char *sid, int64_t now);
/* Checks the header, the tag in constant time, and reads the claims; scope must be "session". SM_ERR_DENIED for anything else. Does not
 * look at exp. */
SM_CHECKED enum sm_err sm_token_check(struct sm_claims *c, const struct sm_keys *k, const char *token, size_t n);

/* hash: SHA-256 of the whole, what is kept. */
void sm_refresh_make(char out[static SM_REFRESH_TEXT], uint8_t hash[static 32], const struct sm_keys *k, const char *sid,
                     uint32_t generation);
/* SM_ERR_DENIED: not one that this server made for this session. */
SM_CHECKED enum sm_err sm_refresh_check(uint8_t hash[static 32], uint32_t *generation, const struct sm_keys *k, const char *sid,
                                        const char *text);

#endif
