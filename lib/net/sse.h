/* Server-sent events (WHATWG HTML, "Server-sent events"), read as they come in pieces of any size. Only what sm-protocol(7) uses of
 * them: LF or CRLF line ends, the fields event and data, comments. */
#ifndef SM_NET_SSE_H
#define SM_NET_SSE_H

#include "base/buf.h"

#define SM_SSE_MAX ((size_t)96 << 20) /* bytes of a line, and of an event's data */

/* Called for each event that has data; event is "message" when the stream names none. An error ends the reading and is returned. */
typedef enum sm_err sm_sse_fn(void *ctx, const char *event, struct sm_span data);

struct sm_sse {
	struct sm_buf line, data;
	char event[32];
	bool has_data;
	sm_sse_fn *fn;
	void *ctx;
};

void sm_sse_init(struct sm_sse *s, sm_sse_fn *fn, void *ctx);
void sm_sse_release(struct sm_sse *s);
/* Forgets an event that is half read, for a new connection. */
void sm_sse_reset(struct sm_sse *s);
/* SM_ERR_PROTOCOL for a line or an event over the limit. */
SM_CHECKED enum sm_err sm_sse_feed(struct sm_sse *s, const uint8_t *p, size_t n);

#endif
