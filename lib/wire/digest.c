/* The segmented digest, fed in pieces of any size. Whoever has several cores hashes whole segments with sm_digest_segment and
 * puts them together with sm_digest_combine; both ways give the same bytes. */
#include "wire/digest.h"

#include <string.h>

#define TAG_SEGMENT 0x00
#define TAG_ROOT 0x01
#define SEGMENTS_MAX ((size_t)1 << 36) /* bytes of hashes: 2^51 bytes of data */

static void start_segment(struct sm_sha256 *h, uint64_t index)
{
	uint8_t head[9] = {TAG_SEGMENT};
	sm_put_be64(head + 1, index);
	sm_sha256_reset(h);
	sm_sha256_update(h, head, sizeof head);
}

void sm_digest_segment(uint8_t out[static 32], struct sm_sha256 *h, uint64_t index, const void *p, size_t n)
{
	start_segment(h, index);
	sm_sha256_update(h, p, n);
	sm_sha256_final(h, out);
}

enum sm_err sm_digest_combine(uint8_t out[static 32], struct sm_sha256 *h, uint64_t total, const uint8_t *hashes, size_t n)
{
	uint8_t head[9] = {TAG_ROOT};

	if (n != total / SM_SEGMENT + (total % SM_SEGMENT != 0))
		return SM_ERR_BUG;
	sm_put_be64(head + 1, total);
	sm_sha256_reset(h);
	sm_sha256_update(h, head, sizeof head);
	sm_sha256_update(h, hashes, n * SM_HASH_LEN);
	sm_sha256_final(h, out);
	return SM_OK;
}

enum sm_err sm_digest_init(struct sm_digest *d)
{
	memset(d, 0, sizeof *d);
	sm_buf_init(&d->segments, SEGMENTS_MAX);
	return sm_sha256_init(&d->hash);
}

static enum sm_err finish_segment(struct sm_digest *d)
{
	uint8_t *out;
	enum sm_err e = sm_buf_reserve(&d->segments, SM_HASH_LEN, &out);
	if (e)
		return e;
	sm_sha256_final(&d->hash, out);
	d->segments.len += SM_HASH_LEN;
	return SM_OK;
}

enum sm_err sm_digest_update(struct sm_digest *d, const void *p, size_t n)
{
	const uint8_t *in = p;
	enum sm_err e;

	while (n) {
		size_t at = d->total % SM_SEGMENT, take = SM_SEGMENT - at < n ? SM_SEGMENT - at : n;
		if (!at)
			start_segment(&d->hash, d->total / SM_SEGMENT);
		sm_sha256_update(&d->hash, in, take);
		d->total += take;
		if (at + take == SM_SEGMENT && (e = finish_segment(d)))
			return e;
		in += take;
		n -= take;
	}
	return SM_OK;
}

enum sm_err sm_digest_final(struct sm_digest *d, uint8_t out[static 32])
{
	enum sm_err e;
	if (d->total % SM_SEGMENT && (e = finish_segment(d)))
		return e;
	return sm_digest_combine(out, &d->hash, d->total, d->segments.data, d->segments.len / SM_HASH_LEN);
}

void sm_digest_release(struct sm_digest *d)
{
	if (!d)
		return;
	sm_sha256_release(&d->hash);
	sm_buf_release(&d->segments);
	d->total = 0;
}
