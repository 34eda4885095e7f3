/* smcontact's verbs; tools/smcontact.c has the options. Each says what is wrong itself and returns the exit code. */
#ifndef SM_SMCONTACT_VERBS_H
#define SM_SMCONTACT_VERBS_H

#include "cli/opt.h"
#include "common/unlock.h"
#include "session/safety.h"
#include "store/contacts.h"

#define SM_CONTACTS_TEXT_MAX ((size_t)256 << 20) /* what list, import and export take */

struct options {
	struct sm_opts opts;
	struct sm_common common;
	bool json;
	char **arg; /* operands */
	int narg;
	struct sm_db db; /* main closes it */
};

/* listing.c */
int sm_verb_list(struct options *o);
int sm_verb_show(struct options *o);
/* verify.c */
int sm_verb_verify(struct options *o);
/* transfer.c */
int sm_verb_import(struct options *o);
int sm_verb_export(struct options *o);

int sm_contacts_open(struct options *o);
/* The first operand as an address, and the database. */
int sm_contacts_find(struct options *o, struct sm_address *a);
/* "... is no contact", or what else e is. */
int sm_contacts_missing(struct options *o, enum sm_err e, const char *address);
int sm_contacts_print(const struct sm_buf *b);

/* verify.c: the safety number of c as this profile's account sees it. ask: may ask for the identity's passphrase, and says what is wrong
 * with the identity. SM_ERR_NOTFOUND: no account; SM_ERR_POLICY: c is the account itself; SM_ERR_CHANGED: the account's own user key has
 * changed. */
SM_CHECKED enum sm_err sm_contacts_safety(char digits[static SM_SAFETY_DIGITS + 1], bool *said, struct options *o,
                                          const struct sm_contact *c, bool ask);

#endif
