/* smencrypt's verbs, one file each; tools/smencrypt.c has the options. Each verb says what is wrong itself and returns the exit code. */
#ifndef SM_SMENCRYPT_VERBS_H
#define SM_SMENCRYPT_VERBS_H

#include "common/attachments.h"
#include "common/recipients.h"
#include "common/unlock.h"

struct options {
	struct sm_opts opts;
	struct sm_common common;
	struct sm_recipients to;
	struct sm_attachments attach;
	const char *attachments; /* --attachments */
	const char *identity, *name, *type, *subject, *signer, *output, *input, *argon2;
	bool passphrase, anonymous, sign, no_pad, binary, decrypt, require_signature, no_progress;
	uint32_t t, m;
};

int sm_encrypt(struct options *o);
int sm_decrypt(struct options *o);

#endif
