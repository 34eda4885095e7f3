/* The cache of sessions. */
#include "session.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 16384, MANY = 16384, IDLE_S = 120 };

struct sm_sessions {
	const struct sm_keys *keys;
	pthread_mutex_t lock;
	unsigned long generation; /* of revocations: what was read before one is not kept */
	size_t n;
	struct sm_session *bucket[BUCKETS];
};

static size_t slot(const char *sid)
{
	uint32_t x = 2166136261U;

	for (; *sid; sid++)
		x = (x ^ (uint8_t)*sid) * 16777619U;
	return (x ^ x >> 15) % BUCKETS;
}

struct sm_sessions *sm_sessions_new(const struct sm_keys *keys)
{
	struct sm_sessions *t = calloc(1, sizeof *t);

	if (t) {
		t->keys = keys;
		pthread_mutex_init(&t->lock, NULL);
	}
	return t;
}

void sm_sessions_free(struct sm_sessions *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct sm_session *s = t->bucket[i], *next; s; s = next) {
			next = s->next;
			sm_session_release(s);
		}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void sm_session_release(struct sm_session *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	sm_nonces_release(&s->nonces);
	pthread_mutex_destroy(&s->lock);
	sm_wipe(s, sizeof *s);
	free(s);
}

static struct sm_session *find(struct sm_sessions *t, const char *sid)
{
	struct sm_session *s;

	for (s = t->bucket[slot(sid)]; s && strcmp(s->sid, sid); s = s->next)
		;
	return s;
}

static struct sm_session *make(const struct sm_sessions *t, const struct sm_session_row *row)
{
	struct sm_session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	atomic_init(&s->refs, 1);
	pthread_mutex_init(&s->lock, NULL);
	memcpy(s->sid, row->sid, sizeof s->sid);
	memcpy(s->user, row->user, sizeof s->user);
	s->account = row->account, s->device = row->device, s->created = row->created;
	atomic_init(&s->number, row->number);
	atomic_init(&s->expires, row->expires);
	atomic_init(&s->used, row->used);
	atomic_init(&s->revoked, row->revoked);
	sm_keys_session(t->keys, s->key, s->sid);
	return s;
}

enum sm_err sm_sessions_get(struct sm_sessions *t, struct sm_reader *r, const char *sid, struct sm_session **out)
{
	struct sm_session_row row;
	struct sm_session *s, *other;
	unsigned long generation;
	enum sm_err e;

	pthread_mutex_lock(&t->lock);
	s = find(t, sid);
	if (s)
		atomic_fetch_add(&s->refs, 1);
	generation = t->generation;
	pthread_mutex_unlock(&t->lock);
	if (s) {
		*out = s;
		return SM_OK;
	}
	e = sm_reader_session(r, sid, &row);
	if (e)
		return e;
	s = make(t, &row);
	if (!s)
		return SM_ERR_NOMEM;
	pthread_mutex_lock(&t->lock);
	other = find(t, sid);
	if (other || generation != t->generation) {
		/* Another loop was quicker, and its nonces count; or a revocation passed by: then look again. */
		pthread_mutex_unlock(&t->lock);
		sm_session_release(s);
		return sm_sessions_get(t, r, sid, out);
	}
	s->next = t->bucket[slot(sid)];
	t->bucket[slot(sid)] = s;
	t->n++;
	atomic_fetch_add(&s->refs, 1);
	pthread_mutex_unlock(&t->lock);
	*out = s;
	return SM_OK;
}

void sm_sessions_revoke(struct sm_sessions *t, int64_t account, const char *sid, const char *keep)
{
	pthread_mutex_lock(&t->lock);
	t->generation++;
	for (size_t i = sid ? slot(sid) : 0; i < (sid ? slot(sid) + 1 : BUCKETS); i++)
		for (struct sm_session *s = t->bucket[i]; s; s = s->next)
			if (s->account == account && (!sid || !strcmp(s->sid, sid)) && (!keep || strcmp(s->sid, keep) != 0))
				atomic_store(&s->revoked, true);
	pthread_mutex_unlock(&t->lock);
}

void sm_sessions_revoke_device(struct sm_sessions *t, int64_t device)
{
	pthread_mutex_lock(&t->lock);
	t->generation++;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct sm_session *s = t->bucket[i]; s; s = s->next)
			if (s->device == device)
				atomic_store(&s->revoked, true);
	pthread_mutex_unlock(&t->lock);
}

void sm_sessions_renumber(struct sm_sessions *t, const char *sid)
{
	struct sm_session *s;

	pthread_mutex_lock(&t->lock);
	t->generation++;
	s = find(t, sid);
	if (s)
		atomic_store(&s->number, 1);
	pthread_mutex_unlock(&t->lock);
}

void sm_sessions_extend(struct sm_sessions *t, const char *sid, int64_t expires)
{
	struct sm_session *s;

	pthread_mutex_lock(&t->lock);
	s = find(t, sid);
	if (s)
		atomic_store(&s->expires, expires);
	else
		t->generation++;
	pthread_mutex_unlock(&t->lock);
}

void sm_sessions_sweep(struct sm_sessions *t, int64_t now)
{
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < BUCKETS && t->n > MANY; i++)
		for (struct sm_session **p = &t->bucket[i], *s; (s = *p);) {
			if (now - atomic_load(&s->used) < IDLE_S || atomic_load(&s->refs) > 1) {
				p = &s->next;
				continue;
			}
			*p = s->next;
			t->n--;
			sm_session_release(s);
		}
	pthread_mutex_unlock(&t->lock);
}

int64_t sm_sessions_used(struct sm_sessions *t, const char *sid)
{
	struct sm_session *s;
	int64_t used;

	pthread_mutex_lock(&t->lock);
	s = find(t, sid);
	used = s ? atomic_load(&s->used) : 0;
	pthread_mutex_unlock(&t->lock);
	return used;
}

bool sm_session_alive(const struct sm_session *s, int64_t now) { return !atomic_load(&s->revoked) && now < atomic_load(&s->expires); }
