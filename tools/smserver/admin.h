/* The administrator's verbs as one text command and one text answer, on a running server (through its writer) or on the files.
 *   user-add NAME SECONDS | user-list AFTER | user-disable NAME | user-enable NAME | invite USES SECONDS */
#ifndef SM_SMSERVER_ADMIN_H
#define SM_SMSERVER_ADMIN_H

#include "store.h"

struct sm_server;

#define SM_ADMIN_COMMAND_MAX 256
#define SM_ADMIN_ANSWER_MAX 262144
#define SM_ADMIN_PAGE 1000 /* names in one user-list answer; ask again after the last */

/* Appends lines to out. s NULL: store is open for this alone. Errors: SM_ERR_NOTFOUND, SM_ERR_EXISTS (the name is taken), SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_admin_run(struct sm_server *s, struct sm_store *store, struct sm_reader *reader, const char *command,
                                    struct sm_buf *out);

#endif
