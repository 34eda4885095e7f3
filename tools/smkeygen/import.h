/* smkeygen --import: an identity from keys that another program made. */
#ifndef SM_SMKEYGEN_IMPORT_H
#define SM_SMKEYGEN_IMPORT_H

#include "cli/tty.h"
#include "wire/identity.h"

/* file: PEM with one Ed25519 key, with one RSA key, or with two, the signing key first. encrypt, or NULL: PEM with the RSA key that
 * encrypts, where file has only one; where nothing has it, it is made. pw opens whatever is encrypted in them: it is asked for once. Says
 * what is wrong itself. */
SM_CHECKED enum sm_err sm_keygen_import(struct sm_identity *id, const char *file, const char *encrypt, struct sm_passphrase_source *pw);

#endif
