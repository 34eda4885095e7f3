/* A device's own prekeys: the signed one, the one-time ones, and how many there are. */
#include "api.h"

#include "base/time.h"
#include "crypto/sign.h"
#include "crypto/x25519.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS_AT_ONCE = 100 };

/* "SM-spk-v1\0" | be32 device | be32 id | be64 created | 02 | key (sm-sessions(7), "Prekeys"). */
static enum sm_err check_spk(const struct sm_spk_row *k, const struct sm_device *d)
{
	uint8_t m[10 + 4 + 4 + 8 + 1 + 32] = "SM-spk-v1";

	sm_put_be32(m + 10, d->number);
	sm_put_be32(m + 14, k->id);
	sm_put_be64(m + 18, (uint64_t)k->created);
	m[26] = 2;
	memcpy(m + 27, k->key, 32);
	return sm_verify(k->signature, m, sizeof m, d->key.pk);
}

struct spk_putting {
	struct sm_api_op api;
	struct sm_spk_row key;
	int64_t device;
	unsigned long generation;
	bool stale; /* set in run: the device may have changed since the signature was checked */
};

static enum sm_err spk_run(struct sm_op *op, struct sm_store *st)
{
	struct spk_putting *x = (struct spk_putting *)(void *)op;

	x->stale = sm_accounts_generation(x->api.req->worker->server->accounts) != x->generation;
	if (x->stale)
		return SM_OK;
	x->api.answer = sm_store_spk_put(st, x->device, &x->key);
	return x->api.answer == SM_ERR_CONFLICT ? SM_OK : x->api.answer;
}

static void check_and_put(struct spk_putting *x)
{
	struct sm_req *req = x->api.req;
	struct sm_account *a;
	const struct sm_device *d;

	x->generation = sm_accounts_generation(req->worker->server->accounts);
	d = sm_api_own_device(req, &a);
	if (!d)
		return;
	x->device = d->mailbox;
	if (sm_x25519_check(x->key.key))
		sm_problem(req, 400, "bad_key", "'key' is not an X25519 public key in its one form");
	else if (check_spk(&x->key, d))
		sm_problem(req, 401, "bad_proof", "the signature is not the device's over this prekey");
	else
		sm_api_submit(req, x);
	sm_account_release(a);
}

static void spk_done(struct sm_op *op)
{
	struct spk_putting *x = (struct spk_putting *)(void *)op;

	if (!sm_api_committed(&x->api))
		return;
	if (x->stale)
		check_and_put(x);
	else if (x->api.answer)
		sm_problem(x->api.req, 409, "prekey_id", "a signed prekey with this or a higher id is there");
	else
		sm_json_reply(x->api.req, 200, json_object());
}

void sm_api_spk_put(struct sm_req *req)
{
	struct spk_putting *x = sm_api_op(req, sizeof *x, spk_run, spk_done);

	if (!x)
		return;
	const struct sm_json_member want[] = {
	        {"id", SM_JSON_U32, &x->key.id, 0, false, NULL},
	        {"created", SM_JSON_TIME, &x->key.created, 0, false, NULL},
	        {"key", SM_JSON_BYTES, x->key.key, sizeof x->key.key, false, NULL},
	        {"signature", SM_JSON_BYTES, x->key.signature, sizeof x->key.signature, false, NULL},
	};
	if (sm_json_request(req, want, sizeof want / sizeof *want))
		check_and_put(x);
}

struct adding {
	struct sm_api_op api;
	int64_t device;
	bool gone; /* set in run: the device */
	enum sm_prekeys_outcome outcome;
	size_t n, left;
	struct sm_opk_row key[KEYS_AT_ONCE];
};

static enum sm_err add_run(struct sm_op *op, struct sm_store *st)
{
	struct adding *x = (struct adding *)(void *)op;
	enum sm_err e = sm_store_opks_add(st, x->device, x->key, x->n, &x->outcome, &x->left);

	x->gone = e == SM_ERR_NOTFOUND;
	return x->gone ? SM_OK : e;
}

static void add_done(struct sm_op *op)
{
	struct adding *x = (struct adding *)(void *)op;

	if (!sm_api_committed(&x->api))
		return;
	if (x->gone)
		sm_problem(x->api.req, 401, "unauthenticated", "this device is not one of the account's any more");
	else if (x->outcome == SM_PREKEYS_CONFLICT)
		sm_problem(x->api.req, 409, "prekey_id", "another one-time prekey is there under one of these ids");
	else if (x->outcome == SM_PREKEYS_TOO_MANY)
		sm_problem(x->api.req, 413, "too_many", "a device has at most 200 one-time prekeys here");
	else
		sm_json_reply(x->api.req, 200, json_pack("{s:I}", "one_time", (json_int_t)x->left));
}

/* 1 to 100 keys whose ids grow. */
static bool read_keys(struct adding *x, const json_t *list)
{
	size_t i;
	json_t *v;

	if (json_array_size(list) < 1 || json_array_size(list) > KEYS_AT_ONCE)
		return false;
	json_array_foreach(list, i, v)
	{
		struct sm_opk_row *k = &x->key[i];
		const struct sm_json_member want[] = {{"id", SM_JSON_U32, &k->id, 0, false, NULL},
		                                      {"key", SM_JSON_BYTES, k->key, sizeof k->key, false, NULL}};
		if (!sm_json_object(v, want, 2) || (i && k->id <= x->key[i - 1].id) || sm_x25519_check(k->key))
			return false;
		x->n++;
	}
	return true;
}

void sm_api_opks_post(struct sm_req *req)
{
	struct adding *x = sm_api_op(req, sizeof *x, add_run, add_done);
	json_t *list = NULL;
	const struct sm_json_member want[] = {{"keys", SM_JSON_LIST, &list, 0, false, NULL}};
	bool good;

	if (!x)
		return;
	good = sm_json_request(req, want, 1);
	if (good && !read_keys(x, list)) {
		sm_problem(req, 400, "bad_request", "'keys' is 1 to 100 of {\"id\", \"key\"} with X25519 keys, the ids growing");
		good = false;
	}
	json_decref(list);
	if (!good)
		return;
	x->device = req->session->device;
	x->api.op.weight = 1024 + x->n * 64;
	sm_api_submit(req, x);
}

void sm_api_keys_count(struct sm_req *req)
{
	struct sm_spk_row spk;
	size_t n = 0;
	int64_t highest = -1;
	enum sm_err e = sm_reader_spk(req->worker->reader, req->session->device, &spk), found = e;

	if (!e || e == SM_ERR_NOTFOUND)
		e = sm_reader_opks(req->worker->reader, req->session->device, &n, &highest);
	if (e == SM_ERR_NOTFOUND)
		sm_problem(req, 401, "unauthenticated", "this device is not one of the account's any more");
	else if (e)
		sm_problem_err(req, e);
	else
		sm_json_reply(req, 200,
		              json_pack("{s:o,s:I,s:I}", "signed_prekey",
		                        found ? json_null()
		                              : json_pack("{s:I,s:I}", "id", (json_int_t)spk.id, "created", (json_int_t)spk.created),
		                        "one_time", (json_int_t)n, "highest", (json_int_t)highest));
}
