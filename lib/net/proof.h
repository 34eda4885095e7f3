/* Inside lib/net: what logging in, registering and enrolling share. */
#ifndef SM_NET_PROOF_H
#define SM_NET_PROOF_H

#include "net/account.h"

#include <jansson.h>

/* The member "kdf" of o, within the bounds of net/scram.h. */
bool sm_proof_kdf(struct sm_kdf *k, const json_t *o);
/* POST challenge: fills s with what it was asked for and what came back. */
SM_CHECKED enum sm_err sm_proof_challenge(struct sm_client *c, const char *purpose, const struct sm_login *l, struct sm_scram *s);
/* The request's members that prove the password and the device's key: origin, user, nonce, cnonce, proof, signature. *ask is the caller's.
 * expected: what the server must answer with; wipe. */
SM_CHECKED enum sm_err sm_proof_make(json_t **ask, uint8_t expected[static 32], const char *purpose, const struct sm_login *l,
                                     const struct sm_scram *s);
/* The answer's "server_signature". */
bool sm_proof_server(const json_t *answer, const uint8_t expected[static 32]);

#endif
