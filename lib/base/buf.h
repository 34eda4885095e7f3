/* A bounded growing byte buffer, and a cursor for reading one: every parser and writer uses these.
 * Invariant: len <= cap <= max; data is NULL only while cap is 0. Contents are wiped before memory is given back,
 * so a buffer may hold secrets for a moment; long-lived ones belong in struct sm_secret.
 * Multi-byte integers are big-endian; lp(x) = be32 length | x (sm-format(5)). */
#ifndef SM_BASE_BUF_H
#define SM_BASE_BUF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sm_buf {
	uint8_t *data;
	size_t len, cap, max;
};

/* max: the hard limit in bytes; growing past it is SM_ERR_LIMIT. Allocates nothing. */
void sm_buf_init(struct sm_buf *b, size_t max);
/* Wipes and frees; b may be reused after sm_buf_init. A zeroed or released b is fine. */
void sm_buf_release(struct sm_buf *b);
/* Wipes the contents and sets len to 0, keeping the memory. */
void sm_buf_clear(struct sm_buf *b);
/* Makes room for n more bytes and returns where they go; the caller then adds to b->len what it wrote. */
SM_CHECKED enum sm_err sm_buf_reserve(struct sm_buf *b, size_t n, uint8_t **where);
SM_CHECKED enum sm_err sm_buf_add(struct sm_buf *b, const void *p, size_t n);
SM_CHECKED enum sm_err sm_buf_adds(struct sm_buf *b, const char *s);
SM_CHECKED enum sm_err sm_buf_addf(struct sm_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
SM_CHECKED enum sm_err sm_buf_add_u8(struct sm_buf *b, uint8_t v);
SM_CHECKED enum sm_err sm_buf_add_be16(struct sm_buf *b, uint16_t v);
SM_CHECKED enum sm_err sm_buf_add_be32(struct sm_buf *b, uint32_t v);
SM_CHECKED enum sm_err sm_buf_add_be64(struct sm_buf *b, uint64_t v);
SM_CHECKED enum sm_err sm_buf_add_lp(struct sm_buf *b, const void *p, size_t n);
/* Drops the first n bytes (n <= len), moving the rest down and wiping what is left behind. */
void sm_buf_consume(struct sm_buf *b, size_t n);
/* Ends the contents with a 0 byte that len does not count, and returns them as a string (NULL when out of room). */
SM_CHECKED const char *sm_buf_str(struct sm_buf *b);

static inline void sm_put_be16(uint8_t p[static 2], uint16_t v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static inline void sm_put_be32(uint8_t p[static 4], uint32_t v) { sm_put_be16(p, (uint16_t)(v >> 16)), sm_put_be16(p + 2, (uint16_t)v); }
static inline void sm_put_be64(uint8_t p[static 8], uint64_t v) { sm_put_be32(p, (uint32_t)(v >> 32)), sm_put_be32(p + 4, (uint32_t)v); }
static inline uint16_t sm_get_be16(const uint8_t p[static 2]) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t sm_get_be32(const uint8_t p[static 4]) { return (uint32_t)sm_get_be16(p) << 16 | sm_get_be16(p + 2); }
static inline uint64_t sm_get_be64(const uint8_t p[static 8]) { return (uint64_t)sm_get_be32(p) << 32 | sm_get_be32(p + 4); }

/* A borrowed run of bytes, consumed from the front. Each take is all or nothing: false and nothing moved when short. */
struct sm_span {
	const uint8_t *p;
	size_t n;
};
bool sm_span_take(struct sm_span *s, size_t n, const uint8_t **out);
bool sm_span_take_be16(struct sm_span *s, uint16_t *v);
bool sm_span_take_be32(struct sm_span *s, uint32_t *v);
bool sm_span_take_be64(struct sm_span *s, uint64_t *v);
bool sm_span_take_lp(struct sm_span *s, struct sm_span *out);
/* The next line without its LF; false when there is no LF left. */
bool sm_span_take_line(struct sm_span *s, struct sm_span *line);
bool sm_span_equals(struct sm_span s, const char *text);
bool sm_span_starts(struct sm_span s, const char *text);

#endif
