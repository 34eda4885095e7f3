/* What one thread has in hand while it goes round a pipeline (stream/pipeline.h): a block of a body or an attachment as it stands on the
 * wire, with its own cipher and hash. It is sealed and opened in place, so there is one buffer only. */
#ifndef SM_STREAM_BLOCK_H
#define SM_STREAM_BLOCK_H

#include "stream/body.h"
#include "stream/pieces.h"
#include "stream/segment.h"

#define SM_RECHECK_TAG 16

struct sm_block {
	struct sm_chunked chunked;
	struct sm_segments segments;
	uint64_t index;
	bool framed; /* be16 length before each chunk */
	bool last, failed;
	uint8_t *wire;                    /* SM_BLOCK_MAX: for block 0 the body's head stands in front */
	size_t nwire, nplain;             /* nplain: of them plaintext, once opened or before sealing */
	size_t dirty;                     /* bytes of wire that have to be wiped */
	uint16_t unseen[SM_BLOCK_CHUNKS]; /* bytes at each chunk's front that have stayed sealed */
	uint8_t tag[SM_RECHECK_TAG];
};

/* segmenter: for the digest, or NULL. The cipher is the caller's to set up. */
SM_CHECKED enum sm_err sm_block_new(struct sm_block **block, bool framed, struct sm_segmenter *segmenter);
/* The pipeline's block_free: wipes what may be plaintext. Takes NULL. */
void sm_block_free(void *block);

/* The chunks, behind block 0's head. */
uint8_t *sm_block_chunks(const struct sm_block *b);
size_t sm_block_nchunks(const struct sm_block *b); /* in bytes */
/* The places of the chunks' plaintext. */
struct sm_pieces sm_block_pieces(const struct sm_block *b);
/* From here on the block may hold plaintext in its first n bytes: they are wiped in the end. */
void sm_block_soil(struct sm_block *b, size_t n);
/* A full block with chunks of this kind, in bytes. */
static inline size_t sm_block_size(bool framed) { return SM_BLOCK_CHUNKS * (size_t)(framed ? SM_FRAME : SM_CHUNK_SEALED); }

/* The wire bytes are there: they may be hashed. */
void sm_block_hashable(struct sm_block *b);
/* The pipeline's steps for the digest: in parallel, in order, in parallel. */
SM_CHECKED enum sm_err sm_block_hash(void *ctx, void *block);
SM_CHECKED enum sm_err sm_block_link(void *ctx, void *block);
SM_CHECKED enum sm_err sm_block_hash_rest(void *ctx, void *block);

#endif
