/* Control messages. A chain line holds a key, so everything here wipes what it leaves. */
#include "wire/control.h"

#include "base/base64.h"
#include "wire/lex.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC "sm-control/1"
#define WORDS_MAX 7

static bool parse_group(struct sm_control *c, const struct sm_span *w)
{
	return sm_id_copy(c->id, w[1]) && sm_decimal(&c->epoch, w[2], 1, SM_NUMBER_MAX) &&
	       !sm_hex_parse(c->roster, sizeof(c->roster), (const char *)w[3].p, w[3].n);
}

static bool parse_chain(struct sm_control *c, const struct sm_span *w)
{
	return parse_group(c, w) && sm_id_copy(c->chain, w[4]) && sm_decimal32(&c->n, w[5], 0, UINT32_MAX) &&
	       sm_base64_exact(c->key, sizeof(c->key), w[6]);
}

static bool parse_line(struct sm_control *c, struct sm_span line)
{
	struct sm_span w[WORDS_MAX];
	int n = sm_words(w, WORDS_MAX, line);

	if (n == 7 && sm_span_equals(w[0], "chain")) {
		c->kind = SM_CONTROL_CHAIN;
		return parse_chain(c, w);
	}
	if (n == 4 && sm_span_equals(w[0], "group")) {
		c->kind = SM_CONTROL_GROUP;
		return parse_group(c, w);
	}
	c->kind = SM_CONTROL_RESEND;
	return n == 2 && sm_span_equals(w[0], "resend") && sm_id_copy(c->id, w[1]);
}

enum sm_err sm_control_parse(struct sm_control *line, size_t *n, const uint8_t *text, size_t len)
{
	struct sm_lines in = {.rest = {text, len}};
	size_t got = 0;

	if (len > SM_CONTROL_MAX || !sm_lines_next(&in) || !sm_span_equals(in.line, MAGIC))
		return SM_ERR_PAYLOAD;
	memset(line, 0, SM_CONTROL_LINES * sizeof(*line));
	while (in.rest.n) {
		if (got == SM_CONTROL_LINES || !sm_lines_next(&in) || !parse_line(&line[got++], in.line))
			goto wrong;
	}
	if (!got)
		goto wrong;
	*n = got;
	return SM_OK;
wrong:
	sm_wipe(line, SM_CONTROL_LINES * sizeof(*line));
	return SM_ERR_PAYLOAD;
}

static enum sm_err write_line(struct sm_buf *b, const struct sm_control *c)
{
	char roster[65];
	enum sm_err e;

	if (c->kind == SM_CONTROL_RESEND)
		return sm_buf_addf(b, "resend %s\n", c->id);
	sm_hex(roster, c->roster, sizeof(c->roster));
	if ((e = sm_buf_addf(b, "%s %s %" PRIu64 " %s", c->kind == SM_CONTROL_CHAIN ? "chain" : "group", c->id, c->epoch, roster)))
		return e;
	if (c->kind == SM_CONTROL_CHAIN &&
	    ((e = sm_buf_addf(b, " %s %" PRIu32 " ", c->chain, c->n)) || (e = sm_buf_add_base64(b, c->key, sizeof(c->key)))))
		return e;
	return sm_buf_adds(b, "\n");
}

/* Would the reader take it? The text is too short for anything to be longer than it may. */
static bool writable(const struct sm_control *c)
{
	char id[SM_ID_LEN + 1];
	if (!sm_id_copy(id, (struct sm_span){(const uint8_t *)c->id, strnlen(c->id, sizeof(c->id))}))
		return false;
	if (c->kind == SM_CONTROL_RESEND)
		return true;
	if (c->epoch < 1 || c->epoch > SM_NUMBER_MAX)
		return false;
	return c->kind == SM_CONTROL_GROUP ||
	       sm_id_copy(id, (struct sm_span){(const uint8_t *)c->chain, strnlen(c->chain, sizeof(c->chain))});
}

enum sm_err sm_control_write(struct sm_buf *b, const struct sm_control *line, size_t n)
{
	size_t start = b->len;
	enum sm_err e;

	if (n < 1 || n > SM_CONTROL_LINES)
		return SM_ERR_FORMAT;
	e = sm_buf_adds(b, MAGIC "\n");
	for (size_t i = 0; !e && i < n; i++)
		e = writable(&line[i]) ? write_line(b, &line[i]) : SM_ERR_FORMAT;
	if (e) {
		if (b->len > start)
			sm_wipe(b->data + start, b->len - start);
		b->len = start;
	}
	return e;
}
