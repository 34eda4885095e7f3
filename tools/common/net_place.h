/* Where an account's server answers: from an address and the options --url, --cacert and --insecure-http to what the account file keeps. */
#ifndef SM_COMMON_NET_PLACE_H
#define SM_COMMON_NET_PLACE_H

#include "store/account.h"

struct sm_place {
	const char *url, *cacert; /* options, or NULL */
	bool insecure_http;
};

/* Fills a for address. Without a URL: https://HOST, for a loopback host http://HOST. Says what is wrong and returns an exit code. */
int sm_place_account(struct sm_account *a, const struct sm_address *address, const struct sm_place *p);

#endif
