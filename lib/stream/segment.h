/* The segmented digest over blocks that several threads hold at once (sm-format(5), "Digest"; wire/digest.h is the same in one thread).
 * Blocks and 1 MiB segments do not line up: what is left of a block after its last whole segment is handed to the next one. */
#ifndef SM_STREAM_SEGMENT_H
#define SM_STREAM_SEGMENT_H

#include "wire/digest.h"

#define SM_SEGMENTS_A_BLOCK 3 /* a prefix of < 1 MiB and a block of < 2 MiB */

/* Shared, used in order. */
struct sm_segmenter {
	uint8_t *tail; /* SM_SEGMENT bytes, ntail of them in use */
	size_t ntail;
	uint64_t next, total;
	struct sm_buf hashes;
};

/* One for each block. */
struct sm_segments {
	uint8_t *prefix; /* SM_SEGMENT bytes */
	size_t nprefix;
	struct sm_span bytes; /* the block, borrowed */
	uint64_t first;
	unsigned count;
	struct sm_sha256 hash;
	uint8_t out[SM_SEGMENTS_A_BLOCK][SM_HASH_LEN];
};

SM_CHECKED enum sm_err sm_segmenter_init(struct sm_segmenter *g);
void sm_segmenter_release(struct sm_segmenter *g);
SM_CHECKED enum sm_err sm_segments_init(struct sm_segments *s);
void sm_segments_release(struct sm_segments *s);

/* In order: takes the previous block's tail and leaves this one's. n <= 2 MiB - 1. last: the rest is a segment too. */
void sm_segments_link(struct sm_segmenter *g, struct sm_segments *s, const uint8_t *p, size_t n, bool last);
/* In parallel: hashes the segments that end in this block. */
void sm_segments_hash(struct sm_segments *s);
/* In order: keeps the hashes. */
SM_CHECKED enum sm_err sm_segments_collect(struct sm_segmenter *g, const struct sm_segments *s);
/* After the last block. */
SM_CHECKED enum sm_err sm_segmenter_digest(struct sm_segmenter *g, uint8_t out[static SM_HASH_LEN]);

#endif
