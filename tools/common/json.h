/* Strings in JSON output (RFC 8259), for tools whose records are a line of known members: no library needed. */
#ifndef SM_COMMON_JSON_H
#define SM_COMMON_JSON_H

#include "base/buf.h"

/* Appends p as a JSON string with its quotes. Control characters, quotes and backslashes are escaped; bytes that are not UTF-8 become
 * U+FFFD, all of p when one is found. */
SM_CHECKED enum sm_err sm_json_string(struct sm_buf *b, const void *p, size_t n);
/* Appends `"name":"value"`; value is NUL-terminated. */
SM_CHECKED enum sm_err sm_json_member(struct sm_buf *b, const char *name, const char *value);

#endif
