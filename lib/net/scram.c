/* Login proofs. The names follow RFC 5802 section 3. */
#include "net/scram.h"

#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/pwhash.h"

#include <string.h>

#define MESSAGE_MAX 2048
#define AUTH_INFO "SM-AUTH-key-v1"

bool sm_kdf_ok(const struct sm_kdf *k) { return k->t >= 1 && k->t <= SM_KDF_T_MAX && k->m >= SM_KDF_M_MIN && k->m <= SM_KDF_M_MAX; }

enum sm_err sm_scram_auth_key(uint8_t key[static 32], const void *password, size_t n, const uint8_t salt[static 16], const struct sm_kdf *k)
{
	uint8_t hash[32];
	if (!sm_kdf_ok(k))
		return SM_ERR_PROTOCOL;
	enum sm_err e = sm_argon2id(hash, password, n, salt, k->t, k->m);
	if (e == SM_OK)
		e = sm_hkdf_sha256(key, 32, NULL, 0, hash, sizeof(hash), AUTH_INFO, strlen(AUTH_INFO));
	sm_wipe(hash, sizeof(hash));
	return e;
}

static void mac_text(uint8_t out[static 32], const uint8_t key[static 32], const char *text)
{
	sm_hmac_sha256(out, key, 32, text, strlen(text));
}

void sm_scram_verifier(uint8_t stored[static 32], uint8_t server[static 32], const uint8_t auth_key[static 32])
{
	uint8_t client[32];
	mac_text(client, auth_key, "Client Key");
	sm_sha256(stored, client, sizeof(client));
	mac_text(server, auth_key, "Server Key");
	sm_wipe(client, sizeof(client));
}

/* tag with its final 0 byte, then lp(origin) | lp(user). */
static enum sm_err begin(struct sm_buf *b, const char *tag, const char *purpose, const struct sm_scram *s)
{
	enum sm_err e = sm_buf_add(b, tag, strlen(tag) + 1);
	if (e == SM_OK && purpose)
		e = sm_buf_add_lp(b, purpose, strlen(purpose));
	if (e == SM_OK)
		e = sm_buf_add_lp(b, s->origin, strlen(s->origin));
	if (e == SM_OK)
		e = sm_buf_add_lp(b, s->user, strlen(s->user));
	if (e == SM_OK)
		e = sm_buf_add(b, s->device, sizeof(s->device));
	return e;
}

static enum sm_err auth_message(struct sm_buf *b, const struct sm_scram *s)
{
	enum sm_err e = begin(b, "SM-SCRAM-v1", NULL, s);
	if (e == SM_OK)
		e = sm_buf_add(b, s->cnonce, sizeof(s->cnonce));
	if (e == SM_OK)
		e = sm_buf_add(b, s->nonce, sizeof(s->nonce));
	if (e == SM_OK)
		e = sm_buf_add(b, s->salt, sizeof(s->salt));
	if (e == SM_OK)
		e = sm_buf_add_be32(b, s->kdf.t);
	if (e == SM_OK)
		e = sm_buf_add_be32(b, s->kdf.m);
	if (e == SM_OK)
		e = sm_buf_add_be64(b, (uint64_t)s->expires);
	return e;
}

enum sm_err sm_scram_proof(uint8_t proof[static 32], uint8_t server_signature[static 32], const struct sm_scram *s,
                           const uint8_t auth_key[static 32])
{
	uint8_t client[32], stored[32], server[32], signature[32];
	struct sm_buf message;
	sm_buf_init(&message, MESSAGE_MAX);
	enum sm_err e = auth_message(&message, s);
	if (e != SM_OK)
		goto out;
	mac_text(client, auth_key, "Client Key");
	sm_scram_verifier(stored, server, auth_key);
	sm_hmac_sha256(signature, stored, sizeof(stored), message.data, message.len);
	for (size_t i = 0; i < sizeof(client); i++)
		proof[i] = client[i] ^ signature[i];
	sm_hmac_sha256(server_signature, server, sizeof(server), message.data, message.len);
out:
	sm_wipe(client, sizeof(client));
	sm_wipe(stored, sizeof(stored));
	sm_wipe(server, sizeof(server));
	sm_wipe(signature, sizeof(signature));
	sm_buf_release(&message);
	return e;
}

enum sm_err sm_scram_device_signature(uint8_t sig[static SM_SIG_LEN], const char *purpose, const struct sm_scram *s,
                                      const struct sm_identity *id)
{
	struct sm_buf m;
	if (id->pub.suite != &sm_suite_x25519)
		return SM_ERR_SUITE;
	sm_buf_init(&m, MESSAGE_MAX);
	enum sm_err e = begin(&m, "SM-AUTH-v1", purpose, s);
	if (e == SM_OK)
		e = sm_buf_add(&m, s->nonce, sizeof(s->nonce));
	if (e == SM_OK)
		e = sm_buf_add_be64(&m, (uint64_t)s->expires);
	if (e == SM_OK)
		e = sm_sign(sig, m.data, m.len, id->secret.data);
	sm_buf_release(&m);
	return e;
}
