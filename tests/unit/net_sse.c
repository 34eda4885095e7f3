/* Server-sent events in pieces of every size. */
#include "net/sse.h"

#include "tap.h"

#include <string.h>

struct seen {
	struct sm_buf text;
	enum sm_err answer;
};

static enum sm_err on_event(void *ctx, const char *event, struct sm_span data)
{
	struct seen *s = ctx;
	if (sm_buf_addf(&s->text, "<%s:%.*s>", event, (int)data.n, (const char *)data.p))
		return SM_ERR_NOMEM;
	return s->answer;
}

static const char stream[] = ": sm\n\nid: 4\nevent: message\ndata: {\"seq\":4}\n\n: ping\n\ndata: a\r\ndata:b\r\n\r\nevent: other\n\n"
                             "event: message\ndata\n\ndata: half";
static const char expected[] = "<message:{\"seq\":4}><message:a\nb><message:>";

static bool run(size_t piece, const char *want)
{
	struct seen s = {0};
	struct sm_sse sse;
	bool good = true;
	sm_buf_init(&s.text, 4096);
	sm_sse_init(&sse, on_event, &s);
	for (size_t at = 0; at < sizeof(stream) - 1 && good; at += piece) {
		size_t n = sizeof(stream) - 1 - at < piece ? sizeof(stream) - 1 - at : piece;
		good = sm_sse_feed(&sse, (const uint8_t *)stream + at, n) == SM_OK;
	}
	const char *text = sm_buf_str(&s.text);
	good = good && text && !strcmp(text, want);
	sm_sse_release(&sse);
	sm_buf_release(&s.text);
	return good;
}

int main(void)
{
	struct seen s = {.answer = SM_ERR_PIPE};
	struct sm_sse sse;
	for (size_t piece = 1; piece < sizeof(stream); piece++)
		ok(run(piece, expected), "in pieces of %zu", piece);
	sm_buf_init(&s.text, 4096);
	sm_sse_init(&sse, on_event, &s);
	ok(sm_sse_feed(&sse, (const uint8_t *)"data: x\n\ndata: y\n\n", 18) == SM_ERR_PIPE && s.text.len == strlen("<message:x>"),
	   "an error from the event's receiver stops the reading");
	s.answer = SM_OK;
	sm_buf_clear(&s.text);
	sm_sse_reset(&sse);
	ok(sm_sse_feed(&sse, (const uint8_t *)"data: x\nda", 10) == SM_OK, "half an event");
	sm_sse_reset(&sse);
	ok(sm_sse_feed(&sse, (const uint8_t *)"data: z\n\n", 9) == SM_OK && s.text.len == strlen("<message:z>"), "is forgotten by a reset");
	sm_sse_release(&sse);
	sm_buf_release(&s.text);
	return tap_done();
}
