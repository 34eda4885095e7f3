/* The segmented digest against the sentence in the format, computed at once over the whole. */
#include "tap.h"

#include "wire/digest.h"

#include <stdlib.h>
#include <string.h>

/* 0x01 | be64 total | SHA-256(0x00 | be64 i | segment i) ..., in one piece of memory. */
static void straightforward(uint8_t out[static 32], const uint8_t *p, size_t n)
{
	size_t segments = (n + SM_SEGMENT - 1) / SM_SEGMENT;
	uint8_t *root = malloc(9 + 32 * segments), *one = malloc(9 + SM_SEGMENT);
	if (!root || !one)
		abort();
	root[0] = 1;
	sm_put_be64(root + 1, n);
	for (size_t i = 0; i < segments; i++) {
		size_t len = n - i * SM_SEGMENT < SM_SEGMENT ? n - i * SM_SEGMENT : SM_SEGMENT;
		one[0] = 0;
		sm_put_be64(one + 1, i);
		memcpy(one + 9, p + i * SM_SEGMENT, len);
		sm_sha256(root + 9 + 32 * i, one, 9 + len);
	}
	sm_sha256(out, root, 9 + 32 * segments);
	free(root);
	free(one);
}

static bool in_pieces(const uint8_t *want, const uint8_t *p, size_t n, size_t piece)
{
	struct sm_digest d;
	uint8_t got[32];
	bool good = !sm_digest_init(&d);
	for (size_t i = 0; i < n && good; i += piece)
		good = !sm_digest_update(&d, p + i, n - i < piece ? n - i : piece);
	good = good && !sm_digest_final(&d, got) && !memcmp(got, want, 32) && d.segments.len == (n + SM_SEGMENT - 1) / SM_SEGMENT * 32;
	sm_digest_release(&d);
	return good;
}

static bool by_segments(const uint8_t *want, const uint8_t *p, size_t n)
{
	struct sm_sha256 h;
	uint8_t hashes[8 * 32], got[32];
	size_t count = 0;
	if (sm_sha256_init(&h))
		return false;
	for (size_t i = 0; i < n; i += SM_SEGMENT, count++)
		sm_digest_segment(hashes + 32 * count, &h, count, p + i, n - i < SM_SEGMENT ? n - i : SM_SEGMENT);
	bool good = !sm_digest_combine(got, &h, n, hashes, count) && !memcmp(got, want, 32) &&
	            sm_digest_combine(got, &h, n, hashes, count + 1) == SM_ERR_BUG;
	sm_sha256_release(&h);
	return good;
}

int main(void)
{
	static const size_t sizes[] = {0, 1, 1000, SM_SEGMENT - 1, SM_SEGMENT, SM_SEGMENT + 1, 2 * SM_SEGMENT, 3 * SM_SEGMENT + 4097};
	size_t max = 4 * SM_SEGMENT;
	uint8_t *p = malloc(max), want[32], other[32];
	if (!p)
		return 1;
	for (size_t i = 0; i < max; i++)
		p[i] = (uint8_t)(i * 31 + (i >> 9) + (i >> 17));
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = sizes[i];
		straightforward(want, p, n);
		ok(in_pieces(want, p, n, max), "%zu bytes at once", n);
		ok(in_pieces(want, p, n, 65521), "%zu bytes in pieces of 65521", n);
		ok(in_pieces(want, p, n, SM_SEGMENT), "%zu bytes in segments", n);
		ok(by_segments(want, p, n), "%zu bytes segment by segment", n);
		if (n) {
			p[n / 2] ^= 1;
			straightforward(other, p, n);
			ok(memcmp(other, want, 32) && !in_pieces(want, p, n, max), "%zu bytes, one bit changed", n);
			p[n / 2] ^= 1;
		}
	}
	straightforward(want, p, 1000);
	ok(in_pieces(want, p, 1000, 1), "byte by byte");
	free(p);
	return tap_done();
}
