/* Challenges and registration: sm-protocol(7), "Challenges" and "Registration". */
#include "api.h"

#include "../challenge.h"
#include "base/time.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

static const char reserved[] = "count"; /* GET keys/count */

static bool wrong_origin(struct sm_req *req, const char *origin)
{
	const struct sm_server *s = req->worker->server;
	char message[400];

	if (!strcmp(origin, s->origin))
		return false;
	snprintf(message, sizeof message, "this server is %s", s->origin);
	sm_problem(req, 400, "wrong_origin", message);
	return true;
}

static bool read_purpose(const char *text, enum sm_purpose *out)
{
	for (int p = SM_FOR_LOGIN; p <= SM_FOR_ENROLL; p++)
		if (!strcmp(text, sm_purpose_text((enum sm_purpose)p)))
			return *out = (enum sm_purpose)p, true;
	return false;
}

void sm_api_login_kdf(const struct sm_server *s, struct sm_challenge *c, const struct sm_account_row *row)
{
	const struct sm_config *cfg = s->cfg;
	uint8_t made[32];

	sm_hmac_sha256(made, s->keys.unknown_salt, 32, c->user, strlen(c->user));
	memcpy(c->salt, row ? row->salt : made, sizeof c->salt);
	c->t = row ? row->t : cfg->kdf_t;
	c->m = row ? row->m : cfg->kdf_m;
}

static enum sm_err login_salt(struct sm_server *s, struct sm_reader *r, struct sm_challenge *c)
{
	struct sm_account_row row;
	enum sm_err e = sm_reader_account(r, c->user, &row);

	if (e && e != SM_ERR_NOTFOUND)
		return e;
	sm_api_login_kdf(s, c, e ? NULL : &row);
	sm_wipe(&row, sizeof row);
	return SM_OK;
}

static enum sm_err choose_salt(struct sm_server *s, struct sm_reader *r, struct sm_challenge *c)
{
	c->t = s->cfg->kdf_t;
	c->m = s->cfg->kdf_m;
	if (c->purpose == SM_FOR_LOGIN || c->purpose == SM_FOR_ENROLL)
		return login_salt(s, r, c);
	if (c->purpose == SM_FOR_REGISTER)
		sm_rand_fill(&sm_rand_system, c->salt, sizeof c->salt);
	return SM_OK;
}

void sm_api_challenge(struct sm_req *req)
{
	struct sm_server *s = req->worker->server;
	struct sm_challenge c = {0};
	char purpose[16], origin[sizeof s->origin];
	enum sm_err e;
	const struct sm_json_member want[] = {
	        {"purpose", SM_JSON_TEXT, purpose, sizeof purpose, false, NULL},
	        {"origin", SM_JSON_TEXT, origin, sizeof origin, false, NULL},
	        {"user", SM_JSON_TEXT, c.user, sizeof c.user, false, "bad_name"},
	        {"device", SM_JSON_BYTES, c.device, sizeof c.device, false, NULL},
	        {"cnonce", SM_JSON_BYTES, c.cnonce, sizeof c.cnonce, false, NULL},
	};

	if (!sm_json_request(req, want, sizeof want / sizeof *want))
		return;
	if (!read_purpose(purpose, &c.purpose)) {
		sm_problem(req, 400, "bad_request", "'purpose' is login, register, identity or enroll");
		return;
	}
	if (wrong_origin(req, origin))
		return;
	if (!sm_name_valid(c.user, strlen(c.user))) {
		sm_problem(req, 400, "bad_name",
		           "a name is a-z, 0-9, dot, underscore and hyphen, at most 32, beginning with a letter or digit");
		return;
	}
	e = choose_salt(s, req->worker->reader, &c);
	if (e) {
		sm_problem_err(req, e);
		return;
	}
	sm_challenge_make(s->challenges, &c, sm_time_now());
	sm_json_reply(req, 200,
	              json_pack("{s:o,s:I,s:o,s:{s:s,s:i,s:i}}", "nonce", sm_json_b64(c.nonce, 32), "expires", (json_int_t)c.expires,
	                        "salt", sm_json_b64(c.salt, 16), "kdf", "name", "argon2id", "t", (int)c.t, "m", (int)c.m));
}

struct registering {
	struct sm_api_op api;
	struct sm_registration row;
	char origin[262], user[SM_NAME_MAX + 1], identity[128], label[SM_LABEL_MAX + 1], invite[SM_INVITE_MAX + 1];
	uint8_t nonce[32], signature[64], stored_key[32], server_key[32], salt[16], invite_hash[32];
	struct sm_kdf kdf;
	struct sm_public pub;
};

static enum sm_err register_run(struct sm_op *op, struct sm_store *st)
{
	struct registering *x = (struct registering *)(void *)op;

	x->api.answer = sm_store_register(st, &x->row);
	/* A taken name and a bad invite are seen before anything is changed. */
	return x->api.answer == SM_ERR_EXISTS || x->api.answer == SM_ERR_DENIED ? SM_OK : x->api.answer;
}

static void register_committed(struct sm_op *op, struct sm_server *s)
{
	struct registering *x = (struct registering *)(void *)op;

	if (!x->api.answer)
		sm_accounts_drop(s->accounts, x->user);
}

static void register_done(struct sm_op *op)
{
	struct registering *x = (struct registering *)(void *)op;
	struct sm_req *req = x->api.req;
	char address[SM_ADDRESS_MAX + 1];

	if (!sm_api_committed(&x->api))
		return;
	if (x->api.answer == SM_ERR_EXISTS) {
		sm_problem(req, 409, "name_taken", "somebody has that name already");
	} else if (x->api.answer == SM_ERR_DENIED) {
		sm_problem(req, 403, "bad_invite", "the invitation is not valid: used up, expired, mistyped, or for another name");
	} else {
		sm_api_address(req->worker->server, address, x->user);
		sm_json_reply(req, 201,
		              json_pack("{s:s,s:s,s:i,s:o}", "user", x->user, "address", address, "device", 1, "fingerprint",
		                        sm_api_fingerprint(x->pub.fp)));
	}
}

/* The proof: a live challenge for exactly this, and the device's signature over it. SM_ERR_DENIED, or SM_ERR_BUSY. */
static enum sm_err prove(struct sm_server *s, const struct registering *x)
{
	struct sm_challenge c = {.purpose = SM_FOR_REGISTER, .t = x->kdf.t, .m = x->kdf.m};

	memcpy(c.user, x->user, strlen(x->user));
	memcpy(c.device, x->pub.fp, 32);
	memcpy(c.nonce, x->nonce, 32);
	memcpy(c.salt, x->salt, 16);
	return sm_api_prove(s, &c, x->signature, x->pub.ed25519);
}

bool sm_api_label_ok(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* Answers what is wrong with the request itself and returns false. */
static bool check_fields(struct sm_req *req, struct registering *x)
{
	if (wrong_origin(req, x->origin))
		return false;
	if (!sm_name_valid(x->user, strlen(x->user)))
		sm_problem(req, 400, "bad_name",
		           "a name is a-z, 0-9, dot, underscore and hyphen, at most 32, beginning with a letter or digit");
	else if (!strcmp(x->user, reserved))
		sm_problem(req, 400, "bad_name", "that name is a call's: nobody could look it up");
	else if (sm_public_parse(&x->pub, x->identity, strlen(x->identity)) || x->pub.suite != &sm_suite_x25519)
		sm_problem(req, 400, "bad_identity", "'identity' is not a public identity (sm1...)");
	else if (!sm_api_label_ok(x->label))
		sm_problem(req, 400, "bad_request", "'label' is printable ASCII");
	else if (req->worker->server->cfg->registration == SM_REG_INVITE && !x->invite[0])
		sm_problem(req, 403, "invite_required", "registration on this server needs an invitation");
	else
		return sm_api_proven(req, prove(req->worker->server, x));
	return false;
}

static void fill_row(struct sm_server *s, struct registering *x)
{
	x->row = (struct sm_registration){.name = x->user,
	                                  .label = x->label,
	                                  .pk = x->pub.ed25519,
	                                  .fp = x->pub.fp,
	                                  .salt = x->salt,
	                                  .stored_key = x->stored_key,
	                                  .server_key = x->server_key,
	                                  .t = x->kdf.t,
	                                  .m = x->kdf.m,
	                                  .now = sm_time_now()};
	if (s->cfg->registration != SM_REG_INVITE)
		return;
	sm_sha256(x->invite_hash, x->invite, strlen(x->invite));
	x->row.invite = x->invite_hash;
}

static void registering_free(void *p)
{
	sm_wipe(p, sizeof(struct registering));
	free(p);
}

void sm_api_register(struct sm_req *req)
{
	struct sm_server *s = req->worker->server;
	struct registering *x;

	if (s->cfg->registration == SM_REG_CLOSED) {
		sm_problem(req, 403, "registration_closed", "this server takes no registrations");
		return;
	}
	x = sm_api_op(req, sizeof *x, register_run, register_done);
	if (!x)
		return;
	req->ctx_free = registering_free;
	x->api.op.committed = register_committed;
	const struct sm_json_member want[] = {
	        {"origin", SM_JSON_TEXT, x->origin, sizeof x->origin, false, NULL},
	        {"user", SM_JSON_TEXT, x->user, sizeof x->user, false, "bad_name"},
	        {"identity", SM_JSON_TEXT, x->identity, sizeof x->identity, false, "bad_identity"},
	        {"nonce", SM_JSON_BYTES, x->nonce, sizeof x->nonce, false, NULL},
	        {"signature", SM_JSON_BYTES, x->signature, sizeof x->signature, false, NULL},
	        {"stored_key", SM_JSON_BYTES, x->stored_key, sizeof x->stored_key, false, NULL},
	        {"server_key", SM_JSON_BYTES, x->server_key, sizeof x->server_key, false, NULL},
	        {"salt", SM_JSON_BYTES, x->salt, sizeof x->salt, false, NULL},
	        {"kdf", SM_JSON_KDF, &x->kdf, sizeof x->kdf, false, NULL},
	        {"invite", SM_JSON_TEXT, x->invite, sizeof x->invite, true, NULL},
	        {"label", SM_JSON_TEXT, x->label, sizeof x->label, true, NULL},
	};
	if (!sm_json_request(req, want, sizeof want / sizeof *want) || !check_fields(req, x))
		return;
	fill_row(s, x);
	sm_api_submit(req, x);
}
