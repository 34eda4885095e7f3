/* What a server sends: an event stream read in pieces gives the same events as read at once; a page's messages fill exactly the page. */
#include "check.h"

#include "net/mailbox.h"
#include "net/sse.h"

#include <string.h>

static enum sm_err note(void *ctx, const char *event, struct sm_span data)
{
	struct sm_buf *b = ctx;
	CHECK(strlen(event) > 0 && strlen(event) < 32);
	CHECK(!sm_buf_add_lp(b, event, strlen(event)) && !sm_buf_add_lp(b, data.p, data.n));
	return SM_OK;
}

static void read_events(struct sm_buf *seen, const uint8_t *p, size_t n, size_t piece)
{
	struct sm_sse s;
	sm_buf_init(seen, 64 * (n + 1));
	sm_sse_init(&s, note, seen);
	for (size_t i = 0; i < n; i += piece)
		CHECK(!sm_sse_feed(&s, p + i, n - i < piece ? n - i : piece));
	sm_sse_release(&s);
}

static void events(const uint8_t *p, size_t n)
{
	struct sm_buf whole, cut;
	read_events(&whole, p, n, n + 1);
	read_events(&cut, p, n, 1 + n % 7);
	CHECK(whole.len == cut.len && (!whole.len || !memcmp(whole.data, cut.data, whole.len)));
	sm_buf_release(&whole);
	sm_buf_release(&cut);
}

static void page(const uint8_t *p, size_t n)
{
	struct sm_span left = {p, n};
	struct sm_incoming m;
	enum sm_err e;
	size_t used = 0;
	while (sm_page_next(&m, &left, &e)) {
		used += 20 + m.envelope.n;
		CHECK(m.seq <= INT64_MAX && m.received >= 0 && m.envelope.p + m.envelope.n == p + used);
	}
	CHECK(e == SM_ERR_PROTOCOL || (e == SM_OK && used == n));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	events(p, n);
	page(p, n);
	return 0;
}
