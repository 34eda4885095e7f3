/* Signatures (sm-format(5), "Signature record", "Detached signatures"): what is signed, and the detached file's header.
 * signature.c verifies and parses; signature_sign.c holds what needs the secret key. */
#ifndef SM_WIRE_SIGNATURE_H
#define SM_WIRE_SIGNATURE_H

#include "wire/header.h"

#define SM_NAMESPACE_MAX 64
#define SM_SIGNATURE_FILE_MAX 16384

/* "sm-signature/1\0" | lp(suite) | signer fp | hh | body digest. Appends. */
SM_CHECKED enum sm_err sm_signed_bytes(struct sm_buf *b, const struct sm_suite *suite, const uint8_t fp[static SM_FP_LEN],
                                       const uint8_t hh[static 32], const uint8_t digest[static 32]);
/* Is n a size that this suite's signatures have? */
bool sm_signature_size_ok(const struct sm_suite *suite, size_t n);
/* SM_ERR_SIGNATURE when wrong. */
SM_CHECKED enum sm_err sm_signature_verify(const struct sm_public *signer, const uint8_t hh[static 32], const uint8_t digest[static 32],
                                           const uint8_t *sig, size_t siglen);
/* sig has room for SM_SIGNATURE_MAX. */
SM_CHECKED enum sm_err sm_signature_make(uint8_t *sig, size_t *siglen, const struct sm_identity *signer, const uint8_t hh[static 32],
                                         const uint8_t digest[static 32]);

/* The detached file's header; comment "" when there is none (printable ASCII, <= 255). */
struct sm_detached {
	const struct sm_suite *suite;
	char ns[SM_NAMESPACE_MAX + 1];
	struct sm_party signer;
	int64_t date;
	char comment[256];
	uint8_t hh[32];
	uint8_t sig[SM_SIGNATURE_MAX];
	size_t siglen;
};
/* The whole dearmored file. SM_ERR_HEADER (with *line), SM_ERR_SUITE, SM_ERR_PAYLOAD (truncated or longer), SM_ERR_SIGNATURE (empty
 * record). */
SM_CHECKED enum sm_err sm_detached_parse(struct sm_detached *d, unsigned *line, const uint8_t *p, size_t n);
/* Appends the header's bytes and sets d->hh; the caller signs and appends be16 length | signature. */
SM_CHECKED enum sm_err sm_detached_write_header(struct sm_buf *b, struct sm_detached *d);

#endif
