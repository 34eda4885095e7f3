/* The message calls. Numbers and lengths from the server are checked before use; what is inside an envelope is not looked at. */
#include "net/mailbox.h"

#include "base/base64.h"
#include "net/json.h"
#include "net/sse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MESSAGES "/api/v1/messages"
#define SILENCE_MS 60000 /* the server pings every 20 s */
#define ENVELOPE_MAX SM_HTTP_ANSWER_MAX

bool sm_key_valid(const char *key)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
	size_t n = strlen(key);
	return n >= 1 && n <= SM_KEY_MAX && strspn(key, allowed) == n;
}

void sm_key_make(char key[static SM_ID_LEN + 1], int64_t now_ms, const struct sm_rand *rand)
{
	uint8_t raw[16];
	sm_put_be64(raw, (uint64_t)now_ms << 16);
	sm_rand_fill(rand, raw + 6, 10);
	sm_base32_id(key, raw);
}

enum sm_err sm_net_send(struct sm_sent *s, struct sm_client *c, const char *key, const char *query, const void *envelope, size_t n)
{
	struct sm_http_answer a = {0};
	struct sm_sent r = {0};
	char header[SM_KEY_MAX + 32];
	json_t *j = NULL;
	(void)snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
	struct sm_http_request req = {.method = "POST",
	                              .path = MESSAGES,
	                              .query = query,
	                              .body = envelope,
	                              .bodylen = n,
	                              .header = {"Content-Type: application/sm-envelope", header}};
	enum sm_err e = sm_client_call(c, &req, &a);
	if (e == SM_OK && (!(j = sm_json_parse(a.body.data, a.body.len)) || !sm_json_text(j, "id", r.id, sizeof(r.id))))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK) {
		r.stored = !json_is_false(json_object_get(j, "stored"));
		*s = r;
	}
	json_decref(j);
	sm_http_answer_release(&a);
	return e;
}

enum sm_err sm_net_fetch(struct sm_http_answer *page, struct sm_client *c, uint64_t after, unsigned limit)
{
	char query[64];
	struct sm_http_request r = {.method = "GET", .path = MESSAGES, .query = query, .header = {"Accept: application/sm-batch"}};
	(void)snprintf(query, sizeof(query), "after=%" PRIu64 "&limit=%u", after, limit);
	return sm_client_call(c, &r, page);
}

bool sm_page_next(struct sm_incoming *m, struct sm_span *page, enum sm_err *e)
{
	struct sm_incoming r;
	uint64_t received;
	*e = SM_OK;
	if (!page->n)
		return false;
	if (!sm_span_take_be64(page, &r.seq) || !sm_span_take_be64(page, &received) || !sm_span_take_lp(page, &r.envelope) ||
	    r.seq > INT64_MAX || received > INT64_MAX) {
		*e = SM_ERR_PROTOCOL;
		return false;
	}
	r.received = (int64_t)received;
	*m = r;
	return true;
}

enum sm_err sm_net_ack(struct sm_client *c, uint64_t upto)
{
	struct sm_http_answer a = {0};
	char query[32];
	struct sm_http_request r = {.method = "DELETE", .path = MESSAGES, .query = query};
	(void)snprintf(query, sizeof(query), "upto=%" PRIu64, upto);
	enum sm_err e = sm_client_call(c, &r, &a);
	sm_http_answer_release(&a);
	return e;
}

struct following {
	const struct sm_follow *f;
	struct sm_sse sse;
};

static enum sm_err on_event(void *ctx, const char *event, struct sm_span data)
{
	struct following *w = ctx;
	struct sm_incoming m;
	struct sm_buf envelope;
	const json_t *text;
	int64_t seq;
	enum sm_err e = SM_ERR_PROTOCOL;
	if (strcmp(event, "message") != 0)
		return SM_OK;
	json_t *j = sm_json_parse(data.p, data.n);
	sm_buf_init(&envelope, ENVELOPE_MAX);
	text = json_object_get(j, "envelope");
	if (!sm_json_number(j, "seq", &seq) || !sm_json_number(j, "received", &m.received) || !json_is_string(text))
		goto out;
	if (sm_buf_add_decoded64(&envelope, json_string_value(text), json_string_length(text)) != SM_OK)
		goto out;
	m.seq = (uint64_t)seq;
	m.envelope = (struct sm_span){envelope.data, envelope.len};
	e = w->f->message(w->f->ctx, &m);
out:
	sm_buf_release(&envelope);
	json_decref(j);
	return e;
}

static enum sm_err on_bytes(void *ctx, const uint8_t *p, size_t n)
{
	struct following *w = ctx;
	return sm_sse_feed(&w->sse, p, n);
}

static enum sm_err on_round(void *ctx)
{
	struct following *w = ctx;
	return w->f->round(w->f->ctx);
}

enum sm_err sm_net_follow(struct sm_client *c, const struct sm_follow *f)
{
	struct following w = {.f = f};
	char last[48];
	struct sm_http_request r = {.method = "GET", .path = "/api/v1/stream", .header = {"Accept: text/event-stream", last}};
	struct sm_http_stream s = {.bytes = on_bytes, .round = on_round, .ctx = &w, .silence_ms = SILENCE_MS};
	(void)snprintf(last, sizeof(last), "Last-Event-ID: %" PRIu64, f->after);
	sm_sse_init(&w.sse, on_event, &w);
	enum sm_err e = sm_client_stream(c, &r, &s);
	sm_sse_release(&w.sse);
	return e;
}
