/* The fixed generator repeats itself for the same seed and never within a run; the system's is not it. */
#include "crypto/rand.h"

#include "tap.h"

#include <string.h>

int main(void)
{
	struct sm_rand_fixed one = {{1}, 0}, same = {{1}, 0}, other = {{2}, 0};
	struct sm_rand a = sm_rand_from(&one), b = sm_rand_from(&same), c = sm_rand_from(&other);
	uint8_t x[100], y[100], z[100];

	sm_rand_fill(&a, x, sizeof x);
	sm_rand_fill(&b, y, sizeof y);
	sm_rand_fill(&c, z, sizeof z);
	ok(memcmp(x, y, sizeof x) == 0, "the same seed gives the same bytes");
	ok(memcmp(x, z, sizeof x) != 0, "another seed gives others");
	sm_rand_fill(&a, y, sizeof y);
	ok(memcmp(x, y, sizeof x) != 0, "the second draw is not the first");
	sm_rand_fill(&b, z, sizeof z);
	ok(memcmp(y, z, sizeof y) == 0, "but is repeatable too");
	sm_rand_fill(&sm_rand_system, x, 32);
	sm_rand_fill(&sm_rand_system, y, 32);
	ok(memcmp(x, y, 32) != 0, "two draws from the system differ");
	return tap_done();
}
