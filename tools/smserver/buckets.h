/* Leaky buckets for what is handed out sparingly, one for each pair of numbers, in a table of fixed size. Memory only: a restart fills
 * them all. One thread. */
#ifndef SM_SMSERVER_BUCKETS_H
#define SM_SMSERVER_BUCKETS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* most at once, and one more every `every` ms. */
struct sm_bucket_rate {
	int64_t most, every;
};
struct sm_buckets;
struct sm_buckets *sm_buckets_new(void);
void sm_buckets_free(struct sm_buckets *b);
/* Is there one in the bucket of (a, c)? now: monotonic ms. */
bool sm_buckets_has(struct sm_buckets *b, int64_t a, int64_t c, struct sm_bucket_rate rate, int64_t now);
/* Takes one, where there is one. */
void sm_buckets_take(struct sm_buckets *b, int64_t a, int64_t c, struct sm_bucket_rate rate, int64_t now);

#endif
