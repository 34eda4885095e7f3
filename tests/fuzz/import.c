/* Private keys of other programs: what is taken is one that an identity can be made of, each block is looked at once, and the text comes to
 * an end. */
#include "check.h"

#include "crypto/import.h"
#include "wire/identity.h"

/* No passphrase: deriving a key takes as long as the input says. */
static enum sm_err ask(void *ctx, struct sm_buf *pw)
{
	(void)ctx, (void)pw;
	return SM_ERR_DENIED;
}

static void taken(struct sm_imported *key)
{
	struct sm_identity id = {0};
	struct sm_secret secret;

	if (key->kind == SM_IMPORT_ED25519) {
		CHECK(key->key.len == SM_SEED_LEN && !sm_identity_from_secret(&id, &sm_suite_x25519, &key->key));
	} else {
		/* one key twice is refused, and only for that */
		CHECK(key->bits >= 2048 && key->bits <= 8192 && !sm_identity_rsa_secret(&secret, &key->key, &key->key));
		CHECK(sm_identity_from_secret(&id, &sm_suite_rsa, &secret) == SM_ERR_FORMAT);
	}
	sm_identity_release(&id);
	sm_secret_release(&key->key);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sm_span pem = {p, n};
	struct sm_imported key;
	enum sm_err e;

	if (n > 1u << 14)
		return 0;
	do {
		size_t left = pem.n;
		e = sm_import_pem(&key, &pem, ask, NULL);
		CHECK(e == SM_ERR_NOTFOUND || pem.n < left);
		if (!e)
			taken(&key);
		CHECK(!e || e == SM_ERR_NOTFOUND || e == SM_ERR_SUITE || e == SM_ERR_LIMIT || e == SM_ERR_FORMAT || e == SM_ERR_DENIED);
	} while (e != SM_ERR_NOTFOUND);
	return 0;
}
