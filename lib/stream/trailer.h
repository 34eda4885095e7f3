/* What stands behind the last chunk: be16 length | signature, then be64 length | blob for every attachment, then nothing. */
#ifndef SM_STREAM_TRAILER_H
#define SM_STREAM_TRAILER_H

#include "stream/sink.h"
#include "stream/source.h"
#include "wire/header.h"

/* Takes a signature record of any length. SM_ERR_PAYLOAD when it is cut. */
SM_CHECKED enum sm_err sm_record_read(struct sm_source *in, uint8_t sig[static UINT16_MAX], size_t *n);
/* The attachments, held against the sizes and digests in h, copied to out when that is not NULL; then the end of the input.
 * SM_ERR_PAYLOAD for anything else. */
SM_CHECKED enum sm_err sm_attachments_read(const struct sm_header *h, struct sm_source *in, struct sm_sink *out);

#endif
