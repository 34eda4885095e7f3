/* The header from a stream: finds its end, parses it, and leaves the stream at the first byte of the body. */
#ifndef SM_STREAM_HEADER_READ_H
#define SM_STREAM_HEADER_READ_H

#include "stream/source.h"
#include "wire/header.h"

/* raw, when not NULL, gets the header's bytes (initialised, max >= SM_HEADER_MAX). *line: where it is wrong, after SM_ERR_HEADER and
 * SM_ERR_SUITE. Besides those: SM_ERR_ARMOR, SM_ERR_IO. */
SM_CHECKED enum sm_err sm_header_read(struct sm_header *h, unsigned *line, struct sm_source *in, struct sm_buf *raw);

#endif
