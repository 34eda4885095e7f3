/* The segmented digest over blocks that several threads hold at once (sm-format(5), "Digest"; wire/digest.h is the same in one thread).
 * Blocks and 1 MiB segments do not line up. A segment that straddles blocks is begun by one thread and goes on in the next block's, which
 * is handed the hash as it stands, not the bytes.
 *
 * For each block: set, then ahead (in parallel, needs nobody), link (in order), rest (in parallel; waits for the block before), collect (in
 * order). Because of the order of link, nobody waits in rest for a block that can still fail before it hands its hash on. */
#ifndef SM_STREAM_SEGMENT_H
#define SM_STREAM_SEGMENT_H

#include "stream/pipeline.h"
#include "wire/digest.h"

#include <pthread.h>

#define SM_SEGMENTS_A_BLOCK 3 /* the end of one, a whole one, the beginning of another: a block of < 2 MiB */
/* More than there are blocks at work at a time, so a place is free again when its turn comes. */
#define SM_SEGMENT_SLOTS (2 * SM_PIPELINE_THREADS)

/* A hash on its way from a block to the next. */
struct sm_segment_slot {
	uint64_t full; /* the block's index + 1; 0: empty */
	struct sm_sha256 hash;
};

/* Shared. */
struct sm_segmenter {
	bool ready;
	pthread_mutex_t mutex; /* over the slots */
	pthread_cond_t posted;
	struct sm_segment_slot slot[SM_SEGMENT_SLOTS];
	uint64_t total; /* the others are used in order */
	uint8_t *hashes;
	size_t nhashes, room;
};

/* One for each block. */
struct sm_segments {
	struct sm_segmenter *segmenter; /* borrowed; NULL: nothing is hashed, and all of this does nothing */
	uint64_t index, first;          /* the block; the first segment that it begins */
	struct sm_span before, begun;   /* bytes of a segment begun earlier, and of those begun here; borrowed */
	bool ends_before, leaves_open;
	unsigned count; /* segments that end here */
	struct sm_sha256 hash, carried;
	uint8_t out[SM_SEGMENTS_A_BLOCK][SM_HASH_LEN];
};

SM_CHECKED enum sm_err sm_segmenter_init(struct sm_segmenter *g);
/* A zeroed one is fine. */
void sm_segmenter_release(struct sm_segmenter *g);
/* g may be NULL. */
SM_CHECKED enum sm_err sm_segments_init(struct sm_segments *s, struct sm_segmenter *g);
void sm_segments_release(struct sm_segments *s);

/* The block with this index has the n bytes at p (borrowed until rest), which stand at offset `at`; n < 2 MiB. last: they end the digest.
 */
void sm_segments_set(struct sm_segments *s, uint64_t index, uint64_t at, const uint8_t *p, size_t n, bool last);
void sm_segments_ahead(struct sm_segments *s);
void sm_segments_link(struct sm_segments *s);
void sm_segments_rest(struct sm_segments *s);
SM_CHECKED enum sm_err sm_segments_collect(const struct sm_segments *s);
/* After the last block. */
SM_CHECKED enum sm_err sm_segmenter_digest(struct sm_segmenter *g, uint8_t out[static SM_HASH_LEN]);

#endif
