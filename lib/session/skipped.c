/* The list of skipped message keys: a plain array in order of skipping, searched from end to end. It is empty nearly always, and short when
 * it is not. Memory that held keys is wiped before it moves or goes. */
#include "session/skipped.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define ENTRY 76

void sm_skipped_release(struct sm_skipped_list *l)
{
	if (!l)
		return;
	sm_wipe(l->v, l->cap * sizeof *l->v);
	free(l->v);
	*l = (struct sm_skipped_list){0};
}

static bool too_old(const struct sm_skipped *s, int64_t now) { return s->at < now - SM_SKIPPED_SECONDS; }

int sm_skipped_find(const struct sm_skipped_list *l, const uint8_t pub[static 32], uint32_t n, int64_t now)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].n == n && !memcmp(l->v[i].pub, pub, sizeof l->v[i].pub))
			return too_old(&l->v[i], now) ? -1 : (int)i;
	return -1;
}

enum sm_err sm_skipped_reserve(struct sm_skipped_list *l, size_t more)
{
	size_t need = l->n + more < SM_SKIPPED_MAX ? l->n + more : SM_SKIPPED_MAX;
	size_t cap = l->cap * 2 < SM_SKIPPED_MAX ? l->cap * 2 : SM_SKIPPED_MAX;
	struct sm_skipped *v;

	if (need <= l->cap)
		return SM_OK;
	if (cap < need)
		cap = need;
	if (!(v = calloc(cap, sizeof *v)))
		return SM_ERR_NOMEM;
	if (l->n)
		memcpy(v, l->v, l->n * sizeof *v);
	sm_wipe(l->v, l->cap * sizeof *v);
	free(l->v);
	l->v = v;
	l->cap = cap;
	return SM_OK;
}

/* Keeps n, which are the first by now. */
static void cut(struct sm_skipped_list *l, size_t n)
{
	if (n == l->n)
		return;
	sm_wipe(l->v + n, (l->n - n) * sizeof *l->v);
	l->n = n;
	l->changed = true;
}

static void drop_first(struct sm_skipped_list *l, size_t n)
{
	if (!n)
		return;
	memmove(l->v, l->v + n, (l->n - n) * sizeof *l->v);
	cut(l, l->n - n);
}

void sm_skipped_remove(struct sm_skipped_list *l, size_t i)
{
	memmove(l->v + i, l->v + i + 1, (l->n - i - 1) * sizeof *l->v);
	cut(l, l->n - 1);
}

/* All are looked at, not only the first: a clock that was set back leaves them out of order. */
void sm_skipped_make_room(struct sm_skipped_list *l, size_t more, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (too_old(&l->v[i], now))
			continue;
		if (kept != i)
			l->v[kept] = l->v[i];
		kept++;
	}
	cut(l, kept);
	if (l->n + more > SM_SKIPPED_MAX)
		drop_first(l, l->n + more - SM_SKIPPED_MAX);
}

void sm_skipped_add(struct sm_skipped_list *l, const uint8_t pub[static 32], uint32_t n, const uint8_t mk[static 32], int64_t now)
{
	struct sm_skipped *s = &l->v[l->n++];

	memcpy(s->pub, pub, sizeof s->pub);
	memcpy(s->mk, mk, sizeof s->mk);
	s->n = n;
	s->at = now;
	l->changed = true;
}

enum sm_err sm_skipped_pack(struct sm_buf *b, const struct sm_skipped_list *l)
{
	uint8_t *p;
	enum sm_err e = sm_buf_reserve(b, SM_SKIPPED_PACKED(l->n), &p);

	if (e)
		return e;
	*p++ = VERSION;
	sm_put_be32(p, (uint32_t)l->n);
	p += 4;
	for (size_t i = 0; i < l->n; i++, p += ENTRY) {
		memcpy(p, l->v[i].pub, 32);
		sm_put_be32(p + 32, l->v[i].n);
		memcpy(p + 36, l->v[i].mk, 32);
		sm_put_be64(p + 68, (uint64_t)l->v[i].at);
	}
	b->len += SM_SKIPPED_PACKED(l->n);
	return SM_OK;
}

enum sm_err sm_skipped_unpack(struct sm_skipped_list *l, const uint8_t *p, size_t n)
{
	struct sm_skipped_list got = {0};
	uint32_t count;
	enum sm_err e;

	if (n < SM_SKIPPED_PACKED(0) || p[0] != VERSION)
		return SM_ERR_FORMAT;
	count = sm_get_be32(p + 1);
	if (count > SM_SKIPPED_MAX || n != SM_SKIPPED_PACKED(count))
		return SM_ERR_FORMAT;
	if ((e = sm_skipped_reserve(&got, count)))
		return e;
	for (p += 5; got.n < count; p += ENTRY)
		sm_skipped_add(&got, p, sm_get_be32(p + 32), p + 36, (int64_t)sm_get_be64(p + 68));
	got.changed = false;
	*l = got;
	return SM_OK;
}
