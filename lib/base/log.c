/* The server's log lines. A line is put together in memory and written with one call, so lines of several threads never
 * mix; one that would be too long loses its last pairs, never its end. What cannot be written is dropped: a log
 * that is full must not stop the mail. */
#include "base/log.h"

#include "base/text.h"
#include "base/time.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16384, VALUE_MAX_BYTES = 1024 };

static enum sm_err add_json_unit(struct sm_buf *b, uint32_t cp)
{
	if (cp < 0x10000)
		return sm_buf_addf(b, "\\u%04x", (unsigned)cp);
	cp -= 0x10000;
	return sm_buf_addf(b, "\\u%04x\\u%04x", 0xd800U + (unsigned)(cp >> 10), 0xdc00U + (unsigned)(cp & 0x3ff));
}

static enum sm_err add_one(struct sm_buf *b, const uint8_t *p, size_t n, bool json, size_t *taken)
{
	uint32_t cp;
	size_t len = sm_utf8_next(p, n, &cp);

	*taken = len ? len : 1;
	if (len == 0)
		return json ? sm_buf_adds(b, "\\ufffd") : sm_buf_addf(b, "\\x%02x", p[0]);
	if (cp == '"' || cp == '\\')
		return sm_buf_addf(b, "\\%c", (char)cp);
	if (!sm_text_hidden(cp))
		return sm_buf_add(b, p, len);
	return json ? add_json_unit(b, cp) : sm_text_show(b, p, len, false);
}

/* A value that reads back the same without quotes. */
static bool is_plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '"' || *s == '=' || *s == '\\')
			return false;
	return true;
}

static enum sm_err add_value(struct sm_buf *b, const char *s, bool json)
{
	size_t n = strlen(s), taken;
	const size_t kept = n < VALUE_MAX_BYTES ? n : VALUE_MAX_BYTES;

	if (!json && kept == n && is_plain(s))
		return sm_buf_adds(b, s);
	enum sm_err e = sm_buf_adds(b, "\"");
	for (size_t at = 0; !e && at < kept; at += taken)
		e = add_one(b, (const uint8_t *)s + at, n - at, json, &taken);
	if (!e && kept < n)
		e = sm_buf_adds(b, "...");
	return e ? e : sm_buf_adds(b, "\"");
}

/* Adds ` key=value` or `,"key":"value"`, all or nothing. */
static enum sm_err add_pair(struct sm_buf *b, const char *key, const char *value, bool json)
{
	const size_t before = b->len;
	enum sm_err e;

	if (json)
		e = sm_buf_addf(b, "%s\"%s\":", before ? "," : "{", key);
	else
		e = sm_buf_addf(b, "%s%s=", before ? " " : "", key);
	if (!e)
		e = add_value(b, value ? value : "", json);
	if (e)
		b->len = before;
	return e;
}

static void now_text(char out[static SM_TIME_LEN + 5])
{
	int64_t ms = sm_time_now_ms();
	int part = (int)(ms % 1000);

	sm_time_format(out, ms / 1000);
	out[19] = '.';
	out[20] = (char)('0' + part / 100);
	out[21] = (char)('0' + part / 10 % 10);
	out[22] = (char)('0' + part % 10);
	out[23] = 'Z';
	out[24] = '\0';
}

static void write_line(int fd, const uint8_t *p, size_t n)
{
	const int saved = errno;
	while (write(fd, p, n) < 0 && errno == EINTR)
		;
	errno = saved;
}

void sm_log(const struct sm_log *l, enum sm_log_level level, const char *msg, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	char ts[SM_TIME_LEN + 5];
	struct sm_buf b;
	va_list ap;

	if (level < l->level)
		return;
	sm_buf_init(&b, LINE_MAX_BYTES - 2); /* two bytes are kept for the end of the line */
	now_text(ts);
	enum sm_err e = add_pair(&b, "ts", ts, l->json);
	if (!e)
		e = add_pair(&b, "level", names[level], l->json);
	if (!e)
		e = add_pair(&b, "msg", msg, l->json);
	va_start(ap, msg);
	for (const char *key; !e && (key = va_arg(ap, const char *));)
		e = add_pair(&b, key, va_arg(ap, const char *), l->json);
	va_end(ap);
	b.max = LINE_MAX_BYTES;
	if (b.len && !sm_buf_adds(&b, l->json ? "}\n" : "\n"))
		write_line(l->fd, b.data, b.len);
	sm_buf_release(&b);
}
