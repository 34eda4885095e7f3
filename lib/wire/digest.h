/* The segmented digest (sm-format(5), "Digest"): cut into 1 MiB segments,
 * SHA-256(0x01 | be64 total bytes | SHA-256(0x00 | be64 i | segment i) for every i); no segment when empty.
 * The segment hashes are kept (32 bytes a MiB), so a second pass can recheck each one before it is used. */
#ifndef SM_WIRE_DIGEST_H
#define SM_WIRE_DIGEST_H

#include "base/buf.h"
#include "crypto/hash.h"

#define SM_SEGMENT (1u << 20)

struct sm_digest {
	struct sm_sha256 hash;
	struct sm_buf segments; /* 32 bytes each, finished ones */
	uint64_t total;         /* bytes so far */
};

SM_CHECKED enum sm_err sm_digest_init(struct sm_digest *d);
SM_CHECKED enum sm_err sm_digest_update(struct sm_digest *d, const void *p, size_t n);
SM_CHECKED enum sm_err sm_digest_final(struct sm_digest *d, uint8_t out[static 32]);
void sm_digest_release(struct sm_digest *d);
/* The hash of one segment, for threads: n <= SM_SEGMENT. h is scratch. */
void sm_digest_segment(uint8_t out[static 32], struct sm_sha256 *h, uint64_t index, const void *p, size_t n);
/* From hashes of all segments to the digest. */
SM_CHECKED enum sm_err sm_digest_combine(uint8_t out[static 32], struct sm_sha256 *h, uint64_t total, const uint8_t *hashes, size_t n);

#endif
