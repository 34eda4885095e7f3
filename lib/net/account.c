/* Registering and logging in. A hostile server must not get a login that proves nothing of its own side (see net/proof.c, too). */
#include "net/account.h"

#include "base/base64.h"
#include "crypto/hpke.h"
#include "crypto/sign.h"
#include "net/json.h"
#include "net/proof.h"

#include <string.h>

#define API "/api/v1/"

static bool read_registration(struct sm_policy *p, const json_t *j)
{
	char word[16];
	if (!sm_json_text(j, "registration", word, sizeof(word)))
		return false;
	p->registration = !strcmp(word, "open")     ? SM_REGISTRATION_OPEN
	                  : !strcmp(word, "invite") ? SM_REGISTRATION_INVITE
	                                            : SM_REGISTRATION_CLOSED;
	return true;
}

static bool read_policy(struct sm_policy *p, const json_t *j)
{
	const json_t *password = json_object_get(j, "password");
	if (!sm_json_text(j, "origin", p->origin, sizeof(p->origin)) || !read_registration(p, j) || !sm_proof_kdf(&p->kdf, j))
		return false;
	p->letter = json_is_true(json_object_get(password, "letter"));
	p->number = json_is_true(json_object_get(password, "number"));
	p->special = json_is_true(json_object_get(password, "special"));
	return sm_json_number(password, "min_length", &p->min_length) && sm_json_number(j, "time", &p->time) &&
	       sm_json_number(json_object_get(j, "limits"), "message_bytes", &p->message_bytes);
}

enum sm_err sm_net_policy(struct sm_policy *p, struct sm_client *c)
{
	struct sm_policy r = {0};
	json_t *j = NULL;
	enum sm_err e = sm_client_json(c, false, "GET", API "policy", NULL, &j);
	if (e == SM_OK && !read_policy(&r, j))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK)
		*p = r;
	json_decref(j);
	return e;
}

/* Letters outside ASCII count as letters; a special character is any that is neither letter nor digit. */
const char *sm_policy_password(const struct sm_policy *p, const void *password, size_t n)
{
	const uint8_t *s = password;
	bool letter = false, number = false, special = false;
	int64_t length = 0;
	for (size_t i = 0; i < n; i++) {
		bool is_letter = s[i] >= 0x80 || ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'z');
		bool is_number = s[i] >= '0' && s[i] <= '9';
		length += (s[i] & 0xc0) != 0x80;
		letter |= is_letter;
		number |= is_number;
		special |= !is_letter && !is_number;
	}
	if (length < p->min_length)
		return p->min_length == 8 ? "Password must be at least 8 characters long" : "Password is shorter than this server allows";
	if (p->letter && !letter)
		return "Password must contain at least one letter";
	if (p->number && !number)
		return "Password must contain at least one number";
	if (p->special && !special)
		return "Password must contain at least one special character";
	return NULL;
}

static int add_text(json_t *o, const char *key, const char *value) { return value ? json_object_set_new(o, key, json_string(value)) : 0; }

/* The request of POST register; NULL when out of memory. */
static json_t *registration(const struct sm_login *l, const struct sm_scram *s, const uint8_t sig[static SM_SIG_LEN],
                            const uint8_t key[static 32])
{
	uint8_t stored[32], server[32];
	struct sm_buf identity;
	json_t *j = NULL;
	sm_buf_init(&identity, SM_PUBLIC_LINE_MAX);
	sm_scram_verifier(stored, server, key);
	if (sm_public_format(&identity, &l->id->pub) == SM_OK)
		j = json_pack("{s:s, s:s, s:s%, s:o, s:o, s:o, s:o, s:o, s:{s:s, s:i, s:i}}", "origin", s->origin, "user", s->user,
		              "identity", identity.data, identity.len, "nonce", sm_json_base64(s->nonce, sizeof(s->nonce)), "signature",
		              sm_json_base64(sig, SM_SIG_LEN), "stored_key", sm_json_base64(stored, sizeof(stored)), "server_key",
		              sm_json_base64(server, sizeof(server)), "salt", sm_json_base64(s->salt, sizeof(s->salt)), "kdf", "name",
		              "argon2id", "t", (int)s->kdf.t, "m", (int)s->kdf.m);
	if (j && (add_text(j, "invite", l->invite) || add_text(j, "label", l->label))) {
		json_decref(j);
		j = NULL;
	}
	sm_wipe(stored, sizeof(stored));
	sm_wipe(server, sizeof(server));
	sm_buf_release(&identity);
	return j;
}

enum sm_err sm_net_register(struct sm_client *c, const struct sm_policy *p, const struct sm_login *l)
{
	struct sm_scram s = {0};
	uint8_t key[32], sig[SM_SIG_LEN];
	json_t *ask = NULL;
	enum sm_err e = sm_proof_challenge(c, "register", l, &s);
	if (e == SM_OK && (s.kdf.t != p->kdf.t || s.kdf.m != p->kdf.m))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK)
		e = sm_scram_auth_key(key, l->password, l->n, s.salt, &s.kdf);
	if (e == SM_OK)
		e = sm_scram_device_signature(sig, "register", &s, l->id);
	if (e == SM_OK && !(ask = registration(l, &s, sig, key)))
		e = SM_ERR_NOMEM;
	if (e == SM_OK)
		e = sm_client_json(c, false, "POST", API "register", ask, NULL);
	sm_wipe(key, sizeof(key));
	json_decref(ask);
	return e;
}

/* The session key, sealed to the device: HPKE with info "SM-SESSION-v1\0" | lp(origin) | lp(user) | sid. */
static enum sm_err open_session_key(struct sm_session *r, const json_t *j, const struct sm_scram *s, const struct sm_identity *id)
{
	uint8_t enc[SM_HPKE_ENC], ct[sizeof(r->key) + SM_HPKE_TAG], sk[32];
	const json_t *sealed = json_object_get(j, "session_key");
	struct sm_buf info;
	enum sm_err e = SM_ERR_PROTOCOL;
	sm_buf_init(&info, 1024);
	if (!sm_json_bytes(sealed, "enc", enc, sizeof(enc)) || !sm_json_bytes(sealed, "ct", ct, sizeof(ct)))
		goto out;
	e = sm_buf_add(&info, "SM-SESSION-v1", sizeof("SM-SESSION-v1"));
	if (e == SM_OK)
		e = sm_buf_add_lp(&info, s->origin, strlen(s->origin));
	if (e == SM_OK)
		e = sm_buf_add_lp(&info, s->user, strlen(s->user));
	if (e == SM_OK)
		e = sm_buf_add(&info, r->sid, SM_ID_LEN);
	if (e != SM_OK)
		goto out;
	if (id->pub.suite != &sm_suite_x25519) {
		e = SM_ERR_SUITE;
		goto out;
	}
	sm_seed_to_x25519(sk, id->secret.data);
	if (sm_hpke_open(r->key, enc, sk, info.data, info.len, NULL, 0, ct, sizeof(ct)) != SM_OK)
		e = SM_ERR_PROTOCOL;
	sm_wipe(sk, sizeof(sk));
out:
	sm_buf_release(&info);
	return e;
}

static enum sm_err read_session(struct sm_session *r, const json_t *j, const struct sm_scram *s, const struct sm_login *l)
{
	uint8_t raw[16];
	int64_t device;
	if (!sm_json_text(j, "session", r->sid, sizeof(r->sid)) || sm_base32_id_parse(raw, r->sid, strlen(r->sid)) != SM_OK)
		return SM_ERR_PROTOCOL;
	if (!sm_json_text(j, "access_token", r->access, sizeof(r->access)) ||
	    !sm_json_text(j, "refresh_token", r->refresh, sizeof(r->refresh)) || !sm_json_number(j, "access_expires", &r->access_expires) ||
	    !sm_json_number(j, "refresh_expires", &r->refresh_expires))
		return SM_ERR_PROTOCOL;
	if (!sm_json_text(j, "address", r->address, sizeof(r->address)) || strcmp(r->address, l->address.text) != 0)
		return SM_ERR_PROTOCOL;
	if (!sm_json_number(j, "device", &device) || device < 1 || device > UINT32_MAX)
		return SM_ERR_PROTOCOL;
	r->device = (uint32_t)device;
	memcpy(r->device_fp, l->id->pub.fp, SM_FP_LEN);
	return open_session_key(r, j, s, l->id);
}

static enum sm_err prove(struct sm_client *c, const struct sm_login *l, const struct sm_scram *s, uint8_t expected[static 32],
                         json_t **answer)
{
	json_t *ask = NULL;
	enum sm_err e = sm_proof_make(&ask, expected, "login", l, s);
	if (e == SM_OK && json_object_set_new(ask, "device", sm_json_base64(s->device, SM_FP_LEN)))
		e = SM_ERR_NOMEM;
	if (e == SM_OK)
		e = sm_client_json(c, false, "POST", API "login", ask, answer);
	json_decref(ask);
	return e;
}

static enum sm_err keep_session(struct sm_client *c, const struct sm_session *s)
{
	int lock;
	enum sm_err e = sm_session_lock(&lock, c->profile);
	if (e != SM_OK)
		return e;
	e = sm_session_save(s, c->profile);
	sm_session_unlock(lock);
	return e == SM_OK ? sm_client_resume(c) : e;
}

enum sm_err sm_net_login(struct sm_client *c, const struct sm_login *l)
{
	struct sm_scram s = {0};
	struct sm_session r = {0};
	uint8_t expected[32];
	json_t *j = NULL;
	enum sm_err e = sm_proof_challenge(c, "login", l, &s);
	if (e == SM_OK)
		e = prove(c, l, &s, expected, &j);
	if (e == SM_OK && !sm_proof_server(j, expected))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK)
		e = read_session(&r, j, &s, l);
	if (e == SM_OK)
		e = keep_session(c, &r);
	sm_wipe(&r, sizeof(r));
	sm_wipe(expected, sizeof(expected));
	json_decref(j);
	return e;
}

enum sm_err sm_net_logout(struct sm_client *c)
{
	json_t *empty = json_object();
	enum sm_err gone, e = empty ? sm_client_json(c, true, "POST", API "logout", empty, NULL) : SM_ERR_NOMEM;
	json_decref(empty);
	gone = sm_session_remove(c->profile);
	return e == SM_OK ? gone : e;
}
