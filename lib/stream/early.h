/* Content given out while it is still coming in, for the opener's opt-out of the release rule: the fields in front are dropped, and what
 * may be padding (the last 0x80 and the zeros behind it) is held back, as a count. */
#ifndef SM_STREAM_EARLY_H
#define SM_STREAM_EARLY_H

#include "stream/sink.h"

struct sm_early {
	struct sm_sink *out;
	uint8_t length[4]; /* of the fields */
	uint64_t at;       /* plaintext bytes seen */
	bool mark;         /* a 0x80 is held back, ... */
	uint64_t zeros;    /* ... and so many zeros */
};

/* The next n bytes of plaintext, fields and all. Zero the struct first, but for out. */
SM_CHECKED enum sm_err sm_early_write(struct sm_early *s, const uint8_t *p, size_t n);

#endif
