/* Strict JSON requests and small answers. Binary values are unpadded base64. */
#ifndef SM_SMSERVER_JSON_H
#define SM_SMSERVER_JSON_H

#include "http.h"

#include <jansson.h>

#define SM_JSON_BODY_MAX 65536
#define SM_BUNDLES_BODY_MAX (256 << 10)
#define SM_ROSTER_BODY_MAX (1 << 20)
#define SM_SEND_MAX (4 << 20)

enum sm_json_kind {
	SM_JSON_TEXT,  /* size bytes at out, with the terminator: at most size - 1 characters, no zero byte */
	SM_JSON_BYTES, /* exactly size bytes */
	SM_JSON_KDF,   /* out is struct sm_kdf */
	SM_JSON_U32,   /* out is uint32_t */
	SM_JSON_TIME,  /* out is int64_t: 0 to 2^53 */
	SM_JSON_COPY,  /* a text as above; out is char *, set to a copy from malloc, the caller's to free whatever becomes of the request */
	SM_JSON_LIST,  /* an array; out is json_t *, set to a reference that is the caller's, as above */
};
struct sm_kdf {
	uint32_t t, m;
};
struct sm_json_member {
	const char *name;
	enum sm_json_kind kind;
	void *out;
	size_t size;
	bool optional;    /* out is untouched when absent */
	const char *code; /* for a text that is too long; NULL: bad_request */
};

/* The request's body as one object with exactly these members. Answers 400, 413 or 415 itself and returns false. */
bool sm_json_request(struct sm_req *req, const struct sm_json_member *m, size_t n);
/* The same for a body of at most max bytes. */
bool sm_json_request_of(struct sm_req *req, const struct sm_json_member *m, size_t n, size_t max);
/* Is o an object with exactly these members? */
bool sm_json_object(const json_t *o, const struct sm_json_member *m, size_t n);
/* Answers with o, which it takes over; NULL is 500. */
void sm_json_reply(struct sm_req *req, int status, json_t *o);
/* b64 of n <= 512 bytes as a new JSON string. */
json_t *sm_json_b64(const uint8_t *p, size_t n);

/* {"error":code,"message":message}, with Retry-After: 1 for 503 and 429, and a line in the log. */
void sm_problem(struct sm_req *req, int status, const char *code, const char *message);
/* Takes over extra (an object, or NULL) and adds error and message to it. */
void sm_problem_with(struct sm_req *req, int status, const char *code, const char *message, json_t *extra);
/* For what the store or the writer could not do: 507, 503 or 500. */
void sm_problem_err(struct sm_req *req, enum sm_err e);

#endif
