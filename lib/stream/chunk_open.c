/* The opening pipelines. The first pass reads in order, opens and hashes beside each other, and lets the caller look in order; the second
 * reads what was kept, rechecks and opens beside each other, and writes in order. */
#include "stream/chunk_open.h"

#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/rand.h"
#include "stream/block.h"
#include "stream/pipeline.h"
#include "wire/digest.h"

#include <stdlib.h>
#include <string.h>

#define GLANCE 64 /* bytes of a chunk's end, a multiple of 16 */

static size_t block_size(const struct sm_chunk_open *s) { return sm_block_size(s->framed); }

static enum sm_err block_new(void *ctx, void **block)
{
	struct sm_chunk_open *s = ctx;
	struct sm_block *b;
	enum sm_err e;

	if ((e = sm_block_new(&b, s->framed, s->segmenter)))
		return e;
	*block = b;
	return sm_chunked_open_init(&b->chunked, s->key, s->head, s->context, s->contextlen);
}

/* The next chunk within left bytes at p: its sealed size, what stands before it, or SM_ERR_PAYLOAD. */
static enum sm_err next_chunk(const struct sm_block *b, const uint8_t *p, size_t left, size_t *before, size_t *n)
{
	*before = b->framed ? 2 : 0;
	if (left < *before)
		return SM_ERR_PAYLOAD;
	*n = b->framed ? sm_get_be16(p) : left < SM_CHUNK_SEALED ? left : SM_CHUNK_SEALED;
	return *n < SM_CHUNK_TAG || *n > SM_CHUNK_SEALED || *n > left - *before ? SM_ERR_PAYLOAD : SM_OK;
}

/* All chunks of a block, in place: every one but the stream's last is full, so that sm_block_pieces says where the plaintext stands.
 * step takes one chunk (its number in the block, its sealed bytes); SM_ERR_PAYLOAD for a wrong tag. */
static enum sm_err each_chunk(const struct sm_chunk_open *s, struct sm_block *b,
                              enum sm_err (*step)(const struct sm_chunk_open *s, struct sm_block *b, size_t i, uint8_t *p, size_t n))
{
	uint8_t *p = sm_block_chunks(b);
	size_t left = sm_block_nchunks(b), before, n;
	enum sm_err e;

	sm_block_soil(b, b->nwire);
	b->nplain = 0;
	for (size_t i = 0; left; i++) {
		if (i == SM_BLOCK_CHUNKS || b->nplain % SM_CHUNK || next_chunk(b, p, left, &before, &n))
			return SM_ERR_PAYLOAD;
		b->unseen[i] = 0;
		if ((e = step(s, b, i, p + before, n)))
			return e;
		b->nplain += n - SM_CHUNK_TAG;
		p += before + n, left -= before + n;
	}
	return SM_OK;
}

static uint64_t chunk_number(const struct sm_block *b, size_t i) { return b->index * SM_BLOCK_CHUNKS + i; }

static enum sm_err open_chunk(const struct sm_chunk_open *s, struct sm_block *b, size_t i, uint8_t *p, size_t n)
{
	(void)s;
	return sm_chunked_open(&b->chunked, chunk_number(b, i), p, p, n);
}

/* For a block whose bytes are known to be those that the first pass has seen: there every tag was right. */
static enum sm_err reveal_chunk(const struct sm_chunk_open *s, struct sm_block *b, size_t i, uint8_t *p, size_t n)
{
	(void)s;
	return sm_chunked_reveal(&b->chunked, chunk_number(b, i), p, p, 0, n - SM_CHUNK_TAG);
}

/* The first pass, where it is not asked for the plaintext: the tag, and as much of the chunk's end as shows that something is there but
 * zeros. Otherwise the chunk may be padding, and all of it is looked at. */
static enum sm_err verify_chunk(const struct sm_chunk_open *s, struct sm_block *b, size_t i, uint8_t *p, size_t n)
{
	uint64_t chunk = chunk_number(b, i), at = chunk * SM_CHUNK;
	const size_t front = SM_CHUNK - GLANCE;
	bool only = !b->index && b->last;
	enum sm_err e;

	if (only || n < SM_CHUNK_SEALED || at < s->show_until || at + SM_CHUNK > s->show_from)
		return open_chunk(s, b, i, p, n);
	if ((e = sm_chunked_check(&b->chunked, chunk, p)) || (e = sm_chunked_reveal(&b->chunked, chunk, p + front, p, front, GLANCE)))
		return e;
	if (sm_is_zero(p + front, GLANCE))
		return sm_chunked_reveal(&b->chunked, chunk, p, p, 0, front);
	b->unseen[i] = (uint16_t)front;
	return SM_OK;
}

/* GMAC with the block's index as nonce; the key is this process's own, so a second pass over other bytes gives another tag. */
static enum sm_err recheck_tag(const struct sm_chunk_open *s, const struct sm_block *b, uint8_t tag[static SM_RECHECK_TAG])
{
	uint8_t nonce[SM_AEAD_NONCE] = {0};

	sm_put_be64(nonce + 4, b->index);
	return sm_aead_seal(tag, s->recheck_key, nonce, sm_block_chunks(b), sm_block_nchunks(b), NULL, 0);
}

/* Takes the input up to the short chunk, which may come before the block is full. */
static enum sm_err read_frames(struct sm_chunk_open *s, struct sm_block *b)
{
	size_t got, used;
	enum sm_err e;

	if ((e = sm_source_read(s->in, sm_block_chunks(b), block_size(s), &got)) ||
	    (e = sm_frames_walk(sm_block_chunks(b), got, &used, &b->last)))
		return e;
	if (!b->last && got < block_size(s))
		return SM_ERR_PAYLOAD; /* the input ends before a short chunk: truncated */
	b->nwire = sm_block_head(b->index) + used;
	return sm_source_unread(s->in, sm_block_chunks(b) + used, got - used);
}

static enum sm_err read_bare(struct sm_chunk_open *s, struct sm_block *b)
{
	size_t want = s->left < block_size(s) ? (size_t)s->left : block_size(s), got;
	enum sm_err e;

	if ((e = sm_source_read(s->in, sm_block_chunks(b), want, &got)))
		return e;
	if (got < want)
		return SM_ERR_PAYLOAD;
	s->left -= got;
	b->last = want < block_size(s);
	b->nwire = sm_block_head(b->index) + got;
	return SM_OK;
}

static enum sm_err verify_read(void *ctx, void *block, uint64_t index, bool *last)
{
	struct sm_chunk_open *s = ctx;
	struct sm_block *b = block;
	size_t n;
	enum sm_err e;

	b->index = index;
	if (!index)
		memcpy(b->wire, s->head, SM_BODY_HEAD);
	if ((e = s->framed ? read_frames(s, b) : read_bare(s, b)))
		return e;
	n = sm_block_nchunks(b);
	if ((e = sm_keep_add(s->keep, sm_block_chunks(b), n)))
		return e;
	s->bytes += n;
	s->nblocks = index + 1;
	*last = b->last;
	sm_block_hashable(b);
	return SM_OK;
}

/* What needs the bytes as they came: they are opened over. */
static enum sm_err verify_hash(void *ctx, void *block)
{
	struct sm_chunk_open *s = ctx;
	struct sm_block *b = block;
	enum sm_err e = s->keep->in_file ? recheck_tag(s, b, b->tag) : SM_OK;

	return e ? e : sm_block_hash(ctx, block);
}

static enum sm_err verify_open(void *ctx, void *block)
{
	struct sm_chunk_open *s = ctx;
	struct sm_block *b = block;
	enum sm_err e;

	if ((e = sm_block_hash_rest(ctx, block)))
		return e;
	e = each_chunk(s, b, verify_chunk);
	b->failed = e == SM_ERR_PAYLOAD && !s->framed;
	return b->failed ? SM_OK : e;
}

static enum sm_err look(const struct sm_chunk_open *s, const struct sm_block *b)
{
	const struct sm_pieces plain = sm_block_pieces(b);
	enum sm_err e = SM_OK;

	for (size_t at = 0, n, unseen; s->look && !e && at < b->nplain; at += n) {
		const uint8_t *p = sm_pieces_at(&plain, at, &n);
		n = n < b->nplain - at ? n : b->nplain - at;
		unseen = b->unseen[at / SM_CHUNK];
		e = s->look(s->ctx, unseen, p + unseen, n - unseen);
	}
	return e;
}

static enum sm_err verify_write(void *ctx, void *block)
{
	struct sm_chunk_open *s = ctx;
	struct sm_block *b = block;
	enum sm_err e;

	if ((e = sm_segments_collect(&b->segments)))
		return e;
	if (s->keep->in_file && (e = sm_buf_add(&s->tags, b->tag, sizeof b->tag)))
		return e;
	/* A blob that ends with a full chunk has lost its end. */
	if (b->failed || (!s->framed && b->last && sm_block_nchunks(b) % SM_CHUNK_SEALED == 0))
		s->bad = true;
	if (s->bad)
		return SM_OK;
	if ((e = look(s, b)))
		return e;
	if (s->framed && !b->index && b->last) { /* small: keep the plaintext, unpublished, rather than open it twice */
		s->small = b->wire, s->nsmall = b->nwire, s->nplain = b->nplain;
		s->plain = sm_block_pieces(b);
		b->wire = NULL;
	}
	return SM_OK;
}

static enum sm_err verify(struct sm_chunk_open *s, struct sm_source *in)
{
	static const struct sm_pipeline pipeline = {block_new,     sm_block_free, verify_read, verify_hash,
	                                            sm_block_link, verify_open,   verify_write};
	struct sm_segmenter segmenter = {0};
	enum sm_err e = SM_OK;

	s->in = in;
	s->kept_at = s->keep->bytes;
	if (s->digest_wanted && (e = sm_segmenter_init(&segmenter)))
		return e;
	s->segmenter = s->digest_wanted ? &segmenter : NULL;
	if (!(e = sm_pipeline_run(&pipeline, s, s->threads)) && s->digest_wanted)
		e = sm_segmenter_digest(&segmenter, s->digest);
	s->segmenter = NULL;
	sm_segmenter_release(&segmenter);
	return e;
}

void sm_chunk_open_init(struct sm_chunk_open *s)
{
	memset(s, 0, sizeof *s);
	sm_buf_init(&s->tags, SIZE_MAX / 2);
	sm_rand_fill(&sm_rand_system, s->recheck_key, sizeof s->recheck_key);
}

void sm_chunk_open_release(struct sm_chunk_open *s)
{
	if (s->small)
		sm_wipe(s->small, s->nsmall);
	free(s->small);
	sm_buf_release(&s->tags);
	sm_wipe(s, sizeof *s);
}

enum sm_err sm_chunk_open_head(struct sm_chunk_open *s, struct sm_source *in)
{
	struct sm_chunked c = {0};
	size_t got;
	enum sm_err e;

	if ((e = sm_source_read(in, s->head, sizeof s->head, &got)))
		return e;
	if (got < sizeof s->head)
		return SM_ERR_PAYLOAD;
	sm_keep_skip(s->keep, sizeof s->head);
	if ((e = sm_chunked_open_init(&c, s->key, s->head, s->context, s->contextlen)))
		return e;
	if (!sm_equal(c.commitment, s->head + SM_CHUNKED_SALT, SM_CHUNKED_COMMITMENT))
		e = SM_ERR_COMMITMENT;
	sm_chunked_release(&c);
	return e;
}

enum sm_err sm_chunk_open_frames(struct sm_chunk_open *s, struct sm_source *in) { return verify(s, in); }

/* Too short for a head: nothing can open, but its digest is still due. */
static enum sm_err read_stub(struct sm_chunk_open *s, struct sm_source *in, size_t n)
{
	struct sm_digest d = {0};
	size_t got;
	enum sm_err e;

	s->bad = true;
	if ((e = sm_source_read(in, s->head, n, &got)))
		return e;
	if (got < n)
		return SM_ERR_PAYLOAD;
	sm_keep_skip(s->keep, n);
	if (!(e = sm_digest_init(&d)) && !(e = sm_digest_update(&d, s->head, n)))
		e = sm_digest_final(&d, s->digest);
	sm_digest_release(&d);
	return e;
}

enum sm_err sm_chunk_open_blob(struct sm_chunk_open *s, struct sm_source *in, uint64_t n)
{
	enum sm_err e;

	if (n < SM_BODY_HEAD)
		return read_stub(s, in, (size_t)n);
	e = sm_chunk_open_head(s, in);
	if (e && e != SM_ERR_COMMITMENT)
		return e;
	s->bad = e == SM_ERR_COMMITMENT;
	s->left = n - SM_BODY_HEAD;
	return verify(s, in);
}

static enum sm_err release_read(void *ctx, void *block, uint64_t index, bool *last)
{
	struct sm_chunk_open *s = ctx;
	struct sm_block *b = block;

	b->index = index;
	b->last = *last = index + 1 == s->nblocks;
	b->nwire = sm_block_head(index) + (size_t)(b->last ? s->bytes - index * block_size(s) : block_size(s));
	return SM_OK;
}

static enum sm_err release_work(void *ctx, void *block)
{
	struct sm_chunk_open *s = ctx;
	struct sm_block *b = block;
	enum sm_err e;

	if ((e = sm_keep_get(s->keep, s->kept_at + b->index * block_size(s), sm_block_chunks(b), sm_block_nchunks(b))))
		return e;
	if (!s->keep->in_file)
		return each_chunk(s, b, open_chunk);
	if ((e = recheck_tag(s, b, b->tag)))
		return e;
	if (!sm_equal(b->tag, s->tags.data + b->index * SM_RECHECK_TAG, SM_RECHECK_TAG))
		return SM_ERR_PAYLOAD;
	return each_chunk(s, b, reveal_chunk);
}

/* The part of n plaintext bytes, of which the first is the stream's byte `at`, that was asked for. */
static enum sm_err put_part(struct sm_chunk_open *s, const struct sm_pieces *plain, size_t n, uint64_t at)
{
	uint64_t a = at < s->from ? s->from : at, z = at + n > s->to ? s->to : at + n;

	return a < z ? sm_sink_write_pieces(s->out, plain, (size_t)(a - at), (size_t)(z - a)) : SM_OK;
}

static enum sm_err release_write(void *ctx, void *block)
{
	struct sm_chunk_open *s = ctx;
	struct sm_block *b = block;
	const struct sm_pieces plain = sm_block_pieces(b);

	return put_part(s, &plain, b->nplain, b->index * SM_BLOCK_PLAIN);
}

enum sm_err sm_chunk_open_release_plain(struct sm_chunk_open *s, struct sm_sink *out, uint64_t from, uint64_t to)
{
	static const struct sm_pipeline pipeline = {block_new, sm_block_free, release_read, release_work, NULL, NULL, release_write};

	s->out = out;
	s->from = from;
	s->to = to;
	return s->small ? put_part(s, &s->plain, s->nplain, 0) : sm_pipeline_run(&pipeline, s, s->threads);
}
