/* A nonce is be32(expires) | 12 random bytes | 16 bytes of the tag. */
#include "challenge.h"

#include "base/buf.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/rand.h"
#include "nonces.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN = 16 };

struct sm_challenges {
	uint8_t key[32];
	pthread_mutex_t lock; /* guards used */
	struct sm_nonces used;
};

const char *sm_purpose_text(enum sm_purpose p)
{
	static const char *const text[] = {"login", "register", "identity", "enroll"};

	return text[p];
}

struct sm_challenges *sm_challenges_new(void)
{
	struct sm_challenges *t = calloc(1, sizeof *t);

	if (t) {
		pthread_mutex_init(&t->lock, NULL);
		sm_rand_fill(&sm_rand_system, t->key, sizeof t->key);
		t->used.max = SM_CHALLENGES_MAX;
	}
	return t;
}

void sm_challenges_free(struct sm_challenges *t)
{
	if (!t)
		return;
	sm_nonces_release(&t->used);
	pthread_mutex_destroy(&t->lock);
	sm_wipe(t, sizeof *t);
	free(t);
}

/* Every field has its own place and size: no two challenges have the same bytes. */
static void make_tag(uint8_t tag[static 32], const struct sm_challenges *t, const struct sm_challenge *c)
{
	uint8_t m[1 + SM_NAME_MAX + 1 + 32 + 32 + 16 + 8 + OPEN] = {(uint8_t)c->purpose};
	uint8_t *p = m + 1;

	memcpy(p, c->user, strlen(c->user));
	p += SM_NAME_MAX + 1;
	memcpy(p, c->device, 32);
	if (c->purpose == SM_FOR_LOGIN || c->purpose == SM_FOR_ENROLL)
		memcpy(p + 32, c->cnonce, 32);
	p += 64;
	memcpy(p, c->salt, 16);
	if (c->purpose != SM_FOR_IDENTITY) {
		sm_put_be32(p + 16, c->t);
		sm_put_be32(p + 20, c->m);
	}
	memcpy(p + 24, c->nonce, OPEN);
	sm_hmac_sha256(tag, t->key, sizeof t->key, m, sizeof m);
}

void sm_challenge_make(const struct sm_challenges *t, struct sm_challenge *c, int64_t now)
{
	uint8_t tag[32];

	c->expires = now + SM_CHALLENGE_SECONDS;
	sm_put_be32(c->nonce, (uint32_t)c->expires);
	sm_rand_fill(&sm_rand_system, c->nonce + 4, OPEN - 4);
	make_tag(tag, t, c);
	memcpy(c->nonce + OPEN, tag, 32 - OPEN);
}

enum sm_err sm_challenge_take(struct sm_challenges *t, struct sm_challenge *c, int64_t now)
{
	uint8_t tag[32];
	int32_t left = (int32_t)(sm_get_be32(c->nonce) - (uint32_t)now);
	enum sm_err e;

	make_tag(tag, t, c);
	c->expires = now + left;
	/* One from the future was made before the clock was set back: it is as good as expired. */
	if (!sm_equal(tag, c->nonce + OPEN, 32 - OPEN) || left <= 0 || left > SM_CHALLENGE_SECONDS)
		return SM_ERR_NOTFOUND;
	pthread_mutex_lock(&t->lock);
	e = sm_nonces_use(&t->used, c->nonce + OPEN, c->expires);
	pthread_mutex_unlock(&t->lock);
	return e == SM_ERR_EXISTS ? SM_ERR_NOTFOUND : e ? SM_ERR_BUSY : SM_OK;
}
