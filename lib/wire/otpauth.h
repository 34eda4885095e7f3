/* otpauth:// URIs as authenticators exchange them (the "Key Uri Format" of google-authenticator's wiki, over RFC 3986), time-based only,
 * and the base32 secrets in them (RFC 4648 section 6). Strict: printable ASCII, no parameter that we know twice; parameters that
 * we do not know are skipped, since issuers add their own (image=, ...). */
#ifndef SM_WIRE_OTPAUTH_H
#define SM_WIRE_OTPAUTH_H

#include "base/buf.h"
#include "crypto/otp.h"

#define SM_OTPAUTH_MAX 4096     /* bytes of a URI */
#define SM_OTPAUTH_TEXT_MAX 255 /* bytes of an issuer or account */

/* Holds a secret: wipe it. issuer and account are UTF-8 without control characters, "" when absent. */
struct sm_otpauth {
	enum sm_otp_hash hash;
	unsigned digits; /* 6..8 */
	unsigned period; /* seconds, 1..3600 */
	uint8_t key[SM_OTP_KEY_MAX];
	size_t keylen;
	char issuer[SM_OTPAUTH_TEXT_MAX + 1];
	char account[SM_OTPAUTH_TEXT_MAX + 1];
};

/* Exactly n bytes, without a final newline. SM_ERR_FORMAT with *why set to one phrase in static storage ("no secret"). */
SM_CHECKED enum sm_err sm_otpauth_parse(struct sm_otpauth *o, const char **why, const char *s, size_t n);
/* Base32 in either case, padded or not; spaces: groups may stand apart, as people are shown them. Left-over bits are dropped, whatever
 * they are, as every authenticator does: secrets that were made as characters have them. SM_ERR_FORMAT; SM_ERR_LIMIT over SM_OTP_KEY_MAX.
 */
SM_CHECKED enum sm_err sm_otp_secret_parse(uint8_t key[static SM_OTP_KEY_MAX], size_t *keylen, const char *s, size_t n, bool spaces);
/* "SHA1", "SHA256", "SHA512" in either case. */
SM_CHECKED enum sm_err sm_otp_hash_parse(enum sm_otp_hash *hash, const char *s, size_t n);
const char *sm_otp_hash_name(enum sm_otp_hash hash);

#endif
