/* Base64, base32 ids and hex. The base64 coder has two widths: 24 bytes <-> 32 characters with AVX2, and 6 bytes <-> 8
 * characters in one 64-bit word everywhere. Neither looks anything up in memory by its data, so neither leaks it through
 * the cache. The wide code takes whole blocks only; the word code does the rest and is the only one that sees an end. */
#include "base/base64_impl.h"

#include "base/secret.h"

#include <string.h>

#define EACH(v) (UINT64_C(0x0101010101010101) * (v)) /* v in each byte */
#define WORD_IN 6
#define WORD_OUT 8

/* One bit 7 for every byte of v (each below 128) that is at least k, 1 <= k <= 128. */
static inline uint64_t at_least(uint64_t v, unsigned k) { return (v + EACH(128 - k)) & EACH(0x80); }

/* 48 bits -> 8 sextets, the first in the highest byte. */
static inline uint64_t spread(uint64_t x)
{
	x = (x & UINT64_C(0xffffff000000)) << 8 | (x & UINT64_C(0xffffff));
	x = (x & UINT64_C(0x00fff00000fff000)) << 4 | (x & UINT64_C(0x00000fff00000fff));
	return (x & UINT64_C(0x0fc00fc00fc00fc0)) << 2 | (x & UINT64_C(0x003f003f003f003f));
}

static inline uint64_t unspread(uint64_t x)
{
	x = (x & UINT64_C(0x3f003f003f003f00)) >> 2 | (x & UINT64_C(0x003f003f003f003f));
	x = (x & UINT64_C(0x0fff00000fff0000)) >> 4 | (x & UINT64_C(0x00000fff00000fff));
	return (x & UINT64_C(0x00ffffff00000000)) >> 8 | (x & UINT64_C(0xffffff));
}

/* Sextets -> characters: start at 'A' and step to the next run of the alphabet at 26, 52, 62 and 63. No byte ever leaves
 * 0..255 on the way, so nothing carries into its neighbour. */
static inline uint64_t to_chars(uint64_t v)
{
	uint64_t c = v + EACH('A');
	c += (at_least(v, 26) >> 7) * 6;
	c -= (at_least(v, 52) >> 7) * 75;
	c -= (at_least(v, 62) >> 7) * 15;
	return c + (at_least(v, 63) >> 7) * 3;
}

/* Characters of one run of the alphabet -> their sextets, 0 elsewhere; marks them in *seen. */
static inline uint64_t run_values(uint64_t c, unsigned first, unsigned last, unsigned value, uint64_t *seen)
{
	uint64_t hit = at_least(c, first) & ~at_least(c, last + 1);
	uint64_t one = hit >> 7;
	*seen |= hit;
	return (c & (one * 0xff)) - one * first + one * value;
}

/* Characters -> sextets; *bad gets a bit for each byte that is not of the alphabet. */
static inline uint64_t to_sextets(uint64_t c, uint64_t *bad)
{
	uint64_t high = c & EACH(0x80), seen = 0;
	c &= EACH(0x7f);
	uint64_t v = run_values(c, 'A', 'Z', 0, &seen);
	v |= run_values(c, 'a', 'z', 26, &seen);
	v |= run_values(c, '0', '9', 52, &seen);
	v |= run_values(c, '+', '+', 62, &seen);
	v |= run_values(c, '/', '/', 63, &seen);
	*bad |= high | (seen ^ EACH(0x80));
	return v;
}

static inline void encode_word(char out[static WORD_OUT], const uint8_t in[static WORD_IN])
{
	uint64_t x = (uint64_t)sm_get_be32(in) << 16 | sm_get_be16(in + 4);
	uint8_t chars[WORD_OUT];
	sm_put_be64(chars, to_chars(spread(x)));
	memcpy(out, chars, sizeof(chars));
}

static inline void decode_word(uint8_t out[static WORD_IN], const char in[static WORD_OUT], uint64_t *bad)
{
	uint8_t chars[WORD_OUT];
	memcpy(chars, in, sizeof(chars));
	uint64_t x = unspread(to_sextets(sm_get_be64(chars), bad));
	sm_put_be32(out, (uint32_t)(x >> 16));
	sm_put_be16(out + 4, (uint16_t)x);
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx2")))
#define WIDE_IN 24
#define WIDE_OUT 32
#define TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

bool sm_base64_is_wide(void) { return __builtin_cpu_supports("avx2"); }

/* Four groups of three bytes in each half -> one sextet a byte. */
WIDE static inline __m256i spread_wide(__m256i x)
{
	/* each group b0 b1 b2 becomes b1 b0 b2 b1: two 16-bit words that hold two sextets each */
	x = _mm256_shuffle_epi8(x, TWICE(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
	__m256i even = _mm256_mulhi_epu16(_mm256_and_si256(x, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
	__m256i odd = _mm256_mullo_epi16(_mm256_and_si256(x, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
	return _mm256_or_si256(even, odd);
}

WIDE static inline __m256i to_chars_wide(__m256i v)
{
	/* what to add, by run: 0 is a-z, 1..10 the digits, 11 '+', 12 '/', 13 A-Z */
	const __m256i add = TWICE(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
	__m256i run = _mm256_subs_epu8(v, _mm256_set1_epi8(51));
	__m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), v);
	run = _mm256_or_si256(run, _mm256_and_si256(upper, _mm256_set1_epi8(13)));
	return _mm256_add_epi8(v, _mm256_shuffle_epi8(add, run));
}

/* Encodes as many whole blocks as there are; returns the bytes taken. */
WIDE static size_t encode_wide(char *out, const uint8_t *in, size_t n)
{
	const __m256i six = _mm256_setr_epi32(-1, -1, -1, -1, -1, -1, 0, 0);
	const __m256i halves = _mm256_setr_epi32(0, 1, 2, 6, 3, 4, 5, 6);
	size_t at = 0;

	for (; n - at >= WIDE_IN; at += WIDE_IN, out += WIDE_OUT) {
		/* a masked load: a plain one would read past the end of the last block */
		__m256i x = _mm256_maskload_epi32((const int *)(const void *)(in + at), six);
		x = _mm256_permutevar8x32_epi32(x, halves);
		_mm256_storeu_si256((__m256i *)(void *)out, to_chars_wide(spread_wide(x)));
	}
	return at;
}

/* Characters -> sextets; *bad collects a non-zero byte for every one that is not of the alphabet. */
WIDE static inline __m256i to_sextets_wide(__m256i c, __m256i *bad)
{
	/* A bit for each class of high digit, set in `low` where that class has no character with this low digit:
	 * 1: 0x2_ (only + and /), 2: 0x3_, 4: 0x4_ and 0x6_, 8: 0x5_ and 0x7_, 16: none at all. */
	const __m256i low = TWICE(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
	const __m256i high = TWICE(16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16);
	/* what to add, by high digit; '/' is moved from 2 to 1, apart from '+' */
	const __m256i add = TWICE(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i digit = _mm256_set1_epi8(0x0f);

	__m256i h = _mm256_and_si256(_mm256_srli_epi32(c, 4), digit);
	__m256i l = _mm256_and_si256(c, digit);
	__m256i wrong = _mm256_and_si256(_mm256_shuffle_epi8(high, h), _mm256_shuffle_epi8(low, l));
	__m256i slash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/'));
	*bad = _mm256_or_si256(*bad, wrong);
	return _mm256_add_epi8(c, _mm256_shuffle_epi8(add, _mm256_add_epi8(h, slash)));
}

/* 32 sextets -> 24 bytes at the front. */
WIDE static inline __m256i unspread_wide(__m256i v)
{
	__m256i pairs = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
	__m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
	groups = _mm256_shuffle_epi8(groups, TWICE(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
	return _mm256_permutevar8x32_epi32(groups, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

/* Decodes as many whole blocks as there are; returns the characters taken. */
WIDE static size_t decode_wide(uint8_t *out, const char *in, size_t n, uint64_t *bad)
{
	__m256i wrong = _mm256_setzero_si256();
	size_t at = 0;

	for (; n - at >= WIDE_OUT; at += WIDE_OUT, out += WIDE_IN) {
		__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(in + at));
		__m256i x = unspread_wide(to_sextets_wide(c, &wrong));
		_mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(x));
		_mm_storel_epi64((__m128i *)(void *)(out + 16), _mm256_extracti128_si256(x, 1));
	}
	if (!_mm256_testz_si256(wrong, wrong))
		*bad |= 1;
	return at;
}
#else
bool sm_base64_is_wide(void) { return false; }
static size_t encode_wide(char *out, const uint8_t *in, size_t n) { return (void)out, (void)in, (void)n, (size_t)0; }
static size_t decode_wide(uint8_t *out, const char *in, size_t n, uint64_t *bad)
{
	return (void)out, (void)in, (void)n, (void)bad, (size_t)0;
}
#endif

static size_t encode(char *out, const uint8_t *in, size_t n, bool padded, bool wide)
{
	size_t at = wide ? encode_wide(out, in, n) : 0;
	char *o = out + at / 3 * 4;

	for (; n - at >= WORD_IN; at += WORD_IN, o += WORD_OUT)
		encode_word(o, in + at);
	if (n > at) {
		uint8_t last[WORD_IN] = {0};
		char chars[WORD_OUT];
		memcpy(last, in + at, n - at);
		encode_word(chars, last);
		size_t k = SM_BASE64_LEN(n - at);
		memcpy(o, chars, k);
		o += k;
		sm_wipe(last, sizeof(last));
		sm_wipe(chars, sizeof(chars));
	}
	while (padded && (o - out) % 4)
		*o++ = '=';
	return (size_t)(o - out);
}

/* Takes the padding off n, or says that it is not the right one. */
static bool strip_padding(const char *in, size_t *n)
{
	size_t k = *n;

	if (k % 4)
		return false;
	for (int i = 0; i < 2 && k && in[k - 1] == '='; i++)
		k--;
	*n = k;
	return true;
}

static enum sm_err decode(uint8_t *out, size_t *outlen, const char *in, size_t n, bool padded, bool wide)
{
	uint64_t bad = 0;

	if ((padded && !strip_padding(in, &n)) || n % 4 == 1)
		return SM_ERR_FORMAT;
	size_t at = wide ? decode_wide(out, in, n, &bad) : 0;
	uint8_t *o = out + at / 4 * 3;
	for (; n - at >= WORD_OUT; at += WORD_OUT, o += WORD_IN)
		decode_word(o, in + at, &bad);
	if (n > at) {
		/* filled up with zero sextets: any bit behind the last whole byte is one that should have been zero */
		char chars[WORD_OUT] = "AAAAAAA";
		uint8_t last[WORD_IN];
		chars[WORD_OUT - 1] = 'A';
		memcpy(chars, in + at, n - at);
		decode_word(last, chars, &bad);
		size_t k = (n - at) * 3 / 4;
		for (size_t i = k; i < WORD_IN; i++)
			bad |= last[i];
		memcpy(o, last, k);
		o += k;
		sm_wipe(last, sizeof(last));
		sm_wipe(chars, sizeof(chars));
	}
	if (bad)
		return SM_ERR_FORMAT;
	*outlen = (size_t)(o - out);
	return SM_OK;
}

size_t sm_base64_encode(char *out, const uint8_t *in, size_t n, bool padded) { return encode(out, in, n, padded, sm_base64_is_wide()); }

size_t sm_base64_encode_portable(char *out, const uint8_t *in, size_t n, bool padded) { return encode(out, in, n, padded, false); }

enum sm_err sm_base64_decode(uint8_t *out, size_t *outlen, const char *in, size_t n, bool padded)
{
	return decode(out, outlen, in, n, padded, sm_base64_is_wide());
}

enum sm_err sm_base64_decode_portable(uint8_t *out, size_t *outlen, const char *in, size_t n, bool padded)
{
	return decode(out, outlen, in, n, padded, false);
}

enum sm_err sm_buf_add_base64(struct sm_buf *b, const uint8_t *in, size_t n)
{
	uint8_t *where;

	if (n > SIZE_MAX / 4 - 1)
		return SM_ERR_LIMIT;
	enum sm_err e = sm_buf_reserve(b, SM_BASE64_LEN(n), &where);
	if (e)
		return e;
	b->len += sm_base64_encode((char *)where, in, n, false);
	return SM_OK;
}

enum sm_err sm_buf_add_decoded64(struct sm_buf *b, const char *in, size_t n)
{
	/* exactly what n characters decode to, so that a buffer of the right size is enough */
	size_t room = n / 4 * 3 + n % 4 * 3 / 4, got;
	uint8_t *where;

	enum sm_err e = sm_buf_reserve(b, room, &where);
	if (e)
		return e;
	e = sm_base64_decode(where, &got, in, n, false);
	if (e) {
		sm_wipe(where, room);
		return e;
	}
	b->len += got;
	return SM_OK;
}

#define ID_BYTES 16
#define ID_CHARS 26

void sm_base32_id(char out[static 27], const uint8_t in[static 16])
{
	uint32_t bits = 0;
	int have = 0, at = 0;

	for (int i = 0; i < ID_CHARS; i++) {
		if (have < 5) {
			bits = bits << 8 | (at < ID_BYTES ? in[at] : 0);
			at++;
			have += 8;
		}
		have -= 5;
		out[i] = "abcdefghijklmnopqrstuvwxyz234567"[bits >> have & 31];
	}
	out[ID_CHARS] = '\0';
}

static int base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

enum sm_err sm_base32_id_parse(uint8_t out[static 16], const char *in, size_t n)
{
	uint8_t id[ID_BYTES];
	uint32_t bits = 0;
	int have = 0, at = 0;

	if (n != ID_CHARS)
		return SM_ERR_FORMAT;
	for (int i = 0; i < ID_CHARS; i++) {
		int v = base32_value(in[i]);
		if (v < 0)
			return SM_ERR_FORMAT;
		bits = bits << 5 | (uint32_t)v;
		have += 5;
		if (have >= 8) {
			have -= 8;
			id[at++] = (uint8_t)(bits >> have);
		}
	}
	if (bits & 3)
		return SM_ERR_FORMAT;
	memcpy(out, id, sizeof(id));
	return SM_OK;
}

void sm_hex(char *out, const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = "0123456789abcdef"[in[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[in[i] & 15];
	}
	out[2 * n] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum sm_err sm_hex_parse(uint8_t *out, size_t n, const char *in, size_t inlen)
{
	if (inlen % 2 || inlen / 2 != n)
		return SM_ERR_FORMAT;
	/* all of it is looked at before out is touched */
	for (size_t i = 0; i < inlen; i++)
		if (hex_value(in[i]) < 0)
			return SM_ERR_FORMAT;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(hex_value(in[2 * i]) << 4 | hex_value(in[2 * i + 1]));
	return SM_OK;
}
