/* Challenges and the proofs for them. Every value that the server may choose is bounded before it is used: a hostile server must not get a
 * cheap password hash. */
#include "net/proof.h"

#include "net/json.h"

#include <string.h>

bool sm_proof_kdf(struct sm_kdf *k, const json_t *o)
{
	const json_t *j = json_object_get(o, "kdf");
	char name[32];
	int64_t t, m;
	if (!sm_json_text(j, "name", name, sizeof(name)) || strcmp(name, "argon2id") != 0)
		return false;
	if (!sm_json_number(j, "t", &t) || !sm_json_number(j, "m", &m) || t > UINT32_MAX || m > UINT32_MAX)
		return false;
	*k = (struct sm_kdf){(uint32_t)t, (uint32_t)m};
	return sm_kdf_ok(k);
}

enum sm_err sm_proof_challenge(struct sm_client *c, const char *purpose, const struct sm_login *l, struct sm_scram *s)
{
	json_t *j = NULL;
	s->origin = l->address.host;
	s->user = l->address.name;
	memcpy(s->device, l->id->pub.fp, SM_FP_LEN);
	sm_rand_fill(c->rand, s->cnonce, sizeof(s->cnonce));
	json_t *ask = json_pack("{s:s, s:s, s:s, s:o, s:o}", "purpose", purpose, "origin", s->origin, "user", s->user, "device",
	                        sm_json_base64(s->device, SM_FP_LEN), "cnonce", sm_json_base64(s->cnonce, sizeof(s->cnonce)));
	enum sm_err e = ask ? sm_client_json(c, false, "POST", "/api/v1/challenge", ask, &j) : SM_ERR_NOMEM;
	if (e == SM_OK && (!sm_json_bytes(j, "nonce", s->nonce, sizeof(s->nonce)) || !sm_json_bytes(j, "salt", s->salt, sizeof(s->salt)) ||
	                   !sm_json_number(j, "expires", &s->expires) || !sm_proof_kdf(&s->kdf, j)))
		e = SM_ERR_PROTOCOL;
	json_decref(ask);
	json_decref(j);
	return e;
}

enum sm_err sm_proof_make(json_t **ask, uint8_t expected[static 32], const char *purpose, const struct sm_login *l,
                          const struct sm_scram *s)
{
	uint8_t key[32], proof[32], sig[SM_SIG_LEN];
	json_t *j = NULL;
	enum sm_err e = sm_scram_auth_key(key, l->password, l->n, s->salt, &s->kdf);
	if (e == SM_OK)
		e = sm_scram_proof(proof, expected, s, key);
	if (e == SM_OK)
		e = sm_scram_device_signature(sig, purpose, s, l->id);
	if (e == SM_OK)
		j = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "origin", s->origin, "user", s->user, "nonce",
		              sm_json_base64(s->nonce, sizeof(s->nonce)), "cnonce", sm_json_base64(s->cnonce, sizeof(s->cnonce)), "proof",
		              sm_json_base64(proof, sizeof(proof)), "signature", sm_json_base64(sig, sizeof(sig)));
	if (e == SM_OK && !j)
		e = SM_ERR_NOMEM;
	if (e == SM_OK)
		*ask = j;
	sm_wipe(key, sizeof(key));
	sm_wipe(proof, sizeof(proof));
	return e;
}

bool sm_proof_server(const json_t *answer, const uint8_t expected[static 32])
{
	uint8_t said[32];
	return sm_json_bytes(answer, "server_signature", said, sizeof(said)) && sm_equal(said, expected, sizeof(said));
}
