/* Making an envelope from a stream of content, in constant memory (sm-format(5)). */
#ifndef SM_STREAM_SEAL_H
#define SM_STREAM_SEAL_H

#include "stream/sink.h"
#include "stream/source.h"
#include "wire/content.h"
#include "wire/wrap.h"

/* A file to go with the content. It is encrypted before the header is written, to a spool (ciphertext: memory, then TMPDIR). */
struct sm_seal_attachment {
	struct sm_source *in;
	const char *name, *type; /* as sm-format(5), "Content" allows them */
};

struct sm_seal {
	const struct sm_suite
	        *suite; /* NULL: the recipients', else the signer's, else the default; all of them must be of it (SM_ERR_SUITE) */
	/* Who it is from and to: parties of the header, and the keys in the same order. All borrowed. */
	struct sm_party from; /* zeroed: anonymous */
	const struct sm_party *to;
	const struct sm_public *to_pub;
	size_t nto; /* 1..1024; 0 with a passphrase or a group */
	/* Asked for stanza i first, where there are sessions (lib/session); may be NULL, except with a group. SM_ERR_NOTFOUND: wrap it for
	 * to_pub[i] after all. s->body is malloc'd. h has from, to or group, id and suite. */
	enum sm_err (*stanza)(void *ctx, struct sm_stanza *s, const struct sm_header *h, size_t i,
	                      const uint8_t file_key[static SM_FILE_KEY]);
	void *ctx;
	const struct sm_group_line *group; /* a group instead of recipients: its one stanza is the callback's */
	const void *pw;                    /* a passphrase instead of recipients */
	size_t pwlen;
	uint32_t pw_t, pw_m;              /* argon2id cost */
	const struct sm_identity *signer; /* NULL: unsigned. Must be `from`'s key (SM_ERR_POLICY). */
	const struct sm_fields *fields;   /* NULL: none; nattach 0: the attachments' fields are made here */
	const struct sm_seal_attachment *attach;
	size_t nattach; /* <= SM_ATTACH_MAX */
	bool no_pad;
	int64_t date;
	const struct sm_rand *rand;
	unsigned threads; /* 0: as the source says */
};

/* Reads content from in to its end, writes a whole envelope to out (sm_sink_finish included). id, when not NULL, gets the envelope's id.
 * file_key, when not NULL, gets the body's key. SM_ERR_LIMIT over the recipients' or chunks' limits. */
SM_CHECKED enum sm_err sm_seal(const struct sm_seal *job, struct sm_source *in, struct sm_sink *out, char id[SM_ID_LEN + 1],
                               struct sm_secret *file_key);

#endif
