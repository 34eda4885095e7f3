/* The data directory: 0700, one server at a time. */
#ifndef SM_SMSERVER_DATADIR_H
#define SM_SMSERVER_DATADIR_H

#include "base/err.h"

#include <stdbool.h>

/* Opens dir (create: makes it and what leads to it) and takes its lock. *dirfd and *lockfd are the caller's; *why (512) on failure:
 * SM_ERR_BUSY another server has it, SM_ERR_PERM others may enter it or it is not ours, SM_ERR_NOINPUT, SM_ERR_CANTCREAT. */
SM_CHECKED enum sm_err sm_datadir_open(const char *dir, bool create, int *dirfd, int *lockfd, char why[static 512]);

#endif
