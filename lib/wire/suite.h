/* The suites of sm-format(5): one id fixes every algorithm, and one row here is all that the rest of lib/wire knows of a suite.
 * suite.c has what needs public keys only, so that smserver can link it; suite_secret.c (suite_secret.h) has the other half.
 * Adding a suite: a row in each, primitives in lib/crypto, and the maxima below when it is the new longest. */
#ifndef SM_WIRE_SUITE_H
#define SM_WIRE_SUITE_H

#include "base/buf.h"
#include "crypto/rand.h"

/* The longest of any row. */
#define SM_PUBLIC_KEY_MAX 2132  /* the keys of an identity */
#define SM_ENC_MAX 32           /* a key stanza's argument */
#define SM_STANZA_BODY_MAX 1024 /* a stanza's body */
#define SM_SIGNATURE_MAX 1024

struct sm_public;
struct sm_stanza;

enum sm_stanza_type { SM_STANZA_HPKE, SM_STANZA_RSA, SM_STANZA_ARGON2ID, SM_STANZA_PBKDF2, SM_STANZA_RATCHET, SM_STANZA_SENDERKEY };

/* The functions are called through identity.h, wrap.h and signature.h, which hold their contracts. */
struct sm_suite {
	const char *id;             /* as the first line of an envelope writes it */
	const char *prefix;         /* what its public identities begin with, and no other's */
	enum sm_stanza_type stanza; /* the type that wraps for a public identity */
	size_t enc;                 /* bytes of that stanza's one argument; 0: it has none */
	size_t body_min, body_max;  /* bytes of its body */
	size_t sig_min, sig_max;    /* bytes of a signature */
	bool sessions;              /* it has ratchet and senderkey stanzas */

	/* text: the whole token, prefix included. p is zeroed; suite is set by the caller. SM_ERR_FORMAT. */
	enum sm_err (*parse)(struct sm_public *p, struct sm_span text);
	enum sm_err (*format)(struct sm_buf *b, const struct sm_public *p);
	/* Fills s->enc, s->body (body_max bytes of room) and s->bodylen. */
	enum sm_err (*wrap)(struct sm_stanza *s, const struct sm_public *to, struct sm_span info, const uint8_t *file_key,
	                    const struct sm_rand *rand);
	/* SM_ERR_SIGNATURE; n is within sig_min .. sig_max. */
	enum sm_err (*verify)(const struct sm_public *signer, struct sm_span message, const uint8_t *sig, size_t n);
};

extern const struct sm_suite sm_suite_x25519; /* the default */
extern const struct sm_suite sm_suite_rsa;
/* NULL when the build has no such suite (class "unsupported suite"). */
const struct sm_suite *sm_suite_find(struct sm_span id);
/* The suite of a public identity, by its prefix; NULL when text begins like none. */
const struct sm_suite *sm_suite_of_public(struct sm_span text);

#endif
