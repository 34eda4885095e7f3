/* Internal to lib/crypto: incremental HMAC (RFC 2104) over SHA-1, SHA-256 or SHA-512, and HKDF on it with inputs in parts.
 *
 * It uses OpenSSL's SHA256_Init family on the stack, which OpenSSL calls deprecated in favour of EVP. Measured for 64 bytes here:
 * SHA-256 70 ns against 110 to 135 ns by EVP; HMAC-SHA-256 0.3 us against 1.0 us by EVP_MAC, which also allocates and can fail. The
 * server does several of these a request, and a short process saves the 80 us of fetching. The code that runs is the same. */
#ifndef SM_CRYPTO_HMAC_H
#define SM_CRYPTO_HMAC_H

#include "base/err.h"

#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

#define SM_HMAC_MAX 64 /* bytes of the longest output */

enum sm_digest { SM_DIGEST_SHA1, SM_DIGEST_SHA256, SM_DIGEST_SHA512 };

struct sm_digest_state {
	enum sm_digest which;
	union {
		SHA_CTX sha1;
		SHA256_CTX sha256;
		SHA512_CTX sha512;
	} u;
};

/* Both ends of the keyed hash; a copy of the struct is a copy of the state. Holds key material: wiped by final and by release. */
struct sm_hmac {
	struct sm_digest_state inner, outer;
};

/* A piece of a message that is hashed as if it were joined to its neighbours. */
struct sm_part {
	const void *p;
	size_t n;
};

size_t sm_digest_len(enum sm_digest which);
void sm_hmac_init(struct sm_hmac *h, enum sm_digest which, const uint8_t *key, size_t keylen);
void sm_hmac_update(struct sm_hmac *h, const void *p, size_t n);
/* out gets sm_digest_len bytes. */
void sm_hmac_final(struct sm_hmac *h, uint8_t *out);
void sm_hmac_release(struct sm_hmac *h);

/* RFC 5869 section 2.2 and 2.3. prk gets sm_digest_len bytes; outlen over 255 times that is SM_ERR_LIMIT. */
void sm_hkdf_extract_parts(enum sm_digest which, uint8_t *prk, const uint8_t *salt, size_t saltlen, const struct sm_part *ikm,
                           size_t parts);
SM_CHECKED enum sm_err sm_hkdf_expand_parts(enum sm_digest which, uint8_t *out, size_t outlen, const uint8_t *prk, size_t prklen,
                                            const struct sm_part *info, size_t parts);

#endif
