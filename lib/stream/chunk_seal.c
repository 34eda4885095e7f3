/* The sealing pipeline: read in order, seal beside each other, hash beside each other, write in order. */
#include "stream/chunk_seal.h"

#include "stream/block.h"
#include "stream/pipeline.h"

#include <string.h>

struct run {
	const struct sm_chunk_seal *job;
	struct sm_segmenter segmenter;
};

static enum sm_err block_new(void *ctx, void **block)
{
	struct run *r = ctx;
	const struct sm_chunk_seal *job = r->job;
	struct sm_block *b;
	enum sm_err e;

	if ((e = sm_block_new(&b, job->framed, job->digest ? &r->segmenter : NULL)))
		return e;
	*block = b;
	return sm_chunked_seal_init(&b->chunked, job->key, job->salt, job->context, job->contextlen);
}

static enum sm_err block_read(void *ctx, void *block, uint64_t index, bool *last)
{
	const struct sm_chunk_seal *job = ((struct run *)ctx)->job;
	struct sm_block *b = block;
	enum sm_err e;

	b->index = index;
	const struct sm_pieces places = sm_block_pieces(b);
	/* As much as may be touched, were it to fail halfway; what is not will not have been paged in. */
	if ((e = job->read(job->ctx, &places, SM_BLOCK_PLAIN, &b->nplain))) {
		sm_block_soil(b, SM_BLOCK_MAX);
		return e;
	}
	/* A plaintext that ends with a full block still has its empty last chunk to come: the next block. */
	*last = b->last = b->nplain < SM_BLOCK_PLAIN;
	return SM_OK;
}

/* Each chunk where it stands: its length in front, its tag behind. */
static enum sm_err seal_chunks(const struct sm_chunk_seal *job, struct sm_block *b)
{
	uint8_t *out = sm_block_chunks(b);
	uint64_t chunk = b->index * SM_BLOCK_CHUNKS;
	enum sm_err e;

	for (size_t left = b->nplain, n;; left -= n) {
		n = left < SM_CHUNK ? left : SM_CHUNK;
		if (n < SM_CHUNK && !b->last)
			break; /* only the last block ends in a short chunk */
		if (job->framed) {
			sm_put_be16(out, (uint16_t)(n + SM_CHUNK_TAG));
			out += 2;
		}
		if ((e = sm_chunked_seal(&b->chunked, chunk++, out, out, n)))
			return e;
		out += n + SM_CHUNK_TAG;
		if (n < SM_CHUNK)
			break;
	}
	b->nwire = (size_t)(out - b->wire);
	return SM_OK;
}

static enum sm_err block_seal(void *ctx, void *block)
{
	const struct sm_chunk_seal *job = ((struct run *)ctx)->job;
	struct sm_block *b = block;
	enum sm_err e;

	if (!b->index) {
		memcpy(b->wire, job->salt, SM_CHUNKED_SALT);
		memcpy(b->wire + SM_CHUNKED_SALT, b->chunked.commitment, SM_CHUNKED_COMMITMENT);
	}
	if ((e = seal_chunks(job, b))) {
		sm_block_soil(b, SM_BLOCK_MAX); /* some of it is still plaintext */
		return e;
	}
	sm_block_hashable(b);
	return sm_block_hash(ctx, block);
}

static enum sm_err block_write(void *ctx, void *block)
{
	struct run *r = ctx;
	struct sm_block *b = block;
	enum sm_err e;

	return (e = sm_segments_collect(&b->segments)) ? e : sm_sink_write(r->job->out, b->wire, b->nwire);
}

enum sm_err sm_chunk_seal(const struct sm_chunk_seal *job, uint8_t digest[static SM_HASH_LEN])
{
	static const struct sm_pipeline hashing = {block_new,     sm_block_free,      block_read, block_seal,
	                                           sm_block_link, sm_block_hash_rest, block_write};
	static const struct sm_pipeline plain = {block_new, sm_block_free, block_read, block_seal, NULL, NULL, block_write};
	struct run r = {.job = job};
	enum sm_err e;

	if (!job->digest)
		return sm_pipeline_run(&plain, &r, job->threads);
	if (!(e = sm_segmenter_init(&r.segmenter)) && !(e = sm_pipeline_run(&hashing, &r, job->threads)))
		e = sm_segmenter_digest(&r.segmenter, digest);
	sm_segmenter_release(&r.segmenter);
	return e;
}
