/* Large memory, taken once for each thread and touched only as far as there is data. */
#include "stream/block.h"

#include "base/secret.h"

#include <stdlib.h>

void sm_block_free(void *block)
{
	struct sm_block *b = block;

	if (!b)
		return;
	if (b->wire)
		sm_wipe(b->wire, b->dirty);
	free(b->wire);
	sm_chunked_release(&b->chunked);
	sm_segments_release(&b->segments);
	free(b);
}

enum sm_err sm_block_new(struct sm_block **block, bool framed, struct sm_segmenter *segmenter)
{
	struct sm_block *b = calloc(1, sizeof *b);
	enum sm_err e = SM_ERR_NOMEM;

	if (!b || !(b->wire = malloc(SM_BLOCK_MAX)))
		goto out;
	b->framed = framed;
	e = sm_segments_init(&b->segments, segmenter);
out:
	if (e)
		sm_block_free(b);
	else
		*block = b;
	return e;
}

uint8_t *sm_block_chunks(const struct sm_block *b) { return b->wire + sm_block_head(b->index); }

size_t sm_block_nchunks(const struct sm_block *b) { return b->nwire - sm_block_head(b->index); }

struct sm_pieces sm_block_pieces(const struct sm_block *b)
{
	return b->framed ? (struct sm_pieces){sm_block_chunks(b) + 2, SM_CHUNK, SM_FRAME}
	                 : (struct sm_pieces){sm_block_chunks(b), SM_CHUNK, SM_CHUNK_SEALED};
}

void sm_block_soil(struct sm_block *b, size_t n) { b->dirty = n > b->dirty ? n : b->dirty; }

/* Every block but the last is full, so where one stands follows from its number. */
void sm_block_hashable(struct sm_block *b)
{
	uint64_t at = b->index ? SM_BODY_HEAD + b->index * sm_block_size(b->framed) : 0;

	sm_segments_set(&b->segments, b->index, at, b->wire, b->nwire, b->last);
}

enum sm_err sm_block_hash(void *ctx, void *block)
{
	(void)ctx;
	sm_segments_ahead(&((struct sm_block *)block)->segments);
	return SM_OK;
}

enum sm_err sm_block_link(void *ctx, void *block)
{
	(void)ctx;
	sm_segments_link(&((struct sm_block *)block)->segments);
	return SM_OK;
}

enum sm_err sm_block_hash_rest(void *ctx, void *block)
{
	(void)ctx;
	sm_segments_rest(&((struct sm_block *)block)->segments);
	return SM_OK;
}
