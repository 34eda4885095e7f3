/* The system's random generator, and the repeatable one that tests put in its place. */
#include "crypto/rand.h"

#include "base/buf.h"
#include "crypto/alg.h"
#include "crypto/hash.h"

#include <sodium.h>

static void fill_system(void *ctx, void *out, size_t n)
{
	(void)ctx;
	sm_alg_sodium();
	randombytes_buf(out, n);
}

const struct sm_rand sm_rand_system = {fill_system, NULL};

static void fill_fixed(void *ctx, void *out, size_t n)
{
	struct sm_rand_fixed *s = ctx;
	uint8_t counter[8], seed[SM_HASH_LEN];

	sm_put_be64(counter, s->counter++);
	sm_hmac_sha256(seed, s->seed, sizeof s->seed, counter, sizeof counter);
	randombytes_buf_deterministic(out, n, seed);
	sodium_memzero(seed, sizeof seed);
}

struct sm_rand sm_rand_from(struct sm_rand_fixed *state) { return (struct sm_rand){fill_fixed, state}; }
