/* The proofs of a login. Every refusal is the same 401 after the same work, whoever was asked for. */
#include "proof.h"

#include "base/time.h"
#include "crypto/hash.h"

#include <string.h>

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
static bool password_fits(struct sm_proof *p, const struct sm_server *s, const struct sm_account_row *a)
{
	struct sm_buf b;
	uint8_t key[32], hash[32];
	bool good = false;

	sm_buf_init(&b, 4096);
	if (!auth_message(&b, s, &p->challenge)) {
		sm_hmac_sha256(key, a->stored_key, 32, b.data, b.len);
		for (size_t i = 0; i < sizeof key; i++)
			key[i] ^= p->proof[i];
		sm_sha256(hash, key, sizeof key);
		good = sm_equal(hash, a->stored_key, sizeof hash);
		sm_hmac_sha256(p->server_signature, a->server_key, 32, b.data, b.len);
	}
	sm_buf_release(&b);
	sm_wipe(key, sizeof key);
	return good;
}

static bool device_fits(const struct sm_proof *p, const struct sm_server *s, const uint8_t pk[static SM_PK_LEN])
{
	struct sm_buf b;
	bool good = false;

	sm_buf_init(&b, 4096);
	if (!sm_api_signed(&b, s, &p->challenge))
		good = !sm_verify(p->signature, b.data, b.len, pk);
	sm_buf_release(&b);
	return good;
}

static enum sm_err take_challenge(struct sm_server *s, struct sm_proof *p, enum sm_purpose purpose, const struct sm_account_row *known)
{
	struct sm_challenge *c = &p->challenge;

	c->purpose = purpose;
	memcpy(c->user, p->user, strlen(p->user));
	memcpy(c->device, p->device, 32);
	memcpy(c->cnonce, p->cnonce, 32);
	memcpy(c->nonce, p->nonce, 32);
	sm_api_login_kdf(s, c, known);
	return sm_challenge_take(s->challenges, c, sm_time_now());
}

bool sm_proof_form(struct sm_req *req, const struct sm_proof *p)
{
	const struct sm_server *s = req->worker->server;
	char message[400];

	if (strcmp(p->origin, s->origin) != 0) {
		snprintf(message, sizeof message, "this server is %s", s->origin);
		sm_problem(req, 400, "wrong_origin", message);
		return false;
	}
	if (!sm_name_valid(p->user, strlen(p->user))) {
		sm_problem(req, 400, "bad_name", "that is not a name");
		return false;
	}
	return true;
}

bool sm_proof_account(struct sm_req *req, const struct sm_proof *p, struct sm_account_row *a)
{
	if (!sm_reader_account(req->worker->reader, p->user, a))
		return true;
	/* What needs an id looks at the first account, to no effect. */
	*a = (struct sm_account_row){.id = 1, .disabled = true};
	sm_rand_fill(&sm_rand_system, a->stored_key, sizeof a->stored_key);
	return false;
}

enum sm_err sm_proof_check(struct sm_server *s, struct sm_proof *p, enum sm_purpose purpose, const struct sm_account_row *a, bool known,
                           const uint8_t pk[static SM_PK_LEN])
{
	enum sm_err e = take_challenge(s, p, purpose, known ? a : NULL);
	bool good = known && !a->disabled;

	good &= password_fits(p, s, a);
	good &= device_fits(p, s, pk);
	if (e == SM_ERR_BUSY)
		return e;
	return good && !e ? SM_OK : SM_ERR_DENIED;
}

void sm_proof_refuse(struct sm_req *req) { sm_problem(req, 401, "login_refused", "name, password, device or challenge are not right"); }
