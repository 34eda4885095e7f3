/* Password hashing: Argon2id by libsodium; PBKDF2 (RFC 8018 section 5.2) on the stack HMAC, whose keyed states are computed once. */
#include "crypto/pwhash.h"

#include "base/buf.h"
#include "crypto/alg.h"
#include "crypto/hmac.h"

#include <sodium.h>
#include <string.h>

_Static_assert(SM_PWHASH_SALT == crypto_pwhash_argon2id_SALTBYTES, "libsodium takes no other salt size");

enum sm_err sm_argon2id(uint8_t key[static 32], const void *pw, size_t pwlen, const uint8_t salt[static SM_PWHASH_SALT], uint32_t t,
                        uint32_t m)
{
	uint8_t fresh[32];

	if (t < 1 || t > SM_ARGON2_T_MAX || m < SM_ARGON2_M_MIN || m > SM_ARGON2_M_MAX || pwlen > UINT32_MAX)
		return SM_ERR_LIMIT;
	sm_alg_sodium();
	/* With the parameters in range only the memory can be refused. */
	if (crypto_pwhash_argon2id(fresh, sizeof fresh, pw ? pw : "", pwlen, salt, t, (size_t)m * 1024,
	                           crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return SM_ERR_NOMEM;
	memcpy(key, fresh, sizeof fresh);
	sodium_memzero(fresh, sizeof fresh);
	return SM_OK;
}

/* Block i of RFC 8018: U1 xor U2 xor ... of `rounds` rounds. */
static void pbkdf2_block(uint8_t t[static 32], const struct sm_hmac *keyed, const uint8_t *salt, size_t saltlen, uint32_t i,
                         uint32_t rounds)
{
	struct sm_hmac h = *keyed;
	uint8_t number[4], u[32];

	sm_put_be32(number, i);
	sm_hmac_update(&h, salt, saltlen);
	sm_hmac_update(&h, number, sizeof number);
	sm_hmac_final(&h, u);
	memcpy(t, u, 32);
	for (uint32_t r = 1; r < rounds; r++) {
		h = *keyed;
		sm_hmac_update(&h, u, sizeof u);
		sm_hmac_final(&h, u);
		for (size_t j = 0; j < 32; j++)
			t[j] ^= u[j];
	}
	sodium_memzero(u, sizeof u);
}

enum sm_err sm_pbkdf2(uint8_t *key, size_t keylen, const void *pw, size_t pwlen, const uint8_t *salt, size_t saltlen, uint32_t rounds)
{
	struct sm_hmac keyed;
	uint8_t t[32];
	size_t take;

	if (rounds < 1 || rounds > SM_PBKDF2_ROUNDS_MAX || saltlen > SM_PBKDF2_SALT_MAX || keylen > SM_PBKDF2_KEY_MAX)
		return SM_ERR_LIMIT;
	sm_hmac_init(&keyed, SM_DIGEST_SHA256, pw, pwlen);
	for (uint32_t i = 1; keylen; i++, key += take, keylen -= take) {
		pbkdf2_block(t, &keyed, salt, saltlen, i, rounds);
		take = keylen < sizeof t ? keylen : sizeof t;
		memcpy(key, t, take);
	}
	sm_hmac_release(&keyed);
	sodium_memzero(t, sizeof t);
	return SM_OK;
}
