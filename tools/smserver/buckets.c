/* A bucket is kept as the time at which it will be full again (GCRA): one number, and nothing at all for a full one. A set of the table
 * that is full of others gives up the fullest, which errs on the side of handing out. */
#include "buckets.h"

#include "base/buf.h"
#include "crypto/rand.h"

#include <stdlib.h>

enum { SETS = 8192, WAYS = 8 };

struct bucket {
	int64_t a, c, full_at; /* full_at in the past: as good as empty */
};

struct sm_buckets {
	uint64_t salt; /* random, so that nobody can choose neighbours */
	struct bucket set[SETS][WAYS];
};

struct sm_buckets *sm_buckets_new(void)
{
	struct sm_buckets *b = calloc(1, sizeof *b);
	uint8_t salt[8];

	if (b) {
		sm_rand_fill(&sm_rand_system, salt, sizeof salt);
		b->salt = sm_get_be64(salt);
	}
	return b;
}

void sm_buckets_free(struct sm_buckets *b) { free(b); }

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static struct bucket *set_of(struct sm_buckets *b, int64_t a, int64_t c)
{
	return b->set[mix(mix(b->salt ^ (uint64_t)a) ^ (uint64_t)c) % SETS];
}

static struct bucket *find(struct bucket *set, int64_t a, int64_t c)
{
	for (int i = 0; i < WAYS; i++)
		if (set[i].full_at && set[i].a == a && set[i].c == c)
			return &set[i];
	return NULL;
}

bool sm_buckets_has(struct sm_buckets *b, int64_t a, int64_t c, struct sm_bucket_rate rate, int64_t now)
{
	const struct bucket *x = find(set_of(b, a, c), a, c);

	return !x || x->full_at - now <= (rate.most - 1) * rate.every;
}

void sm_buckets_take(struct sm_buckets *b, int64_t a, int64_t c, struct sm_bucket_rate rate, int64_t now)
{
	struct bucket *set = set_of(b, a, c), *x = find(set, a, c);

	if (!x) {
		x = set;
		for (int i = 1; i < WAYS; i++)
			if (set[i].full_at < x->full_at)
				x = &set[i];
		*x = (struct bucket){a, c, now};
	}
	if (x->full_at < now)
		x->full_at = now;
	if (x->full_at - now <= (rate.most - 1) * rate.every)
		x->full_at += rate.every;
}
