/* The connection of the profile's account, and the words for what can go wrong with it: for the tools that talk to the server. */
#ifndef SM_COMMON_NET_CLIENT_H
#define SM_COMMON_NET_CLIENT_H

#include "net/client.h"
#include "store/account.h"

struct sm_online {
	struct sm_account account;
	struct sm_address self;
	struct sm_client client;
};

/* These say what is wrong and return an exit code; 0 is fine. o: zeroed before, sm_online_close after in every case. */
/* Loads the account: 77 with "smaccount register" in it when there is none. */
int sm_online_account(struct sm_online *o, const char *profile);
/* Connects nothing yet: opens the client for the account that is loaded or filled in. */
int sm_online_open(struct sm_online *o, const char *profile);
/* Both of these, and the login session: 77 when not logged in. */
int sm_online_start(struct sm_online *o, const char *profile);
void sm_online_close(struct sm_online *o);

/* Puts e, an error of lib/net, into one line and returns its exit code. */
int sm_net_say(const struct sm_client *c, enum sm_err e);

#endif
