/* Public keys and people: what one signed-in person may look up about another, and the replacing of one's own key. */
#include "api.h"

#include "../challenge.h"
#include "base/time.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

static json_t *device_json(const struct sm_device *d)
{
	return json_pack("{s:I,s:o,s:o}", "id", (json_int_t)d->number, "identity", sm_api_identity(d->key.pk), "fingerprint",
	                 sm_api_fingerprint(d->key.fp));
}

static json_t *account_json(const struct sm_server *s, const struct sm_account *a)
{
	char address[SM_ADDRESS_MAX + 1];
	json_t *devices = json_array();

	sm_api_address(s, address, a->name);
	for (size_t i = 0; i < a->ndevice; i++)
		(void)json_array_append_new(devices, device_json(&a->device[i]));
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:I}", "user", a->name, "address", address, "identity", sm_api_identity(a->identity.pk),
	                 "fingerprint", sm_api_fingerprint(a->identity.fp), "devices", devices, "list", sm_api_list(a), "changed",
	                 (json_int_t)a->changed);
}

void sm_api_keys_get(struct sm_req *req)
{
	struct sm_account *a = sm_api_account(req, req->param);

	if (a)
		sm_json_reply(req, 200, account_json(req->worker->server, a));
	sm_account_release(a);
}

struct replacing {
	struct sm_api_op api;
	int64_t account, device;
	char sid[SM_ID_LEN + 1], user[SM_NAME_MAX + 1];
	char identity[128];
	uint8_t nonce[32], signature[64];
	struct sm_public pub;
};

static enum sm_err replace_run(struct sm_op *op, struct sm_store *st)
{
	struct replacing *x = (struct replacing *)(void *)op;

	sm_accounts_changing(x->api.req->worker->server->accounts);
	x->api.answer = sm_store_identity_put(st, x->account, x->device, x->sid, x->pub.ed25519, x->pub.fp, sm_time_now());
	return x->api.answer == SM_ERR_NOTFOUND ? SM_OK : x->api.answer; /* the device has gone: seen before anything is changed */
}

static void replace_committed(struct sm_op *op, struct sm_server *s)
{
	struct replacing *x = (struct replacing *)(void *)op;

	sm_accounts_drop(s->accounts, x->user);
	if (x->api.answer)
		return;
	sm_sessions_revoke(s->sessions, x->account, NULL, x->sid);
	sm_sessions_renumber(s->sessions, x->sid);
	sm_writer_sessions_ended(&s->writer);
}

static void answer_keys(struct sm_req *req, const char *user)
{
	struct sm_account *a = sm_api_account(req, user);

	if (a)
		sm_json_reply(req, 200, account_json(req->worker->server, a));
	sm_account_release(a);
}

static void replace_done(struct sm_op *op)
{
	struct replacing *x = (struct replacing *)(void *)op;

	if (!sm_api_committed(&x->api))
		return;
	if (x->api.answer)
		sm_problem(x->api.req, 401, "unauthenticated", "this device is not one of the account's any more");
	else
		answer_keys(x->api.req, x->user);
}

static enum sm_err prove(struct sm_server *s, const struct replacing *x)
{
	struct sm_challenge c = {.purpose = SM_FOR_IDENTITY};

	memcpy(c.user, x->user, sizeof c.user);
	memcpy(c.device, x->pub.fp, 32);
	memcpy(c.nonce, x->nonce, 32);
	return sm_api_prove(s, &c, x->signature, x->pub.ed25519);
}

/* True when the account and the device have this key already. */
static bool unchanged(struct sm_req *req, const struct sm_public *pub)
{
	struct sm_account *a = NULL;
	bool same = false;

	if (!sm_accounts_get(req->worker->server->accounts, req->worker->reader, req->session->user, &a)) {
		const struct sm_device *d = sm_account_device_mailbox(a, req->session->device);
		same = d && sm_equal(d->key.fp, pub->fp, SM_FP_LEN) && sm_equal(a->identity.fp, pub->fp, SM_FP_LEN);
	}
	sm_account_release(a);
	return same;
}

void sm_api_identity_put(struct sm_req *req)
{
	struct replacing *x = sm_api_op(req, sizeof *x, replace_run, replace_done);

	if (!x)
		return;
	const struct sm_json_member want[] = {
	        {"identity", SM_JSON_TEXT, x->identity, sizeof x->identity, false, "bad_identity"},
	        {"nonce", SM_JSON_BYTES, x->nonce, sizeof x->nonce, false, NULL},
	        {"signature", SM_JSON_BYTES, x->signature, sizeof x->signature, false, NULL},
	};
	if (!sm_json_request(req, want, sizeof want / sizeof *want))
		return;
	memcpy(x->user, req->session->user, sizeof x->user);
	memcpy(x->sid, req->session->sid, sizeof x->sid);
	x->account = req->session->account;
	x->device = req->session->device;
	x->api.op.committed = replace_committed;
	if (sm_public_parse(&x->pub, x->identity, strlen(x->identity)) || x->pub.suite != &sm_suite_x25519)
		sm_problem(req, 400, "bad_identity", "'identity' is not a public identity (sm1...)");
	else if (!sm_api_proven(req, prove(req->worker->server, x)))
		return;
	else if (unchanged(req, &x->pub))
		answer_keys(req, x->user);
	else
		sm_api_submit(req, x);
}

struct people {
	struct sm_server *server;
	json_t *list;
};

static bool add_person(void *ctx, const struct sm_account_row *a)
{
	struct people *p = ctx;
	char address[SM_ADDRESS_MAX + 1];
	uint8_t fp[SM_FP_LEN];

	if (a->disabled)
		return true;
	sm_api_address(p->server, address, a->name);
	sm_sha256(fp, a->pk, sizeof a->pk);
	(void)json_array_append_new(p->list,
	                            json_pack("{s:s,s:s,s:o}", "user", a->name, "address", address, "fingerprint", sm_api_fingerprint(fp)));
	return true;
}

void sm_api_users_get(struct sm_req *req)
{
	struct people p = {.server = req->worker->server};
	char after[SM_NAME_MAX + 1] = "";
	uint64_t limit;
	enum sm_err e;

	if (!((struct sm_config *)p.server->cfg)->directory) {
		sm_problem(req, 403, "no_directory", "this server keeps no public directory");
		return;
	}
	if (!sm_api_query_number(req, "limit", 100, 1, 1000, &limit))
		return;
	(void)sm_api_query(req, "after", after, sizeof after);
	p.list = json_array();
	e = sm_reader_accounts(req->worker->reader, after, limit, add_person, &p);
	if (e) {
		json_decref(p.list);
		sm_problem_err(req, e);
	} else {
		sm_json_reply(req, 200, json_pack("{s:o}", "users", p.list));
	}
}

void sm_api_user_get(struct sm_req *req)
{
	struct sm_account *a = sm_api_account(req, req->param);
	char address[SM_ADDRESS_MAX + 1];

	if (!a)
		return;
	sm_api_address(req->worker->server, address, a->name);
	sm_json_reply(req, 200,
	              json_pack("{s:s,s:s,s:o,s:I}", "user", a->name, "address", address, "fingerprint", sm_api_fingerprint(a->identity.fp),
	                        "created", (json_int_t)a->created));
	sm_account_release(a);
}
