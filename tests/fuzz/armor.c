/* Armor: any cut of the input gives the same answer, and what was read is written and read again the same. The first byte chooses the
 * label and the size of the pieces, the rest is the text. */
#include "check.h"

#include "wire/armor.h"
#include "wire/header.h"

#include <string.h>

#define MAX (1u << 22)

static enum sm_err read_pieces(struct sm_buf *out, const char *label, const uint8_t *p, size_t n, size_t piece)
{
	struct sm_armor_reader r;
	enum sm_err e = SM_OK;
	sm_armor_reader_init(&r, label);
	for (size_t i = 0; i < n && !e; i += piece)
		e = sm_armor_read(&r, out, p + i, n - i < piece ? n - i : piece);
	return e ? e : sm_armor_read_end(&r);
}

static void write_pieces(const struct sm_buf *whole, const char *label, const uint8_t *p, size_t n, size_t piece)
{
	struct sm_armor_writer w;
	struct sm_buf b;
	sm_buf_init(&b, MAX);
	sm_armor_writer_init(&w, label);
	for (size_t i = 0; i < n; i += piece)
		CHECK(!sm_armor_write(&w, &b, p + i, n - i < piece ? n - i : piece));
	CHECK(!sm_armor_finish(&w, &b) && b.len == whole->len && !memcmp(b.data, whole->data, b.len));
	sm_buf_release(&b);
}

/* Bytes -> text -> the same bytes. */
static void encode(const char *label, const uint8_t *p, size_t n, size_t piece)
{
	struct sm_buf text, back;
	sm_buf_init(&text, MAX);
	sm_buf_init(&back, MAX);
	CHECK(!sm_armor_encode(&text, label, p, n) && !sm_dearmor(&back, label, text.data, text.len));
	CHECK(back.len == n && (!n || !memcmp(back.data, p, n)));
	write_pieces(&text, label, p, n, piece);
	sm_buf_release(&text);
	sm_buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!n || n > 1u << 20)
		return 0;
	const char *label = p[0] & 0x80 ? SM_ARMOR_SIGNATURE : SM_ARMOR_ENVELOPE;
	size_t piece = (p[0] & 0x7f) + 1u;
	struct sm_buf whole, cut;
	enum sm_err e, f;

	p++, n--;
	sm_buf_init(&whole, MAX);
	sm_buf_init(&cut, MAX);
	e = sm_dearmor(&whole, label, p, n);
	f = read_pieces(&cut, label, p, n, piece);
	CHECK(e == f && (!e || e == SM_ERR_ARMOR));
	if (e) {
		CHECK(!whole.len);
	} else {
		CHECK(whole.len == cut.len && (!cut.len || !memcmp(whole.data, cut.data, cut.len)));
		encode(label, whole.data, whole.len, piece);
	}
	encode(label, p, n, piece);
	sm_buf_release(&whole);
	sm_buf_release(&cut);
	return 0;
}
