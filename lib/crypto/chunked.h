/* C2SP chunked-encryption, instance Cobblestone-256 (c2sp.org/chunked-encryption): HKDF-Expand-SHA-512, AES-256-GCM, 16 KiB chunks.
 *   key32 | base nonce12 | commitment32 = HKDF-Expand(file key, "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM" | 0 | salt24 | context)
 * Chunk i is sealed under base nonce XOR be(i); every chunk but the last holds exactly 16384 bytes, the last fewer (maybe none).
 * seal and open are in two files: smserver must not link the second. A struct sm_chunked is used by one thread at a time;
 * threads each init their own from the same inputs (chunk numbers are arguments, so any split works). */
#ifndef SM_CRYPTO_CHUNKED_H
#define SM_CRYPTO_CHUNKED_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SM_CHUNK 16384
#define SM_CHUNK_TAG 16
#define SM_CHUNK_SEALED (SM_CHUNK + SM_CHUNK_TAG)
#define SM_CHUNKED_SALT 24
#define SM_CHUNKED_COMMITMENT 32
#define SM_CHUNKED_MAX (UINT64_C(1) << 38) /* chunks */

struct sm_chunked {
	void *ctx; /* owned cipher context; NULL while libsodium does (see crypto/aead_impl.h) */
	void *ctr; /* owned; for sm_chunked_reveal */
	uint8_t key[32];
	uint8_t nonce[12];
	uint8_t commitment[SM_CHUNKED_COMMITMENT];
	uint8_t encrypting;
	uint8_t small; /* so many chunks more go to libsodium */
	uint8_t delta_known;
	uint8_t delta[SM_CHUNK_TAG]; /* for sm_chunked_check */
};

/* Derives key, nonce and commitment, and sets up the cipher for sealing. For opening, the caller then compares
 * c->commitment in constant time with the one read (SM_ERR_COMMITMENT) before any chunk. */
SM_CHECKED enum sm_err sm_chunked_seal_init(struct sm_chunked *c, const uint8_t file_key[static 32],
                                            const uint8_t salt[static SM_CHUNKED_SALT], const void *context, size_t contextlen);
SM_CHECKED enum sm_err sm_chunked_open_init(struct sm_chunked *c, const uint8_t file_key[static 32],
                                            const uint8_t salt[static SM_CHUNKED_SALT], const void *context, size_t contextlen);
void sm_chunked_release(struct sm_chunked *c);

/* n <= SM_CHUNK; out gets n + 16 bytes. index >= SM_CHUNKED_MAX is SM_ERR_LIMIT. in and out may not overlap unless equal. */
SM_CHECKED enum sm_err sm_chunked_seal(struct sm_chunked *c, uint64_t index, uint8_t *out, const uint8_t *in, size_t n);
/* n: sealed size, 16 .. SM_CHUNK_SEALED; out gets n - 16 bytes. SM_ERR_PAYLOAD (out wiped) for a wrong tag.
 * in and out may not overlap unless equal. */
SM_CHECKED enum sm_err sm_chunked_open(struct sm_chunked *c, uint64_t index, uint8_t *out, const uint8_t *in, size_t n);
/* The tag of a full sealed chunk, as sm_chunked_open checks it, without the plaintext: half the work. */
SM_CHECKED enum sm_err sm_chunked_check(struct sm_chunked *c, uint64_t index, const uint8_t in[static SM_CHUNK_SEALED]);
/* Plaintext bytes from .. from + n - 1 of the sealed chunk at in, to out; from is a multiple of 16, from + n <= SM_CHUNK. NOT
 * authenticated: only for a chunk that sm_chunked_check or sm_chunked_open has found right, and that is still the same. out and in + from
 * may be equal. */
SM_CHECKED enum sm_err sm_chunked_reveal(struct sm_chunked *c, uint64_t index, uint8_t *out, const uint8_t *in, size_t from, size_t n);

#endif
