/* The small things that every text format here is made of (sm-format(5), "Canonical text"): words, numbers, values. Parsers in
 * lib/wire use these, so that all of them are strict in the same way. */
#ifndef SM_WIRE_LEX_H
#define SM_WIRE_LEX_H

#include "base/buf.h"

/* The largest number in any header: what a signed 64-bit column or file offset holds. */
#define SM_NUMBER_MAX ((uint64_t)INT64_MAX)

/* Splits line at single spaces into at most max words, none of them empty. Returns their count, or -1 when the line is empty, has
 * other spacing, or more words. */
int sm_words(struct sm_span *word, int max, struct sm_span line);
/* Only U+0020..7E. */
bool sm_printable(struct sm_span s);
/* UTF-8 without control characters (U+0000..1F, 7F..9F); may be empty. */
bool sm_value_ok(struct sm_span s);
/* Decimal without leading zeros, lo..hi. *v is set on true only. */
bool sm_decimal(uint64_t *v, struct sm_span s, uint64_t lo, uint64_t hi);
bool sm_decimal32(uint32_t *v, struct sm_span s, uint32_t lo, uint32_t hi);
/* Unpadded base64 of exactly n bytes, n <= 1024. */
bool sm_base64_exact(uint8_t *out, size_t n, struct sm_span s);
/* A canonical id (SM_ID_LEN characters), copied out with a terminator. */
bool sm_id_copy(char *out, struct sm_span s);

/* The next line of a text whose last line may lack its LF; false at the end. */
bool sm_line_take(struct sm_span *text, struct sm_span *line);

/* The lines of a header, numbered from 1. Zero no and line, set rest. */
struct sm_lines {
	struct sm_span rest, line;
	unsigned no;
};
/* Moves to the next line: false when there is none, or it is empty or not printable ASCII; no is its number either way. */
bool sm_lines_next(struct sm_lines *l);
/* Splits the current line into exactly n words, of which the first is key. */
bool sm_lines_words(const struct sm_lines *l, struct sm_span *word, int n, const char *key);

#endif
