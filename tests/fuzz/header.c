/* The header: what parses is canonical, so writing it gives the same bytes, and it ends where sm_header_find says. */
#include "check.h"

#include "wire/header.h"

#include <string.h>

static void valid(struct sm_header *h, const uint8_t *p, size_t n)
{
	uint8_t hh[32];
	struct sm_buf b;

	CHECK(h->nto <= SM_TO_MAX && h->nattach <= SM_ATTACH_MAX &&
	      (h->has_group ? !h->nto && h->nstanza == 1 : h->nstanza == h->nto && h->nto));
	for (size_t i = 0; i < h->nto; i++)
		CHECK(!h->to[i].has_fp || sm_header_find_to(h, h->to[i].fp) == (int)i);
	memcpy(hh, h->hh, sizeof hh);
	memset(h->hh, 0, sizeof h->hh);
	sm_buf_init(&b, SM_HEADER_MAX);
	CHECK(!sm_header_write(&b, h) && b.len == n && !memcmp(b.data, p, n) && !memcmp(hh, h->hh, sizeof hh));
	sm_buf_release(&b);
}

static void parse(const uint8_t *p, size_t n, bool found)
{
	struct sm_header h;
	unsigned line = 0;
	enum sm_err e = sm_header_parse(&h, &line, p, n);

	CHECK(!e || ((e == SM_ERR_HEADER || e == SM_ERR_SUITE) && line > 0));
	if (e)
		return;
	CHECK(found);
	valid(&h, p, n);
	sm_header_release(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t len = 0, again = 0;
	enum sm_err e;

	if (n > 1u << 20)
		return 0;
	e = sm_header_find(&len, p, n);
	CHECK(!e || e == SM_ERR_HEADER || e == SM_ERR_NOTFOUND);
	if (!e) {
		CHECK(len <= n && !sm_header_find(&again, p, len) && again == len && sm_header_find(&again, p, len - 1) == SM_ERR_NOTFOUND);
		parse(p, len, true);
	}
	parse(p, n, !e && len == n);
	return 0;
}
