/* The shape of a body on the wire (sm-format(5), "Body"): salt24 | commitment32 | frames, a frame being be16 length | sealed chunk.
 * The engine works on blocks of 32 frames, 512 KiB of plaintext: little enough to stay in a core's cache while it is read, hashed and
 * sealed or opened. Block 0 has the salt and the commitment in front. */
#ifndef SM_STREAM_BODY_H
#define SM_STREAM_BODY_H

#include "crypto/chunked.h"
#include "crypto/hash.h"
#include "wire/header.h"

#define SM_BODY_HEAD (SM_CHUNKED_SALT + SM_CHUNKED_COMMITMENT)
#define SM_FRAME (2 + SM_CHUNK_SEALED)
#define SM_BLOCK_CHUNKS 32
#define SM_BLOCK_PLAIN (SM_BLOCK_CHUNKS * SM_CHUNK)
#define SM_BLOCK_WIRE (SM_BLOCK_CHUNKS * SM_FRAME)
#define SM_BLOCK_MAX (SM_BODY_HEAD + SM_BLOCK_WIRE)

/* The body's chunked-encryption context: "sm-envelope/1 body\0" | hh. */
#define SM_BODY_CONTEXT (19 + SM_HASH_LEN)
void sm_body_context(uint8_t out[static SM_BODY_CONTEXT], const uint8_t hh[static SM_HASH_LEN]);

/* An attachment's: "sm-envelope/1 attachment\0" | id | be32 i. */
struct sm_attachment_context {
	uint8_t bytes[25 + SM_ID_LEN + 4];
};
void sm_attachment_context(struct sm_attachment_context *c, const char id[static SM_ID_LEN], uint32_t i);

/* All n bytes are 0. */
bool sm_is_zero(const uint8_t *p, size_t n);

/* Bytes of block 0's head; 0 for the others. */
static inline size_t sm_block_head(uint64_t index) { return index ? 0 : SM_BODY_HEAD; }

/* How the frames in p[0..n) go: *used bytes of them up to and including the last (short) chunk, *last when that was seen. Without *last,
 * used is n and every frame is whole. SM_ERR_PAYLOAD for a length that no chunk has, or a cut frame. */
SM_CHECKED enum sm_err sm_frames_walk(const uint8_t *p, size_t n, size_t *used, bool *last);

#endif
