/* Blocks are segments here, so nothing straddles. */
#include "stream/filedigest.h"

#include "stream/pipeline.h"
#include "wire/digest.h"

#include <stdlib.h>

struct total {
	struct sm_source *in;
	struct sm_buf hashes;
	uint64_t bytes;
};

struct block {
	struct sm_sha256 hash;
	uint64_t index;
	uint8_t *bytes; /* SM_SEGMENT */
	size_t n;
	uint8_t out[SM_HASH_LEN];
};

static void block_free(void *block)
{
	struct block *b = block;

	if (!b)
		return;
	sm_sha256_release(&b->hash);
	free(b->bytes);
	free(b);
}

static enum sm_err block_new(void *ctx, void **block)
{
	struct block *b = calloc(1, sizeof *b);

	(void)ctx;
	*block = b;
	return b && (b->bytes = malloc(SM_SEGMENT)) ? sm_sha256_init(&b->hash) : SM_ERR_NOMEM;
}

static enum sm_err block_read(void *ctx, void *block, uint64_t index, bool *last)
{
	struct total *t = ctx;
	struct block *b = block;
	enum sm_err e = sm_source_read(t->in, b->bytes, SM_SEGMENT, &b->n);

	b->index = index;
	*last = b->n < SM_SEGMENT;
	t->bytes += b->n;
	return e;
}

static enum sm_err block_hash(void *ctx, void *block)
{
	struct block *b = block;

	(void)ctx;
	sm_digest_segment(b->out, &b->hash, b->index, b->bytes, b->n);
	return SM_OK;
}

static enum sm_err block_collect(void *ctx, void *block)
{
	struct total *t = ctx;
	struct block *b = block;

	return b->n ? sm_buf_add(&t->hashes, b->out, sizeof b->out) : SM_OK;
}

enum sm_err sm_stream_digest(uint8_t out[static SM_HASH_LEN], struct sm_source *in)
{
	static const struct sm_pipeline pipeline = {block_new, block_free, block_read, block_hash, NULL, NULL, block_collect};
	struct total t = {.in = in};
	struct sm_sha256 h = {0};
	enum sm_err e;

	sm_buf_init(&t.hashes, SIZE_MAX / 2);
	if (!(e = sm_pipeline_run(&pipeline, &t, in->threads)) && !(e = sm_sha256_init(&h)))
		e = sm_digest_combine(out, &h, t.bytes, t.hashes.data, t.hashes.len / SM_HASH_LEN);
	sm_sha256_release(&h);
	sm_buf_release(&t.hashes);
	return e;
}
