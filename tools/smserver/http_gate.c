/* The gate before evhttp. It works in the callback of the input buffer: what was added is taken out again, and goes back once it is
 * known to be good. In the place of a request that is refused, or of a method that is not ours, a plain request of our own goes in,
 * so that the answer comes in its turn, after those of the requests before it. */
#include "http_int.h"

#include "http_strict.h"

#include <string.h>

void sm_gate_release(struct sm_gate *g)
{
	if (g->hold)
		evbuffer_free(g->hold);
	g->hold = NULL;
}

size_t sm_gate_held(const struct sm_gate *g) { return evbuffer_get_length(g->hold); }

const struct sm_refusal *sm_gate_pass(struct sm_gate *g)
{
	if (!g->inside)
		return g->refusal;
	g->inside--;
	return NULL;
}

static bool known_method(struct sm_span m)
{
	return sm_span_equals(m, "GET") || sm_span_equals(m, "POST") || sm_span_equals(m, "PUT") || sm_span_equals(m, "DELETE");
}

/* The last request of the connection, in our words. */
static void put_last(struct sm_gate *g, struct evbuffer *in, const char *method, struct sm_span target)
{
	g->shut = true;
	(void)evbuffer_add_printf(in, "%s ", method);
	(void)evbuffer_add(in, target.p, target.n);
	(void)evbuffer_add_printf(in, " HTTP/1.1\r\nHost: x\r\n\r\n");
}

static void refuse(struct sm_gate *g, struct evbuffer *in, bool head, const struct sm_refusal *r)
{
	static const uint8_t root[] = {'/'};

	g->refusal = r;
	put_last(g, in, head ? "HEAD" : "GET", (struct sm_span){root, 1});
}

static void refuse_malformed(struct sm_gate *g, struct evbuffer *in, bool head, const char *why)
{
	bool large = strstr(why, "16 KiB") != NULL;

	g->malformed = (struct sm_refusal){large ? 413 : 400, large ? "too_large" : "bad_request", why};
	refuse(g, in, head, &g->malformed);
}

/* One head from hold to in. False when more bytes are needed. */
static bool let_head_in(struct sm_conn *c, struct evbuffer *in)
{
	struct sm_gate *g = &c->gate;
	size_t have = sm_gate_held(g), n = have < SM_HEAD_MAX ? have : SM_HEAD_MAX;
	const uint8_t *p = evbuffer_pullup(g->hold, (ev_ssize_t)n);
	const char *why = "out of memory";
	struct sm_head h = {0};
	enum sm_head_state state = p ? sm_head_read(&h, p, n, &g->scanned, &why) : SM_HEAD_BAD;
	bool head = sm_span_equals(h.method, "HEAD");

	if (state == SM_HEAD_MORE)
		return false;
	g->scanned = 0;
	if (state == SM_HEAD_BAD) {
		refuse_malformed(g, in, head, why);
		return true;
	}
	const struct sm_refusal *no = c->loop->http->hooks->head(c->loop->http->server, &h);
	if (no) {
		refuse(g, in, head, no);
		return true;
	}
	g->inside++;
	if (!known_method(h.method)) {
		put_last(g, in, head ? "HEAD" : "OPTIONS", h.target);
		return true;
	}
	g->body = h.length;
	if (h.length > SM_HEAD_MAX)
		c->loop->big += h.length;
	/* In one piece with what there is of the body: when that is all, nothing is copied. */
	n = have - h.size < h.length ? have - h.size : (size_t)h.length;
	g->body -= n;
	(void)evbuffer_remove_buffer(g->hold, in, h.size + n);
	return true;
}

static void let_body_in(struct sm_gate *g, struct evbuffer *in)
{
	size_t n = sm_gate_held(g);

	if (n > g->body)
		n = (size_t)g->body;
	(void)evbuffer_remove_buffer(g->hold, in, n);
	g->body -= n;
}

/* The last n bytes of in to the end of hold. */
static void take_out(struct sm_gate *g, struct evbuffer *in, size_t n)
{
	size_t before = evbuffer_get_length(in) - n;
	struct evbuffer *front = before ? evbuffer_new() : NULL;

	if (before && (!front || evbuffer_remove_buffer(in, front, before) < 0)) {
		(void)evbuffer_drain(in, before + n); /* out of memory: nothing of it is believed */
		g->shut = true;
	}
	(void)evbuffer_add_buffer(g->hold, in);
	if (front) {
		(void)evbuffer_add_buffer(in, front);
		evbuffer_free(front);
	}
}

void sm_gate_added(struct sm_conn *c, struct evbuffer *in, size_t n)
{
	struct sm_gate *g = &c->gate;

	if (!g->shut && g->body >= n) {
		g->body -= n;
		return;
	}
	g->moving = true;
	take_out(g, in, n);
	while (!g->shut && sm_gate_held(g)) {
		if (g->body)
			let_body_in(g, in);
		else if (!let_head_in(c, in))
			break;
	}
	if (g->shut)
		(void)evbuffer_drain(g->hold, sm_gate_held(g));
	g->moving = false;
}
