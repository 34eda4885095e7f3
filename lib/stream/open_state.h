/* What the two passes over a body share; for open.c and open_body.c alone. */
#ifndef SM_STREAM_OPEN_STATE_H
#define SM_STREAM_OPEN_STATE_H

#include "stream/body.h"
#include "stream/keep.h"
#include "stream/segment.h"
#include "stream/sink.h"
#include "wire/content.h"

#define SM_RECHECK_TAG 16

struct sm_open_state {
	const uint8_t *file_key; /* borrowed from struct sm_opened */
	uint8_t context[SM_BODY_CONTEXT];
	uint8_t head[SM_BODY_HEAD]; /* salt and commitment */
	unsigned threads;
	struct sm_keep keep; /* the frames */
	/* first pass */
	struct sm_source *in;
	bool digest_wanted;
	struct sm_segmenter segmenter;
	struct sm_buf fields; /* be32 length | fields, as far as the first block has them */
	struct sm_unpad unpad;
	/* For a file that others may change between the passes: a MAC of each block under a key that never leaves this process. */
	uint8_t recheck_key[32];
	struct sm_buf tags;
	uint64_t nblocks, frames; /* frames: bytes of all of them */
	uint8_t *plain;           /* the whole plaintext when one block held it; no second pass then */
	size_t nplain;
	/* the content within the plaintext */
	uint64_t from, to;
	/* second pass */
	struct sm_sink *out;
};

/* Everything through the short last chunk: tags, framing, digest, unpadding. SM_ERR_PAYLOAD, SM_ERR_ARMOR, SM_ERR_IO. */
SM_CHECKED enum sm_err sm_body_verify(struct sm_open_state *s);
/* Plaintext bytes s->from .. s->to to s->out. */
SM_CHECKED enum sm_err sm_body_release(struct sm_open_state *s);

#endif
