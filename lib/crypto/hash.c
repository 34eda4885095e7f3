/* SHA-2 and HMAC on the stack; why not by EVP is in hmac.h. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include "crypto/hmac.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* The low-level functions return 1 whatever they are given; a build in which they do not must not go on. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

void sm_sha256(uint8_t out[static SM_HASH_LEN], const void *p, size_t n)
{
	SHA256_CTX c;

	must(SHA256_Init(&c));
	must(SHA256_Update(&c, p, n));
	must(SHA256_Final(out, &c));
	sodium_memzero(&c, sizeof c);
}

void sm_sha512(uint8_t out[static 64], const void *p, size_t n)
{
	SHA512_CTX c;

	must(SHA512_Init(&c));
	must(SHA512_Update(&c, p, n));
	must(SHA512_Final(out, &c));
	sodium_memzero(&c, sizeof c);
}

enum sm_err sm_sha256_init(struct sm_sha256 *h)
{
	SHA256_CTX *c = malloc(sizeof *c);

	if (!c)
		return SM_ERR_NOMEM;
	must(SHA256_Init(c));
	h->ctx = c;
	return SM_OK;
}

void sm_sha256_reset(struct sm_sha256 *h) { must(SHA256_Init(h->ctx)); }

void sm_sha256_update(struct sm_sha256 *h, const void *p, size_t n) { must(SHA256_Update(h->ctx, p, n)); }

void sm_sha256_final(struct sm_sha256 *h, uint8_t out[static SM_HASH_LEN]) { must(SHA256_Final(out, h->ctx)); }

void sm_sha256_release(struct sm_sha256 *h)
{
	if (h->ctx)
		sodium_memzero(h->ctx, sizeof(SHA256_CTX));
	free(h->ctx);
	h->ctx = NULL;
}

static size_t block_len(enum sm_digest which) { return which == SM_DIGEST_SHA512 ? 128 : 64; }

size_t sm_digest_len(enum sm_digest which) { return which == SM_DIGEST_SHA1 ? 20 : which == SM_DIGEST_SHA256 ? 32 : 64; }

static void digest_init(struct sm_digest_state *d, enum sm_digest which)
{
	d->which = which;
	switch (which) {
	case SM_DIGEST_SHA1: must(SHA1_Init(&d->u.sha1)); break;
	case SM_DIGEST_SHA256: must(SHA256_Init(&d->u.sha256)); break;
	case SM_DIGEST_SHA512: must(SHA512_Init(&d->u.sha512)); break;
	}
}

static void digest_update(struct sm_digest_state *d, const void *p, size_t n)
{
	switch (d->which) {
	case SM_DIGEST_SHA1: must(SHA1_Update(&d->u.sha1, p, n)); break;
	case SM_DIGEST_SHA256: must(SHA256_Update(&d->u.sha256, p, n)); break;
	case SM_DIGEST_SHA512: must(SHA512_Update(&d->u.sha512, p, n)); break;
	}
}

static void digest_final(struct sm_digest_state *d, uint8_t *out)
{
	switch (d->which) {
	case SM_DIGEST_SHA1: must(SHA1_Final(out, &d->u.sha1)); break;
	case SM_DIGEST_SHA256: must(SHA256_Final(out, &d->u.sha256)); break;
	case SM_DIGEST_SHA512: must(SHA512_Final(out, &d->u.sha512)); break;
	}
}

void sm_hmac_init(struct sm_hmac *h, enum sm_digest which, const uint8_t *key, size_t keylen)
{
	uint8_t pad[128] = {0};
	size_t block = block_len(which);

	digest_init(&h->inner, which);
	digest_init(&h->outer, which);
	if (keylen > block) {
		digest_update(&h->inner, key, keylen);
		digest_final(&h->inner, pad);
		digest_init(&h->inner, which);
	} else if (keylen) {
		memcpy(pad, key, keylen);
	}
	for (size_t i = 0; i < block; i++)
		pad[i] ^= 0x36;
	digest_update(&h->inner, pad, block);
	for (size_t i = 0; i < block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	digest_update(&h->outer, pad, block);
	sodium_memzero(pad, sizeof pad);
}

void sm_hmac_update(struct sm_hmac *h, const void *p, size_t n) { digest_update(&h->inner, p, n); }

void sm_hmac_final(struct sm_hmac *h, uint8_t *out)
{
	uint8_t inner[SM_HMAC_MAX];
	size_t len = sm_digest_len(h->inner.which);

	digest_final(&h->inner, inner);
	digest_update(&h->outer, inner, len);
	digest_final(&h->outer, out);
	sodium_memzero(inner, sizeof inner);
	sm_hmac_release(h);
}

void sm_hmac_release(struct sm_hmac *h) { sodium_memzero(h, sizeof *h); }

void sm_hmac_sha256(uint8_t out[static SM_HASH_LEN], const uint8_t *key, size_t keylen, const void *p, size_t n)
{
	struct sm_hmac h;

	sm_hmac_init(&h, SM_DIGEST_SHA256, key, keylen);
	sm_hmac_update(&h, p, n);
	sm_hmac_final(&h, out);
}
