/* Which call is answered by which handler, and what it needs first. */
#ifndef SM_SMSERVER_ROUTER_H
#define SM_SMSERVER_ROUTER_H

#include "http.h"

/* Answers req, now or later: 404, 405 and the checks of sm_auth included. */
void sm_route(struct sm_req *req);

#endif
