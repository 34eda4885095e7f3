/* One-time passwords: dynamic truncation (RFC 4226 section 5.3) of an HMAC over a counter, or over time steps from 1970 (RFC 6238). */
#include "crypto/otp.h"

#include "base/buf.h"
#include "crypto/hmac.h"

#include <sodium.h>

static enum sm_digest digest_of(enum sm_otp_hash hash)
{
	return hash == SM_OTP_SHA512 ? SM_DIGEST_SHA512 : hash == SM_OTP_SHA256 ? SM_DIGEST_SHA256 : SM_DIGEST_SHA1;
}

static uint32_t truncate_mac(const uint8_t *mac, size_t len) { return sm_get_be32(mac + (mac[len - 1] & 15)) & 0x7fffffff; }

enum sm_err sm_hotp(char out[static 9], const struct sm_otp *o, uint64_t counter)
{
	enum sm_digest which = digest_of(o->hash);
	uint8_t be[8], mac[SM_HMAC_MAX];
	struct sm_hmac h;
	uint32_t code;

	if (o->digits < 6 || o->digits > 8 || o->keylen < 1 || o->keylen > SM_OTP_KEY_MAX || o->hash > SM_OTP_SHA512)
		return SM_ERR_LIMIT;
	sm_put_be64(be, counter);
	sm_hmac_init(&h, which, o->key, o->keylen);
	sm_hmac_update(&h, be, sizeof be);
	sm_hmac_final(&h, mac);
	code = truncate_mac(mac, sm_digest_len(which));
	for (unsigned i = o->digits; i--; code /= 10)
		out[i] = (char)('0' + code % 10);
	out[o->digits] = 0;
	sodium_memzero(mac, sizeof mac);
	return SM_OK;
}

enum sm_err sm_totp(char out[static 9], const struct sm_otp *o, int64_t unixtime, unsigned *left)
{
	enum sm_err e;

	if (o->period < 1 || o->period > 3600 || unixtime < 0)
		return SM_ERR_LIMIT;
	e = sm_hotp(out, o, (uint64_t)unixtime / o->period);
	if (!e && left)
		*left = o->period - (unsigned)((uint64_t)unixtime % o->period);
	return e;
}
