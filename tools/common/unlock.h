/* Common options and the unlocked identity: what every tool that needs the secret key does first. */
#ifndef SM_COMMON_UNLOCK_H
#define SM_COMMON_UNLOCK_H

#include "cli/opt.h"
#include "cli/tty.h"
#include "wire/identity.h"

/* -q -v --profile --passphrase-file --passphrase-fd: put SM_COMMON_OPTS at the end of a table, and give what the tool does not know to
 * sm_common_opt (true when it was one of them). */
struct sm_common {
	const char *profile;
	bool quiet, verbose;
	struct sm_passphrase_source passphrase;
};
enum { SM_OPT_PROFILE = SM_OPT_LONG + 1000, SM_OPT_PASSPHRASE_FILE, SM_OPT_PASSPHRASE_FD };
#define SM_COMMON_OPTS                                                                                                                     \
	{'q', "quiet", NULL, "no warnings"}, {'v', "verbose", NULL, "say more"},                                                           \
	        {SM_OPT_PROFILE, "profile", "NAME", "use the profile NAME"},                                                               \
	        {SM_OPT_PASSPHRASE_FILE, "passphrase-file", "FILE", "read the passphrase from FILE"},                                      \
	{                                                                                                                                  \
		SM_OPT_PASSPHRASE_FD, "passphrase-fd", "N", "read the passphrase from descriptor N"                                        \
	}
#define SM_COMMON_INIT                                                                                                                     \
	{                                                                                                                                  \
		.passphrase = {.fd = -1 }                                                                                                  \
	}
bool sm_common_opt(struct sm_common *c, const struct sm_opts *o, int code);

/* path: -i FILE or NULL for the profile's. Says what is wrong itself ("no identity in '...': make one with smkeygen") and returns the
 * error. */
SM_CHECKED enum sm_err sm_unlock(struct sm_identity *id, const char *path, struct sm_common *c);
/* The same with text or protected as in sm_keyring_read, which the passphrase must open even while the key is unlocked. */
SM_CHECKED enum sm_err sm_unlock_with(struct sm_identity *id, const char *path, struct sm_common *c, struct sm_buf *text, bool *protected);
/* As sm_keyring_public, saying what is wrong. */
SM_CHECKED enum sm_err sm_unlock_public(struct sm_public *pub, struct sm_buf *comment, const char *path, struct sm_common *c);
/* The words for an error of lib/store/keyring.h about path, or the profile's identity for NULL. errno as it was. */
void sm_identity_error(enum sm_err e, const char *path, const char *profile);

#endif
