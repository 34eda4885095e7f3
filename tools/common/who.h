/* WHO on a command line: sm1... | a contact's bare name (at the default account's server) | name@host[:port].
 * Offline tools resolve from the contacts; for a name that is no contact yet they run `smcontact add NAME` (beside the
 * running program, else on PATH), which asks the server and pins: programs that hold keys open no connection themselves. */
#ifndef SM_COMMON_WHO_H
#define SM_COMMON_WHO_H

#include "store/contacts.h"
#include "store/devices.h"
#include "wire/header.h"

struct sm_who {
	struct sm_address address;  /* "" when given as a key */
	struct sm_public pub;       /* the pinned user key, or the key given */
	bool contact;               /* resolved by address (pinned) rather than given as a key */
	struct sm_device_list list; /* contact: whose devices count, as last seen; n 0 for a key, which counts itself */
};
/* The keys that speak for WHO: for i < sm_who_keys, with the party for a `to`, `from` or `signer` line. */
size_t sm_who_keys(const struct sm_who *w);
SM_CHECKED enum sm_err sm_who_key(struct sm_party *party, struct sm_public *pub, const struct sm_who *w, size_t i);
/* The one with this fingerprint: SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_who_find(struct sm_public *pub, const struct sm_who *w, const uint8_t fp[static SM_FP_LEN]);

/* profile may be NULL. lookup: may run smcontact. Says what is wrong itself and returns the error: SM_ERR_NOTFOUND (exit 67),
 * SM_ERR_CHANGED (77, naming `smcontact accept NAME FINGERPRINT`), SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_who_resolve(struct sm_who *w, const char *who, const char *profile, bool lookup);
/* The address of the profile's account ("" when there is none): from the account file that smaccount writes. */
SM_CHECKED enum sm_err sm_who_self(struct sm_address *self, const char *profile);
/* The devices of the profile's account, self, on which own is the identity: the list as last seen, under the user key that is pinned for
 * self, or own's. Without an account (self "") it is own alone. SM_ERR_DENIED, said: own is in it no more. */
SM_CHECKED enum sm_err sm_who_own_devices(struct sm_device_list *l, const struct sm_address *self, const struct sm_public *own,
                                          const char *profile);
/* Is there a database to look into? Looking must not make one. */
bool sm_who_have_store(const char *profile);
/* A bare name or an address -> a full address, with the account's host for a bare name. SM_ERR_FORMAT, SM_ERR_CONFIG (no account). */
SM_CHECKED enum sm_err sm_who_address(struct sm_address *a, const char *who, const char *profile);

#endif
