/* Sending: one envelope, or a batch with a result for each. The answer leaves after the commit that holds everything it
 * calls stored. */
#include "api.h"

#include "../route_envelope.h"
#include "base/base64.h"
#include "base/time.h"
#include "crypto/hash.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MESSAGES = 256, DELIVERY_BYTES = 64 };

struct item {
	struct sm_span envelope;
	char key[SM_KEY_MAX + 1];
	bool bad_key;
	struct sm_routing route;
	struct sm_send send;
	bool stored_already; /* found under its key although it can no longer be routed */
};

struct sending {
	struct sm_api_op api;
	bool batch;
	bool stale; /* set in run: accounts changed since routing, so route again */
	struct sm_send_query query;
	unsigned long generation;
	size_t n;
	struct item item[];
};

static bool key_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("._:-", s[i]))
			return false;
	return n >= 1 && n <= SM_KEY_MAX && !memchr(s, '\0', n);
}

static void sending_free(void *p)
{
	struct sending *x = p;

	for (size_t i = 0; i < x->n; i++)
		sm_routing_release(&x->item[i].route);
	free(x);
}

static enum sm_err send_run(struct sm_op *op, struct sm_store *st)
{
	struct sending *x = (struct sending *)(void *)op;
	int64_t now = sm_time_now_ms();
	enum sm_err e = SM_OK;

	x->stale = sm_accounts_generation(x->api.req->worker->server->accounts) != x->generation;
	for (size_t i = 0; i < x->n && !e && !x->stale; i++)
		if (!x->item[i].route.status && !x->item[i].stored_already)
			e = sm_store_send(st, &x->item[i].send, now);
	return e;
}

static void send_committed(struct sm_op *op, struct sm_server *s)
{
	struct sending *x = (struct sending *)(void *)op;

	for (size_t i = 0; i < x->n && !x->stale; i++) {
		const struct item *it = &x->item[i];
		if (!it->route.status && !it->stored_already && it->send.outcome == SM_STORED)
			sm_writer_hint(&s->writer, it->route.mailbox, it->route.nmailbox);
	}
}

/* What a client tries again must get the answer of the first time, even when a recipient has changed devices since. */
static void look_for_earlier(struct sm_req *req, struct item *it)
{
	if (it->route.id[0] && it->route.status != 413 &&
	    sm_reader_sent(req->worker->reader, req->session->account, it->key, it->send.hash) == SM_OK)
		it->stored_already = true;
}

static void route_item(struct sm_req *req, const struct sm_sender *from, struct item *it)
{
	sm_routing_release(&it->route);
	it->stored_already = false;
	sm_route_envelope(&it->route, req->worker->server, req->worker->reader, from, it->envelope.p, it->envelope.n);
	if (!it->key[0])
		memcpy(it->key, it->route.id, sizeof it->route.id);
	if (it->bad_key) {
		it->route.status = 400;
		it->route.code = "bad_request";
		snprintf(it->route.message, sizeof it->route.message, "an idempotency key is 1 to 64 of A-Z a-z 0-9 . _ : -");
	} else if (it->route.status) {
		look_for_earlier(req, it);
	}
	it->send.account = from->account->id;
	it->send.key = it->key;
	memcpy(it->send.id, it->route.id, sizeof it->send.id);
	it->send.body = it->envelope.p;
	it->send.n = it->envelope.n;
	it->send.mailbox = it->route.mailbox;
	it->send.nmailbox = it->route.nmailbox;
}

static bool anything_to_store(const struct sending *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!x->item[i].route.status && !x->item[i].stored_already)
			return true;
	return false;
}

static void answer(struct sending *x);

static void route_all(struct sending *x)
{
	struct sm_req *req = x->api.req;
	struct sm_server *s = req->worker->server;
	struct sm_account *a = NULL;
	enum sm_err e;

	x->generation = sm_accounts_generation(s->accounts);
	e = sm_accounts_get(s->accounts, req->worker->reader, req->session->user, &a);
	if (e) {
		sm_problem_err(req, e);
		return;
	}
	const struct sm_sender from = {
	        .account = a, .device = sm_account_device_mailbox(a, req->session->device), .batch = x->batch, .query = x->query};
	x->api.op.weight = req->bodylen + 256;
	for (size_t i = 0; i < x->n; i++) {
		route_item(req, &from, &x->item[i]);
		x->api.op.weight += x->item[i].route.nmailbox * DELIVERY_BYTES;
	}
	sm_account_release(a);
	if (anything_to_store(x))
		sm_api_submit(req, x);
	else
		answer(x);
}

static void send_done(struct sm_op *op)
{
	struct sending *x = (struct sending *)(void *)op;

	if (!sm_api_committed(&x->api))
		return;
	if (x->stale)
		route_all(x);
	else
		answer(x);
}

/* The status of one item, and its members: error and message, or id, key, recipients, stored. */
static int judge(const struct item *it)
{
	if (it->stored_already)
		return 200;
	if (it->route.status)
		return it->route.status;
	return it->send.outcome == SM_KEY_CONFLICT ? 409 : it->send.outcome == SM_STORED_BEFORE ? 200 : 201;
}

static json_t *result_json(struct item *it, int status)
{
	json_t *o;

	if (status < 300)
		return json_pack("{s:s,s:s,s:i,s:b}", "id", it->route.id, "key", it->key, "recipients", (int)it->route.nmailbox, "stored",
		                 status == 201);
	if (!it->route.status)
		return json_pack("{s:s,s:s,s:s}", "error", "key_conflict", "message", "another envelope was sent under this key", "key",
		                 it->key);
	o = it->route.extra ? json_incref(it->route.extra) : json_object();
	if (it->route.id[0])
		(void)json_object_set_new(o, "id", json_string(it->route.id));
	(void)json_object_set_new(o, "error", json_string(it->route.code));
	(void)json_object_set_new(o, "message", json_string(it->route.message));
	return o;
}

static void answer_batch(struct sending *x)
{
	json_t *list = json_array();

	for (size_t i = 0; i < x->n; i++) {
		int status = judge(&x->item[i]);
		json_t *o = result_json(&x->item[i], status);
		(void)json_object_set_new(o, "status", json_integer(status));
		if (status >= 300 && x->item[i].key[0])
			(void)json_object_set_new(o, "key", json_string(x->item[i].key));
		(void)json_array_append_new(list, o);
	}
	sm_json_reply(x->api.req, 200, json_pack("{s:o}", "results", list));
}

/* One message is answered without the JSON library: all four values are of characters that need no escapes. */
static void answer(struct sending *x)
{
	struct item *it = &x->item[0];
	int status = x->batch ? 0 : judge(it);
	char text[256];

	if (x->batch) {
		answer_batch(x);
	} else if (status < 300) {
		int n = snprintf(text, sizeof text, "{\"id\":\"%s\",\"key\":\"%s\",\"recipients\":%zu,\"stored\":%s}", it->route.id,
		                 it->key, it->route.nmailbox, status == 201 ? "true" : "false");
		sm_reply(x->api.req, status, "application/json", text, (size_t)n);
	} else if (!it->route.status) {
		sm_problem(x->api.req, 409, "key_conflict", "another envelope was sent under this key");
	} else {
		json_t *extra = it->route.extra;
		it->route.extra = NULL;
		sm_problem_with(x->api.req, status, it->route.code, it->route.message, extra);
	}
}

static struct sending *new_sending(struct sm_req *req, size_t n, const struct sm_send_query *q)
{
	struct sending *x = sm_api_op(req, sizeof *x + n * sizeof x->item[0], send_run, send_done);

	if (!x)
		return NULL;
	req->ctx_free = sending_free;
	x->n = n;
	x->api.op.committed = send_committed;
	x->api.op.vital = false;
	x->query = *q;
	return x;
}

static void post_one(struct sm_req *req, const struct sm_send_query *q)
{
	bool twice;
	const char *key = sm_req_header(req, "Idempotency-Key", &twice);
	struct sending *x = new_sending(req, 1, q);

	if (!x)
		return;
	x->item[0].envelope = (struct sm_span){req->body, req->bodylen};
	memcpy(x->item[0].send.hash, req->digest, 32);
	if (key && key_ok(key, strlen(key)))
		memcpy(x->item[0].key, key, strlen(key) + 1);
	else
		x->item[0].bad_key = key || twice;
	route_all(x);
}

static bool take_frame(struct sm_span *s, struct item *it)
{
	uint16_t nkey;
	uint32_t n;
	const uint8_t *key, *envelope;

	if (!sm_span_take_be16(s, &nkey) || !sm_span_take(s, nkey, &key) || !sm_span_take_be32(s, &n) || !sm_span_take(s, n, &envelope))
		return false;
	if (!it)
		return true;
	it->envelope = (struct sm_span){envelope, n};
	sm_sha256(it->send.hash, envelope, n);
	if (nkey && key_ok((const char *)key, nkey))
		memcpy(it->key, key, nkey);
	else
		it->bad_key = nkey > 0;
	return true;
}

static void post_batch(struct sm_req *req, const struct sm_send_query *q)
{
	struct sm_span s = {req->body, req->bodylen};
	struct sending *x;
	size_t n = 0;

	for (; s.n && n <= BATCH_MESSAGES; n++)
		if (!take_frame(&s, NULL)) {
			sm_problem(req, 400, "bad_request", "the batch's frames do not add up");
			return;
		}
	if (n == 0 || n > BATCH_MESSAGES) {
		sm_problem(req, n ? 413 : 400, n ? "too_large" : "bad_request", "a batch is 1 to 256 messages");
		return;
	}
	x = new_sending(req, n, q);
	if (!x)
		return;
	x->batch = true;
	s = (struct sm_span){req->body, req->bodylen};
	for (size_t i = 0; i < n; i++)
		(void)take_frame(&s, &x->item[i]);
	route_all(x);
}

/* Answers 400 and returns false when a parameter is none of what it may be. */
static bool read_query(struct sm_req *req, struct sm_send_query *q)
{
	char self[8] = "", partial[8] = "", devices[65] = "";

	if (!req->query)
		return true;
	q->self_none = sm_api_query(req, "self", self, sizeof self) && !strcmp(self, "none");
	q->not_self = q->self_none || !strcmp(self, "no");
	q->partial = sm_api_query(req, "partial", partial, sizeof partial) && !strcmp(partial, "yes");
	q->has_devices = sm_api_query(req, "devices", devices, sizeof devices) && !sm_hex_parse(q->devices, 32, devices, strlen(devices));
	if (!q->not_self && sm_api_query_has(req, "self"))
		sm_problem(req, 400, "bad_request", "self is \"no\" or \"none\", or is not there");
	else if (!q->partial && sm_api_query_has(req, "partial"))
		sm_problem(req, 400, "bad_request", "partial is \"yes\", or is not there");
	else if (!q->has_devices && sm_api_query_has(req, "devices"))
		sm_problem(req, 400, "bad_request", "devices is 64 hexadecimal digits, or is not there");
	else
		return true;
	return false;
}

void sm_api_messages_post(struct sm_req *req)
{
	const char *type = sm_req_header(req, "Content-Type", NULL);
	struct sm_send_query q = {0};

	if (!read_query(req, &q))
		return;
	if (type && !strcmp(type, "application/sm-envelope"))
		post_one(req, &q);
	else if (type && !strcmp(type, "application/sm-batch") && req->bodylen > SM_SEND_MAX)
		sm_problem(req, 413, "too_large", "a batch is at most 4 MiB");
	else if (type && !strcmp(type, "application/sm-batch"))
		post_batch(req, &q);
	else
		sm_problem(req, 415, "bad_type", "Content-Type must be application/sm-envelope or application/sm-batch");
}
