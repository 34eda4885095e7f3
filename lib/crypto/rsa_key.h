/* Internal to lib/crypto: what the public and secret halves of RSA share. */
#ifndef SM_CRYPTO_RSA_KEY_H
#define SM_CRYPTO_RSA_KEY_H

#include "crypto/rsa.h"

#include <openssl/types.h>
#include <stdbool.h>

/* An RSA key (not one that is for PSS only) with an odd modulus of an allowed size and the exponent 65537? Public or secret. */
bool sm_rsa_key_ok(const EVP_PKEY *key);
/* The one encoding; key is ok. */
SM_CHECKED enum sm_err sm_rsa_key_spki(uint8_t spki[static SM_RSA_SPKI_MAX], size_t *n, const EVP_PKEY *key);
/* The PKCS#8 that stands for key everywhere here. */
SM_CHECKED enum sm_err sm_rsa_key_pkcs8(struct sm_secret *pkcs8, const EVP_PKEY *key);
/* ctx for OAEP with this label; encrypt_init or decrypt_init is done. */
bool sm_rsa_oaep(EVP_PKEY_CTX *ctx, struct sm_span label);
bool sm_rsa_pss(EVP_PKEY_CTX *ctx);

#endif
