/* WHO on a command line: sm1... | a contact's bare name (at the default account's server) | name@host[:port].
 * Offline tools resolve from the contacts; for a name that is no contact yet they run `smcontact add NAME` (beside the
 * running program, else on PATH), which asks the server and pins: programs that hold keys open no connection themselves. */
#ifndef SM_COMMON_WHO_H
#define SM_COMMON_WHO_H

#include "store/contacts.h"
#include "wire/header.h"

struct sm_who {
	struct sm_party party; /* for a `to`, `from` or `signer` line */
	struct sm_public pub;
	bool contact; /* resolved by address (pinned) rather than given as a key */
};

/* profile may be NULL. lookup: may run smcontact. Says what is wrong itself and returns the error: SM_ERR_NOTFOUND (exit 67),
 * SM_ERR_CHANGED (77, naming `smcontact accept NAME FINGERPRINT`), SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_who_resolve(struct sm_who *w, const char *who, const char *profile, bool lookup);
/* The address of the profile's account ("" when there is none): from the account file that smaccount writes. */
SM_CHECKED enum sm_err sm_who_self(struct sm_address *self, const char *profile);
/* A bare name or an address -> a full address, with the account's host for a bare name. SM_ERR_FORMAT, SM_ERR_CONFIG (no account). */
SM_CHECKED enum sm_err sm_who_address(struct sm_address *a, const char *who, const char *profile);

#endif
