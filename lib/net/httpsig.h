/* What signs a request (sm-protocol(7), "Signed requests"): Content-Digest (RFC 9530) and an HTTP message signature (RFC 9421) with
 * hmac-sha256 over @method, @authority, @path, @query and content-digest. Pure: time and nonce are arguments. */
#ifndef SM_NET_HTTPSIG_H
#define SM_NET_HTTPSIG_H

#include "net/http.h"

#define SM_HTTPSIG_NONCE 16

struct sm_httpsig {
	char digest[128]; /* "Content-Digest: sha-256=:...:" */
	char input[512];  /* "Signature-Input: sm=..." */
	char signature[128];
};

struct sm_httpsig_key {
	const char *keyid;  /* the session's id */
	const uint8_t *key; /* 32 bytes */
	int64_t created;    /* seconds since 1970 */
	uint8_t nonce[SM_HTTPSIG_NONCE];
};

/* authority: lower case, without the scheme's default port. */
SM_CHECKED enum sm_err sm_httpsig_make(struct sm_httpsig *s, const struct sm_http_request *r, const char *authority,
                                       const struct sm_httpsig_key *k);

#endif
