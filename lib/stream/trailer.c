/* The end of an envelope, in constant memory. */
#include "stream/trailer.h"

#include "wire/digest.h"

#include <stdlib.h>
#include <string.h>

#define PIECE (256u << 10)

enum sm_err sm_record_read(struct sm_source *in, uint8_t sig[static UINT16_MAX], size_t *n)
{
	uint8_t length[2];
	size_t got;
	enum sm_err e;

	if ((e = sm_source_read(in, length, sizeof length, &got)))
		return e;
	if (got < sizeof length)
		return SM_ERR_PAYLOAD;
	*n = sm_get_be16(length);
	if ((e = sm_source_read(in, sig, *n, &got)))
		return e;
	return got == *n ? SM_OK : SM_ERR_PAYLOAD;
}

static enum sm_err blob_read(const struct sm_attach_line *line, struct sm_source *in, struct sm_sink *out, uint8_t *piece)
{
	struct sm_digest d = {0};
	uint8_t length[8], digest[SM_HASH_LEN];
	uint64_t left = line->bytes;
	size_t got;
	enum sm_err e;

	if ((e = sm_digest_init(&d)) || (e = sm_source_read(in, length, sizeof length, &got)))
		goto out;
	e = SM_ERR_PAYLOAD;
	if (got < sizeof length || sm_get_be64(length) != left || (out && (e = sm_sink_write(out, length, sizeof length))))
		goto out;
	while (left) {
		size_t want = left < PIECE ? (size_t)left : PIECE;
		if ((e = sm_source_read(in, piece, want, &got)))
			goto out;
		e = SM_ERR_PAYLOAD;
		if (got < want || (e = sm_digest_update(&d, piece, got)) || (out && (e = sm_sink_write(out, piece, got))))
			goto out;
		left -= got;
	}
	if (!(e = sm_digest_final(&d, digest)) && memcmp(digest, line->digest, sizeof digest))
		e = SM_ERR_PAYLOAD;
out:
	sm_digest_release(&d);
	return e;
}

enum sm_err sm_attachments_read(const struct sm_header *h, struct sm_source *in, struct sm_sink *out)
{
	uint8_t *piece = h->nattach ? malloc(PIECE) : NULL, more;
	size_t got;
	enum sm_err e = h->nattach && !piece ? SM_ERR_NOMEM : SM_OK;

	for (size_t i = 0; !e && i < h->nattach; i++)
		e = blob_read(&h->attach[i], in, out, piece);
	free(piece);
	if (e || (e = sm_source_read(in, &more, 1, &got)))
		return e;
	return got ? SM_ERR_PAYLOAD : SM_OK;
}
