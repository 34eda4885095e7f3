/* Text from elsewhere: what may reach a terminal, and UTF-8. */
#ifndef SM_BASE_TEXT_H
#define SM_BASE_TEXT_H

#include "base/buf.h"

/* Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
bool sm_utf8_valid(const uint8_t *p, size_t n);
/* Takes one code point from the front; returns its bytes (1..4), 0 when n is 0 or they are not well formed. */
size_t sm_utf8_next(const uint8_t *p, size_t n, uint32_t *cp);
/* Control, bidirectional, invisible: what sm_text_show writes out. */
bool sm_text_hidden(uint32_t cp);
/* Appends p for a person to read: U+0000..1F, 7F..9F, bidirectional and other invisible format controls and bytes that
 * are not UTF-8 appear as \n \t \e \xHH or \u{HHHH}; with keep_lines LF and TAB stay as they are. */
SM_CHECKED enum sm_err sm_text_show(struct sm_buf *out, const uint8_t *p, size_t n, bool keep_lines);

#endif
