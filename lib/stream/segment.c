/* Each byte is hashed once and copied never: what goes from block to block is the state of a hash. */
#include "stream/segment.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_STEP 65536 /* bytes of hashes: 2 GiB of input */

static void swap(struct sm_sha256 *a, struct sm_sha256 *b)
{
	struct sm_sha256 t = *a;

	*a = *b;
	*b = t;
}

enum sm_err sm_segmenter_init(struct sm_segmenter *g)
{
	enum sm_err e = SM_OK;

	memset(g, 0, sizeof *g);
	pthread_mutex_init(&g->mutex, NULL);
	pthread_cond_init(&g->posted, NULL);
	g->ready = true;
	for (size_t i = 0; !e && i < SM_SEGMENT_SLOTS; i++)
		e = sm_sha256_init(&g->slot[i].hash);
	if (e)
		sm_segmenter_release(g);
	return e;
}

void sm_segmenter_release(struct sm_segmenter *g)
{
	if (!g->ready)
		return;
	for (size_t i = 0; i < SM_SEGMENT_SLOTS; i++)
		sm_sha256_release(&g->slot[i].hash);
	pthread_cond_destroy(&g->posted);
	pthread_mutex_destroy(&g->mutex);
	free(g->hashes);
	memset(g, 0, sizeof *g);
}

enum sm_err sm_segments_init(struct sm_segments *s, struct sm_segmenter *g)
{
	enum sm_err e;

	memset(s, 0, sizeof *s);
	if (!g)
		return SM_OK;
	s->segmenter = g;
	return (e = sm_sha256_init(&s->hash)) ? e : sm_sha256_init(&s->carried);
}

void sm_segments_release(struct sm_segments *s)
{
	sm_sha256_release(&s->hash);
	sm_sha256_release(&s->carried);
}

void sm_segments_set(struct sm_segments *s, uint64_t index, uint64_t at, const uint8_t *p, size_t n, bool last)
{
	size_t in = at % SM_SEGMENT, before = !in ? 0 : SM_SEGMENT - in < n ? SM_SEGMENT - in : n;

	s->index = index;
	s->first = at / SM_SEGMENT + (in != 0);
	s->before = (struct sm_span){p, before};
	s->begun = (struct sm_span){p + before, n - before};
	s->ends_before = in && (last || in + before == SM_SEGMENT);
	s->leaves_open = !last && (in + n) % SM_SEGMENT;
	s->count = s->ends_before;
}

static void begin(struct sm_sha256 *h, uint64_t segment)
{
	uint8_t head[9] = {0};

	sm_put_be64(head + 1, segment);
	sm_sha256_reset(h);
	sm_sha256_update(h, head, sizeof head);
}

void sm_segments_ahead(struct sm_segments *s)
{
	const uint8_t *p = s->begun.p;

	if (!s->segmenter)
		return;
	for (size_t left = s->begun.n, n; left; p += n, left -= n) {
		n = left < SM_SEGMENT ? left : SM_SEGMENT;
		begin(&s->hash, s->first++);
		sm_sha256_update(&s->hash, p, n);
		if (n == SM_SEGMENT || !s->leaves_open)
			sm_sha256_final(&s->hash, s->out[s->count++]);
	}
}

/* Hands a hash to the block behind this one. */
static void post(struct sm_segments *s, struct sm_sha256 *h)
{
	struct sm_segmenter *g = s->segmenter;
	struct sm_segment_slot *slot = &g->slot[s->index % SM_SEGMENT_SLOTS];

	pthread_mutex_lock(&g->mutex);
	swap(&slot->hash, h);
	slot->full = s->index + 1;
	pthread_cond_broadcast(&g->posted);
	pthread_mutex_unlock(&g->mutex);
}

/* Takes what the block before has posted, or will. */
static void take(struct sm_segments *s, struct sm_sha256 *h)
{
	struct sm_segmenter *g = s->segmenter;
	struct sm_segment_slot *slot = &g->slot[(s->index - 1) % SM_SEGMENT_SLOTS];

	pthread_mutex_lock(&g->mutex);
	while (slot->full != s->index)
		pthread_cond_wait(&g->posted, &g->mutex);
	swap(&slot->hash, h);
	pthread_mutex_unlock(&g->mutex);
}

void sm_segments_link(struct sm_segments *s)
{
	if (s->segmenter && s->leaves_open && s->begun.n)
		post(s, &s->hash);
}

void sm_segments_rest(struct sm_segments *s)
{
	if (!s->segmenter || !(s->before.n || s->ends_before))
		return;
	take(s, &s->carried);
	sm_sha256_update(&s->carried, s->before.p, s->before.n);
	if (s->ends_before)
		sm_sha256_final(&s->carried, s->out[0]);
	else
		post(s, &s->carried); /* a block within one segment */
}

enum sm_err sm_segments_collect(const struct sm_segments *s)
{
	struct sm_segmenter *g = s->segmenter;
	size_t n = s->count * (size_t)SM_HASH_LEN;

	if (!g)
		return SM_OK;
	/* Hashes are no secret, so realloc may move them; in small steps, because memory is to stay constant as far as it can. */
	if (g->room - g->nhashes < n) {
		uint8_t *more = realloc(g->hashes, g->room + ROOM_STEP);
		if (!more)
			return SM_ERR_NOMEM;
		g->hashes = more;
		g->room += ROOM_STEP;
	}
	if (n)
		memcpy(g->hashes + g->nhashes, s->out, n);
	g->nhashes += n;
	g->total += s->before.n + s->begun.n;
	return SM_OK;
}

enum sm_err sm_segmenter_digest(struct sm_segmenter *g, uint8_t out[static SM_HASH_LEN])
{
	struct sm_sha256 h = {0};
	enum sm_err e = sm_sha256_init(&h);

	if (!e)
		e = sm_digest_combine(out, &h, g->total, g->hashes, g->nhashes / SM_HASH_LEN);
	sm_sha256_release(&h);
	return e;
}
