/* Which call is answered by which handler, and what it needs first. */
#ifndef SM_SMSERVER_ROUTER_H
#define SM_SMSERVER_ROUTER_H

#include "http.h"

/* Answers req, now or later: 404, 405 and the checks of sm_auth included. */
void sm_route(struct sm_req *req);
/* What can be refused before the body comes: it is too large for the call, or large and from nobody. NULL: nothing. */
const struct sm_refusal *sm_route_head(void *server, const struct sm_head *h);
void sm_route_refused(struct sm_req *req, const struct sm_refusal *r);

#endif
