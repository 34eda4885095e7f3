/* Prekey bundles: for each device of the accounts asked for its signed prekey, and a one-time prekey where there is one and the asker's
 * turn has come. What is handed out is gone, in a transaction committed before the answer. */
#include "api.h"

#include "../buckets.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { USERS_MAX = 1024 };

static const struct sm_bucket_rate for_asker = {6, 600000}, for_device = {60, 60000};

struct target {
	const struct sm_device *device;
	bool has_spk, has_opk;
	struct sm_spk_row spk;
	struct sm_opk_row opk;
};
struct wanted {
	char user[SM_NAME_MAX + 1];
	bool some; /* only those whose numbers follow */
	size_t n;
	uint32_t number[SM_DEVICES_MAX];
	struct sm_account *account; /* NULL: there is none */
	size_t first, ntarget;      /* its targets */
};
struct bundling {
	struct sm_api_op api;
	bool one;   /* GET keys/NAME/bundle */
	bool stale; /* set in run: devices may have changed */
	unsigned long generation;
	struct target *target;
	size_t ntarget;
	size_t n;
	struct wanted want[];
};

static void forget(struct bundling *x)
{
	for (size_t i = 0; i < x->n; i++) {
		sm_account_release(x->want[i].account);
		x->want[i].account = NULL;
	}
	free(x->target);
	x->target = NULL;
	x->ntarget = 0;
}

static void bundling_free(void *p)
{
	forget(p);
	free(p);
}

static bool asked_for(const struct wanted *w, uint32_t number)
{
	bool hit = !w->some;

	for (size_t i = 0; i < w->n && !hit; i++)
		hit = w->number[i] == number;
	return hit;
}

static enum sm_err hand_out(struct sm_store *st, struct sm_buckets *b, int64_t asker, struct target *t, int64_t now)
{
	int64_t mailbox = t->device->mailbox;
	enum sm_err e;

	t->has_opk = false;
	if (!t->has_spk || !sm_buckets_has(b, asker, mailbox, for_asker, now) || !sm_buckets_has(b, 0, mailbox, for_device, now))
		return SM_OK;
	e = sm_store_opk_take(st, mailbox, &t->opk);
	if (e)
		return e == SM_ERR_NOTFOUND ? SM_OK : e;
	t->has_opk = true;
	sm_buckets_take(b, asker, mailbox, for_asker, now);
	sm_buckets_take(b, 0, mailbox, for_device, now);
	return SM_OK;
}

static enum sm_err bundle_run(struct sm_op *op, struct sm_store *st)
{
	struct bundling *x = (struct bundling *)(void *)op;
	struct sm_server *s = x->api.req->worker->server;
	int64_t now = sm_time_mono_ms();
	enum sm_err e = SM_OK;

	x->stale = sm_accounts_generation(s->accounts) != x->generation;
	for (size_t i = 0; i < x->ntarget && !e && !x->stale; i++)
		e = hand_out(st, s->buckets, x->api.req->session->account, &x->target[i], now);
	return e;
}

static json_t *device_json(const struct target *t)
{
	json_t *spk = json_null(), *opk = json_null();

	if (t->has_spk)
		spk = json_pack("{s:I,s:I,s:o,s:o}", "id", (json_int_t)t->spk.id, "created", (json_int_t)t->spk.created, "key",
		                sm_json_b64(t->spk.key, 32), "signature", sm_json_b64(t->spk.signature, 64));
	if (t->has_opk)
		opk = json_pack("{s:I,s:o}", "id", (json_int_t)t->opk.id, "key", sm_json_b64(t->opk.key, 32));
	return json_pack("{s:I,s:o,s:o,s:o}", "id", (json_int_t)t->device->number, "identity", sm_api_identity(t->device->key.pk),
	                 "signed_prekey", spk, "one_time_prekey", opk);
}

static json_t *bundle_json(const struct bundling *x, size_t user)
{
	const struct wanted *w = &x->want[user];
	const struct sm_account *a = w->account;
	char address[SM_ADDRESS_MAX + 1];
	json_t *devices = json_array();

	sm_api_address(x->api.req->worker->server, address, a->name);
	for (size_t i = 0; i < w->ntarget; i++)
		(void)json_array_append_new(devices, device_json(&x->target[w->first + i]));
	return json_pack("{s:s,s:s,s:o,s:o,s:o}", "user", a->name, "address", address, "identity", sm_api_identity(a->identity.pk), "list",
	                 sm_api_list(a), "devices", devices);
}

static void answer(const struct bundling *x)
{
	json_t *list;

	if (x->one) {
		sm_json_reply(x->api.req, 200, bundle_json(x, 0));
		return;
	}
	list = json_array();
	for (size_t i = 0; i < x->n; i++)
		if (x->want[i].account)
			(void)json_array_append_new(list, bundle_json(x, i));
	sm_json_reply(x->api.req, 200, json_pack("{s:o}", "bundles", list));
}

static enum sm_err find_account(struct sm_req *req, struct wanted *w)
{
	enum sm_err e = sm_accounts_get(req->worker->server->accounts, req->worker->reader, w->user, &w->account);

	if (!e && w->account->disabled) {
		sm_account_release(w->account);
		w->account = NULL;
	}
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

static enum sm_err add_targets(struct bundling *x, struct wanted *w)
{
	const struct sm_account *a = w->account;
	enum sm_err e = SM_OK;

	w->first = x->ntarget;
	for (size_t i = 0; a && i < a->ndevice && !e; i++) {
		struct target *t = &x->target[x->ntarget];
		if (!asked_for(w, a->device[i].number))
			continue;
		*t = (struct target){.device = &a->device[i]};
		x->ntarget++;
		e = sm_reader_spk(x->api.req->worker->reader, t->device->mailbox, &t->spk);
		t->has_spk = !e;
		e = e == SM_ERR_NOTFOUND ? SM_OK : e;
	}
	w->ntarget = x->ntarget - w->first;
	return e;
}

static enum sm_err find_targets(struct bundling *x)
{
	struct sm_req *req = x->api.req;
	size_t n = 0;
	enum sm_err e = SM_OK;

	forget(x);
	x->generation = sm_accounts_generation(req->worker->server->accounts);
	for (size_t i = 0; i < x->n && !e; i++) {
		e = find_account(req, &x->want[i]);
		n += x->want[i].account ? x->want[i].account->ndevice : 0;
	}
	x->target = calloc(n ? n : 1, sizeof *x->target);
	if (!x->target)
		return SM_ERR_NOMEM;
	for (size_t i = 0; i < x->n && !e; i++)
		e = add_targets(x, &x->want[i]);
	return e;
}

static void start(struct bundling *x)
{
	enum sm_err e = find_targets(x);

	if (e)
		sm_problem_err(x->api.req, e);
	else if (x->one && !x->want[0].account)
		sm_problem(x->api.req, 404, "no_such_user", "nobody has that name here");
	else
		sm_api_submit(x->api.req, x);
}

static void bundle_done(struct sm_op *op)
{
	struct bundling *x = (struct bundling *)(void *)op;

	if (!sm_api_committed(&x->api))
		return;
	if (x->stale)
		start(x);
	else
		answer(x);
}

static struct bundling *new_bundling(struct sm_req *req, size_t n)
{
	struct bundling *x = sm_api_op(req, sizeof *x + n * sizeof x->want[0], bundle_run, bundle_done);

	if (!x)
		return NULL;
	req->ctx_free = bundling_free;
	x->n = n;
	x->api.op.weight = 1024 + n * 256;
	return x;
}

/* "1,2" */
static bool read_numbers(struct wanted *w, const char *s)
{
	w->some = true;
	for (;; s++) {
		uint64_t v = 0;
		size_t digits = strspn(s, "0123456789");
		if (!digits || digits > 10 || w->n == SM_DEVICES_MAX)
			return false;
		for (; digits; digits--)
			v = v * 10 + (uint64_t)(*s++ - '0');
		if (v < 1 || v > UINT32_MAX)
			return false;
		w->number[w->n++] = (uint32_t)v;
		if (*s != ',')
			return *s == '\0';
	}
}

void sm_api_bundle_get(struct sm_req *req)
{
	char devices[SM_DEVICES_MAX * 11 + 1] = "";
	struct bundling *x = new_bundling(req, 1);
	bool asked = sm_api_query_has(req, "devices");

	if (!x)
		return;
	x->one = true;
	if (asked && (!sm_api_query(req, "devices", devices, sizeof devices) || !read_numbers(&x->want[0], devices))) {
		sm_problem(req, 400, "bad_request", "'devices' is 1 to 16 numbers with commas between them");
		return;
	}
	if (!sm_name_valid(req->param, strlen(req->param))) {
		sm_problem(req, 404, "no_such_user", "nobody has that name here");
		return;
	}
	memcpy(x->want[0].user, req->param, strlen(req->param) + 1);
	start(x);
}

static bool read_devices(struct wanted *w, const json_t *list)
{
	size_t i;
	json_t *v;

	w->some = true;
	if (json_array_size(list) < 1 || json_array_size(list) > SM_DEVICES_MAX)
		return false;
	json_array_foreach(list, i, v)
	{
		if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > UINT32_MAX)
			return false;
		w->number[w->n++] = (uint32_t)json_integer_value(v);
	}
	return true;
}

static bool read_wanted(struct wanted *w, const json_t *v)
{
	json_t *devices = NULL;
	const struct sm_json_member want[] = {{"user", SM_JSON_TEXT, w->user, sizeof w->user, false, NULL},
	                                      {"devices", SM_JSON_LIST, &devices, 0, true, NULL}};
	bool good = sm_json_object(v, want, 2) && sm_name_valid(w->user, strlen(w->user)) && (!devices || read_devices(w, devices));

	json_decref(devices);
	return good;
}

static int by_user(const void *a, const void *b) { return strcmp(((const struct wanted *)a)->user, ((const struct wanted *)b)->user); }

/* Sorts what is wanted, so that the answer's order tells nothing and nobody stands there twice. */
static bool read_all(struct bundling *x, const json_t *list)
{
	for (size_t i = 0; i < x->n; i++)
		if (!read_wanted(&x->want[i], json_array_get(list, i)))
			return false;
	qsort(x->want, x->n, sizeof x->want[0], by_user);
	for (size_t i = 1; i < x->n; i++)
		if (!by_user(&x->want[i - 1], &x->want[i]))
			return false;
	return true;
}

void sm_api_bundles_post(struct sm_req *req)
{
	static const char wrong[] = "'want' is 1 to 1024 of {\"user\"} or {\"user\", \"devices\"}, nobody twice";
	json_t *list = NULL;
	const struct sm_json_member want[] = {{"want", SM_JSON_LIST, &list, 0, false, NULL}};
	struct bundling *x = NULL;
	size_t n;

	if (!sm_json_request_of(req, want, 1, SM_BUNDLES_BODY_MAX)) {
		json_decref(list);
		return;
	}
	n = json_array_size(list);
	if (n < 1 || n > USERS_MAX)
		sm_problem(req, 400, "bad_request", wrong);
	else if ((x = new_bundling(req, n)) && !read_all(x, list))
		sm_problem(req, 400, "bad_request", wrong), x = NULL;
	json_decref(list);
	if (x)
		start(x);
}
