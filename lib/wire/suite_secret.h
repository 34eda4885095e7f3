/* The half of the table of suites that needs secret keys; smserver does not link it. Used through identity.h, wrap.h and signature.h. */
#ifndef SM_WIRE_SUITE_SECRET_H
#define SM_WIRE_SUITE_SECRET_H

#include "wire/identity.h"

struct sm_suite_secret {
	const struct sm_suite *suite;
	const char *begins; /* what its key in a plain secret key file begins with, and no other's */

	/* A new secret. bits: sm_identity_generate_in. */
	enum sm_err (*generate)(struct sm_secret *secret, unsigned bits, const struct sm_rand *rand);
	/* Its public half; SM_ERR_FORMAT when the secret is none of this suite's. */
	enum sm_err (*derive)(struct sm_public *pub, const struct sm_secret *secret);
	/* Takes the key off the front of text, which begins with `begins`. SM_ERR_FORMAT. */
	enum sm_err (*parse)(struct sm_secret *secret, struct sm_span *text);
	/* Appends the key's lines, each with LF. */
	enum sm_err (*format)(struct sm_buf *b, const struct sm_secret *secret);
	/* SM_ERR_STANZA. */
	enum sm_err (*unwrap)(uint8_t *file_key, const struct sm_stanza *s, struct sm_span info, const struct sm_secret *secret);
	/* sig has room for SM_SIGNATURE_MAX. */
	enum sm_err (*sign)(uint8_t *sig, size_t *n, struct sm_span message, const struct sm_secret *secret);
};

/* Never NULL: each row of suite.c has one. */
const struct sm_suite_secret *sm_suite_secret(const struct sm_suite *suite);
/* NULL when text begins like no suite's key. */
const struct sm_suite_secret *sm_suite_secret_of_text(struct sm_span text);

#endif
