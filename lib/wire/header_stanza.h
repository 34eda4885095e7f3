/* One stanza's first line, read and written, and what its body may be (sm-format(5), "Stanzas"). Adding a stanza type starts in
 * header_stanza.c's table. */
#ifndef SM_WIRE_HEADER_STANZA_H
#define SM_WIRE_HEADER_STANZA_H

#include "wire/header.h"

/* Type and arguments from the line `-> ...`. False for a type that suite does not have, or arguments out of range. */
bool sm_stanza_parse(struct sm_stanza *s, const struct sm_suite *suite, struct sm_span line);
/* Is n a body size of this type? */
bool sm_stanza_body_ok(const struct sm_stanza *s, const struct sm_suite *suite, size_t n);
bool sm_stanza_is_passphrase(const struct sm_stanza *s);
/* Appends the stanza with its body. */
SM_CHECKED enum sm_err sm_stanza_write(struct sm_buf *b, const struct sm_stanza *s, const struct sm_suite *suite);

#endif
