/* Accounts over the API: policy, registering, logging in and out. */
#ifndef SM_NET_ACCOUNT_H
#define SM_NET_ACCOUNT_H

#include "net/client.h"
#include "net/scram.h"

enum sm_registration { SM_REGISTRATION_OPEN, SM_REGISTRATION_INVITE, SM_REGISTRATION_CLOSED };

struct sm_policy {
	char origin[300]; /* what the server calls itself */
	enum sm_registration registration;
	int64_t min_length;
	bool letter, number, special;
	struct sm_kdf kdf;
	int64_t message_bytes;
	int64_t time;
};

/* SM_ERR_PROTOCOL when malformed, or its kdf is weaker or heavier than net/scram.h allows. */
SM_CHECKED enum sm_err sm_net_policy(struct sm_policy *p, struct sm_client *c);
/* NULL when password is good, else the sentence that says what is missing. Lengths are in characters of UTF-8. */
const char *sm_policy_password(const struct sm_policy *p, const void *password, size_t n);

/* Who registers or logs in. All borrowed. */
struct sm_login {
	struct sm_address address;
	const struct sm_identity *id;
	const void *password;
	size_t n;
	const char *invite; /* register: NULL for none */
	const char *label;  /* register: NULL for none */
};
/* SM_ERR_PROTOCOL also when the server asks for another kdf than its policy's. Other refusals: c->error. */
SM_CHECKED enum sm_err sm_net_register(struct sm_client *c, const struct sm_policy *p, const struct sm_login *l);
/* Logs in, checks the server's own proof (SM_ERR_PROTOCOL when it is wrong), saves the session and resumes it. */
SM_CHECKED enum sm_err sm_net_login(struct sm_client *c, const struct sm_login *l);
/* Ends the session on the server and forgets it here, here also when the server cannot be reached (that error is then returned). */
SM_CHECKED enum sm_err sm_net_logout(struct sm_client *c);

#endif
