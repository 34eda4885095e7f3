/* The running server's control socket, DATA/control: who may open it is who may open the data directory. One command line in,
 * "ok" or "error NUMBER" on a line and the answer's lines out. */
#ifndef SM_SMSERVER_CONTROL_H
#define SM_SMSERVER_CONTROL_H

#include "base/buf.h"

struct sm_control;
struct sm_server;

SM_CHECKED enum sm_err sm_control_start(struct sm_control **out, struct sm_server *s, char why[static 512]);
void sm_control_stop(struct sm_control *c);
/* The client's side: *running false when no server listens there, and then nothing was done. */
SM_CHECKED enum sm_err sm_control_ask(int dirfd, const char *command, struct sm_buf *out, bool *running);

#endif
