/* smkeygen --recovery: the secret key as a person can write it down. */
#ifndef SM_SMKEYGEN_RECOVERY_H
#define SM_SMKEYGEN_RECOVERY_H

#include "common/unlock.h"

/* path: NULL for the profile's identity. The passphrase is asked for even while the key is unlocked. Returns the exit code. */
int sm_keygen_recovery(const char *path, struct sm_common *c);

#endif
