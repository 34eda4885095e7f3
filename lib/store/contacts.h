/* Contacts: trust on first use pins, one for an address (SESSIONS.md "Trust"). A pin is a user key; a changed key is never taken by itself.
 */
#ifndef SM_STORE_CONTACTS_H
#define SM_STORE_CONTACTS_H

#include "store/db.h"
#include "wire/address.h"
#include "wire/identity.h"

enum sm_trust { SM_TRUST_UNVERIFIED, SM_TRUST_VERIFIED, SM_TRUST_CHANGED };

struct sm_contact {
	char address[SM_ADDRESS_MAX + 1]; /* name@host[:port] */
	struct sm_public pub;             /* the pinned key */
	enum sm_trust trust;
	bool has_seen; /* trust CHANGED: the key that was seen instead */
	uint8_t seen_fp[SM_FP_LEN];
	char seen[SM_PUBLIC_TEXT_MAX + 1]; /* that key as text */
	int64_t pinned;                    /* seconds since 1970 */
};

/* SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_contact_get(struct sm_contact *c, struct sm_db *db, const char *address);
SM_CHECKED enum sm_err sm_contact_by_fp(struct sm_contact *c, struct sm_db *db, const uint8_t fp[static SM_FP_LEN]);
/* Pins pub for address when it is new; SM_OK also when the same key is pinned already. Another key: records it as seen,
 * trust becomes CHANGED, SM_ERR_CHANGED. *added (may be NULL): a new pin was made. */
SM_CHECKED enum sm_err sm_contact_pin(struct sm_db *db, const char *address, const struct sm_public *pub, int64_t now, bool *added);
/* Takes the seen key with this fingerprint as the new pin (unverified). SM_ERR_NOTFOUND, SM_ERR_POLICY when the fingerprint is not the seen
 * one. */
SM_CHECKED enum sm_err sm_contact_accept(struct sm_db *db, const char *address, const uint8_t fp[static SM_FP_LEN], int64_t now);
/* The pinned key, which fp names, was compared by people: it is verified until it is replaced or removed. SM_ERR_NOTFOUND; SM_ERR_CHANGED
 * when another one is pinned, or has been seen since. */
SM_CHECKED enum sm_err sm_contact_set_verified(struct sm_db *db, const char *address, const uint8_t fp[static SM_FP_LEN]);
/* What a person's file of contacts says, inside the caller's transaction (sm_db_begin): pins pub where nothing is pinned, and marks it
 * verified if that is said of the very key; a verified pin stays so. Another key is never noted, nor taken: SM_ERR_CHANGED. *added: a new
 * pin was made. */
SM_CHECKED enum sm_err sm_contact_merge(struct sm_db *db, const char *address, const struct sm_public *pub, bool verified, int64_t now,
                                        bool *added);
SM_CHECKED enum sm_err sm_contact_remove(struct sm_db *db, const char *address);
/* In order of address; fn returns SM_OK to go on. */
typedef enum sm_err sm_contact_fn(void *ctx, const struct sm_contact *c);
SM_CHECKED enum sm_err sm_contact_each(struct sm_db *db, sm_contact_fn *fn, void *ctx);

#endif
