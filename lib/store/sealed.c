/* Sealing of single rows: a fresh key and nonce for every one, so that a copied or restored database never uses a nonce twice. */
#include "store/sealed.h"

#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"

#include <string.h>

#define SALT_LEN 32
_Static_assert(SM_SEALED_OVERHEAD == SALT_LEN + SM_AEAD_TAG, "r and tag");

enum sm_err sm_sealed_put(struct sm_buf *out, const uint8_t key[static 32], const char *info, struct sm_span aad, struct sm_span row,
                          const struct sm_rand *rand)
{
	uint8_t okm[SM_AEAD_KEY + SM_AEAD_NONCE], *where;
	enum sm_err e = sm_buf_reserve(out, row.n + SM_SEALED_OVERHEAD, &where);
	if (e != SM_OK)
		return e;
	sm_rand_fill(rand, where, SALT_LEN);
	e = sm_hkdf_sha256(okm, sizeof(okm), where, SALT_LEN, key, 32, info, strlen(info));
	if (e == SM_OK)
		e = sm_aead_seal(where + SALT_LEN, okm, okm + SM_AEAD_KEY, aad.p, aad.n, row.p, row.n);
	if (e == SM_OK)
		out->len += row.n + SM_SEALED_OVERHEAD;
	sm_wipe(okm, sizeof(okm));
	return e;
}

enum sm_err sm_sealed_get(struct sm_buf *out, const uint8_t key[static 32], const char *info, struct sm_span aad, struct sm_span sealed)
{
	uint8_t okm[SM_AEAD_KEY + SM_AEAD_NONCE], *where;
	enum sm_err e;
	if (sealed.n < SM_SEALED_OVERHEAD)
		return SM_ERR_PASSPHRASE;
	e = sm_buf_reserve(out, sealed.n - SM_SEALED_OVERHEAD, &where);
	if (e != SM_OK)
		return e;
	e = sm_hkdf_sha256(okm, sizeof(okm), sealed.p, SALT_LEN, key, 32, info, strlen(info));
	if (e == SM_OK)
		e = sm_aead_open(where, okm, okm + SM_AEAD_KEY, aad.p, aad.n, sealed.p + SALT_LEN, sealed.n - SALT_LEN);
	if (e == SM_OK)
		out->len += sealed.n - SM_SEALED_OVERHEAD;
	sm_wipe(okm, sizeof(okm));
	return e == SM_ERR_PAYLOAD ? SM_ERR_PASSPHRASE : e;
}
