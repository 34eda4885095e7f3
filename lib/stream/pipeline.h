/* Ordered work on blocks by several threads. Each thread owns one block and goes round: read and link in order, work and finish
 * beside the others, write in order. The caller's thread is the first; others start only when the input has more than one block,
 * so a small message pays for no thread.
 *
 *   read    in order: fills the block; sets *last on the final one
 *   work    in parallel
 *   link    in order: hands what straddles two blocks to the next one (may be NULL)
 *   finish  in parallel (may be NULL)
 *   write   in order
 *
 * ctx is shared: read, link and write may change their own parts of it, work and finish only look. */
#ifndef SM_STREAM_PIPELINE_H
#define SM_STREAM_PIPELINE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SM_PIPELINE_THREADS 8

struct sm_pipeline {
	enum sm_err (*block_new)(void *ctx, void **block);
	void (*block_free)(void *block); /* takes NULL */
	enum sm_err (*read)(void *ctx, void *block, uint64_t index, bool *last);
	enum sm_err (*work)(void *ctx, void *block);
	enum sm_err (*link)(void *ctx, void *block);
	enum sm_err (*finish)(void *ctx, void *block);
	enum sm_err (*write)(void *ctx, void *block);
};

/* threads: 0 for one a core. The first error of the lowest block is returned; the other threads have ended when this returns. */
SM_CHECKED enum sm_err sm_pipeline_run(const struct sm_pipeline *p, void *ctx, unsigned threads);

#endif
