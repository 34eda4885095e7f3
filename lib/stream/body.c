/* What sealing, opening and scanning agree on about a body's bytes. */
#include "stream/body.h"

#include <string.h>

void sm_body_context(uint8_t out[static SM_BODY_CONTEXT], const uint8_t hh[static SM_HASH_LEN])
{
	memcpy(out, "sm-envelope/1 body", 19); /* with its 0 */
	memcpy(out + 19, hh, SM_HASH_LEN);
}

void sm_attachment_context(struct sm_attachment_context *c, const char id[static SM_ID_LEN], uint32_t i)
{
	memcpy(c->bytes, "sm-envelope/1 attachment", 25); /* with its 0 */
	memcpy(c->bytes + 25, id, SM_ID_LEN);
	sm_put_be32(c->bytes + 25 + SM_ID_LEN, i);
}

/* All equal to the one before, and the first is 0. */
bool sm_is_zero(const uint8_t *p, size_t n) { return !n || (!*p && !memcmp(p, p + 1, n - 1)); }

enum sm_err sm_frames_walk(const uint8_t *p, size_t n, size_t *used, bool *last)
{
	size_t at = 0;

	*last = false;
	while (at < n && !*last) {
		if (n - at < 2)
			return SM_ERR_PAYLOAD;
		size_t len = sm_get_be16(p + at);
		if (len < SM_CHUNK_TAG || len > SM_CHUNK_SEALED || len > n - at - 2)
			return SM_ERR_PAYLOAD;
		at += 2 + len;
		*last = len < SM_CHUNK_SEALED;
	}
	*used = at;
	return SM_OK;
}
