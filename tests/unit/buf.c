/* The bounded buffer at its limits, and the cursor on short input. */
#include "base/buf.h"

#include "tap.h"

#include <string.h>

/* Asked by AddressSanitizer, where it is built in: an impossible malloc fails here as it does elsewhere. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

static void limits(void)
{
	struct sm_buf b;
	uint8_t *where, big[300];

	memset(big, 7, sizeof(big));
	sm_buf_init(&b, 100);
	ok(!b.data && b.len == 0 && b.cap == 0 && b.max == 100, "a new buffer holds no memory");
	ok(!sm_buf_add(&b, big, 100) && b.len == 100 && b.cap == 100, "up to its maximum");
	ok(sm_buf_add(&b, big, 1) == SM_ERR_LIMIT && b.len == 100, "not one byte more");
	ok(!sm_buf_add(&b, big, 0) && !sm_buf_add(&b, NULL, 0), "nothing still fits");
	ok(sm_buf_add_u8(&b, 1) && sm_buf_add_be16(&b, 1) && sm_buf_add_be32(&b, 1) && sm_buf_add_be64(&b, 1) && b.len == 100,
	   "nor a number");
	ok(sm_buf_adds(&b, "x") == SM_ERR_LIMIT && sm_buf_addf(&b, "%d", 1) == SM_ERR_LIMIT && b.len == 100, "nor text");
	ok(sm_buf_str(&b) && strlen(sm_buf_str(&b)) == 100, "a full buffer is still a string");
	where = big;
	ok(sm_buf_reserve(&b, SIZE_MAX, &where) == SM_ERR_LIMIT && where == big, "an impossible size sets nothing");
	sm_buf_consume(&b, 98);
	ok(sm_buf_add_be32(&b, 1) == SM_OK && b.len == 6, "room after consuming");
	sm_buf_release(&b);
	ok(!b.data && b.len == 0 && b.max == 100, "released");
	ok(!sm_buf_add(&b, "again", 5) && b.len == 5, "and of use again");
	sm_buf_release(&b);
	sm_buf_init(&b, 103);
	ok(!sm_buf_add(&b, big, 97) && sm_buf_add_lp(&b, big, 3) == SM_ERR_LIMIT && b.len == 97, "no half field at the end");
	ok(!sm_buf_add_lp(&b, big, 2) && b.len == 103, "a whole one fits");
	ok(sm_buf_add_lp(&b, big, (size_t)UINT32_MAX + 1) == SM_ERR_LIMIT && b.len == 103, "nor a field whose length is no be32");
	sm_buf_release(&b);
	sm_buf_init(&b, 0);
	ok(sm_buf_add(&b, "x", 1) == SM_ERR_LIMIT && sm_buf_str(&b) && *sm_buf_str(&b) == 0, "of no size at all");
	sm_buf_release(&b);
	sm_buf_init(&b, SIZE_MAX);
	ok(!sm_buf_add(&b, "x", 1) && sm_buf_reserve(&b, SIZE_MAX - 1, &where) == SM_ERR_LIMIT, "without a limit the address space is one");
	ok(sm_buf_reserve(&b, SIZE_MAX / 4, &where) == SM_ERR_NOMEM && b.len == 1 && b.data[0] == 'x', "out of memory leaves it as it was");
	sm_buf_release(&b);
	sm_buf_release(NULL);
	struct sm_buf zero = {0};
	sm_buf_release(&zero);
	sm_buf_clear(&zero);
	ok(zero.len == 0, "a zeroed buffer can be released and cleared");
}

static void growing(void)
{
	struct sm_buf b;
	bool good = true, inside = true;

	sm_buf_init(&b, 100000);
	for (int i = 0; i < 100000; i++) {
		good = good && !sm_buf_add_u8(&b, (uint8_t)(i * 7));
		inside = inside && b.len <= b.cap && b.cap <= b.max;
	}
	for (int i = 0; i < 100000; i++)
		good = good && b.data[i] == (uint8_t)(i * 7);
	ok(good && b.len == 100000, "byte by byte to the maximum");
	ok(inside, "len <= cap <= max all the way");
	uint8_t *old = b.data;
	size_t cap = b.cap;
	sm_buf_clear(&b);
	for (size_t i = 0; i < 100000; i++)
		good = good && b.data[i] == 0;
	ok(good && b.len == 0 && b.data == old && b.cap == cap, "clear wipes and keeps the memory");
	sm_buf_release(&b);
}

static void contents(void)
{
	struct sm_buf b;

	sm_buf_init(&b, 1000);
	bool good = !sm_buf_add_u8(&b, 0x01) && !sm_buf_add_be16(&b, 0x0203) && !sm_buf_add_be32(&b, 0x04050607) &&
	            !sm_buf_add_be64(&b, 0x08090a0b0c0d0e0f) && !sm_buf_add_lp(&b, "hi", 2);
	static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 2, 'h', 'i'};
	ok(good && b.len == sizeof(want) && memcmp(b.data, want, sizeof(want)) == 0, "numbers are big-endian");
	sm_buf_consume(&b, 15);
	ok(b.len == 6 && memcmp(b.data, want + 15, 6) == 0, "consume moves the rest down");
	for (int i = 6; i < 21; i++)
		good = good && b.data[i] == 0;
	ok(good, "and wipes what it leaves");
	sm_buf_consume(&b, 6);
	ok(b.len == 0 && !sm_buf_adds(&b, "a") && !sm_buf_addf(&b, "%s-%03d", "b", 7) && strcmp(sm_buf_str(&b), "ab-007") == 0, "text");
	for (int i = 0; i < 57; i++)
		good = good && !sm_buf_adds(&b, "x");
	ok(good && b.len == 63 && !sm_buf_addf(&b, "%s", "y") && b.len == 64 && strlen(sm_buf_str(&b)) == 64,
	   "formatted into the last byte");
	ok(!sm_buf_addf(&b, "%s", "") && b.len == 64, "formatting nothing");
	sm_buf_release(&b);
}

static void numbers(void)
{
	uint8_t p[8];
	sm_put_be64(p, UINT64_C(0xfedcba9876543210));
	ok(sm_get_be64(p) == UINT64_C(0xfedcba9876543210) && sm_get_be32(p) == 0xfedcba98 && sm_get_be16(p) == 0xfedc,
	   "read back unsigned");
}

static void spans(void)
{
	static const uint8_t bytes[] = {0, 1, 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 9, 'c'};
	struct sm_span s = {bytes, sizeof(bytes)}, lp = {NULL, 77}, line;
	const uint8_t *p = NULL;
	uint16_t v16 = 5;
	uint32_t v32 = 5;
	uint64_t v64 = 5;

	ok(sm_span_take_be16(&s, &v16) && v16 == 1 && s.n == 11, "be16");
	ok(sm_span_take_lp(&s, &lp) && lp.n == 2 && sm_span_equals(lp, "ab"), "lp");
	ok(!sm_span_take_lp(&s, &lp) && lp.n == 2 && s.n == 5, "an lp longer than the rest takes nothing, not even its length");
	ok(!sm_span_take_be64(&s, &v64) && v64 == 5 && s.n == 5, "short be64");
	ok(sm_span_take(&s, 3, &p) && p == bytes + 8 && !sm_span_take_be32(&s, &v32) && v32 == 5 && s.n == 2, "short be32");
	ok(sm_span_take(&s, 1, &p) && !sm_span_take_be16(&s, &v16) && v16 == 1 && s.n == 1, "short be16");
	ok(sm_span_take(&s, 1, &p) && *p == 'c' && !sm_span_take(&s, 1, &p) && sm_span_take(&s, 0, &p), "the end");
	ok(!sm_span_take(&s, SIZE_MAX, &p), "an impossible length");
	ok(!sm_span_take_lp(&s, &lp), "an lp from nothing");
	s = (struct sm_span){bytes, 8};
	ok(sm_span_take_be64(&s, &v64) && v64 == UINT64_C(0x0001000000026162) && s.n == 0, "be64");
	s = (struct sm_span){bytes, 4};
	ok(sm_span_take_be32(&s, &v32) && v32 == 0x00010000 && s.n == 0, "be32");
	s = (struct sm_span){(const uint8_t *)"one\n\nthree", 10};
	ok(sm_span_take_line(&s, &line) && sm_span_equals(line, "one"), "a line");
	ok(sm_span_take_line(&s, &line) && line.n == 0, "an empty line");
	ok(!sm_span_take_line(&s, &line) && s.n == 5, "no line without LF");
	ok(sm_span_starts(s, "thr") && sm_span_starts(s, "") && !sm_span_starts(s, "three!") && !sm_span_starts(s, "tx"), "starts");
	ok(sm_span_equals(s, "three") && !sm_span_equals(s, "thre") && !sm_span_equals(s, "threx"), "equals");
	s = (struct sm_span){NULL, 0};
	ok(!sm_span_take_line(&s, &line) && sm_span_equals(s, "") && sm_span_starts(s, "") && !sm_span_starts(s, "x") &&
	           sm_span_take(&s, 0, &p),
	   "an empty span of no memory");
}

int main(void)
{
	limits();
	growing();
	contents();
	numbers();
	spans();
	return tap_done();
}
