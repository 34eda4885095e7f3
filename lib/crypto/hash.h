/* SHA-256 (FIPS 180-4, OpenSSL for SHA-NI) and HMAC-SHA-256 (RFC 2104). Cheap on small inputs: nothing is fetched or allocated. */
#ifndef SM_CRYPTO_HASH_H
#define SM_CRYPTO_HASH_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SM_HASH_LEN 32

/* One-shot; both abort on a failure inside the library, which good input cannot cause. */
void sm_sha256(uint8_t out[static SM_HASH_LEN], const void *p, size_t n);
void sm_hmac_sha256(uint8_t out[static SM_HASH_LEN], const uint8_t *key, size_t keylen, const void *p, size_t n);
void sm_sha512(uint8_t out[static 64], const void *p, size_t n);

/* Incremental SHA-256. init allocates; release is safe on a zeroed struct; final may be followed by reset. */
struct sm_sha256 {
	void *ctx;
};
SM_CHECKED enum sm_err sm_sha256_init(struct sm_sha256 *h);
void sm_sha256_reset(struct sm_sha256 *h);
void sm_sha256_update(struct sm_sha256 *h, const void *p, size_t n);
void sm_sha256_final(struct sm_sha256 *h, uint8_t out[static SM_HASH_LEN]);
void sm_sha256_release(struct sm_sha256 *h);

#endif
