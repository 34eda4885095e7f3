/* The digest over blocks in several threads is the digest over the whole, wherever segments begin and end within the blocks. */
#include "tap.h"

#include "stream/segment.h"

#include <stdlib.h>
#include <string.h>

#define MOST ((7u << 20) + 4242)

struct run {
	struct sm_segmenter segmenter;
	const uint8_t *p;
	size_t n, size;  /* of all, of a block */
	uint64_t broken; /* the block that fails, if there is one of that number */
};

struct block {
	struct sm_segments segments;
	uint64_t index;
};

static enum sm_err block_new(void *ctx, void **block)
{
	struct block *b = calloc(1, sizeof *b);

	*block = b;
	return b ? sm_segments_init(&b->segments, &((struct run *)ctx)->segmenter) : SM_ERR_NOMEM;
}

static void block_free(void *block)
{
	if (block)
		sm_segments_release(&((struct block *)block)->segments);
	free(block);
}

static enum sm_err block_read(void *ctx, void *block, uint64_t index, bool *last)
{
	struct run *r = ctx;
	struct block *b = block;
	size_t at = (size_t)index * r->size, n = r->n - at < r->size ? r->n - at : r->size;

	b->index = index;
	*last = n < r->size;
	sm_segments_set(&b->segments, index, at, r->p + at, n, *last);
	return SM_OK;
}

static enum sm_err block_work(void *ctx, void *block)
{
	const struct run *r = ctx;
	struct block *b = block;

	if (b->index == r->broken)
		return SM_ERR_PAYLOAD;
	sm_segments_ahead(&b->segments);
	return SM_OK;
}

static enum sm_err block_link(void *ctx, void *block)
{
	(void)ctx;
	sm_segments_link(&((struct block *)block)->segments);
	return SM_OK;
}

static enum sm_err block_rest(void *ctx, void *block)
{
	(void)ctx;
	sm_segments_rest(&((struct block *)block)->segments);
	return SM_OK;
}

static enum sm_err block_collect(void *ctx, void *block)
{
	(void)ctx;
	return sm_segments_collect(&((struct block *)block)->segments);
}

static enum sm_err digest(uint8_t out[static SM_HASH_LEN], const uint8_t *p, size_t n, size_t size, unsigned threads, uint64_t broken)
{
	static const struct sm_pipeline pipeline = {block_new, block_free, block_read, block_work, block_link, block_rest, block_collect};
	struct run r = {.p = p, .n = n, .size = size, .broken = broken};
	enum sm_err e;

	if (!(e = sm_segmenter_init(&r.segmenter)) && !(e = sm_pipeline_run(&pipeline, &r, threads)))
		e = sm_segmenter_digest(&r.segmenter, out);
	sm_segmenter_release(&r.segmenter);
	return e;
}

static void whole(uint8_t out[static SM_HASH_LEN], const uint8_t *p, size_t n)
{
	struct sm_digest d = {0};

	if (sm_digest_init(&d) || sm_digest_update(&d, p, n) || sm_digest_final(&d, out))
		abort();
	sm_digest_release(&d);
}

static void same(const uint8_t *p, size_t n, size_t size)
{
	uint8_t want[SM_HASH_LEN], got[SM_HASH_LEN];
	bool good = true;

	whole(want, p, n);
	for (unsigned threads = 1; threads <= SM_PIPELINE_THREADS; threads *= 2) {
		memset(got, 0, sizeof got);
		good = good && !digest(got, p, n, size, threads, UINT64_MAX) && !memcmp(got, want, sizeof got);
	}
	ok(good, "%zu bytes in blocks of %zu, 1, 2, 4 and 8 threads", n, size);
}

int main(void)
{
	static const size_t size[] = {SM_SEGMENT / 2, SM_SEGMENT / 2 + 576, SM_SEGMENT, SM_SEGMENT + 1152, SM_SEGMENT / 4 + 1,
	                              99991,          2 * SM_SEGMENT - 1};
	static const size_t n[] = {0, 1, SM_SEGMENT - 1, SM_SEGMENT, SM_SEGMENT + 1, 3 * SM_SEGMENT, 3 * (SM_SEGMENT / 2 + 576), MOST};
	uint8_t *p = malloc(MOST), out[SM_HASH_LEN];

	if (!p)
		return 1;
	for (size_t i = 0; i < MOST; i++)
		p[i] = (uint8_t)(i * 31 + (i >> 9) + (i >> 17));
	for (size_t i = 0; i < sizeof size / sizeof *size; i++)
		for (size_t j = 0; j < sizeof n / sizeof *n; j++)
			same(p, n[j], size[i]);
	for (unsigned threads = 1; threads <= SM_PIPELINE_THREADS; threads *= 2)
		for (uint64_t broken = 0; broken < 12; broken++)
			ok(digest(out, p, MOST, SM_SEGMENT / 2 + 576, threads, broken) == SM_ERR_PAYLOAD,
			   "block %u fails: nobody of %u waits for it for ever", (unsigned)broken, threads);
	free(p);
	return tap_done();
}
