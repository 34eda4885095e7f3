/* Requests and replies over evhttp: what is handed to the hooks, and how answers and event streams are written.
 * evhttp keeps a request that is being handled when its connection goes away, and drops the reply then; so a handler may
 * always answer, whatever happened to the client. */
#include "http_int.h"

#include "base/time.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum sm_method method_of(enum evhttp_cmd_type t)
{
	switch (t) {
	case EVHTTP_REQ_GET: return SM_GET;
	case EVHTTP_REQ_POST: return SM_POST;
	case EVHTTP_REQ_PUT: return SM_PUT;
	case EVHTTP_REQ_DELETE: return SM_DELETE;
	default: return SM_OTHER;
	}
}

static const char *method_name(enum sm_method m)
{
	switch (m) {
	case SM_GET: return "GET";
	case SM_POST: return "POST";
	case SM_PUT: return "PUT";
	case SM_DELETE: return "DELETE";
	default: return "OTHER";
	}
}

static void answered(struct evhttp_request *r, void *arg)
{
	struct sm_loop *l = arg;
	struct sm_conn *c = sm_conn_of(l, r);

	if (!c)
		return;
	c->busy = false;
	c->served = true;
	c->since = sm_time_mono_ms();
	c->got = evbuffer_get_length(bufferevent_get_input(c->bev)) + sm_gate_held(&c->gate);
}

static bool fill(struct sm_req *q, struct evhttp_request *r)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(r);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(r);

	if (!uri || evhttp_uri_get_scheme(uri) || evhttp_uri_get_host(uri) || evhttp_uri_get_fragment(uri))
		return false;
	q->path = evhttp_uri_get_path(uri);
	q->query = evhttp_uri_get_query(uri);
	if (!q->path || q->path[0] != '/')
		return false;
	q->bodylen = evbuffer_get_length(in);
	q->body = q->bodylen ? evbuffer_pullup(in, -1) : (const uint8_t *)"";
	q->method = method_of(evhttp_request_get_command(r));
	q->method_text = method_name(q->method);
	q->http = r;
	return q->body != NULL;
}

static struct sm_req *new_req(struct sm_loop *l, struct evhttp_request *r)
{
	struct sm_req *q = calloc(1, sizeof *q);

	if (!q)
		return NULL;
	*q = (struct sm_req){.loop = l, .worker = l->worker, .method = SM_OTHER, .method_text = "-", .path = "-", .http = r};
	q->id = ++l->requests << 8 | l->index;
	l->open_requests++;
	return q;
}

void sm_req_dispatch(struct evhttp_request *r, void *arg)
{
	static const struct sm_refusal odd = {400, "bad_request", "the target is not a path"};
	struct sm_loop *l = arg;
	struct sm_conn *c = sm_conn_of(l, r);
	const struct sm_refusal *no = c ? sm_gate_pass(&c->gate) : NULL;
	struct sm_req *q = c ? new_req(l, r) : NULL;

	if (c)
		c->busy = true;
	evhttp_request_set_on_complete_cb(r, answered, l);
	if (!q) {
		evhttp_send_error(r, 500, NULL);
		return;
	}
	if (!no && !fill(q, r))
		no = &odd;
	/* Beside the four methods only HEAD gets here, and OPTIONS for all others: whatever body they had has been dropped. */
	q->last = no || q->method == SM_OTHER;
	if (no)
		l->http->hooks->refused(q, no);
	else
		l->http->hooks->request(q);
}

const char *sm_req_header(const struct sm_req *req, const char *name, bool *twice)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req->http);
	const char *found = NULL;

	if (twice)
		*twice = false;
	for (const struct evkeyval *h = headers->tqh_first; h; h = h->next.tqe_next) {
		if (strcasecmp(h->key, name))
			continue;
		if (found) {
			if (twice)
				*twice = true;
			return NULL;
		}
		found = h->value;
	}
	return found;
}

void sm_req_peer(const struct sm_req *req, char out[static 64])
{
	struct evhttp_connection *ec = evhttp_request_get_connection(req->http);
	int fd = ec ? bufferevent_getfd(evhttp_connection_get_bufferevent(ec)) : -1;
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	const void *a = &((struct sockaddr_in *)&ss)->sin_addr;

	snprintf(out, 64, "-");
	if (fd < 0 || getpeername(fd, (struct sockaddr *)&ss, &n))
		return;
	if (ss.ss_family == AF_INET6)
		a = &((struct sockaddr_in6 *)&ss)->sin6_addr;
	if (!inet_ntop(ss.ss_family, a, out, 64))
		snprintf(out, 64, "-");
}

bool sm_req_tls(const struct sm_req *req) { return req->loop->http->tls != NULL; }

void sm_reply_header(struct sm_req *req, const char *name, const char *value)
{
	(void)evhttp_add_header(evhttp_request_get_output_headers(req->http), name, value);
}

static void req_free(struct sm_req *q)
{
	q->loop->open_requests--;
	if (q->ctx && q->ctx_free)
		q->ctx_free(q->ctx);
	if (q->session)
		q->loop->http->hooks->session_release(q->session);
	free(q);
}

/* A HEAD is told how long the answer would have been. */
static void describe(struct sm_req *q, size_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%zu", n);
	sm_reply_header(q, "Content-Length", text);
}

static void finish(struct sm_req *q, int status, const char *type, struct evbuffer *b)
{
	struct evhttp_request *r = q->http;
	bool head = evhttp_request_get_command(r) == EVHTTP_REQ_HEAD;

	if (type)
		sm_reply_header(q, "Content-Type", type);
	if (q->last || atomic_load_explicit(&q->loop->http->draining, memory_order_relaxed))
		sm_reply_header(q, "Connection", "close");
	if (head)
		describe(q, b ? evbuffer_get_length(b) : 0);
	/* The context may hold what the reply refers to no longer: everything sent has been copied or taken over. */
	req_free(q);
	evhttp_send_reply(r, status, NULL, head ? NULL : b);
}

void sm_reply(struct sm_req *req, int status, const char *type, const void *p, size_t n)
{
	struct evbuffer *b = n ? evbuffer_new() : NULL;

	if (n && (!b || evbuffer_add(b, p, n)))
		status = 500;
	finish(req, status, type, b);
	if (b)
		evbuffer_free(b);
}

static void release_taken(const void *p, size_t n, void *arg)
{
	struct sm_buf *b = arg;

	(void)p, (void)n;
	sm_buf_release(b);
	free(b);
}

void sm_reply_take(struct sm_req *req, int status, const char *type, struct sm_buf *b)
{
	struct evbuffer *e = evbuffer_new();
	struct sm_buf *keep = malloc(sizeof *keep);

	if (!e || !keep || evbuffer_add_reference(e, b->data, b->len, release_taken, keep)) {
		free(keep);
		sm_buf_release(b);
		sm_reply(req, 500, NULL, NULL, 0);
	} else {
		*keep = *b;
		sm_buf_init(b, b->max);
		finish(req, status, type, e);
	}
	if (e)
		evbuffer_free(e);
}

struct sm_sse {
	struct evhttp_request *req;
	struct bufferevent *bev;
	const struct sm_sse_ops *ops;
	void *ctx;
};

static void sse_closed(struct evhttp_connection *ec, void *arg)
{
	struct sm_sse *s = arg;

	(void)ec;
	s->ops->closed(s->ctx);
	/* evhttp has let go of the request with the connection: this only frees it. */
	evhttp_send_reply_end(s->req);
	free(s);
}

static void sse_drained(struct evhttp_connection *ec, void *arg)
{
	struct sm_sse *s = arg;

	(void)ec;
	s->ops->drained(s->ctx);
}

struct sm_sse *sm_sse_start(struct sm_req *req, const struct sm_sse_ops *ops, void *ctx)
{
	struct evhttp_request *r = req->http;
	struct evhttp_connection *ec = evhttp_request_get_connection(r);
	struct sm_sse *s = ec ? malloc(sizeof *s) : NULL;
	const struct timeval stalled = {60, 0};

	if (!s) {
		sm_reply(req, 500, NULL, NULL, 0);
		return NULL;
	}
	*s = (struct sm_sse){.req = r, .bev = evhttp_connection_get_bufferevent(ec), .ops = ops, .ctx = ctx};
	sm_reply_header(req, "Content-Type", "text/event-stream");
	sm_reply_header(req, "Cache-Control", "no-store");
	sm_reply_header(req, "Connection", "close");
	req_free(req);
	evhttp_connection_set_closecb(ec, sse_closed, s);
	evhttp_send_reply_start(r, 200, NULL);
	/* From here the client only listens: silence is no fault, a reader that takes nothing for a minute is. What it sends is
	 * not read beyond a little, which is enough to notice that it hangs up. */
	bufferevent_set_timeouts(s->bev, NULL, &stalled);
	bufferevent_setwatermark(s->bev, EV_READ, 0, 4096);
	return s;
}

size_t sm_sse_pending(const struct sm_sse *s) { return evbuffer_get_length(bufferevent_get_output(s->bev)); }

void sm_sse_write(struct sm_sse *s, const void *p, size_t n)
{
	struct evbuffer *b = evbuffer_new();

	if (b && evbuffer_add(b, p, n) == 0)
		evhttp_send_reply_chunk_with_cb(s->req, b, sse_drained, s);
	if (b)
		evbuffer_free(b);
}

void sm_sse_end(struct sm_sse *s)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(s->req), NULL, NULL);
	s->ops->closed(s->ctx);
	evhttp_send_reply_end(s->req);
	free(s);
}
