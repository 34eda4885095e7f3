/* HKDF (RFC 5869) with SHA-256, and HKDF-Expand with SHA-512 for Cobblestone. */
#ifndef SM_CRYPTO_KDF_H
#define SM_CRYPTO_KDF_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* salt may be NULL with saltlen 0 (then 32 zero bytes, as the RFC says). outlen <= 255*32, else SM_ERR_LIMIT. */
SM_CHECKED enum sm_err sm_hkdf_sha256(uint8_t *out, size_t outlen, const uint8_t *salt, size_t saltlen, const uint8_t *ikm, size_t ikmlen,
                                      const void *info, size_t infolen);
void sm_hkdf_sha256_extract(uint8_t prk[static 32], const uint8_t *salt, size_t saltlen, const uint8_t *ikm, size_t ikmlen);
SM_CHECKED enum sm_err sm_hkdf_sha256_expand(uint8_t *out, size_t outlen, const uint8_t prk[static 32], const void *info, size_t infolen);
SM_CHECKED enum sm_err sm_hkdf_sha512_expand(uint8_t *out, size_t outlen, const uint8_t *prk, size_t prklen, const void *info,
                                             size_t infolen);

#endif
