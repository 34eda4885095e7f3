/* The profile's account: whose address this is and where its server answers (config/account, inih form, 0600). No secrets: what a
 * login gives is in state/session (net/session.h). */
#ifndef SM_STORE_ACCOUNT_H
#define SM_STORE_ACCOUNT_H

#include "wire/address.h"

#define SM_URL_MAX 511
#define SM_ACCOUNT_PATH_MAX 4095

struct sm_account {
	char address[SM_ADDRESS_MAX + 1];     /* name@host[:port], canonical */
	char url[SM_URL_MAX + 1];             /* scheme://host[:port], no slash at the end */
	char cacert[SM_ACCOUNT_PATH_MAX + 1]; /* absolute path of a PEM file that is trusted instead of the system's; "" for none */
	bool insecure_http;                   /* plain http to a host that is not this one was asked for */
};

/* profile: NULL or a name (base/path.h). SM_ERR_NOTFOUND when the profile has no account; SM_ERR_CONFIG when the file is damaged. */
SM_CHECKED enum sm_err sm_account_load(struct sm_account *a, const char *profile);
/* Replaces the file atomically. SM_ERR_FORMAT when a value would not be read back. */
SM_CHECKED enum sm_err sm_account_save(const struct sm_account *a, const char *profile);
/* The same for the account that this device has asked to be let in to, and is not in yet (config/account.asked). */
SM_CHECKED enum sm_err sm_account_asked_load(struct sm_account *a, const char *profile);
SM_CHECKED enum sm_err sm_account_asked_save(const struct sm_account *a, const char *profile);
/* SM_OK also when there is none. */
SM_CHECKED enum sm_err sm_account_asked_forget(const char *profile);

#endif
