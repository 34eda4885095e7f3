/* Login: SCRAM's algebra with Argon2id, plus the device's signature; then a session, its tokens and its key.
 * Every refusal is the same 401 after the same work, whoever was asked for. */
#include "api.h"

#include "../challenge.h"
#include "../horizon.h"
#include "../token.h"
#include "base/base64.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"

#include <stdlib.h>
#include <string.h>

struct logging_in {
	struct sm_api_op api;
	char origin[262], user[SM_NAME_MAX + 1];
	uint8_t device[32], nonce[32], cnonce[32], proof[32], signature[64];
	uint8_t server_signature[32];
	struct sm_challenge challenge;
	struct sm_session_row row;
	struct sm_public pub; /* the device's */
	char refresh[SM_REFRESH_TEXT];
};

/* What an account and device that do not exist are checked against: the same steps, and never a way in. */
static const uint8_t nobodys_key[32] = {0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};

static enum sm_err auth_message(struct sm_buf *b, const struct sm_server *s, const struct sm_challenge *c)
{
	enum sm_err e = sm_buf_add(b, "SM-SCRAM-v1", 12);

	if (!e)
		e = sm_buf_add_lp(b, s->origin, strlen(s->origin));
	if (!e)
		e = sm_buf_add_lp(b, c->user, strlen(c->user));
	if (!e)
		e = sm_buf_add(b, c->device, 32);
	if (!e)
		e = sm_buf_add(b, c->cnonce, 32);
	if (!e)
		e = sm_buf_add(b, c->nonce, 32);
	if (!e)
		e = sm_buf_add(b, c->salt, 16);
	if (!e)
		e = sm_buf_add_be32(b, c->t);
	if (!e)
		e = sm_buf_add_be32(b, c->m);
	return e ? e : sm_buf_add_be64(b, (uint64_t)c->expires);
}

/* RFC 5802: ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage); it is right when H(ClientKey) is StoredKey. */
static bool password_fits(struct logging_in *x, const struct sm_server *s, const struct sm_account_row *a)
{
	struct sm_buf b;
	uint8_t key[32], hash[32];
	bool good = false;

	sm_buf_init(&b, 4096);
	if (!auth_message(&b, s, &x->challenge)) {
		sm_hmac_sha256(key, a->stored_key, 32, b.data, b.len);
		for (size_t i = 0; i < sizeof key; i++)
			key[i] ^= x->proof[i];
		sm_sha256(hash, key, sizeof key);
		good = sm_equal(hash, a->stored_key, sizeof hash);
		sm_hmac_sha256(x->server_signature, a->server_key, 32, b.data, b.len);
	}
	sm_buf_release(&b);
	sm_wipe(key, sizeof key);
	return good;
}

static bool device_fits(const struct logging_in *x, const struct sm_server *s)
{
	struct sm_buf b;
	bool good = false;

	sm_buf_init(&b, 4096);
	if (!sm_api_signed(&b, s, &x->challenge))
		good = !sm_verify(x->signature, b.data, b.len, x->pub.ed25519);
	sm_buf_release(&b);
	return good;
}

static enum sm_err take_challenge(struct sm_server *s, struct logging_in *x, const struct sm_account_row *known)
{
	struct sm_challenge *c = &x->challenge;

	c->purpose = SM_FOR_LOGIN;
	memcpy(c->user, x->user, strlen(x->user));
	memcpy(c->device, x->device, 32);
	memcpy(c->cnonce, x->cnonce, 32);
	memcpy(c->nonce, x->nonce, 32);
	sm_api_login_kdf(s, c, known);
	return sm_challenge_take(s->challenges, c, sm_time_now());
}

/* The account's device that signs in, or nobody's: one conversion of a key in either case, which is most of the time it takes. */
static bool find_device(struct sm_req *req, struct logging_in *x, int64_t account)
{
	struct sm_device_row devices[SM_DEVICES_MAX] = {0};
	const uint8_t *pk = nobodys_key;
	size_t n = 0;
	bool there = false;

	if (sm_reader_devices(req->worker->reader, account, devices, &n))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t fp[32];
		sm_sha256(fp, devices[i].pk, 32);
		if (!sm_equal(fp, x->device, 32))
			continue;
		there = true;
		pk = devices[i].pk;
		x->row.device = devices[i].id;
		x->row.number = devices[i].number;
	}
	return !sm_public_from_ed25519(&x->pub, pk) && there;
}

/* The account comes from the store and not from the cache: both then take as long, known or unknown. For an unknown one the first
 * account's devices are looked at, to no effect. SM_ERR_DENIED; SM_ERR_BUSY: too many challenges have been used. */
static enum sm_err prove(struct sm_req *req, struct logging_in *x)
{
	struct sm_server *s = req->worker->server;
	struct sm_account_row a = {0};
	enum sm_err known = sm_reader_account(req->worker->reader, x->user, &a), e;
	bool good;

	if (known) {
		a = (struct sm_account_row){.id = 1, .disabled = true};
		sm_rand_fill(&sm_rand_system, a.stored_key, sizeof a.stored_key);
	}
	e = take_challenge(s, x, known ? NULL : &a);
	good = find_device(req, x, a.id) && !known && !a.disabled;
	good &= password_fits(x, s, &a);
	good &= device_fits(x, s);
	x->row.account = a.id;
	sm_wipe(&a, sizeof a);
	if (e == SM_ERR_BUSY)
		return e;
	return good && !e ? SM_OK : SM_ERR_DENIED;
}

static enum sm_err login_run(struct sm_op *op, struct sm_store *st)
{
	struct logging_in *x = (struct logging_in *)(void *)op;

	x->api.answer = sm_store_session_add(st, &x->row);
	return x->api.answer == SM_ERR_NOTFOUND ? SM_OK : x->api.answer;
}

static enum sm_err seal_key(struct sm_server *s, const struct logging_in *x, uint8_t enc[static 32], uint8_t ct[static 48])
{
	struct sm_buf info;
	uint8_t key[32];
	enum sm_err e;

	sm_buf_init(&info, 1024);
	sm_keys_session(&s->keys, key, x->row.sid);
	e = sm_buf_add(&info, "SM-SESSION-v1", 14);
	if (!e)
		e = sm_buf_add_lp(&info, s->origin, strlen(s->origin));
	if (!e)
		e = sm_buf_add_lp(&info, x->user, strlen(x->user));
	if (!e)
		e = sm_buf_add(&info, x->row.sid, SM_ID_LEN);
	if (!e)
		e = sm_hpke_seal(enc, ct, x->pub.x25519, info.data, info.len, NULL, 0, key, sizeof key, &sm_rand_system);
	sm_buf_release(&info);
	sm_wipe(key, sizeof key);
	return e;
}

static void refuse(struct sm_req *req) { sm_problem(req, 401, "login_refused", "name, password, device or challenge are not right"); }

static void login_done(struct sm_op *op)
{
	struct logging_in *x = (struct logging_in *)(void *)op;
	struct sm_req *req = x->api.req;
	struct sm_server *s = req->worker->server;
	char token[SM_TOKEN_MAX], address[SM_ADDRESS_MAX + 1];
	uint8_t enc[32], ct[48];
	int64_t now = sm_time_now();
	enum sm_err e;

	if (!sm_api_committed(&x->api))
		return;
	if (x->api.answer) {
		refuse(req);
		return;
	}
	e = seal_key(s, x, enc, ct);
	if (!e)
		e = sm_token_make(token, &s->keys, x->user, x->row.number, x->row.sid, now);
	if (e) {
		sm_problem_err(req, e);
		return;
	}
	sm_api_address(s, address, x->user);
	sm_json_reply(req, 200,
	              json_pack("{s:o,s:s,s:s,s:I,s:s,s:I,s:{s:o,s:o},s:s,s:s,s:i}", "server_signature",
	                        sm_json_b64(x->server_signature, 32), "session", x->row.sid, "access_token", token, "access_expires",
	                        (json_int_t)(now + SM_ACCESS_SECONDS), "refresh_token", x->refresh, "refresh_expires",
	                        (json_int_t)x->row.expires, "session_key", "enc", sm_json_b64(enc, 32), "ct", sm_json_b64(ct, 48), "user",
	                        x->user, "address", address, "device", (int)x->row.number));
	sm_wipe(token, sizeof token);
}

static void logging_in_free(void *p)
{
	sm_wipe(p, sizeof(struct logging_in));
	free(p);
}

/* Always after our start: horizon.h tells from that whose session it is. */
static int64_t created_now(const struct sm_server *s)
{
	int64_t now = sm_time_now(), first = sm_horizon_started(s->horizon) + 1;

	return now > first ? now : first;
}

void sm_api_login(struct sm_req *req)
{
	struct sm_server *s = req->worker->server;
	struct logging_in *x = sm_api_op(req, sizeof *x, login_run, login_done);
	uint8_t raw[16];
	char message[400];

	if (!x)
		return;
	req->ctx_free = logging_in_free;
	const struct sm_member want[] = {
	        {"origin", SM_JSON_TEXT, x->origin, sizeof x->origin, false, NULL},
	        {"user", SM_JSON_TEXT, x->user, sizeof x->user, false, "bad_name"},
	        {"device", SM_JSON_BYTES, x->device, sizeof x->device, false, NULL},
	        {"nonce", SM_JSON_BYTES, x->nonce, sizeof x->nonce, false, NULL},
	        {"cnonce", SM_JSON_BYTES, x->cnonce, sizeof x->cnonce, false, NULL},
	        {"proof", SM_JSON_BYTES, x->proof, sizeof x->proof, false, NULL},
	        {"signature", SM_JSON_BYTES, x->signature, sizeof x->signature, false, NULL},
	};
	if (!sm_json_request(req, want, sizeof want / sizeof *want))
		return;
	if (strcmp(x->origin, s->origin) != 0) {
		snprintf(message, sizeof message, "this server is %s", s->origin);
		sm_problem(req, 400, "wrong_origin", message);
		return;
	}
	if (!sm_name_valid(x->user, strlen(x->user))) {
		sm_problem(req, 400, "bad_name", "that is not a name");
		return;
	}
	enum sm_err e = prove(req, x);
	if (e == SM_ERR_DENIED)
		refuse(req);
	else if (e)
		sm_problem_err(req, e);
	if (e)
		return;
	sm_rand_fill(&sm_rand_system, raw, sizeof raw);
	sm_base32_id(x->row.sid, raw);
	x->row.created = created_now(s);
	x->row.expires = sm_time_now() + s->cfg->session_expires;
	x->row.generation = 1;
	sm_refresh_make(x->refresh, x->row.current, &s->keys, x->row.sid, 1);
	sm_api_submit(req, x);
}
