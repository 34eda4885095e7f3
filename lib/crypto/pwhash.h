/* Password hashing: Argon2id v1.3 with p = 1 (RFC 9106, libsodium) and PBKDF2-HMAC-SHA-256 (RFC 8018, read only). 32-byte keys. */
#ifndef SM_CRYPTO_PWHASH_H
#define SM_CRYPTO_PWHASH_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SM_PWHASH_SALT 16
#define SM_ARGON2_T_MAX 10
#define SM_ARGON2_M_MIN 8
#define SM_ARGON2_M_MAX 1048576
#define SM_PBKDF2_ROUNDS_MAX 10000000
#define SM_PBKDF2_SALT_MAX 64
#define SM_PBKDF2_KEY_MAX 1024

/* t 1..10 passes, m 8..1048576 KiB; out of range is SM_ERR_LIMIT, memory that cannot be had SM_ERR_NOMEM. */
SM_CHECKED enum sm_err sm_argon2id(uint8_t key[static 32], const void *pw, size_t pwlen, const uint8_t salt[static SM_PWHASH_SALT],
                                   uint32_t t, uint32_t m);
/* rounds 1..10,000,000, salt up to 64 bytes, key up to 1024: else SM_ERR_LIMIT. */
SM_CHECKED enum sm_err sm_pbkdf2(uint8_t *key, size_t keylen, const void *pw, size_t pwlen, const uint8_t *salt, size_t saltlen,
                                 uint32_t rounds);

#endif
