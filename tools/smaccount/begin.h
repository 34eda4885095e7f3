/* What registering and logging in have in common: identity, server, password, and what is kept afterwards. */
#ifndef SM_SMACCOUNT_BEGIN_H
#define SM_SMACCOUNT_BEGIN_H

#include "common/net_client.h"
#include "net/account.h"
#include "smaccount/verbs.h"

/* Everything of one run. Zero it, sm_begin_init, sm_begin_release in every case. */
struct sm_begin {
	struct sm_online on;
	struct sm_identity id;
	struct sm_policy policy;
	struct sm_buf password;
	char label[65];
	struct sm_login login; /* set by sm_begin_password */
};
void sm_begin_init(struct sm_begin *b);
void sm_begin_release(struct sm_begin *b);

/* All of these return exit codes and say what is wrong. */
/* With on.account and on.self set: unlocks the identity, opens the connection, and asks the server for its policy. */
int sm_begin_open(struct sm_begin *b, struct options *o);
/* fresh: a new password, asked for twice. */
int sm_begin_password(struct sm_begin *b, struct options *o, bool fresh);
/* One try; the session is kept. SM_ERR_DENIED is for the caller to put into words. */
SM_CHECKED enum sm_err sm_begin_session(struct sm_begin *b);

/* After a session has begun: user key and devices are looked at, the account is kept, prekeys are sent. */
enum sm_trusting {
	SM_TRUST_OWN,   /* this device's key is the user key unless another is pinned: registering, and profiles that were in before */
	SM_TRUST_FIRST, /* a device that has just been let in: takes the user key that the server names, and says so */
	SM_TRUST_CODE,  /* the user key was there, as a recovery code: user is its public half */
};
int sm_begin_settle(struct sm_begin *b, struct options *o, enum sm_trusting trusting, const struct sm_public *user);

#endif
