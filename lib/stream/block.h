/* What one thread has in hand while it goes round a pipeline (stream/pipeline.h): a block of a body or an attachment, as plaintext and as
 * it stands on the wire, with its own cipher and hash. */
#ifndef SM_STREAM_BLOCK_H
#define SM_STREAM_BLOCK_H

#include "stream/body.h"
#include "stream/segment.h"

#define SM_RECHECK_TAG 16

struct sm_block {
	struct sm_chunked chunked;
	struct sm_segments segments;
	uint64_t index;
	bool last, failed;
	uint8_t *plain;       /* SM_BLOCK_PLAIN, or NULL where nothing is opened or sealed */
	size_t nplain, dirty; /* dirty: bytes that have to be wiped */
	uint8_t *wire;        /* SM_BLOCK_MAX: for block 0 the body's head stands in front */
	size_t nwire;
	uint8_t tag[SM_RECHECK_TAG];
};

/* hashed: segments are set up. The cipher is the caller's to set up. */
SM_CHECKED enum sm_err sm_block_new(struct sm_block **block, bool plain, bool hashed);
/* The pipeline's block_free: wipes the plaintext. Takes NULL. */
void sm_block_free(void *block);
/* The pipeline's step for the segments that end in this block. */
SM_CHECKED enum sm_err sm_block_hash(void *ctx, void *block);
/* The chunks, behind block 0's head. */
uint8_t *sm_block_chunks(const struct sm_block *b);
size_t sm_block_nchunks(const struct sm_block *b); /* in bytes */

#endif
