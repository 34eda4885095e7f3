/* What can be done to an envelope without opening it: sign it in place, verify its signature, follow its framing. */
#ifndef SM_STREAM_RESIGN_H
#define SM_STREAM_RESIGN_H

#include "stream/sink.h"
#include "stream/source.h"
#include "wire/signature.h"

/* What an envelope says of itself, for smsend, smsign and --inspect. Zero before; header needs sm_header_release after SM_OK. */
struct sm_scanned {
	struct sm_header header;
	unsigned header_line;
	uint8_t digest[32]; /* of the body */
	uint8_t sig[SM_SIGNATURE_MAX];
	size_t siglen; /* 0: unsigned */
};

/* Reads a whole envelope. out, when not NULL, gets the same envelope with signer's signature (signer not NULL; SM_ERR_POLICY when `from`
 * is not its key) or unchanged (signer NULL); sm_sink_finish is the caller's. SM_ERR_PAYLOAD for broken framing, truncation, bytes after
 * the end. */
SM_CHECKED enum sm_err sm_scan(struct sm_scanned *s, struct sm_source *in, struct sm_sink *out, const struct sm_identity *signer);

#endif
