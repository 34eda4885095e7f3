/* How sminbox writes a message down: one line of a list, or one JSON object. */
#ifndef SM_COMMON_LETTER_SHOW_H
#define SM_COMMON_LETTER_SHOW_H

#include "common/letter_keep.h"

/* "proven", "unknown", "none" or "changed". */
const char *sm_proof_word(enum sm_inbox_proof p);
/* "verified", "unverified", "changed", "unknown" or "unsigned". */
const char *sm_mark_word(enum sm_mark m);
/* What is wrong with a message that has a problem, and whether it is asked for again. */
const char *sm_letter_reason(const struct sm_inbox_row *row);
/* number, state, time, from, subject, size, with tabs between; columns: padded for a person to read. Before from stands + when the sender
 * is verified, ? when not proven, ?! when the key is not the pinned one, ! when the message is proven but the address has another key
 * since; behind it, after a space, the group as @NAME. A message that did not open has the reason in brackets as its subject. */
SM_CHECKED enum sm_err sm_letter_line(struct sm_buf *b, const struct sm_shown *s, bool columns);
/* One line of NDJSON. content: the text or bytes; NULL when the message has a problem. */
SM_CHECKED enum sm_err sm_letter_json(struct sm_buf *b, const struct sm_shown *s, const struct sm_buf *content);

#endif
