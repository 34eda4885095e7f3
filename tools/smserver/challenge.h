/* Challenges: nonces given out for a login, a registration or a new identity. Nothing is kept of one that has been given out: it
 * carries its end and a tag over everything it is for, under a key of this process, so asking for many costs nobody anything. Only
 * those that have been used are remembered, for as long as they could be used again. Any thread. */
#ifndef SM_SMSERVER_CHALLENGE_H
#define SM_SMSERVER_CHALLENGE_H

#include "store.h"

#define SM_CHALLENGE_SECONDS 60
#define SM_CHALLENGES_MAX 1048576 /* used in two minutes */

enum sm_purpose { SM_FOR_LOGIN, SM_FOR_REGISTER, SM_FOR_IDENTITY, SM_FOR_ENROLL };
/* "login", "register", "identity", "enroll" */
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
/* Sets c->nonce and c->expires for everything else in c; cnonce counts for logins and enrolments only, t and m not for
 * identities. */
void sm_challenge_make(const struct sm_challenges *t, struct sm_challenge *c, int64_t now);
/* Uses up c->nonce and sets c->expires. SM_ERR_NOTFOUND: not ours for what c says, expired, or used before. SM_ERR_BUSY: too many have been
 * used. */
SM_CHECKED enum sm_err sm_challenge_take(struct sm_challenges *t, struct sm_challenge *c, int64_t now);

#endif
