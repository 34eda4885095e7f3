/* What all verbs that open an envelope share: who is asked for what, whose signatures count, and the words for what goes wrong. */
#ifndef SM_SMENCRYPT_DECRYPTION_H
#define SM_SMENCRYPT_DECRYPTION_H

#include "common/signers.h"
#include "smencrypt/verbs.h"
#include "stream/open.h"

struct sm_decryption {
	struct options *o;
	struct sm_opener opener;
	struct sm_identity id;
	struct sm_who wanted;
	struct sm_signers signers;
	bool said; /* a callback has already told what is wrong */
};

/* Resolves -s, and fills opener. Says what is wrong. */
SM_CHECKED enum sm_err sm_decryption_init(struct sm_decryption *d, struct options *o);
void sm_decryption_release(struct sm_decryption *d);
/* One line on how far the sender is proven. */
void sm_decryption_say_sender(const struct sm_decryption *d, const struct sm_opened *r);
/* One line on an error of lib/stream, unless a callback has said it. */
void sm_decryption_say_failure(const struct sm_decryption *d, enum sm_err e, unsigned header_line);

#endif
