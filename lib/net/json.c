/* Thin helpers over jansson: strictness in one place. */
#include "net/json.h"

#include "base/base64.h"

#include <string.h>

#define BYTES_MAX 1024

json_t *sm_json_parse(const void *p, size_t n)
{
	json_t *j = n ? json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (j && !json_is_object(j)) {
		json_decref(j);
		j = NULL;
	}
	return j;
}

static int append(const char *p, size_t n, void *ctx) { return sm_buf_add(ctx, p, n) == SM_OK ? 0 : -1; }

enum sm_err sm_json_write(struct sm_buf *b, const json_t *j)
{
	return json_dump_callback(j, append, b, JSON_COMPACT) ? SM_ERR_NOMEM : SM_OK;
}

bool sm_json_text(const json_t *o, const char *key, char *out, size_t room)
{
	const json_t *v = json_object_get(o, key);
	size_t n = json_string_length(v);
	if (!json_is_string(v) || n >= room || memchr(json_string_value(v), 0, n))
		return false;
	memcpy(out, json_string_value(v), n + 1);
	return true;
}

bool sm_json_number(const json_t *o, const char *key, int64_t *out)
{
	const json_t *v = json_object_get(o, key);
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*out = json_integer_value(v);
	return true;
}

bool sm_json_bytes(const json_t *o, const char *key, void *out, size_t n)
{
	const json_t *v = json_object_get(o, key);
	uint8_t bytes[BYTES_MAX + 3];
	size_t got;
	if (n > BYTES_MAX || !json_is_string(v) || json_string_length(v) != SM_BASE64_LEN(n))
		return false;
	if (sm_base64_decode(bytes, &got, json_string_value(v), json_string_length(v), false) != SM_OK || got != n)
		return false;
	memcpy(out, bytes, n);
	return true;
}

json_t *sm_json_base64(const void *p, size_t n)
{
	char text[SM_BASE64_PADDED_LEN(BYTES_MAX)];
	if (n > BYTES_MAX)
		return NULL;
	return json_stringn(text, sm_base64_encode(text, p, n, false));
}
