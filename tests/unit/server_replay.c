/* smserver's memory of nonces and challenges: what depends on the clock, which the tests against a running server cannot turn. */
#include "scratch.h"
#include "smserver/challenge.h"
#include "smserver/horizon.h"
#include "smserver/nonces.h"
#include "tap.h"

#include <fcntl.h>
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

static enum sm_err take_changed(struct sm_challenges *t, const struct sm_challenge *c, int64_t now, void (*change)(struct sm_challenge *))
{
	struct sm_challenge x = *c;

	change(&x);
	return sm_challenge_take(t, &x, now);
}

static void purpose(struct sm_challenge *c) { c->purpose = SM_FOR_REGISTER; }
static void enroll(struct sm_challenge *c) { c->purpose = SM_FOR_ENROLL; }
static void user(struct sm_challenge *c) { memcpy(c->user, "alicf", 6); }
static void device(struct sm_challenge *c) { c->device[31] ^= 1; }
static void cnonce(struct sm_challenge *c) { c->cnonce[0] ^= 1; }
static void salt(struct sm_challenge *c) { c->salt[15] ^= 1; }
static void rounds(struct sm_challenge *c) { c->t++; }
static void memory(struct sm_challenge *c) { c->m++; }
static void later(struct sm_challenge *c) { c->nonce[3]++; }
static void noise(struct sm_challenge *c) { c->nonce[15] ^= 1; }
static void tag(struct sm_challenge *c) { c->nonce[31] ^= 1; }

static void test_challenges(void)
{
	static void (*const changes[])(struct sm_challenge *) = {purpose, enroll, user,  device, cnonce, salt,
	                                                         rounds,  memory, later, noise,  tag};
	struct sm_challenges *t = sm_challenges_new(), *other = sm_challenges_new();
	struct sm_challenge c = {.purpose = SM_FOR_LOGIN, .user = "alice", .t = 3, .m = 65536};
	int64_t now = 1000000000;
	enum sm_err e = SM_OK;
	bool refused = true;
	size_t n = 0;

	sm_challenge_make(t, &c, now);
	ok(c.expires == now + SM_CHALLENGE_SECONDS, "a challenge lasts a minute");
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		refused &= take_changed(t, &c, now, changes[i]) == SM_ERR_NOTFOUND;
	ok(refused, "it is good for nothing but what it was made for");
	ok(sm_challenge_take(other, &c, now) == SM_ERR_NOTFOUND, "and for nobody else");
	ok(sm_challenge_take(t, &c, now + 59) == SM_OK && c.expires == now + 60, "it can be used until then");
	ok(sm_challenge_take(t, &c, now + 59) == SM_ERR_NOTFOUND, "once");
	sm_challenge_make(t, &c, now);
	ok(sm_challenge_take(t, &c, now + 60) == SM_ERR_NOTFOUND, "and not after it");
	ok(sm_challenge_take(t, &c, now - 3600) == SM_ERR_NOTFOUND, "nor when the clock has been set back");
	c.purpose = SM_FOR_REGISTER;
	sm_challenge_make(t, &c, now);
	cnonce(&c);
	ok(sm_challenge_take(t, &c, now) == SM_OK, "registering does not say the cnonce again");
	c.purpose = SM_FOR_ENROLL;
	sm_challenge_make(t, &c, now);
	cnonce(&c);
	ok(sm_challenge_take(t, &c, now) == SM_ERR_NOTFOUND, "enrolling does");
	cnonce(&c);
	ok(sm_challenge_take(t, &c, now) == SM_OK, "and takes the right one");
	for (; !e; n++) {
		sm_challenge_make(t, &c, now);
		e = sm_challenge_take(t, &c, now);
	}
	ok(e == SM_ERR_BUSY && n == SM_CHALLENGES_MAX - 2, "so many can be used in a minute and no more (%zu)", n);
	sm_challenge_make(t, &c, now + 128);
	ok(sm_challenge_take(t, &c, now + 128) == SM_OK, "and there is room again later");
	sm_challenges_free(t);
	sm_challenges_free(other);
}

static struct sm_horizon *horizon(int dirfd, int64_t now, int64_t uptime)
{
	struct sm_horizon *h = NULL;

	ok(sm_horizon_open(&h, dirfd, now, uptime) == SM_OK, "a server starts at %+d", (int)(now - 1000000000));
	return h;
}

static void test_horizon(void)
{
	const char *alice = "aaaaaaaaaaaaaaaaaaaaaaaaaa", *bob = "bbbbbbbbbbbbbbbbbbbbbbbbbb";
	int64_t t = 1000000000, up = 1000, first;
	int dirfd = scratch_make() ? open(scratch_dir, O_RDONLY | O_DIRECTORY) : -1;
	struct sm_horizon *h = horizon(dirfd, t, up);

	ok(sm_horizon_of(h, alice, t - 5) == t + 30, "where nothing is known, what an earlier server can have accepted is refused");
	ok(sm_horizon_of(h, alice, t + 1) == 0, "but not of a session that is its own");
	ok(!sm_horizon_accept(h, alice, t + 25, t + 3) && !sm_horizon_accept(h, alice, t + 20, t + 3), "a client's clock is ahead");
	ok(!sm_horizon_accept(h, bob, t + 3, t + 3), "another's is right");
	sm_horizon_close(h);
	h = horizon(dirfd, t + 4, up);
	ok(sm_horizon_of(h, alice, t + 1) == t + 25, "the next server refuses what was accepted ahead of its start");
	ok(sm_horizon_of(h, bob, t + 1) == t + 4, "and of others what was signed up to its start");
	sm_horizon_close(h);
	h = horizon(dirfd, t + 4, up);
	first = sm_horizon_started(h);
	ok(first == t + 5, "two starts in one second are two times");
	ok(sm_horizon_of(h, bob, t + 5) == t + 5, "and a session of the first is not taken for one of the second");
	sm_horizon_close(h);
	h = horizon(dirfd, t + 6, 10);
	ok(sm_horizon_of(h, bob, t) == t + 26, "just after a boot, what the machine may have forgotten is refused");
	sm_horizon_close(h);
	h = horizon(dirfd, t - 1000, up);
	ok(sm_horizon_started(h) == t - 1000 && sm_horizon_of(h, alice, t - 2000) == t - 1000,
	   "a clock that was wrong leaves nothing behind");
	sm_horizon_close(h);
	close(dirfd);
}

int main(void)
{
	test_horizon();
	test_nonces();
	test_nonce_limit();
	test_challenges();
	return tap_done();
}
