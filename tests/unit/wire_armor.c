/* Armor: what is written, what is read back, and that reading does not depend on how the input is cut. */
#include "tap.h"

#include "wire/armor.h"
#include "wire/header.h"

#include <stdlib.h>
#include <string.h>

#define LABEL SM_ARMOR_ENVELOPE
#define BEGIN "-----BEGIN SM ENVELOPE-----"
#define END "-----END SM ENVELOPE-----"
#define LINE "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v" /* bytes 0..47 */

static void pattern(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + (i >> 8));
}

static enum sm_err read_pieces(struct sm_buf *out, const char *label, const uint8_t *p, size_t n, size_t piece)
{
	struct sm_armor_reader r;
	enum sm_err e = SM_OK;
	sm_armor_reader_init(&r, label);
	for (size_t i = 0; i < n && !e; i += piece)
		e = sm_armor_read(&r, out, p + i, n - i < piece ? n - i : piece);
	return e ? e : sm_armor_read_end(&r);
}

/* The same answer, and on success the same bytes, for every size of piece. */
static bool reads(const char *text, size_t n, enum sm_err want, const uint8_t *data, size_t len)
{
	static const size_t pieces[] = {1, 2, 3, 7, 63, 64, 65, 66, 67, 130, 1000, 1000000};
	bool good = true;

	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		struct sm_buf out;
		sm_buf_init(&out, 1 << 20);
		enum sm_err e = read_pieces(&out, LABEL, (const uint8_t *)text, n, pieces[i]);
		if (e != want || (!want && (out.len != len || (len && memcmp(out.data, data, len))))) {
			printf("# pieces of %zu: %s\n", pieces[i], sm_err_text(e));
			good = false;
		}
		sm_buf_release(&out);
	}
	return good;
}

static void round_trips(void)
{
	uint8_t data[500];
	bool good = true, same = true;

	pattern(data, sizeof data);
	for (size_t n = 0; n <= sizeof data && good; n++) {
		struct sm_buf text, pieces;
		struct sm_armor_writer w;
		sm_buf_init(&text, 1 << 16);
		sm_buf_init(&pieces, 1 << 16);
		good = !sm_armor_encode(&text, LABEL, data, n) && reads((char *)text.data, text.len, SM_OK, data, n);
		sm_armor_writer_init(&w, LABEL);
		for (size_t i = 0, k = 1; i < n; i += k, k = k * 3 % 101 + 1)
			same = same && !sm_armor_write(&w, &pieces, data + i, n - i < k ? n - i : k);
		same = same && !sm_armor_finish(&w, &pieces) && pieces.len == text.len && !memcmp(pieces.data, text.data, text.len);
		sm_buf_release(&text);
		sm_buf_release(&pieces);
	}
	ok(good, "0..500 bytes come back, however the text is cut");
	ok(same, "the writer gives the same text for any pieces");
}

static void exact_text(void)
{
	uint8_t data[50];
	struct sm_buf b;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	sm_buf_init(&b, 1000);
	ok(!sm_armor_encode(&b, LABEL, data, 50) && sm_span_equals((struct sm_span){b.data, b.len}, BEGIN "\n" LINE "\nMDE=\n" END "\n"),
	   "64 columns, padding, LF");
	sm_buf_clear(&b);
	ok(!sm_armor_encode(&b, SM_ARMOR_SIGNATURE, data, 48) &&
	           sm_span_equals((struct sm_span){b.data, b.len}, "-----BEGIN SM SIGNATURE-----\n" LINE "\n-----END SM SIGNATURE-----\n"),
	   "a full last line and the other label");
	sm_buf_release(&b);
}

static const struct {
	const char *name, *text;
	enum sm_err want;
	const char *data;
} cases[] = {
        {"plain", BEGIN "\nYWJj\n" END "\n", SM_OK, "abc"},
        {"no newline after END", BEGIN "\nYWJj\n" END, SM_OK, "abc"},
        {"CRLF", BEGIN "\r\nYWJj\r\n" END "\r\n", SM_OK, "abc"},
        {"white space around", " \t\r\n\n" BEGIN "\nYWJj\n" END " \n\r\n\t\n", SM_OK, "abc"},
        {"newlines up to column 64 after a short line",
         BEGIN "\nYWJj\n" END "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", SM_OK, "abc"},
        {"nothing inside", BEGIN "\n" END "\n", SM_OK, ""},
        {"two pads", BEGIN "\nYQ==\n" END "\n", SM_OK, "a"},
        {"empty input", "", SM_ERR_ARMOR, NULL},
        {"white space only", " \n\n", SM_ERR_ARMOR, NULL},
        {"other label", "-----BEGIN SM SIGNATURE-----\nYWJj\n-----END SM SIGNATURE-----\n", SM_ERR_ARMOR, NULL},
        {"other END", BEGIN "\nYWJj\n-----END SM SIGNATURE-----\n", SM_ERR_ARMOR, NULL},
        {"space after BEGIN", BEGIN " \nYWJj\n" END "\n", SM_ERR_ARMOR, NULL},
        {"CR alone", BEGIN "\rYWJj\r" END "\r", SM_ERR_ARMOR, NULL},
        {"two CR", BEGIN "\r\r\nYWJj\n" END "\n", SM_ERR_ARMOR, NULL},
        {"two CR in the body", BEGIN "\nYWJj\r\r\n" END "\n", SM_ERR_ARMOR, NULL},
        {"empty line inside", BEGIN "\n\nYWJj\n" END "\n", SM_ERR_ARMOR, NULL},
        {"empty line after a full one", BEGIN "\n" LINE "\n\n" END "\n", SM_ERR_ARMOR, NULL},
        {"empty line alone", BEGIN "\n\n" END "\n", SM_ERR_ARMOR, NULL},
        {"CRLF alone", BEGIN "\r\n\r\n" END "\r\n", SM_ERR_ARMOR, NULL},
        {"empty line before END", BEGIN "\nYWJj\n\n" END "\n", SM_ERR_ARMOR, NULL},
        {"space before a line", BEGIN "\n YWJj\n" END "\n", SM_ERR_ARMOR, NULL},
        {"space after a line", BEGIN "\nYWJj \n" END "\n", SM_ERR_ARMOR, NULL},
        {"no padding", BEGIN "\nYQ\n" END "\n", SM_ERR_ARMOR, NULL},
        {"pad bits", BEGIN "\nYR==\n" END "\n", SM_ERR_ARMOR, NULL},
        {"padding alone", BEGIN "\n====\n" END "\n", SM_ERR_ARMOR, NULL},
        {"bytes after padding", BEGIN "\nYQ==YWJj\n" END "\n", SM_ERR_ARMOR, NULL},
        {"line after a short one", BEGIN "\nYWJj\nYWJj\n" END "\n", SM_ERR_ARMOR, NULL},
        {"line after a padded one of 64", BEGIN "\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4=\nYWJj\n" END "\n",
         SM_ERR_ARMOR, NULL},
        {"65 columns", BEGIN "\n" LINE "A\n" END "\n", SM_ERR_ARMOR, NULL},
        {"68 columns", BEGIN "\n" LINE "AAAA\n" END "\n", SM_ERR_ARMOR, NULL},
        {"60 columns and more lines", BEGIN "\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygp\n" LINE "\n" END "\n", SM_ERR_ARMOR,
         NULL},
        {"url-safe alphabet", BEGIN "\n__--\n" END "\n", SM_ERR_ARMOR, NULL},
        {"no LF before END", BEGIN "\nYWJj" END "\n", SM_ERR_ARMOR, NULL},
        {"text before", "x\n" BEGIN "\nYWJj\n" END "\n", SM_ERR_ARMOR, NULL},
        {"text after", BEGIN "\nYWJj\n" END "\nx", SM_ERR_ARMOR, NULL},
        {"twice", BEGIN "\nYWJj\n" END "\n" BEGIN "\nYWJj\n" END "\n", SM_ERR_ARMOR, NULL},
        {"lower case", "-----begin sm envelope-----\nYWJj\n-----end sm envelope-----\n", SM_ERR_ARMOR, NULL},
};

static void strictness(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(reads(cases[i].text, strlen(cases[i].text), cases[i].want, (const uint8_t *)cases[i].data,
		         cases[i].data ? strlen(cases[i].data) : 0),
		   "%s", cases[i].name);
	ok(reads(BEGIN "\nYW\0Jj\n" END "\n", sizeof(BEGIN "\nYW\0Jj\n" END "\n") - 1, SM_ERR_ARMOR, NULL, 0), "a zero byte");
}

static void truncation(void)
{
	uint8_t data[200];
	struct sm_buf text, out;
	bool good = true;

	pattern(data, sizeof data);
	sm_buf_init(&text, 1000);
	sm_buf_init(&out, 1000);
	if (sm_armor_encode(&text, LABEL, data, sizeof data))
		abort();
	for (size_t i = 0; i + 1 < text.len; i++) {
		good = good && sm_dearmor(&out, LABEL, text.data, i) == SM_ERR_ARMOR && !out.len;
		if (text.data[i] == '\n' || i + 28 > text.len)
			continue;
		uint8_t was = text.data[i];
		text.data[i] = '!';
		good = good && sm_dearmor(&out, LABEL, text.data, text.len) == SM_ERR_ARMOR && !out.len;
		text.data[i] = was;
	}
	ok(good, "cut anywhere, or any byte damaged: armor, and nothing in the buffer");
	sm_buf_release(&text);
	sm_buf_release(&out);
}

int main(void)
{
	exact_text();
	round_trips();
	strictness();
	truncation();
	return tap_done();
}
