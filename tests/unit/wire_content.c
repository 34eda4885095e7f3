/* The content: PADMÉ, names, fields, and where the padding starts. */
#include "tap.h"

#include "wire/content.h"

#include <stdlib.h>
#include <string.h>

#define ID "abcdefghijklmnopqrstuvwxya"
#define KEY "0123456789abcdefghijklmnopqrstuvwxyzABCDEFA"
#define LONG255                                                                                                                            \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx" \
	"yzabcdefgh"                                                                                                                       \
	"ijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz123456789012345678901"

static void padme(void)
{
	static const struct {
		uint64_t n, want;
	} known[] = {
	        {0, 0},
	        {1, 1},
	        {2, 2},
	        {3, 3},
	        {4, 4},
	        {7, 7},
	        {8, 8},
	        {9, 10},
	        {10, 10},
	        {15, 16},
	        {17, 18},
	        {31, 32},
	        {33, 36},
	        {100, 104},
	        {255, 256},
	        {256, 256},
	        {257, 272},
	        {1000, 1024},
	        {1025, 1088},
	        {65535, 65536},
	        {65537, 67584},
	        {1000000, 1015808},
	        {UINT64_C(1) << 40, UINT64_C(1) << 40},
	};
	bool grows = true, little = true, fixed = true;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		ok(sm_padme(known[i].n) == known[i].want, "padme(%llu) = %llu", (unsigned long long)known[i].n,
		   (unsigned long long)known[i].want);
	for (uint64_t n = 2, before = 1; n < 300000; n++) {
		uint64_t p = sm_padme(n);
		grows = grows && p >= n && p >= before;
		little = little && (p - n) * 100 <= n * 12;
		fixed = fixed && sm_padme(p) == p;
		before = p;
	}
	ok(grows, "never shrinks, and keeps order");
	ok(little, "adds at most 12 %%");
	ok(fixed, "a padded size stays");
	ok(sm_padme(UINT64_MAX) == UINT64_MAX, "what would not fit stays");
	ok(sm_content_total(5) == 256 && sm_content_total(256) == 256 && sm_content_total(257) == 272, "totals");
}

static void names(void)
{
	static const char *const good[] = {"a",        "...",  "..a", ".a", "a b", " ", "-rf", "a:b", "\xc3\xa4", "\xe2\x82\xac.txt",
	                                   "\xc2\xa0", LONG255};
	static const char *const bad[] = {"",
	                                  ".",
	                                  "..",
	                                  "a/b",
	                                  "/",
	                                  "a\\b",
	                                  "a\nb",
	                                  "\t",
	                                  "\x1b[2J",
	                                  "\x7f",
	                                  "\xc2\x80",
	                                  "\xc2\x9f",
	                                  "\xff",
	                                  "\xc3",
	                                  "\xc0\xaf",
	                                  "\xed\xa0\x80",
	                                  "\xf4\x90\x80\x80",
	                                  LONG255 "x"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ok(sm_filename_ok(good[i], strlen(good[i])), "good name %zu", i);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!sm_filename_ok(bad[i], strlen(bad[i])), "bad name %zu", i);
	ok(!sm_filename_ok("a\0b", 3), "a zero byte");
	ok(strlen(LONG255) == 255, "the long one is 255");
}

static const struct {
	const char *name, *text;
	bool good;
} cases[] = {
        {"none", "", true},
        {"all",
         "type text/plain\nname a b.txt\nsubject Gr\xc3\xbc\xc3\x9f"
         "e\nthread " ID "\nreply-to " ID "\noriginal " ID "\nattach 0 " KEY " 0 image/png x y\n",
         true},
        {"another order", "subject x\ntype text/plain\n", true},
        {"a type with parameters", "type text/plain; charset=utf-8\n", true},
        {"a value that begins with a space", "subject  x\n", true},
        {"two attachments", "attach 0 " KEY " 5 a/b x\nattach 1 " KEY " 9223372036854775807 a/b x\n", true},
        {"an unknown key", "colour red\n", false},
        {"a key in upper case", "Subject x\n", false},
        {"no LF at the end", "subject x", false},
        {"an empty line", "\n", false},
        {"an empty line after one", "subject x\n\n", false},
        {"no value", "subject\n", false},
        {"an empty value", "subject \n", false},
        {"no key", " x\n", false},
        {"a key twice", "subject x\nsubject y\n", false},
        {"type twice", "type a/b\ntype a/b\n", false},
        {"name twice", "name a\nname a\n", false},
        {"thread twice", "thread " ID "\nthread " ID "\n", false},
        {"CRLF", "subject x\r\n", false},
        {"a control character", "subject \x1b[m\n", false},
        {"a C1 control", "subject \xc2\x9b\n", false},
        {"DEL", "subject \x7f\n", false},
        {"not UTF-8", "subject \xe4\n", false},
        {"half a character", "subject \xe2\x82\n", false},
        {"overlong", "subject \xc0\x80\n", false},
        {"a surrogate", "subject \xed\xa0\x80\n", false},
        {"a name with /", "name a/b\n", false},
        {"a name with \\", "name a\\b\n", false},
        {"..", "name ..\n", false},
        {"a thread that is no id", "thread x\n", false},
        {"a thread with trailing bits", "thread abcdefghijklmnopqrstuvwxyb\n", false},
        {"a reply to nothing", "reply-to -\n", false},
        {"an original that is no id", "original x\n", false},
        {"an original in upper case", "original ABCDEFGHIJKLMNOPQRSTUVWXYA\n", false},
        {"an original twice", "original " ID "\noriginal " ID "\n", false},
        {"no original", "original \n", false},
        {"attachment 1 first", "attach 1 " KEY " 5 a/b x\n", false},
        {"attachment 0 twice", "attach 0 " KEY " 5 a/b x\nattach 0 " KEY " 5 a/b x\n", false},
        {"attachment 00", "attach 00 " KEY " 5 a/b x\n", false},
        {"a short key", "attach 0 0123 5 a/b x\n", false},
        {"a key with trailing bits", "attach 0 0123456789abcdefghijklmnopqrstuvwxyzABCDEFB 5 a/b x\n", false},
        {"a padded key", "attach 0 " KEY "= 5 a/b x\n", false},
        {"size 05", "attach 0 " KEY " 05 a/b x\n", false},
        {"size over 63 bits", "attach 0 " KEY " 9223372036854775808 a/b x\n", false},
        {"no name", "attach 0 " KEY " 5 a/b\n", false},
        {"an empty name", "attach 0 " KEY " 5 a/b \n", false},
        {"no type", "attach 0 " KEY " 5  x\n", false},
        {"a bad name", "attach 0 " KEY " 5 a/b ../x\n", false},
        {"a type not UTF-8", "attach 0 " KEY " 5 \xff x\n", false},
};

/* What f held before is given back when this succeeds. */
static enum sm_err parse(struct sm_fields *f, const char *s, size_t n)
{
	struct sm_fields old = *f;
	uint8_t *exact = malloc(n ? n : 1);
	if (!exact)
		abort();
	memcpy(exact, s, n);
	enum sm_err e = sm_fields_parse(f, exact, n);
	free(exact);
	if (!e)
		sm_fields_release(&old);
	return e;
}

static void fields(struct sm_fields *f)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum sm_err e = parse(f, cases[i].text, strlen(cases[i].text));
		ok(e == (cases[i].good ? SM_OK : SM_ERR_PAYLOAD), "fields: %s", cases[i].name);
	}
	ok(parse(f, "subject a\0b\n", 12) == SM_ERR_PAYLOAD, "fields: a zero byte");
	ok(!parse(f, cases[1].text, strlen(cases[1].text)) && !strcmp(f->type, "text/plain") && !strcmp(f->name, "a b.txt") &&
	           !strcmp(f->thread, ID) && !strcmp(f->reply_to, ID) && !strcmp(f->original, ID) && f->nattach == 1 &&
	           f->attach[0].size == 0 && !strcmp(f->attach[0].type, "image/png") && !strcmp(f->attach[0].name, "x y") &&
	           f->attach[0].key[0] == 0xd3,
	   "what the fields say");
	ok(parse(f, "subject \n", 9) && !strcmp(f->type, "text/plain"), "a failure leaves the output alone");
}

static void sizes(struct sm_fields *f)
{
	char *big = malloc(SM_FIELDS_MAX + 1);
	if (!big)
		abort();
	memset(big, 'x', SM_FIELDS_MAX + 1);
	memcpy(big, "subject ", 8);
	big[SM_FIELDS_MAX - 1] = '\n';
	ok(!parse(f, big, SM_FIELDS_MAX) && strlen(f->subject) == SM_FIELDS_MAX - 9, "64 KiB of fields");
	struct sm_buf b;
	sm_buf_init(&b, SM_FIELDS_MAX + 4);
	ok(!sm_fields_write(&b, f) && b.len == SM_FIELDS_MAX + 4 && !memcmp(b.data + 4, big, SM_FIELDS_MAX), "written again");
	sm_buf_release(&b);
	big[SM_FIELDS_MAX - 1] = 'x';
	big[SM_FIELDS_MAX] = '\n';
	ok(parse(f, big, SM_FIELDS_MAX + 1) == SM_ERR_PAYLOAD, "one byte more");
	free(big);
}

static void writing(struct sm_fields *f)
{
	struct sm_buf b;

	sm_buf_init(&b, 1 << 18);
	sm_fields_release(f);
	ok(!sm_fields_write(&b, f) && b.len == 4 && !memcmp(b.data, "\0\0\0", 4), "no fields");
	sm_buf_clear(&b);
	ok(!sm_fields_write(&b, NULL) && b.len == 4 && !memcmp(b.data, "\0\0\0", 4), "no struct at all");
	sm_buf_clear(&b);
	ok(!parse(f, cases[1].text, strlen(cases[1].text)) && !sm_fields_write(&b, f) && sm_get_be32(b.data) == strlen(cases[1].text) &&
	           sm_span_equals((struct sm_span){b.data + 4, b.len - 4}, cases[1].text),
	   "all of them, in order");
	sm_buf_clear(&b);
#define refuses_to_write(what, value)                                                                                                      \
	do {                                                                                                                               \
		sm_fields_release(f);                                                                                                      \
		what = value;                                                                                                              \
		ok(sm_fields_write(&b, f) == SM_ERR_FORMAT && !b.len, "does not write " #what " " #value);                                 \
	} while (0)
	refuses_to_write(f->subject, "a\nb");
	refuses_to_write(f->subject, "a\ntype x");
	refuses_to_write(f->subject, "\xff");
	refuses_to_write(f->name, "a/b");
	refuses_to_write(f->thread, "x");
	refuses_to_write(f->original, "x");
	refuses_to_write(f->type, "\t");
	sm_fields_release(f);
	f->nattach = 1;
	ok(sm_fields_write(&b, f) == SM_ERR_FORMAT && !b.len, "an attachment without type and name");
	f->attach[0].name = "x";
	f->attach[0].type = "a b";
	ok(sm_fields_write(&b, f) == SM_ERR_FORMAT && !b.len, "an attachment's type of two words");
	f->attach[0].type = "a/b";
	ok(!sm_fields_write(&b, f), "a good one");
	sm_buf_clear(&b);
	f->attach[0].size = UINT64_MAX;
	ok(sm_fields_write(&b, f) == SM_ERR_FORMAT && !b.len, "a size over 63 bits");
	sm_buf_release(&b);
}

/* l bytes, the last of them last, then zeros to total; fed in pieces. */
static enum sm_err unpad(uint64_t *l, size_t len, uint8_t last, size_t total, size_t piece)
{
	struct sm_unpad u = {0};
	uint8_t *p = calloc(1, total + 1);
	if (!p)
		abort();
	memset(p, 'x', len);
	if (len)
		p[len - 1] = last;
	for (size_t i = 0; i < total; i += piece)
		sm_unpad_update(&u, p + i, total - i < piece ? total - i : piece);
	free(p);
	return sm_unpad_final(&u, l);
}

static void padding(void)
{
	static const size_t pieces[] = {1, 3, 8, 13, 256, 100000};
	bool good = true, unpadded = true, other = true;
	uint64_t l = 0;

	for (size_t len = 5; len < 2000; len += len < 300 ? 1 : 97) {
		size_t total = (size_t)sm_content_total(len);
		for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
			good = good && !unpad(&l, len, 0x80, total, pieces[i]) && l == len - 1;
		unpadded = unpadded && !unpad(&l, len, 0x80, len, 64) && l == len - 1;
		other = other && unpad(&l, len, 0x80, total + 1, 64) == SM_ERR_PAYLOAD &&
		        (total - 1 <= len || unpad(&l, len, 0x80, total - 1, 64) == SM_ERR_PAYLOAD);
	}
	ok(good, "padded totals");
	ok(unpadded, "no padding");
	ok(other, "one byte more or less of padding");
	ok(unpad(&l, 100, 0x81, 256, 64) == SM_ERR_PAYLOAD, "another mark");
	ok(unpad(&l, 100, 'x', 256, 64) == SM_ERR_PAYLOAD, "no mark");
	ok(unpad(&l, 0, 0, 256, 64) == SM_ERR_PAYLOAD && unpad(&l, 0, 0, 0, 1) == SM_ERR_PAYLOAD, "only zeros, and nothing");
	ok(unpad(&l, 4, 0x80, 256, 64) == SM_ERR_PAYLOAD, "too short for the fields' length");
	struct sm_unpad u = {0};
	uint8_t zeros[64] = {1, 0, 0, 0, 0x80};
	sm_unpad_update(&u, zeros, sizeof zeros);
	zeros[0] = zeros[4] = 0;
	for (int i = 0; i < 3; i++)
		sm_unpad_update(&u, zeros, sizeof zeros);
	ok(!sm_unpad_final(&u, &l) && l == 4, "a mark pieces ago");
}

int main(void)
{
	struct sm_fields *f = calloc(1, sizeof *f);
	if (!f)
		return 1;
	padme();
	names();
	fields(f);
	sizes(f);
	writing(f);
	padding();
	sm_fields_release(f);
	free(f);
	return tap_done();
}
