/* What the process may do: no core dumps, files for itself alone, and when root started it, the account it runs as. */
#ifndef SM_SMSERVER_PRIVILEGES_H
#define SM_SMSERVER_PRIVILEGES_H

#include "base/err.h"

/* Called first. */
SM_CHECKED enum sm_err sm_privileges_harden(void);
/* user "": nothing. Gives the data directory, when it is root's and empty of a database, to the account before becoming it. */
SM_CHECKED enum sm_err sm_privileges_drop(const char *user, const char *data, char why[static 512]);

#endif
