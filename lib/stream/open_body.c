/* The two passes over a body: the first believes nothing and gives nothing away, the second gives out what the first has verified. */
#include "stream/open_state.h"
#include "stream/pipeline.h"

#include "base/secret.h"
#include "crypto/aead.h"

#include <stdlib.h>
#include <string.h>

struct block {
	struct sm_open_state *state;
	struct sm_chunked chunked;
	struct sm_segments segments;
	uint64_t index;
	bool last;
	uint8_t *wire; /* SM_BLOCK_MAX: for block 0 the head stands in front */
	size_t nwire;
	uint8_t *plain; /* SM_BLOCK_PLAIN */
	size_t nplain, dirty;
	uint8_t tag[SM_RECHECK_TAG];
};

static uint8_t *frames_of(const struct block *b) { return b->wire + sm_block_head(b->index); }

static void block_free(void *block)
{
	struct block *b = block;

	if (!b)
		return;
	if (b->plain)
		sm_wipe(b->plain, b->dirty);
	free(b->plain);
	free(b->wire);
	sm_chunked_release(&b->chunked);
	sm_segments_release(&b->segments);
	free(b);
}

static enum sm_err block_new(void *ctx, void **block)
{
	struct sm_open_state *s = ctx;
	struct block *b = calloc(1, sizeof *b);
	enum sm_err e;

	*block = b;
	if (!b || !(b->plain = malloc(SM_BLOCK_PLAIN)) || !(b->wire = malloc(SM_BLOCK_MAX)))
		return SM_ERR_NOMEM;
	b->state = s;
	if ((e = sm_chunked_open_init(&b->chunked, s->file_key, s->head, s->context, sizeof s->context)))
		return e;
	return s->digest_wanted ? sm_segments_init(&b->segments) : SM_OK;
}

static enum sm_err open_frames(struct block *b)
{
	const uint8_t *p = frames_of(b);
	size_t left = b->nwire - sm_block_head(b->index);
	uint64_t chunk = b->index * SM_BLOCK_CHUNKS;
	enum sm_err e;

	b->nplain = 0;
	while (left) {
		size_t n = sm_get_be16(p);
		if ((e = sm_chunked_open(&b->chunked, chunk++, b->plain + b->nplain, p + 2, n)))
			return e;
		b->nplain += n - SM_CHUNK_TAG;
		b->dirty = b->nplain > b->dirty ? b->nplain : b->dirty;
		p += 2 + n, left -= 2 + n;
	}
	return SM_OK;
}

/* GMAC with the block's index as nonce; the key is this process's own, so a second pass over other bytes gives another tag. */
static enum sm_err recheck_tag(const struct sm_open_state *s, const struct block *b, uint8_t tag[static SM_RECHECK_TAG])
{
	uint8_t nonce[SM_AEAD_NONCE] = {0};

	sm_put_be64(nonce + 4, b->index);
	return sm_aead_seal(tag, s->recheck_key, nonce, frames_of(b), b->nwire - sm_block_head(b->index), NULL, 0);
}

static enum sm_err verify_read(void *ctx, void *block, uint64_t index, bool *last)
{
	struct sm_open_state *s = ctx;
	struct block *b = block;
	size_t got, used;
	enum sm_err e;

	b->index = index;
	if (!index)
		memcpy(b->wire, s->head, SM_BODY_HEAD);
	if ((e = sm_source_read(s->in, frames_of(b), SM_BLOCK_WIRE, &got)) || (e = sm_frames_walk(frames_of(b), got, &used, &b->last)))
		return e;
	if (!b->last && got < SM_BLOCK_WIRE)
		return SM_ERR_PAYLOAD; /* the input ends before a short chunk: truncated */
	if ((e = sm_source_unread(s->in, frames_of(b) + used, got - used)) || (e = sm_keep_add(&s->keep, frames_of(b), used)))
		return e;
	b->nwire = sm_block_head(index) + used;
	s->frames += used;
	s->nblocks = index + 1;
	*last = b->last;
	if (s->digest_wanted)
		sm_segments_link(&s->segmenter, &b->segments, b->wire, b->nwire, b->last);
	return SM_OK;
}

static enum sm_err verify_work(void *ctx, void *block)
{
	struct sm_open_state *s = ctx;
	struct block *b = block;
	enum sm_err e;

	if ((e = open_frames(b)))
		return e;
	if (s->digest_wanted)
		sm_segments_hash(&b->segments);
	return s->keep.in_file ? recheck_tag(s, b, b->tag) : SM_OK;
}

static enum sm_err verify_write(void *ctx, void *block)
{
	struct sm_open_state *s = ctx;
	struct block *b = block;
	enum sm_err e;

	if (s->digest_wanted && (e = sm_segments_collect(&s->segmenter, &b->segments)))
		return e;
	if (s->keep.in_file && (e = sm_buf_add(&s->tags, b->tag, sizeof b->tag)))
		return e;
	sm_unpad_update(&s->unpad, b->plain, b->nplain);
	if (b->index)
		return SM_OK;
	if ((e = sm_buf_add(&s->fields, b->plain, b->nplain < 4 + SM_FIELDS_MAX ? b->nplain : 4 + SM_FIELDS_MAX)))
		return e;
	if (b->last) { /* small: keep the plaintext, unpublished, rather than open it twice */
		s->plain = b->plain, s->nplain = b->nplain;
		b->plain = NULL;
	}
	return SM_OK;
}

enum sm_err sm_body_verify(struct sm_open_state *s)
{
	static const struct sm_pipeline verify = {block_new, block_free, verify_read, verify_work, NULL, NULL, verify_write};

	return sm_pipeline_run(&verify, s, s->threads);
}

static enum sm_err release_read(void *ctx, void *block, uint64_t index, bool *last)
{
	struct sm_open_state *s = ctx;
	struct block *b = block;
	uint64_t from = index * SM_BLOCK_WIRE;

	b->index = index;
	b->last = *last = index + 1 == s->nblocks;
	b->nwire = sm_block_head(index) + (size_t)(b->last ? s->frames - from : SM_BLOCK_WIRE);
	return SM_OK;
}

static enum sm_err release_work(void *ctx, void *block)
{
	struct sm_open_state *s = ctx;
	struct block *b = block;
	size_t n = b->nwire - sm_block_head(b->index), used;
	bool last;
	enum sm_err e;

	if ((e = sm_keep_get(&s->keep, b->index * SM_BLOCK_WIRE, frames_of(b), n)))
		return e;
	if (s->keep.in_file) {
		if ((e = recheck_tag(s, b, b->tag)))
			return e;
		if (!sm_equal(b->tag, s->tags.data + b->index * SM_RECHECK_TAG, SM_RECHECK_TAG))
			return SM_ERR_PAYLOAD;
	}
	/* Framing again: even a spool on a failing disk must not lead past the buffer. */
	if ((e = sm_frames_walk(frames_of(b), n, &used, &last)))
		return e;
	return used == n && last == b->last ? open_frames(b) : SM_ERR_PAYLOAD;
}

/* The part of p, which begins at plaintext offset at, that is content. */
static enum sm_err put_content(struct sm_open_state *s, const uint8_t *p, size_t n, uint64_t at)
{
	uint64_t a = at < s->from ? s->from : at, z = at + n > s->to ? s->to : at + n;

	return a < z ? sm_sink_write(s->out, p + (a - at), (size_t)(z - a)) : SM_OK;
}

static enum sm_err release_write(void *ctx, void *block)
{
	struct sm_open_state *s = ctx;
	struct block *b = block;

	return put_content(s, b->plain, b->nplain, b->index * SM_BLOCK_PLAIN);
}

enum sm_err sm_body_release(struct sm_open_state *s)
{
	static const struct sm_pipeline release = {block_new, block_free, release_read, release_work, NULL, NULL, release_write};

	if (s->plain)
		return put_content(s, s->plain, s->nplain, 0);
	s->digest_wanted = false;
	return sm_pipeline_run(&release, s, s->threads);
}
