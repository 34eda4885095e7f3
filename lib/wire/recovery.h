/* The recovery code of an identity in the default suite (sm-format(5), "Recovery codes"): its 32-byte seed as a person can write it down,
 * 60 characters in twelve groups of five with `-` between. They are base32 (RFC 4648) of the seed and 5 bytes of checksum, the first of
 * SHA-256("SM-recovery-v1\0" | seed); the last 4 bits are zero. As secret as the seed: who has it is the user. */
#ifndef SM_WIRE_RECOVERY_H
#define SM_WIRE_RECOVERY_H

#include "base/err.h"
#include "crypto/sign.h"

#include <stddef.h>
#include <stdint.h>

#define SM_RECOVERY_CHARS 60
#define SM_RECOVERY_GROUP 5
#define SM_RECOVERY_LEN 71 /* with the `-` between groups */

/* In upper case, with a terminator. Wipe it. */
void sm_recovery_format(char out[static SM_RECOVERY_LEN + 1], const uint8_t seed[static SM_SEED_LEN]);
/* Either case; white space and `-` may stand anywhere; 0, 1 and 8, which no code has, are read as O, I and B. SM_ERR_FORMAT: *at is the
 * group (from 1) with a character that no code has. SM_ERR_LIMIT: *at characters instead of 60. SM_ERR_PAYLOAD: the checksum says that
 * it has been mistyped; *at is 0. at may be NULL. */
SM_CHECKED enum sm_err sm_recovery_parse(uint8_t seed[static SM_SEED_LEN], size_t *at, const char *s, size_t n);

#endif
