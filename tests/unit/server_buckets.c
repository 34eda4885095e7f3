/* The buckets that one-time prekeys are handed out by. */
#include "smserver/buckets.h"

#include "tap.h"

#include <stdlib.h>

static const struct sm_bucket_rate rate = {6, 600000};

/* How many of n tries there is one for. */
static int take(struct sm_buckets *b, int64_t a, int64_t c, int64_t now, int n)
{
	int got = 0;

	for (int i = 0; i < n; i++)
		if (sm_buckets_has(b, a, c, rate, now)) {
			sm_buckets_take(b, a, c, rate, now);
			got++;
		}
	return got;
}

static void rates(void)
{
	struct sm_buckets *b = sm_buckets_new();

	ok(take(b, 1, 2, 1000, 20) == 6, "six at once");
	ok(take(b, 1, 2, 600999, 20) == 0, "none before ten minutes are over");
	ok(take(b, 1, 2, 601000, 20) == 1, "one after ten minutes");
	ok(take(b, 1, 2, 601000 + 3 * 600000, 20) == 3, "three after thirty more");
	ok(take(b, 1, 2, INT64_C(1) << 40, 20) == 6, "six again, and not more, after ages");
	ok(take(b, 2, 1, 1000, 20) == 6, "(2, 1) is another bucket than (1, 2)");
	ok(take(b, 1, 3, 1000, 20) == 6, "and so is (1, 3)");
	sm_buckets_free(b);
}

static void looking(void)
{
	struct sm_buckets *b = sm_buckets_new();
	bool all = true;

	for (int i = 0; i < 100; i++)
		all &= sm_buckets_has(b, 1, 2, rate, 1000);
	ok(all && take(b, 1, 2, 1000, 20) == 6, "looking takes nothing");
	sm_buckets_free(b);
}

/* Far more pairs than the table has room for: it never fails, and those in use lately are the last to be forgotten. */
static void crowded(void)
{
	struct sm_buckets *b = sm_buckets_new();
	int wrong = 0;

	for (int64_t i = 1; i <= 500000; i++)
		wrong += take(b, 7, i, 1000 + i, 1) != 1;
	ok(wrong == 0, "half a million pairs are served");
	ok(take(b, 7, 500000, 1000 + 500000, 20) == 5, "the last one's bucket is known");
	sm_buckets_free(b);
}

static void at_zero(void)
{
	struct sm_buckets *b = sm_buckets_new();

	ok(take(b, 0, 5, 0, 20) == 6, "also where the clock begins");
	sm_buckets_free(b);
}

int main(void)
{
	rates();
	looking();
	crowded();
	at_zero();
	return tap_done();
}
