/* Opening an envelope under the release rule (sm-format(5)): nothing of the plaintext leaves before everything has verified.
 * Input that cannot be read twice is spooled as ciphertext to an unnamed temporary file; the second pass rechecks each segment's hash. */
#ifndef SM_STREAM_OPEN_H
#define SM_STREAM_OPEN_H

#include "stream/sink.h"
#include "stream/source.h"
#include "wire/content.h"
#include "wire/signature.h"
#include "wire/wrap.h"

/* What is known of the sender. Only PROVEN says who it was. */
enum sm_proof {
	SM_PROOF_NONE,    /* unsigned, or anonymous */
	SM_PROOF_UNKNOWN, /* signed by a key that is no contact: not verified */
	SM_PROOF_PROVEN,  /* the signature verifies under the key that find_signer gave */
};

struct sm_opener {
	/* One of these opens it: */
	const struct sm_identity *id; /* may be NULL */
	/* Asked when id is NULL and the envelope is to keys; may be NULL. *id is borrowed until sm_opened_release. */
	enum sm_err (*unlock)(void *ctx, const struct sm_identity **id);
	/* Asked for a stanza of a session, h->stanza[i]: a ratchet's that is for id, or a group's. May be NULL (SM_ERR_STANZA; a group:
	 * SM_ERR_POLICY). SM_ERR_POLICY: a group whose roster is not known. */
	enum sm_err (*session)(void *ctx, uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, size_t i);
	const uint8_t *file_key; /* 32 bytes known from before (inbox): recipient and stanza are not checked again */
	/* Asked only when the stanza is a passphrase's; may be NULL (then SM_ERR_PASSPHRASE). pw is initialised. */
	enum sm_err (*ask)(void *ctx, struct sm_buf *pw);
	/* The public key whose fingerprint is fp: SM_ERR_NOTFOUND when it is no contact. */
	enum sm_err (*find_signer)(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN]);
	/* Sender policy, after the signature: SM_OK or SM_ERR_POLICY. May be NULL. */
	enum sm_err (*policy)(void *ctx, const struct sm_header *h, enum sm_proof proof);
	void *ctx;
	/* Not NULL: the explicit opt-out of the release rule. The content goes here while it is read, each chunk once its tag has verified
	 * but before the end, the attachments, the signature and the sender have; there is nothing to release later, and no attachments. */
	struct sm_sink *early;
	unsigned threads; /* 0: as the source says */
};

struct sm_opened {
	struct sm_header header;
	struct sm_fields *fields; /* owned */
	enum sm_proof proof;
	struct sm_public signer; /* when PROVEN */
	struct sm_secret file_key;
	uint64_t content;     /* bytes of content */
	unsigned header_line; /* after SM_ERR_HEADER and SM_ERR_SUITE: where */
	/* private: the verified ciphertext and what the second pass needs */
	struct sm_open_state *state;
};

/* First pass: everything in sm-format(5)'s order of checks, through content. r needs sm_opened_release in every case. */
SM_CHECKED enum sm_err sm_open_verify(struct sm_opened *r, const struct sm_opener *o, struct sm_source *in);
/* Second pass: the content, and out is finished. SM_ERR_PAYLOAD when the input changed since. */
SM_CHECKED enum sm_err sm_open_release(struct sm_opened *r, struct sm_sink *out);
/* The same for attachment i < r->header.nattach; its name, type and size are in r->fields->attach[i]. out is finished. */
SM_CHECKED enum sm_err sm_open_attachment(struct sm_opened *r, size_t i, struct sm_sink *out);
/* Zero r before sm_open_verify. */
void sm_opened_release(struct sm_opened *r);

#endif
