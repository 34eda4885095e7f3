/* Base64 against a slow coder written from the RFC, the wide code against the portable one; base32 ids; hex. */
#include "base/base64_impl.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t seed = 1;
static uint8_t any_byte(void) { return (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24); }

static size_t slow_encode(char *out, const uint8_t *in, size_t n, bool padded)
{
	size_t k = 0;
	for (size_t bit = 0; bit < n * 8; bit += 6) {
		int v = 0;
		for (size_t i = bit; i < bit + 6; i++)
			v = v * 2 + (i < n * 8 ? in[i / 8] >> (7 - i % 8) & 1 : 0);
		out[k++] = alphabet[v];
	}
	while (padded && k % 4)
		out[k++] = '=';
	return k;
}

/* The contract, word for word: what does not re-encode to the same characters is refused. */
static bool slow_decode(uint8_t *out, size_t *outlen, const char *in, size_t n, bool padded)
{
	char again[1024];
	size_t digits = n, got = 0, have = 0;
	unsigned bits = 0;

	while (padded && digits && in[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < digits; i++) {
		const char *at = in[i] ? strchr(alphabet, in[i]) : NULL;
		if (!at)
			return false;
		bits = bits << 6 | (unsigned)(at - alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[got++] = (uint8_t)(bits >> have);
		}
	}
	*outlen = got;
	return slow_encode(again, out, got, padded) == n && memcmp(again, in, n) == 0;
}

typedef enum sm_err decoder(uint8_t *, size_t *, const char *, size_t, bool);

static enum sm_err quick(uint8_t *out, size_t *outlen, const char *in, size_t n, bool padded)
{
	return sm_base64_decode(out, outlen, in, n, padded);
}

static enum sm_err portable(uint8_t *out, size_t *outlen, const char *in, size_t n, bool padded)
{
	return sm_base64_decode_portable(out, outlen, in, n, padded);
}

/* One decoder does as the slow one; memory of exactly the size, so that a checker sees every byte too many. */
static bool same_verdict(decoder *fn, const char *in, size_t n, bool padded)
{
	uint8_t want[1024];
	size_t wantlen = 0, gotlen = 12345;
	const bool good = slow_decode(want, &wantlen, in, n, padded);
	uint8_t *out = malloc(n / 4 * 3 + 3);
	char *copy = calloc(n ? n : 1, 1);

	if (n)
		memcpy(copy, in, n);
	enum sm_err e = fn(out, &gotlen, copy, n, padded);
	bool same = good ? e == SM_OK && gotlen == wantlen && memcmp(out, want, wantlen) == 0 : e == SM_ERR_FORMAT && gotlen == 12345;
	free(copy);
	free(out);
	return same;
}

static bool all_agree(const char *in, size_t n)
{
	return same_verdict(quick, in, n, false) && same_verdict(quick, in, n, true) && same_verdict(portable, in, n, false) &&
	       same_verdict(portable, in, n, true);
}

static bool encodes_alike(const uint8_t *bytes, size_t n, bool padded)
{
	char want[512];
	size_t room = padded ? SM_BASE64_PADDED_LEN(n) : SM_BASE64_LEN(n);
	uint8_t *in = calloc(n ? n : 1, 1);
	char *a = malloc(room ? room : 1), *b = malloc(room ? room : 1);

	if (n)
		memcpy(in, bytes, n);
	size_t k = slow_encode(want, in, n, padded);
	bool same = k == room && sm_base64_encode(a, in, n, padded) == k && sm_base64_encode_portable(b, in, n, padded) == k &&
	            memcmp(a, want, k) == 0 && memcmp(b, want, k) == 0 && same_verdict(quick, a, k, padded) &&
	            same_verdict(portable, b, k, padded);
	/* and the other kind of padding is refused unless it makes no difference */
	same = same && same_verdict(quick, a, k, !padded) && same_verdict(portable, a, k, !padded);
	free(in);
	free(a);
	free(b);
	return same;
}

static void lengths(void)
{
	uint8_t bytes[300];
	int bad = 0;

	for (size_t n = 0; n <= sizeof(bytes); n++) {
		for (size_t i = 0; i < n; i++)
			bytes[i] = any_byte();
		bad += !encodes_alike(bytes, n, false) + !encodes_alike(bytes, n, true);
	}
	ok(bad == 0, "every length from 0 to 300, both widths, with and without padding");
	for (size_t i = 0; i < 300; i++)
		bytes[i] = (uint8_t)i;
	memset(bytes + 256, 0xff, 44);
	ok(encodes_alike(bytes, 300, true), "every byte value");
}

static void short_inputs(void)
{
	/* both sides of every edge of the alphabet, and what other decoders put up with */
	static const char odd[] = "AZ@[az`{09/:+,.*=-_ \n\r\t\x7f\x80\xff\xc1ghwB";
	const size_t k = sizeof(odd); /* the final zero byte too */
	char s[4];
	int bad = !all_agree("", 0);

	for (int a = 0; a < 256; a++) {
		s[0] = (char)a;
		bad += !all_agree(s, 1);
		for (int b = 0; b < 256; b++) {
			s[1] = (char)b;
			bad += !all_agree(s, 2);
		}
	}
	ok(bad == 0, "every input of 0 to 2 bytes");
	bad = 0;
	for (size_t i = 0; i < k * k * k; i++) {
		s[0] = odd[i / k / k], s[1] = odd[i / k % k], s[2] = odd[i % k];
		bad += !all_agree(s, 3);
		for (size_t j = 0; j < k; j += 1 + i % 3) {
			s[3] = odd[j];
			bad += !all_agree(s, 4);
		}
	}
	ok(bad == 0, "three and four bytes around every edge of the alphabet");
	bad = 0;
	for (int a = 0; a < 64; a++) {
		for (int b = 0; b < 64; b++) {
			s[0] = alphabet[a], s[1] = alphabet[b], s[2] = s[3] = '=';
			bad += !all_agree(s, 2) + !all_agree(s, 3) + !all_agree(s, 4);
			s[0] = 'A', s[1] = alphabet[a], s[2] = alphabet[b];
			bad += !all_agree(s, 3) + !all_agree(s, 4);
		}
	}
	ok(bad == 0, "all trailing bits");
}

/* One wrong byte anywhere in an input that both the wide and the word code work on. */
static void wrong_byte(void)
{
	enum { N = 76 };
	char s[N];
	int bad = 0;

	for (size_t at = 0; at < N; at++)
		for (int v = 0; v < 256; v++) {
			for (size_t i = 0; i < N; i++)
				s[i] = alphabet[any_byte() & 63];
			s[at] = (char)v;
			bad += !same_verdict(quick, s, N, false) + !same_verdict(portable, s, N, true);
		}
	ok(bad == 0, "every byte value at every place of %d characters", N);
}

static void named_errors(void)
{
	static const struct {
		const char *text;
		bool padded;
	} bad[] = {
	        {"Zg", true},    {"Zg=", true},   {"Zg===", true},    {"Zg==", false},   {"Zh==", true},
	        {"Zm9=", true},  {"Zm9", false},  {"Zg==Zg==", true}, {"Z===", true},    {"====", true},
	        {"=", false},    {"A", false},    {"AAAAA", false},   {"Zm9v\n", false}, {"Zm9v ", false},
	        {"Zm-v", false}, {"Zm_v", false}, {"Zm9vYg=", true},  {" Zm9v", false},
	};
	uint8_t out[16];
	size_t got = 7;
	char room[8];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(sm_base64_decode(out, &got, bad[i].text, strlen(bad[i].text), bad[i].padded) == SM_ERR_FORMAT && got == 7,
		   "refuses case %zu", i);
	ok(!sm_base64_decode(out, &got, "Zm9vYmE=", 8, true) && got == 5 && memcmp(out, "fooba", 5) == 0, "RFC 4648: fooba");
	ok(sm_base64_encode(room, (const uint8_t *)"foob", 4, true) == 8 && memcmp(room, "Zm9vYg==", 8) == 0, "RFC 4648: foob");
}

static void buffers(void)
{
	struct sm_buf b;
	sm_buf_init(&b, 8);
	ok(!sm_buf_add_base64(&b, (const uint8_t *)"foobar", 6) && b.len == 8 && memcmp(b.data, "Zm9vYmFy", 8) == 0,
	   "into a buffer that is just large enough");
	ok(sm_buf_add_base64(&b, (const uint8_t *)"f", 1) == SM_ERR_LIMIT && b.len == 8, "not past its maximum");
	sm_buf_release(&b);
	sm_buf_init(&b, 7);
	ok(!sm_buf_add_decoded64(&b, "Zm9vYmE", 7) && b.len == 5, "decoded into a buffer");
	ok(sm_buf_add_decoded64(&b, "Zh", 2) == SM_ERR_FORMAT && b.len == 5, "a bad text adds nothing");
	ok(sm_buf_add_decoded64(&b, "Zm9v", 4) == SM_ERR_LIMIT && b.len == 5, "three bytes do not fit in two");
	ok(!sm_buf_add_decoded64(&b, "Zm8", 3) && b.len == 7, "two do");
	ok(!sm_buf_add_decoded64(&b, "", 0) && !sm_buf_add_base64(&b, NULL, 0) && b.len == 7, "nothing adds nothing");
	ok(sm_buf_add_base64(&b, (const uint8_t *)"", SIZE_MAX) == SM_ERR_LIMIT, "an impossible length is a limit, not an overflow");
	sm_buf_release(&b);
}

static void ids(void)
{
	uint8_t id[16], back[16];
	char text[27];
	int bad = 0;

	memset(id, 0, 16);
	sm_base32_id(text, id);
	ok(strcmp(text, "aaaaaaaaaaaaaaaaaaaaaaaaaa") == 0, "the zero id");
	memset(id, 0xff, 16);
	sm_base32_id(text, id);
	ok(strcmp(text, "77777777777777777777777774") == 0, "the highest id");
	sm_base32_id(text, (const uint8_t *)"foobarfoobarfoob");
	ok(strcmp(text, "mzxw6ytbojtg633cmfzgm33pmi") == 0, "as RFC 4648 has it, in lower case");
	for (int i = 0; i < 1000; i++) {
		for (int j = 0; j < 16; j++)
			id[j] = any_byte();
		sm_base32_id(text, id);
		bad += sm_base32_id_parse(back, text, 26) != SM_OK || memcmp(id, back, 16) != 0;
	}
	ok(bad == 0, "ids come back");
	for (int at = 0; at < 26; at++)
		for (int v = 0; v < 256; v++) {
			char s[27] = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
			s[at] = (char)v;
			const char *digit = v ? strchr("abcdefghijklmnopqrstuvwxyz234567", v) : NULL;
			bool good = digit && (at < 25 || strchr("aeimquy4", v));
			bad += (sm_base32_id_parse(back, s, 26) == SM_OK) != good;
		}
	ok(bad == 0, "every byte value at every place, and the last two bits");
	memset(back, 9, 16);
	ok(sm_base32_id_parse(back, text, 25) == SM_ERR_FORMAT && sm_base32_id_parse(back, text, 27) == SM_ERR_FORMAT && back[0] == 9,
	   "of 26 characters only");
}

static void hex(void)
{
	uint8_t all[256], back[256];
	char text[513];
	int bad = 0;

	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	sm_hex(text, all, 256);
	ok(strlen(text) == 512 && strncmp(text, "000102", 6) == 0 && strcmp(text + 506, "fdfeff") == 0, "hex");
	ok(!sm_hex_parse(back, 256, text, 512) && memcmp(all, back, 256) == 0, "and back");
	for (int v = 0; v < 256; v++) {
		char a[2] = {(char)v, '0'}, b[2] = {'0', (char)v};
		bool good = v && strchr("0123456789abcdef", v);
		bad += (sm_hex_parse(back, 1, a, 2) == SM_OK) != good || (sm_hex_parse(back, 1, b, 2) == SM_OK) != good;
	}
	ok(bad == 0, "lower-case digits and nothing else");
	ok(sm_hex_parse(back, 2, "abc", 3) && sm_hex_parse(back, 2, "abcdef", 6) && sm_hex_parse(back, 1, "a", 1) &&
	           sm_hex_parse(back, 1, "", 0),
	   "of the right length only");
	ok(!sm_hex_parse(back, 0, "", 0), "nothing is nothing");
	back[0] = 1;
	ok(sm_hex_parse(back, 2, "ffx0", 4) && back[0] == 1, "a bad end leaves the output alone");
}

int main(void)
{
	if (!sm_base64_is_wide())
		tap_skip("the wide coder: this machine has no AVX2");
	lengths();
	short_inputs();
	wrong_byte();
	named_errors();
	buffers();
	ids();
	hex();
	return tap_done();
}
