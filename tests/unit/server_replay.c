/* smserver's memory of nonces and challenges: what depends on the clock, which the tests against a running server cannot turn. */
#include "smserver/challenge.h"
#include "smserver/nonces.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static void number(uint8_t nonce[static SM_NONCE], uint32_t n)
{
	memset(nonce, 0, SM_NONCE);
	nonce[0] = 1;
	memcpy(nonce + 4, &n, 4);
}

static void test_nonces(void)
{
	struct sm_nonces s = {0};
	uint8_t nonce[SM_NONCE] = {0};
	int64_t now = 1000000000; /* the first second of a window is a multiple of 64 */
	bool good = true;

	ok(sm_nonces_use(&s, nonce, now) == SM_ERR_EXISTS, "a nonce of zeros is never new");
	for (uint32_t i = 0; i < 5000; i++) {
		number(nonce, i);
		good &= sm_nonces_use(&s, nonce, now + i % 61 - 30) == SM_OK;
	}
	ok(good, "5000 nonces over the whole span that is accepted are new");
	for (uint32_t i = 0; i < 5000; i++) {
		number(nonce, i);
		good &= sm_nonces_use(&s, nonce, now + i % 61 - 30) == SM_ERR_EXISTS;
	}
	ok(good, "and each is a replay the second time");
	number(nonce, 7);
	ok(sm_nonces_use(&s, nonce, now + 128) == SM_OK,
	   "two windows later the same bytes are new: what was signed then can no longer come");
	sm_nonces_release(&s);
}

static void test_nonce_limit(void)
{
	struct sm_nonces s = {0};
	uint8_t nonce[SM_NONCE];
	uint32_t i;
	enum sm_err e = SM_OK;

	for (i = 0; !e && i <= SM_NONCES_MAX; i++) {
		number(nonce, i);
		e = sm_nonces_use(&s, nonce, 1000000000 + i % 2 * 64);
	}
	ok(e == SM_ERR_LIMIT && i == SM_NONCES_MAX + 1, "a session has %d live nonces and no more (%u)", SM_NONCES_MAX, i);
	sm_nonces_release(&s);
}

static void test_challenges(void)
{
	struct sm_challenges *t = sm_challenges_new();
	struct sm_challenge c = {.purpose = SM_FOR_LOGIN, .user = "alice"}, got;
	int64_t now = 1000000000;
	size_t n = 0;

	ok(sm_challenge_add(t, &c, now) == SM_OK && c.expires == now + SM_CHALLENGE_SECONDS, "a challenge lasts a minute");
	ok(sm_challenge_take(t, c.nonce, now + 59, &got) == SM_OK && !strcmp(got.user, "alice"), "it can be used until then");
	ok(sm_challenge_take(t, c.nonce, now + 59, &got) == SM_ERR_NOTFOUND, "once");
	ok(sm_challenge_add(t, &c, now) == SM_OK && sm_challenge_take(t, c.nonce, now + 60, &got) == SM_ERR_NOTFOUND, "and not after it");
	ok(sm_challenge_add(t, &c, now) == SM_OK && sm_challenge_take(t, c.nonce, now - 3600, &got) == SM_ERR_NOTFOUND,
	   "nor when the clock has been set back");
	while (n <= SM_CHALLENGES_MAX && sm_challenge_add(t, &c, now) == SM_OK)
		n++;
	ok(n > SM_CHALLENGES_MAX / 2 && n <= SM_CHALLENGES_MAX, "so many can be outstanding and no more (%zu)", n);
	ok(sm_challenge_add(t, &c, now + 61) == SM_OK, "and there is room again when they have expired");
	sm_challenges_free(t);
}

int main(void)
{
	test_nonces();
	test_nonce_limit();
	test_challenges();
	return tap_done();
}
