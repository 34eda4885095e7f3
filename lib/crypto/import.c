/* What OpenSSL can read of a PEM file, block by block, and of that what an identity can be made of. */
#include "crypto/import.h"

#include "crypto/alg.h"
#include "crypto/rsa_key.h"
#include "crypto/sign.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define PRIVATE "PRIVATE KEY-----"

struct asking {
	sm_import_ask *ask;
	void *ctx;
	bool asked;
	enum sm_err failed;
};

static int give_passphrase(char *out, int size, int writing, void *ctx)
{
	struct asking *a = ctx;
	struct sm_buf pw;
	int n = -1;

	(void)writing;
	sm_buf_init(&pw, (size_t)size);
	a->asked = true;
	a->failed = a->ask ? a->ask(a->ctx, &pw) : SM_ERR_PASSPHRASE;
	if (!a->failed) {
		n = (int)pw.len;
		if (n)
			memcpy(out, pw.data, pw.len);
	}
	sm_buf_release(&pw);
	return n;
}

static const uint8_t *find(struct sm_span s, const char *what) { return s.n ? memmem(s.p, s.n, what, strlen(what)) : NULL; }

/* The next block, from BEGIN through the line of END; false when there is none. *private: its label says that it is a private key. */
static bool next_block(struct sm_span *block, bool *private, struct sm_span *pem)
{
	const uint8_t *begin = find(*pem, BEGIN), *end;
	struct sm_span rest, line;

	if (!begin)
		return false;
	rest = (struct sm_span){begin, pem->n - (size_t)(begin - pem->p)};
	line = rest;
	if (!sm_span_take_line(&rest, &line) || !(end = find(rest, END)))
		return false;
	*private = find(line, PRIVATE) != NULL;
	rest.n -= (size_t)(end - rest.p);
	rest.p = end;
	if (!sm_span_take_line(&rest, &line))
		rest = (struct sm_span){rest.p + rest.n, 0};
	*block = (struct sm_span){begin, (size_t)(rest.p - begin)};
	*pem = rest;
	return true;
}

static EVP_PKEY *read_block(struct sm_span block, struct asking *a)
{
	BIO *bio = block.n <= INT_MAX ? BIO_new_mem_buf(block.p, (int)block.n) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey_ex(bio, NULL, give_passphrase, a, NULL, NULL) : NULL;

	BIO_free(bio);
	return key;
}

/* Do the primes, exponents and coefficients belong together? Wrong ones could be made to leak the key by what is signed with it. */
static bool consistent(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool good = ctx && EVP_PKEY_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

static enum sm_err take_ed25519(struct sm_secret *seed, const EVP_PKEY *key)
{
	struct sm_secret made;
	size_t n = SM_SEED_LEN;
	enum sm_err e = sm_secret_alloc(&made, SM_SEED_LEN);

	if (e)
		return e;
	if (EVP_PKEY_get_raw_private_key(key, made.data, &n) != 1 || n != SM_SEED_LEN) {
		sm_secret_release(&made);
		return SM_ERR_FORMAT;
	}
	*seed = made;
	return SM_OK;
}

static enum sm_err take(struct sm_imported *out, EVP_PKEY *key)
{
	struct sm_imported got = {.kind = SM_IMPORT_RSA};
	enum sm_err e = SM_ERR_SUITE;

	if (EVP_PKEY_is_a(key, "ED25519")) {
		got.kind = SM_IMPORT_ED25519;
		e = take_ed25519(&got.key, key);
	} else if (EVP_PKEY_is_a(key, "RSA")) {
		got.bits = (unsigned)EVP_PKEY_get_bits(key);
		e = !sm_rsa_key_ok(key) ? SM_ERR_LIMIT : consistent(key) ? sm_rsa_key_pkcs8(&got.key, key) : SM_ERR_FORMAT;
	}
	if (!e)
		*out = got;
	return e;
}

enum sm_err sm_import_pem(struct sm_imported *out, struct sm_span *pem, sm_import_ask *ask, void *ctx)
{
	struct asking a = {.ask = ask, .ctx = ctx};
	struct sm_span block;
	EVP_PKEY *key;
	bool private = false;
	enum sm_err e;

	if (!sm_alg_openssl())
		return SM_ERR_CRYPTO;
	do
		if (!next_block(&block, &private, pem))
			return SM_ERR_NOTFOUND;
	while (!private);
	if (find(block, BEGIN "OPENSSH "))
		return SM_ERR_SUITE; /* OpenSSH's own format, which OpenSSL does not read */
	key = read_block(block, &a);
	if (key)
		e = take(out, key);
	else
		e = a.failed ? a.failed : a.asked ? SM_ERR_PASSPHRASE : SM_ERR_FORMAT;
	EVP_PKEY_free(key);
	ERR_clear_error();
	return e;
}
