/* The server's API as a client speaks it: JSON in and out, error answers, request signing, and the session's upkeep (one refresh when the
 * access token has run out, one repetition when the server has just started). Everything under /api/v1. */
#ifndef SM_NET_CLIENT_H
#define SM_NET_CLIENT_H

#include "base/secret.h"
#include "crypto/rand.h"
#include "net/http.h"
#include "net/session.h"

#include <jansson.h>

/* What an answer that is not 2xx said. */
struct sm_api_error {
	long status;       /* 0: there was none */
	char code[48];     /* "login_refused" */
	char message[512]; /* the server's sentence: never to a terminal raw */
	int64_t time;      /* the server's clock, for code "clock"; 0 when not said */
	int64_t sent;      /* our clock when the request was made */
	long retry_after;  /* seconds */
	json_t *body;      /* the whole object, or NULL */
};

struct sm_client {
	struct sm_http http;
	struct sm_secret memory;    /* holds the session */
	struct sm_session *session; /* NULL until resumed */
	const char *profile;        /* borrowed */
	struct sm_api_error error;  /* of the last call */
	const struct sm_rand *rand;
	unsigned patience; /* how often a signed call that did not reach the server is made again: after 0.1, 0.4, 1.6 ... seconds */
};

/* As sm_http_open. profile is borrowed and may be NULL. */
SM_CHECKED enum sm_err sm_client_open(struct sm_client *c, const struct sm_server *server, const char *profile);
void sm_client_close(struct sm_client *c);
/* Loads the login session: SM_ERR_NOTFOUND when there is none. */
SM_CHECKED enum sm_err sm_client_resume(struct sm_client *c);

/* One call without authentication. A 2xx is SM_OK; else c->error is set and the error is what the status stands for:
 * 400 PROTOCOL, 401 403 DENIED, 404 NOTFOUND, 409 CONFLICT, 413 LIMIT, 429 500 503 507 BUSY. a as in sm_http_request. */
SM_CHECKED enum sm_err sm_client_plain(struct sm_client *c, const struct sm_http_request *r, struct sm_http_answer *a);
/* One signed call of the session. r->header has room for four more. */
SM_CHECKED enum sm_err sm_client_call(struct sm_client *c, const struct sm_http_request *r, struct sm_http_answer *a);
/* The same for a stream. */
SM_CHECKED enum sm_err sm_client_stream(struct sm_client *c, const struct sm_http_request *r, const struct sm_http_stream *s);
/* Trades the refresh token for new tokens now, unless another process has done so already. SM_ERR_DENIED: the session is over. */
SM_CHECKED enum sm_err sm_client_refresh(struct sm_client *c);

/* JSON both ways over sm_client_plain (authenticated false) or sm_client_call. in is borrowed, NULL for no body; *out (NULL: not wanted) is
 * an object that the caller decrefs. SM_ERR_PROTOCOL when the answer is not an object. */
SM_CHECKED enum sm_err sm_client_json(struct sm_client *c, bool authenticated, const char *method, const char *path, json_t *in,
                                      json_t **out);

#endif
