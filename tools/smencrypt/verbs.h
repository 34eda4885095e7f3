/* smencrypt's verbs, one file each; tools/smencrypt.c has the options. Each verb says what is wrong itself and returns the exit code. */
#ifndef SM_SMENCRYPT_VERBS_H
#define SM_SMENCRYPT_VERBS_H

#include "common/attachments.h"
#include "common/recipients.h"
#include "common/unlock.h"
#include "stream/seal.h"

struct options {
	struct sm_opts opts;
	struct sm_common common;
	struct sm_recipients to;
	struct sm_attachments attach;
	const char *attachments; /* --attachments */
	const char *identity, *name, *type, *subject, *signer, *output, *input, *argon2;
	bool passphrase, anonymous, sign, no_pad, binary, decrypt, require_signature, no_progress, no_self;
	bool early, rekey, inspect, json, ranged;
	uint64_t range_from, range_to; /* content bytes, both included */
	uint32_t t, m;
};

int sm_encrypt(struct options *o);
int sm_decrypt(struct options *o);
int sm_decrypt_range(struct options *o);
int sm_rekey(struct options *o);
int sm_inspect(struct options *o);

/* job's from: the profile's identity and its account's address, another identity without address, or nobody; and its suite. id is unlocked
 * when o->sign. The recipients have been resolved: SM_ERR_SUITE, with the reason said, when theirs is another suite. */
SM_CHECKED enum sm_err sm_sender(struct options *o, struct sm_identity *id, struct sm_seal *job);
/* Seals in to o->output. fd: what in reads, to be held against the output, or -1. */
SM_CHECKED enum sm_err sm_seal_to_output(const struct options *o, const struct sm_seal *job, struct sm_source *in, int fd);

#endif
