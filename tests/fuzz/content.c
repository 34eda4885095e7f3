/* The fields: what parses is written and read back the same, whatever order it came in. The padding: any cut of the plaintext gives the
 * same answer, and what it says is true. */
#include "check.h"

#include "wire/content.h"

#include <string.h>

static void fields(const uint8_t *p, size_t n)
{
	struct sm_fields *f = calloc(1, sizeof *f), *again = calloc(1, sizeof *again);
	struct sm_buf b, c;
	enum sm_err e;

	CHECK(f && again);
	sm_buf_init(&b, SM_FIELDS_MAX + 4);
	sm_buf_init(&c, SM_FIELDS_MAX + 4);
	e = sm_fields_parse(f, p, n);
	CHECK(!e || e == SM_ERR_PAYLOAD);
	if (!e) {
		/* every line is there, so only their order may differ */
		CHECK(!sm_fields_write(&b, f) && b.len == n + 4 && sm_get_be32(b.data) == n);
		CHECK(!sm_fields_parse(again, b.data + 4, n) && f->nattach == again->nattach);
		CHECK(!sm_fields_write(&c, again) && c.len == b.len && !memcmp(b.data, c.data, c.len));
	}
	sm_buf_release(&b);
	sm_buf_release(&c);
	sm_fields_release(f);
	sm_fields_release(again);
	free(f);
	free(again);
}

static void padding(const uint8_t *p, size_t n, size_t piece)
{
	struct sm_unpad whole = {0}, cut = {0};
	uint64_t l = 0, m = 0;
	enum sm_err e, f;

	sm_unpad_update(&whole, p, n);
	for (size_t i = 0; i < n; i += piece)
		sm_unpad_update(&cut, p + i, n - i < piece ? n - i : piece);
	e = sm_unpad_final(&whole, &l);
	f = sm_unpad_final(&cut, &m);
	CHECK(e == f && l == m);
	if (e)
		return;
	CHECK(l >= 4 && l < n && p[l] == 0x80 && (n == l + 1 || n == sm_content_total(l + 1)));
	for (size_t i = l + 1; i < n; i++)
		CHECK(!p[i]);
}

static void padme(const uint8_t *p, size_t n)
{
	uint8_t raw[8] = {0};
	memcpy(raw, p, n < 8 ? n : 8);
	uint64_t size = sm_get_be64(raw), padded = sm_padme(size);
	CHECK(padded >= size && padded - size <= size / 8 && sm_padme(padded) == padded);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!n || n > 1u << 17)
		return 0;
	fields(p, n);
	padding(p + 1, n - 1, p[0] + 1u);
	padme(p, n);
	if (n <= 255)
		(void)sm_filename_ok((const char *)p, n);
	return 0;
}
