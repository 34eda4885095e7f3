/* Configuration over inih. Lines are handed to it one by one from memory, so that we know the number of the one it is at,
 * and so that two of its habits do not apply: cutting a long line in two, and taking an indented one as a continuation. */
#include "base/config.h"

#include "base/file.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

#define CONFIG_MAX (1 << 20)

struct reading {
	struct sm_span rest;
	sm_config_fn *fn;
	void *ctx;
	int line;
	enum sm_err err;
	char *why;
};

static void fail(struct reading *r, enum sm_err e, const char *why)
{
	r->err = e;
	if (why)
		snprintf(r->why, 256, "%s", why);
}

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

/* An ini_reader, in the manner of fgets: NULL at the end, and after the first error. */
static char *next_line(char *out, int room, void *ctx)
{
	struct reading *r = ctx;
	struct sm_span line;

	if (r->err || r->rest.n == 0)
		return NULL;
	if (!sm_span_take_line(&r->rest, &line)) {
		line = r->rest;
		r->rest.n = 0;
	}
	r->line++;
	while (line.n && is_blank(*line.p))
		line.p++, line.n--;
	if (memchr(line.p, '\0', line.n)) {
		fail(r, SM_ERR_CONFIG, "a zero byte");
		return NULL;
	}
	if (line.n + 2 > (size_t)room) {
		fail(r, SM_ERR_CONFIG, "line too long");
		return NULL;
	}
	memcpy(out, line.p, line.n);
	out[line.n] = '\n';
	out[line.n + 1] = '\0';
	return out;
}

/* An ini_handler: non-zero is success. */
static int one_key(void *ctx, const char *section, const char *key, const char *value)
{
	struct reading *r = ctx;

	enum sm_err e = r->fn(r->ctx, section, key, value, r->why);
	if (e)
		fail(r, e, r->why[0] ? NULL : "bad value");
	return e == SM_OK;
}

enum sm_err sm_config_read(const char *path, sm_config_fn *fn, void *ctx, int *line, char why[static 256])
{
	struct reading r = {.fn = fn, .ctx = ctx, .why = why};
	struct sm_buf text;

	*line = 0;
	why[0] = '\0';
	sm_buf_init(&text, CONFIG_MAX);
	enum sm_err e = sm_file_read(path, &text, false);
	if (e) {
		if (e == SM_ERR_LIMIT)
			fail(&r, e = SM_ERR_CONFIG, "file larger than 1 MiB");
		goto out;
	}
	r.rest = (struct sm_span){text.data, text.len};
	int bad = ini_parse_stream(next_line, &r, one_key, &r);
	/* inih goes on after a line it cannot read, so the handler's complaint may be about a later one */
	if (bad > 0 && (!r.err || bad < r.line)) {
		r.line = bad;
		fail(&r, SM_ERR_CONFIG, "neither 'key = value' nor '[section]'");
	} else if (bad < 0) {
		fail(&r, SM_ERR_NOMEM, "");
	}
	*line = r.err ? r.line : 0;
	e = r.err;
out:
	sm_buf_release(&text);
	return e;
}
