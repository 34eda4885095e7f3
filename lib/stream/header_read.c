/* Looks further and further ahead until the header is whole; most are within the first look. */
#include "stream/header_read.h"

enum sm_err sm_header_read(struct sm_header *h, unsigned *line, struct sm_source *in, struct sm_buf *raw)
{
	const uint8_t *p;
	size_t n, len, want = 4096;
	enum sm_err e;

	for (;; want *= 2) {
		if ((e = sm_source_peek(in, want, &p, &n)))
			return e;
		e = sm_header_find(&len, p, n);
		if (e != SM_ERR_NOTFOUND || n < want || n > SM_HEADER_MAX)
			break;
	}
	/* One that never ends is parsed all the same: an unknown suite is said before a missing end. */
	if (e)
		return (e = sm_header_parse(h, line, p, n < SM_HEADER_MAX ? n : SM_HEADER_MAX)) ? e : SM_ERR_HEADER;
	if ((e = sm_header_parse(h, line, p, len)))
		return e;
	if (raw && (e = sm_buf_add(raw, p, len))) {
		sm_header_release(h);
		return e;
	}
	sm_source_skip(in, len);
	return SM_OK;
}
