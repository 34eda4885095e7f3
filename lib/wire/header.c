/* What both the reader and the writer of a header need: parties, where the header ends, and small questions about a parsed one. */
#include "wire/header.h"

#include "wire/lex.h"

#include <stdlib.h>
#include <string.h>

#define END "\n---\n"

enum sm_err sm_header_find(size_t *len, const uint8_t *p, size_t n)
{
	size_t look = n < SM_HEADER_MAX ? n : SM_HEADER_MAX, magic = strlen(SM_MAGIC);
	const uint8_t *end;

	if (n && memcmp(p, SM_MAGIC, n < magic ? n : magic))
		return SM_ERR_HEADER;
	if (look && (end = memmem(p, look, END, strlen(END)))) {
		*len = (size_t)(end - p) + strlen(END);
		return SM_OK;
	}
	return n < SM_HEADER_MAX ? SM_ERR_NOTFOUND : SM_ERR_HEADER;
}

bool sm_party_parse(struct sm_party *p, struct sm_span address, struct sm_span fp)
{
	struct sm_party got = {0};
	bool has_address = !sm_span_equals(address, "-");

	got.has_fp = !sm_span_equals(fp, "-");
	if (has_address && (!got.has_fp || sm_address_parse(&got.address, (const char *)address.p, address.n)))
		return false;
	if (got.has_fp && sm_fp_parse(got.fp, (const char *)fp.p, fp.n))
		return false;
	*p = got;
	return true;
}

enum sm_err sm_party_write(struct sm_buf *b, const struct sm_party *p)
{
	struct sm_address a;
	char fp[SM_FP_TEXT_LEN + 1] = "-";

	/* a struct that did not come from sm_address_parse must not be able to add words or lines */
	if (p->address.text[0] && (!p->has_fp || sm_address_parse(&a, p->address.text, strnlen(p->address.text, sizeof p->address.text))))
		return SM_ERR_HEADER;
	if (p->has_fp)
		sm_fp_format(fp, p->fp);
	return sm_buf_addf(b, "%s %s", p->address.text[0] ? p->address.text : "-", fp);
}

void sm_header_release(struct sm_header *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->nstanza; i++)
		free(h->stanza[i].body);
	free(h->stanza);
	free(h->to);
	memset(h, 0, sizeof *h);
}

bool sm_header_anonymous(const struct sm_header *h) { return !h->from.has_fp; }

int sm_header_find_to(const struct sm_header *h, const uint8_t fp[static SM_FP_LEN])
{
	for (size_t i = 0; i < h->nto; i++)
		if (h->to[i].has_fp && !memcmp(h->to[i].fp, fp, SM_FP_LEN))
			return (int)i;
	return -1;
}
