/* How sminbox writes a message down: one line of a list, or one JSON object. */
#ifndef SM_COMMON_LETTER_SHOW_H
#define SM_COMMON_LETTER_SHOW_H

#include "store/inbox.h"

/* "proven", "unknown", "none" or "changed". */
const char *sm_proof_word(enum sm_inbox_proof p);
/* number, state, time, from, subject, size, with tabs between; columns: padded for a person to read. from begins with ? when the sender is
 * not proven, with ?! when the key is not the pinned one. A message that did not open has the reason in brackets as its subject. */
SM_CHECKED enum sm_err sm_letter_line(struct sm_buf *b, const struct sm_inbox_row *row, bool columns);
/* One line of NDJSON. content: the text or bytes; NULL when the message has a problem. */
SM_CHECKED enum sm_err sm_letter_json(struct sm_buf *b, const struct sm_inbox_row *row, const struct sm_buf *content);

#endif
