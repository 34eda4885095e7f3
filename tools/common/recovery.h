/* A recovery code as a tool's input: from --recovery-file, from --recovery-fd, or asked for on the terminal; never an argument. */
#ifndef SM_COMMON_RECOVERY_H
#define SM_COMMON_RECOVERY_H

#include "cli/tty.h"
#include "wire/identity.h"

/* src: file or fd, or neither. On a terminal a mistyped code is asked for again, twice. Says what is wrong itself: SM_ERR_FORMAT for what
 * is no code, else as sm_passphrase. */
SM_CHECKED enum sm_err sm_recovery_read(struct sm_identity *id, struct sm_passphrase_source *src);

#endif
