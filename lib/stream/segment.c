/* Hands the bytes that straddle two blocks from one to the next, so that every segment is hashed by one thread alone. */
#include "stream/segment.h"

#include <stdlib.h>
#include <string.h>

enum sm_err sm_segmenter_init(struct sm_segmenter *g)
{
	memset(g, 0, sizeof *g);
	sm_buf_init(&g->hashes, SIZE_MAX / 2);
	g->tail = malloc(SM_SEGMENT);
	return g->tail ? SM_OK : SM_ERR_NOMEM;
}

void sm_segmenter_release(struct sm_segmenter *g)
{
	free(g->tail);
	g->tail = NULL;
	sm_buf_release(&g->hashes);
}

enum sm_err sm_segments_init(struct sm_segments *s)
{
	memset(s, 0, sizeof *s);
	s->prefix = malloc(SM_SEGMENT);
	return s->prefix ? sm_sha256_init(&s->hash) : SM_ERR_NOMEM;
}

void sm_segments_release(struct sm_segments *s)
{
	free(s->prefix);
	s->prefix = NULL;
	sm_sha256_release(&s->hash);
}

void sm_segments_link(struct sm_segmenter *g, struct sm_segments *s, const uint8_t *p, size_t n, bool last)
{
	uint8_t *mine = s->prefix;
	size_t all = g->ntail + n, whole = all / SM_SEGMENT, rest = all % SM_SEGMENT;

	s->prefix = g->tail, s->nprefix = g->ntail;
	s->bytes = (struct sm_span){p, n};
	s->first = g->next;
	s->count = (unsigned)(whole + (last && rest));
	g->tail = mine;
	g->ntail = last ? 0 : rest;
	g->next += s->count;
	g->total += n;
	if (last)
		return;
	if (rest <= n) {
		memcpy(mine, p + n - rest, rest);
	} else { /* a block that completes no segment: its prefix goes on too */
		memcpy(mine, s->prefix, s->nprefix);
		memcpy(mine + s->nprefix, p, n);
	}
}

void sm_segments_hash(struct sm_segments *s)
{
	struct sm_span prefix = {s->prefix, s->nprefix}, bytes = s->bytes;
	uint8_t head[9] = {0};

	for (unsigned i = 0; i < s->count; i++) {
		size_t a = prefix.n, b = SM_SEGMENT - a < bytes.n ? SM_SEGMENT - a : bytes.n;
		sm_put_be64(head + 1, s->first + i);
		sm_sha256_reset(&s->hash);
		sm_sha256_update(&s->hash, head, sizeof head);
		sm_sha256_update(&s->hash, prefix.p, a);
		sm_sha256_update(&s->hash, bytes.p, b);
		sm_sha256_final(&s->hash, s->out[i]);
		prefix.n = 0;
		bytes.p += b, bytes.n -= b;
	}
}

enum sm_err sm_segments_collect(struct sm_segmenter *g, const struct sm_segments *s)
{
	return sm_buf_add(&g->hashes, s->out, s->count * (size_t)SM_HASH_LEN);
}

enum sm_err sm_segmenter_digest(struct sm_segmenter *g, uint8_t out[static SM_HASH_LEN])
{
	struct sm_sha256 h = {0};
	enum sm_err e = sm_sha256_init(&h);

	if (!e)
		e = sm_digest_combine(out, &h, g->total, g->hashes.data, g->hashes.len / SM_HASH_LEN);
	sm_sha256_release(&h);
	return e;
}
