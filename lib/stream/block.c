/* Large memory, taken once for each thread and touched only as far as there is data. */
#include "stream/block.h"

#include "base/secret.h"

#include <stdlib.h>

void sm_block_free(void *block)
{
	struct sm_block *b = block;

	if (!b)
		return;
	if (b->plain)
		sm_wipe(b->plain, b->dirty);
	free(b->plain);
	free(b->wire);
	sm_chunked_release(&b->chunked);
	sm_segments_release(&b->segments);
	free(b);
}

enum sm_err sm_block_new(struct sm_block **block, bool plain, bool hashed)
{
	struct sm_block *b = calloc(1, sizeof *b);
	enum sm_err e = SM_ERR_NOMEM;

	if (!b || !(b->wire = malloc(SM_BLOCK_MAX)) || (plain && !(b->plain = malloc(SM_BLOCK_PLAIN))))
		goto out;
	e = hashed ? sm_segments_init(&b->segments) : SM_OK;
out:
	if (e)
		sm_block_free(b);
	else
		*block = b;
	return e;
}

enum sm_err sm_block_hash(void *ctx, void *block)
{
	(void)ctx;
	sm_segments_hash(&((struct sm_block *)block)->segments);
	return SM_OK;
}

uint8_t *sm_block_chunks(const struct sm_block *b) { return b->wire + sm_block_head(b->index); }

size_t sm_block_nchunks(const struct sm_block *b) { return b->nwire - sm_block_head(b->index); }
