/* Follows an envelope's framing without any key: what smsign signs and smsend checks before it sends. */
#include "stream/resign.h"

#include "stream/block.h"
#include "stream/header_read.h"
#include "stream/pipeline.h"
#include "stream/trailer.h"

#include <errno.h>
#include <string.h>

struct scan {
	struct sm_source *in;
	struct sm_sink *out;
	struct sm_segmenter segmenter;
};

static enum sm_err block_new(void *ctx, void **block)
{
	struct sm_block *b;
	enum sm_err e = sm_block_new(&b, true, &((struct scan *)ctx)->segmenter);

	if (!e)
		*block = b;
	return e;
}

static enum sm_err block_read(void *ctx, void *block, uint64_t index, bool *last)
{
	struct scan *s = ctx;
	struct sm_block *b = block;
	size_t head = sm_block_head(index), want = head + SM_BLOCK_WIRE, got, used;
	enum sm_err e;

	b->index = index;
	if ((e = sm_source_read(s->in, b->wire, want, &got)))
		return e;
	if (got < head)
		return SM_ERR_PAYLOAD;
	if ((e = sm_frames_walk(b->wire + head, got - head, &used, &b->last)))
		return e;
	b->nwire = head + used;
	if (!b->last && got < want)
		return SM_ERR_PAYLOAD;
	*last = b->last;
	sm_block_hashable(b);
	return sm_source_unread(s->in, b->wire + b->nwire, got - b->nwire);
}

static enum sm_err block_write(void *ctx, void *block)
{
	struct scan *s = ctx;
	struct sm_block *b = block;
	enum sm_err e = sm_segments_collect(&b->segments);

	return e || !s->out ? e : sm_sink_write(s->out, b->wire, b->nwire);
}

static const struct sm_pipeline pipeline = {block_new,     sm_block_free,      block_read, sm_block_hash,
                                            sm_block_link, sm_block_hash_rest, block_write};

static enum sm_err put_signature(struct sm_sink *out, const uint8_t *sig, size_t n)
{
	uint8_t length[2];
	enum sm_err e;

	sm_put_be16(length, (uint16_t)n);
	return (e = sm_sink_write(out, length, sizeof length)) ? e : sm_sink_write(out, sig, n);
}

static enum sm_err take_header(struct sm_header *h, unsigned *line, const struct scan *s, const struct sm_identity *signer)
{
	struct sm_buf raw;
	enum sm_err e;

	sm_buf_init(&raw, SM_HEADER_MAX);
	if (!(e = sm_header_read(h, line, s->in, &raw))) {
		if (signer && !(h->from.has_fp && !memcmp(h->from.fp, signer->pub.fp, SM_FP_LEN) && h->suite == signer->pub.suite))
			e = SM_ERR_POLICY;
		else if (s->out)
			e = sm_sink_write(s->out, raw.data, raw.len);
	}
	sm_buf_release(&raw);
	return e;
}

enum sm_err sm_scan(struct sm_scanned *scanned, struct sm_source *in, struct sm_sink *out, const struct sm_identity *signer)
{
	struct scan s = {.in = in, .out = out};
	struct sm_scanned r = {0};
	uint8_t sig[UINT16_MAX];
	int saved;
	enum sm_err e;

	if ((e = take_header(&r.header, &r.header_line, &s, signer)) || (e = sm_segmenter_init(&s.segmenter)) ||
	    (e = sm_pipeline_run(&pipeline, &s, in->threads)) || (e = sm_record_read(in, sig, &r.siglen)) ||
	    (e = sm_segmenter_digest(&s.segmenter, r.digest)))
		goto out;
	if (r.siglen && (!r.header.from.has_fp || !sm_signature_size_ok(r.header.suite, r.siglen))) {
		e = sm_attachments_read(&r.header, in, NULL); /* payload comes before signature */
		e = e ? e : SM_ERR_SIGNATURE;
		goto out;
	}
	memcpy(r.sig, sig, r.siglen);
	if (signer && (e = sm_signature_make(r.sig, &r.siglen, signer, r.header.hh, r.digest)))
		goto out;
	if (out && (e = put_signature(out, r.sig, r.siglen)))
		goto out;
	e = sm_attachments_read(&r.header, in, out);
out:
	saved = errno;
	if (e && e != SM_ERR_ARMOR && in->armored && sm_source_drain(in) == SM_ERR_ARMOR)
		e = SM_ERR_ARMOR;
	sm_segmenter_release(&s.segmenter);
	if (e) {
		scanned->header_line = r.header_line;
		sm_header_release(&r.header);
	} else {
		*scanned = r;
	}
	errno = saved;
	return e;
}
