/* Signed requests (RFC 9421, hmac-sha256; RFC 9530 Content-Digest; sm-protocol(7), "Signed requests"). */
#ifndef SM_SMSERVER_AUTH_H
#define SM_SMSERVER_AUTH_H

#include "http.h"

/* Sets req->session, or answers 401 or 429 itself and returns false. token: whether an access token has to be there
 * (everything but refresh). */
bool sm_auth(struct sm_req *req, bool token);

#endif
