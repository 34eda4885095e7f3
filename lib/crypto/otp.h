/* HOTP (RFC 4226) and TOTP (RFC 6238): SHA-1, SHA-256, SHA-512; 6 to 8 digits. */
#ifndef SM_CRYPTO_OTP_H
#define SM_CRYPTO_OTP_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SM_OTP_KEY_MAX 128

enum sm_otp_hash { SM_OTP_SHA1, SM_OTP_SHA256, SM_OTP_SHA512 };

struct sm_otp {
	enum sm_otp_hash hash;
	unsigned digits; /* 6..8 */
	unsigned period; /* seconds, 1..3600 */
	const uint8_t *key;
	size_t keylen; /* 1..SM_OTP_KEY_MAX bytes */
};

/* out: digits characters, zero padded, and a terminator. SM_ERR_LIMIT for parameters out of range. */
SM_CHECKED enum sm_err sm_hotp(char out[static 9], const struct sm_otp *o, uint64_t counter);
/* unixtime >= 0. *left, when not NULL: seconds until the code changes. */
SM_CHECKED enum sm_err sm_totp(char out[static 9], const struct sm_otp *o, int64_t unixtime, unsigned *left);

#endif
