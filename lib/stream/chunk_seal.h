/* One Cobblestone-256 stream from plaintext, by several threads: a body (frames) or an attachment (bare chunks). */
#ifndef SM_STREAM_CHUNK_SEAL_H
#define SM_STREAM_CHUNK_SEAL_H

#include "stream/body.h"
#include "stream/pieces.h"
#include "stream/sink.h"

struct sm_chunk_seal {
	const uint8_t *key, *salt; /* 32 and SM_CHUNKED_SALT bytes, borrowed */
	const void *context;
	size_t contextlen;
	bool framed; /* be16 length before each chunk */
	bool digest; /* compute the segmented digest of what is written */
	unsigned threads;
	/* Up to n bytes of plaintext to their places, fewer only at its end; called in order. */
	enum sm_err (*read)(void *ctx, const struct sm_pieces *to, size_t n, size_t *got);
	void *ctx;
	struct sm_sink *out;
};

/* Writes salt, commitment and chunks. digest is set when asked for. */
SM_CHECKED enum sm_err sm_chunk_seal(const struct sm_chunk_seal *job, uint8_t digest[static SM_HASH_LEN]);

#endif
