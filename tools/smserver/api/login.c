/* Login: SCRAM's algebra with Argon2id, plus the device's signature; then a session, its tokens and its key.
 * Every refusal is the same 401 after the same work, whoever was asked for. */
#include "proof.h"

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
	struct sm_proof proof;
	struct sm_session_row row;
	struct sm_public pub; /* the device's */
	char refresh[SM_REFRESH_TEXT];
};

/* What an account and device that do not exist are checked against: the same steps, and never a way in. */
static const uint8_t nobodys_key[32] = {0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};

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
		if (!sm_equal(fp, x->proof.device, 32))
			continue;
		there = true;
		pk = devices[i].pk;
		x->row.device = devices[i].id;
		x->row.number = devices[i].number;
	}
	return !sm_public_from_ed25519(&x->pub, pk) && there;
}

/* SM_ERR_DENIED; SM_ERR_BUSY: too many challenges have been used. */
static enum sm_err prove(struct sm_req *req, struct logging_in *x)
{
	struct sm_account_row a = {0};
	bool known = sm_proof_account(req, &x->proof, &a), there = find_device(req, x, a.id);
	enum sm_err e = sm_proof_check(req->worker->server, &x->proof, SM_FOR_LOGIN, &a, known, x->pub.ed25519);

	x->row.account = a.id;
	sm_wipe(&a, sizeof a);
	return e || there ? e : SM_ERR_DENIED;
}

static enum sm_err login_run(struct sm_op *op, struct sm_store *st)
{
	struct logging_in *x = (struct logging_in *)(void *)op;

	x->api.answer = sm_store_session_add(st, &x->row, x->pub.ed25519);
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
		e = sm_buf_add_lp(&info, x->proof.user, strlen(x->proof.user));
	if (!e)
		e = sm_buf_add(&info, x->row.sid, SM_ID_LEN);
	if (!e)
		e = sm_hpke_seal(enc, ct, x->pub.x25519, info.data, info.len, NULL, 0, key, sizeof key, &sm_rand_system);
	sm_buf_release(&info);
	sm_wipe(key, sizeof key);
	return e;
}

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
		sm_proof_refuse(req);
		return;
	}
	e = seal_key(s, x, enc, ct);
	if (!e)
		e = sm_token_make(token, &s->keys, x->proof.user, x->row.number, x->row.sid, now);
	if (e) {
		sm_problem_err(req, e);
		return;
	}
	sm_api_address(s, address, x->proof.user);
	sm_json_reply(req, 200,
	              json_pack("{s:o,s:s,s:s,s:I,s:s,s:I,s:{s:o,s:o},s:s,s:s,s:I}", "server_signature",
	                        sm_json_b64(x->proof.server_signature, 32), "session", x->row.sid, "access_token", token, "access_expires",
	                        (json_int_t)(now + SM_ACCESS_SECONDS), "refresh_token", x->refresh, "refresh_expires",
	                        (json_int_t)x->row.expires, "session_key", "enc", sm_json_b64(enc, 32), "ct", sm_json_b64(ct, 48), "user",
	                        x->proof.user, "address", address, "device", (json_int_t)x->row.number));
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

	if (!x)
		return;
	req->ctx_free = logging_in_free;
	const struct sm_json_member want[] = {
	        SM_PROOF_MEMBERS(&x->proof),
	        {"device", SM_JSON_BYTES, x->proof.device, sizeof x->proof.device, false, NULL},
	};
	if (!sm_json_request(req, want, sizeof want / sizeof *want) || !sm_proof_form(req, &x->proof))
		return;
	enum sm_err e = prove(req, x);
	if (e == SM_ERR_DENIED)
		sm_proof_refuse(req);
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
