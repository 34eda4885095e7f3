/* What the handlers share. */
#include "api.h"

#include "../challenge.h"
#include "base/time.h"
#include "crypto/sign.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUERY_MEMBERS = 16 };

void *sm_api_op(struct sm_req *req, size_t size, enum sm_err (*run)(struct sm_op *, struct sm_store *), void (*done)(struct sm_op *))
{
	struct sm_api_op *x = calloc(1, size);

	if (!x) {
		sm_problem(req, 500, "internal", "out of memory");
		return NULL;
	}
	x->req = req;
	x->op = (struct sm_op){.worker = req->worker, .run = run, .done = done, .weight = 1024, .vital = true};
	req->ctx = x;
	req->ctx_free = free;
	return x;
}

void sm_api_submit(struct sm_req *req, void *op)
{
	if (!sm_writer_submit(&req->worker->server->writer, op))
		sm_problem_err(req, SM_ERR_BUSY);
}

bool sm_api_committed(const struct sm_api_op *x)
{
	enum sm_err e = x->op.result; /* answering frees x */

	if (e)
		sm_problem_err(x->req, e);
	return e == SM_OK;
}

void sm_api_address(const struct sm_server *s, char out[static SM_ADDRESS_MAX + 1], const char *name)
{
	snprintf(out, SM_ADDRESS_MAX + 1, "%s@%s", name, s->origin);
}

bool sm_api_query(const struct sm_req *req, const char *name, char *out, size_t size)
{
	size_t want = strlen(name);

	for (const char *p = req->query; p && *p; p = strchr(p, '&'), p = p ? p + 1 : NULL) {
		size_t n = strcspn(p, "&");
		if (n <= want || strncmp(p, name, want) != 0 || p[want] != '=')
			continue;
		n -= want + 1;
		if (n >= size)
			return false;
		memcpy(out, p + want + 1, n);
		out[n] = '\0';
		return true;
	}
	return false;
}

bool sm_api_query_clear(const struct sm_req *req)
{
	struct sm_span name[QUERY_MEMBERS];
	size_t n = 0;

	for (const char *p = req->query; p && *p; p = strchr(p, '&'), p = p ? p + 1 : NULL) {
		struct sm_span s = {(const uint8_t *)p, strcspn(p, "=&")};
		for (size_t i = 0; i < n; i++)
			if (name[i].n == s.n && !memcmp(name[i].p, s.p, s.n))
				return false;
		if (n == QUERY_MEMBERS)
			return false;
		name[n++] = s;
	}
	return true;
}

bool sm_api_query_has(const struct sm_req *req, const char *name)
{
	size_t want = strlen(name);

	for (const char *p = req->query; p && *p; p = strchr(p, '&'), p = p ? p + 1 : NULL)
		if (!strncmp(p, name, want) && (p[want] == '=' || p[want] == '&' || !p[want]))
			return true;
	return false;
}

bool sm_api_query_number(struct sm_req *req, const char *name, uint64_t fallback, uint64_t min, uint64_t max, uint64_t *out)
{
	char text[24], *end, message[64];
	unsigned long long v = 0;
	bool good = sm_api_query(req, name, text, sizeof text) && isdigit((unsigned char)text[0]) && strlen(text) <= 19;

	if (!sm_api_query_has(req, name)) {
		*out = fallback;
		return true;
	}
	if (good)
		v = strtoull(text, &end, 10);
	if (!good || *end || v < min || v > max) {
		snprintf(message, sizeof message, "'%s' is not a number within bounds", name);
		sm_problem(req, 400, "bad_request", message);
		return false;
	}
	*out = v;
	return true;
}

struct sm_account *sm_api_account(struct sm_req *req, const char *name)
{
	struct sm_account *a = NULL;
	enum sm_err e = sm_name_valid(name, strlen(name)) ? sm_accounts_get(req->worker->server->accounts, req->worker->reader, name, &a)
	                                                  : SM_ERR_NOTFOUND;

	if (!e && !a->disabled)
		return a;
	if (e && e != SM_ERR_NOTFOUND)
		sm_problem_err(req, e);
	else
		sm_problem(req, 404, "no_such_user", "nobody has that name here");
	sm_account_release(a);
	return NULL;
}

const struct sm_device *sm_api_own_device(struct sm_req *req, struct sm_account **account)
{
	struct sm_account *a = NULL;
	const struct sm_device *d = NULL;
	enum sm_err e = sm_accounts_get(req->worker->server->accounts, req->worker->reader, req->session->user, &a);

	if (!e)
		d = sm_account_device_mailbox(a, req->session->device);
	if (d) {
		*account = a;
		return d;
	}
	sm_account_release(a);
	if (e)
		sm_problem_err(req, e);
	else
		sm_problem(req, 401, "device_removed", "this device has been removed from the account");
	return NULL;
}

json_t *sm_api_list(const struct sm_account *a) { return a->list[0] ? json_string(a->list) : json_null(); }

json_t *sm_api_fingerprint(const uint8_t fp[static SM_FP_LEN])
{
	char text[SM_FP_TEXT_LEN + 1];

	sm_fp_format(text, fp);
	return json_string(text);
}

json_t *sm_api_identity(const uint8_t pk[static SM_PK_LEN])
{
	struct sm_buf b;
	json_t *s = NULL;

	sm_buf_init(&b, SM_PUBLIC_LINE_MAX);
	if (!sm_public_format_ed25519(&b, pk))
		s = json_stringn((const char *)b.data, b.len);
	sm_buf_release(&b);
	return s;
}

enum sm_err sm_api_signed(struct sm_buf *b, const struct sm_server *s, const struct sm_challenge *c)
{
	const char *purpose = sm_purpose_text(c->purpose);
	enum sm_err e = sm_buf_add(b, "SM-AUTH-v1", 11);

	if (!e)
		e = sm_buf_add_lp(b, purpose, strlen(purpose));
	if (!e)
		e = sm_buf_add_lp(b, s->origin, strlen(s->origin));
	if (!e)
		e = sm_buf_add_lp(b, c->user, strlen(c->user));
	if (!e)
		e = sm_buf_add(b, c->device, 32);
	if (!e)
		e = sm_buf_add(b, c->nonce, 32);
	return e ? e : sm_buf_add_be64(b, (uint64_t)c->expires);
}

enum sm_err sm_api_prove(struct sm_server *s, struct sm_challenge *c, const uint8_t sig[static 64], const uint8_t pk[static SM_PK_LEN])
{
	struct sm_buf b;
	enum sm_err e = sm_challenge_take(s->challenges, c, sm_time_now());

	if (e)
		return e == SM_ERR_BUSY ? e : SM_ERR_DENIED;
	sm_buf_init(&b, 4096);
	e = sm_api_signed(&b, s, c);
	if (!e && sm_verify(sig, b.data, b.len, pk))
		e = SM_ERR_DENIED;
	sm_buf_release(&b);
	return e;
}

bool sm_api_proven(struct sm_req *req, enum sm_err e)
{
	if (e == SM_ERR_DENIED)
		sm_problem(req, 401, "bad_proof", "the challenge, its salt or the key's signature do not fit");
	else if (e)
		sm_problem_err(req, e);
	return e == SM_OK;
}
