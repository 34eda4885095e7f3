/* A fixed table with short probes, placed by the nonce's own random bytes. */
#include "challenge.h"

#include "base/buf.h"
#include "base/secret.h"
#include "crypto/rand.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PROBES = 64 };

struct sm_challenges {
	pthread_mutex_t lock;
	struct sm_challenge slot[SM_CHALLENGES_MAX]; /* expires 0: free */
};

const char *sm_purpose_text(enum sm_purpose p)
{
	static const char *const text[] = {"login", "register", "identity"};

	return text[p];
}

struct sm_challenges *sm_challenges_new(void)
{
	struct sm_challenges *t = calloc(1, sizeof *t);

	if (t)
		pthread_mutex_init(&t->lock, NULL);
	return t;
}

void sm_challenges_free(struct sm_challenges *t)
{
	if (t)
		pthread_mutex_destroy(&t->lock);
	free(t);
}

enum sm_err sm_challenge_add(struct sm_challenges *t, struct sm_challenge *c, int64_t now)
{
	enum sm_err e = SM_ERR_BUSY;

	sm_rand_fill(&sm_rand_system, c->nonce, sizeof c->nonce);
	c->expires = now + SM_CHALLENGE_SECONDS;
	pthread_mutex_lock(&t->lock);
	for (uint32_t i = sm_get_be32(c->nonce), end = i + PROBES; i != end; i++) {
		struct sm_challenge *s = &t->slot[i % SM_CHALLENGES_MAX];
		/* One from the future was made before the clock was set back: it is as good as expired. */
		if (s->expires <= now || s->expires > now + SM_CHALLENGE_SECONDS) {
			*s = *c;
			e = SM_OK;
			break;
		}
	}
	pthread_mutex_unlock(&t->lock);
	return e;
}

enum sm_err sm_challenge_take(struct sm_challenges *t, const uint8_t nonce[static 32], int64_t now, struct sm_challenge *out)
{
	enum sm_err e = SM_ERR_NOTFOUND;

	pthread_mutex_lock(&t->lock);
	for (uint32_t i = sm_get_be32(nonce), end = i + PROBES; i != end; i++) {
		struct sm_challenge *s = &t->slot[i % SM_CHALLENGES_MAX];
		if (!s->expires || !sm_equal(s->nonce, nonce, 32))
			continue;
		if (s->expires > now && s->expires <= now + SM_CHALLENGE_SECONDS) {
			*out = *s;
			e = SM_OK;
		}
		s->expires = 0;
		break;
	}
	pthread_mutex_unlock(&t->lock);
	return e;
}
