/* Once-a-process set-up of libsodium and OpenSSL. The cipher is fetched here and kept until the process ends: a fetch by name
 * costs ten times a small seal. Digests are not fetched at all, see hmac.h. */
#include "crypto/alg.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>

static pthread_once_t sodium_once = PTHREAD_ONCE_INIT;
static pthread_once_t gcm_once = PTHREAD_ONCE_INIT;
static pthread_once_t ctr_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *gcm, *ctr; /* each written once under its _once, then only read */

static void start_sodium(void)
{
	if (sodium_init() < 0)
		abort();
}

void sm_alg_sodium(void) { pthread_once(&sodium_once, start_sodium); }

/* Only this flag: the NO_ADD_ALL ones would take names away from libssl and libcurl in the same process. */
bool sm_alg_openssl(void) { return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1; }

static void fetch_gcm(void)
{
	if (sm_alg_openssl())
		gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static void fetch_ctr(void)
{
	if (sm_alg_openssl())
		ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
}

static enum sm_err context_new(EVP_CIPHER_CTX **ctx, const EVP_CIPHER *cipher, const uint8_t key[static 32], bool seal)
{
	EVP_CIPHER_CTX *c;

	if (!cipher)
		return SM_ERR_CRYPTO;
	c = EVP_CIPHER_CTX_new();
	if (!c)
		return SM_ERR_NOMEM;
	if (EVP_CipherInit_ex2(c, cipher, key, NULL, seal, NULL) != 1) {
		EVP_CIPHER_CTX_free(c);
		return SM_ERR_CRYPTO;
	}
	*ctx = c;
	return SM_OK;
}

static enum sm_err gcm_new(EVP_CIPHER_CTX **ctx, const uint8_t key[static 32], bool seal)
{
	pthread_once(&gcm_once, fetch_gcm);
	return context_new(ctx, gcm, key, seal);
}

enum sm_err sm_alg_gcm_seal(EVP_CIPHER_CTX **ctx, const uint8_t key[static 32]) { return gcm_new(ctx, key, true); }

enum sm_err sm_alg_gcm_open(EVP_CIPHER_CTX **ctx, const uint8_t key[static 32]) { return gcm_new(ctx, key, false); }

enum sm_err sm_alg_ctr(EVP_CIPHER_CTX **ctx, const uint8_t key[static 32])
{
	pthread_once(&ctr_once, fetch_ctr);
	return context_new(ctx, ctr, key, true);
}
