/* Reading members of a JSON answer: every get is false when the member is missing, of another type or out of range. */
#ifndef SM_NET_JSON_H
#define SM_NET_JSON_H

#include "base/buf.h"

#include <jansson.h>

/* Strict: an object, no member twice, nothing after it. NULL otherwise. */
json_t *sm_json_parse(const void *p, size_t n);
/* Compact text, appended. */
SM_CHECKED enum sm_err sm_json_write(struct sm_buf *b, const json_t *j);
bool sm_json_text(const json_t *o, const char *key, char *out, size_t room);
bool sm_json_number(const json_t *o, const char *key, int64_t *out);
/* Unpadded base64 of exactly n bytes. */
bool sm_json_bytes(const json_t *o, const char *key, void *out, size_t n);
/* A JSON string of unpadded base64; NULL when out of memory. */
json_t *sm_json_base64(const void *p, size_t n);

#endif
