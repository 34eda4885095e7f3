/* JSON strings. DEL and the C1 controls are escaped too, so that a record printed on a terminal is harmless. */
#include "common/json.h"

#include "base/text.h"

#include <string.h>

static enum sm_err add_char(struct sm_buf *b, uint8_t c, uint8_t next)
{
	if (c == '"' || c == '\\')
		return sm_buf_addf(b, "\\%c", c);
	if (c < 0x20 || c == 0x7f)
		return sm_buf_addf(b, "\\u%04x", c);
	if (c == 0xc2 && next >= 0x80 && next < 0xa0) /* U+0080..9F */
		return sm_buf_addf(b, "\\u%04x", next);
	return sm_buf_add_u8(b, c);
}

enum sm_err sm_json_string(struct sm_buf *b, const void *p, size_t n)
{
	const uint8_t *s = p;
	enum sm_err e = sm_buf_add_u8(b, '"');
	if (!sm_utf8_valid(s, n)) {
		s = (const uint8_t *)"\xef\xbf\xbd";
		n = 3;
	}
	for (size_t i = 0; !e && i < n; i++) {
		uint8_t next = i + 1 < n ? s[i + 1] : 0;
		e = add_char(b, s[i], next);
		if (s[i] == 0xc2 && next >= 0x80 && next < 0xa0)
			i++;
	}
	return e ? e : sm_buf_add_u8(b, '"');
}

enum sm_err sm_json_member(struct sm_buf *b, const char *name, const char *value)
{
	enum sm_err e = sm_buf_addf(b, "\"%s\":", name);
	return e ? e : sm_json_string(b, value, strlen(value));
}
