/* Internal to lib/crypto: what the two libraries must do once a process, and the ciphers handed out from it.
 *
 * OpenSSL reads openssl.cnf at its first cipher operation (0.5 ms, a sixth of a whole smencrypt run) unless told not to, and
 * nothing here is configurable, so it is told not to. That decision holds for the process: a program that also speaks TLS, and so
 * wants the system's TLS policy, has libcurl or libssl load the file (curl_global_init, OPENSSL_init_ssl) before it uses lib/crypto. */
#ifndef SM_CRYPTO_ALG_H
#define SM_CRYPTO_ALG_H

#include "base/err.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

/* sodium_init, once: without it libsodium runs its portable code (Argon2id at half speed). Aborts without a random source. */
void sm_alg_sodium(void);

/* OpenSSL without its configuration file, once; before the first call of it that fetches anything. False: it cannot be set up. */
bool sm_alg_openssl(void);

/* A new context for AES-256-GCM with its key set and no nonce; the caller frees it with EVP_CIPHER_CTX_free, which wipes it. */
SM_CHECKED enum sm_err sm_alg_gcm_seal(EVP_CIPHER_CTX **ctx, const uint8_t key[static 32]);
SM_CHECKED enum sm_err sm_alg_gcm_open(EVP_CIPHER_CTX **ctx, const uint8_t key[static 32]);
/* The same for AES-256-CTR: key stream without authentication. */
SM_CHECKED enum sm_err sm_alg_ctr(EVP_CIPHER_CTX **ctx, const uint8_t key[static 32]);

#endif
