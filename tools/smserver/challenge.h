/* Challenges: nonces given out for a login, a registration or a new identity. In memory, sixty seconds, used once,
 * bound to everything the request for it said. Any thread. */
#ifndef SM_SMSERVER_CHALLENGE_H
#define SM_SMSERVER_CHALLENGE_H

#include "store.h"

#define SM_CHALLENGE_SECONDS 60
#define SM_CHALLENGES_MAX 65536

enum sm_purpose { SM_FOR_LOGIN, SM_FOR_REGISTER, SM_FOR_IDENTITY };
/* "login", "register", "identity" */
const char *sm_purpose_text(enum sm_purpose p);

struct sm_challenge {
	enum sm_purpose purpose;
	char user[SM_NAME_MAX + 1];
	uint8_t device[32], cnonce[32], nonce[32], salt[16];
	uint32_t t, m;
	int64_t expires;
};

struct sm_challenges;
struct sm_challenges *sm_challenges_new(void);
void sm_challenges_free(struct sm_challenges *t);
/* Sets c->nonce and c->expires and keeps a copy. SM_ERR_BUSY: too many are outstanding. */
SM_CHECKED enum sm_err sm_challenge_add(struct sm_challenges *t, struct sm_challenge *c, int64_t now);
/* Uses up the challenge with this nonce, good or bad. SM_ERR_NOTFOUND: unknown, used or expired. */
SM_CHECKED enum sm_err sm_challenge_take(struct sm_challenges *t, const uint8_t nonce[static 32], int64_t now, struct sm_challenge *out);

#endif
