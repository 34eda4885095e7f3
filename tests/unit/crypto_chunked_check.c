/* What the first pass of opening does with most chunks: the tag without the plaintext, and parts of the plaintext. Against sealing. */
#include "tap.h"

#include "crypto/chunked.h"

#include <string.h>

static const uint8_t key[32] = {1}, salt[SM_CHUNKED_SALT] = {2};
static uint8_t plain[SM_CHUNK], sealed[SM_CHUNK_SEALED], out[SM_CHUNK];

static void fill(unsigned seed)
{
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)((seed = seed * 1103515245u + 12345u) >> 16);
}

static void right_ones(struct sm_chunked *s, struct sm_chunked *o)
{
	static const uint64_t index[] = {0, 1, 31, 255, 256, UINT64_C(1) << 33, SM_CHUNKED_MAX - 1};

	for (size_t i = 0; i < sizeof index / sizeof *index; i++) {
		fill((unsigned)i);
		ok(!sm_chunked_seal(s, index[i], sealed, plain, SM_CHUNK) && !sm_chunked_check(o, index[i], sealed), "chunk %llu",
		   (unsigned long long)index[i]);
		ok(sm_chunked_check(o, index[i] ? index[i] - 1 : 1, sealed) == SM_ERR_PAYLOAD, "under its neighbour's number");
	}
	ok(sm_chunked_check(o, SM_CHUNKED_MAX, sealed) == SM_ERR_LIMIT, "a number too high");
	ok(sm_chunked_check(s, 0, sealed) == SM_ERR_BUG, "the sealing end does not check");
}

/* Every bit of the tag, and bits all over the ciphertext. */
static unsigned flips_that_pass(struct sm_chunked *o, uint64_t index)
{
	unsigned passed = 0;

	for (size_t i = 0; i < sizeof sealed; i += i < SM_CHUNK ? 61 : 1)
		for (unsigned bit = 0; bit < 8; bit++) {
			sealed[i] ^= (uint8_t)(1u << bit);
			passed += sm_chunked_check(o, index, sealed) != SM_ERR_PAYLOAD;
			sealed[i] ^= (uint8_t)(1u << bit);
		}
	return passed;
}

static void wrong_ones(struct sm_chunked *s)
{
	struct sm_chunked o = {0};

	fill(7);
	ok(!sm_chunked_open_init(&o, key, salt, "c", 1) && !sm_chunked_seal(s, 5, sealed, plain, SM_CHUNK), "another reader");
	sealed[3] ^= 1;
	ok(sm_chunked_check(&o, 5, sealed) == SM_ERR_PAYLOAD && sm_chunked_check(&o, 5, sealed) == SM_ERR_PAYLOAD,
	   "a wrong chunk first: refused, and nothing learned from it");
	sealed[3] ^= 1;
	ok(!sm_chunked_check(&o, 5, sealed), "then the right one");
	ok(flips_that_pass(&o, 5) == 0, "no flipped bit passes");
	ok(!sm_chunked_check(&o, 5, sealed), "and the right one still does");
	sm_chunked_release(&o);
	ok(!o.ctx && !o.ctr && !o.delta_known, "released is empty");
}

static void parts(struct sm_chunked *s, struct sm_chunked *o)
{
	static const size_t part[][2] = {{0, SM_CHUNK}, {0, 1}, {16, 100}, {SM_CHUNK - 64, 64}, {4096, 8192}, {SM_CHUNK, 0}, {32, 0}};
	const uint64_t index = UINT64_C(77) << 30;

	fill(9);
	ok(!sm_chunked_seal(s, index, sealed, plain, SM_CHUNK), "a chunk to look into");
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		size_t from = part[i][0], n = part[i][1];
		memset(out, 0xaa, sizeof out);
		ok(!sm_chunked_reveal(o, index, out, sealed, from, n) && !memcmp(out, plain + from, n) && (n == SM_CHUNK || out[n] == 0xaa),
		   "%zu bytes from %zu", n, from);
	}
	ok(sm_chunked_reveal(o, index, out, sealed, 8, 8) == SM_ERR_BUG, "not from within a block");
	ok(sm_chunked_reveal(o, index, out, sealed, 16, SM_CHUNK) == SM_ERR_BUG, "not beyond the chunk");
	ok(sm_chunked_reveal(s, index, out, sealed, 0, 16) == SM_ERR_BUG, "not at the sealing end");
	ok(!sm_chunked_reveal(o, index, sealed + 64, sealed, 64, SM_CHUNK - 64) && !memcmp(sealed + 64, plain + 64, SM_CHUNK - 64),
	   "in place");
}

int main(void)
{
	struct sm_chunked s = {0}, o = {0};

	if (ok(!sm_chunked_seal_init(&s, key, salt, "c", 1) && !sm_chunked_open_init(&o, key, salt, "c", 1), "both ends start")) {
		right_ones(&s, &o);
		wrong_ones(&s);
		parts(&s, &o);
	}
	sm_chunked_release(&s);
	sm_chunked_release(&o);
	return tap_done();
}
