/* One-time passwords: RFC 4226 appendix D and RFC 6238 appendix B. The seeds of the latter are as long as the hash. */
#include "crypto/otp.h"

#include "tap.h"

#include <string.h>

#define SEED "1234567890123456789012345678901234567890123456789012345678901234"

static struct sm_otp otp(enum sm_otp_hash hash, unsigned digits)
{
	static const size_t len[] = {20, 32, 64};

	return (struct sm_otp){hash, digits, 30, (const uint8_t *)SEED, len[hash]};
}

static void rfc4226(void)
{
	static const char *const codes[] = {"755224", "287082", "359152", "969429", "338314",
	                                    "254676", "287922", "162583", "399871", "520489"};
	struct sm_otp o = otp(SM_OTP_SHA1, 6);
	char code[9];
	int n = 0;

	for (uint64_t i = 0; i < 10; i++)
		n += sm_hotp(code, &o, i) == SM_OK && strcmp(code, codes[i]) == 0;
	ok(n == 10, "RFC 4226 appendix D: %d cases of 10", n);
}

static void rfc6238(void)
{
	static const struct {
		int64_t time;
		const char *codes[3];
	} table[] = {
	        {59, {"94287082", "46119246", "90693936"}},         {1111111109, {"07081804", "68084774", "25091201"}},
	        {1111111111, {"14050471", "67062674", "99943326"}}, {1234567890, {"89005924", "91819424", "93441116"}},
	        {2000000000, {"69279037", "90698825", "38618901"}}, {20000000000, {"65353130", "77737706", "47863826"}},
	};
	char code[9];
	int n = 0;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		for (unsigned hash = 0; hash < 3; hash++) {
			struct sm_otp o = otp((enum sm_otp_hash)hash, 8);
			unsigned left = 0;

			n += sm_totp(code, &o, table[i].time, &left) == SM_OK && strcmp(code, table[i].codes[hash]) == 0 &&
			     left == 30 - table[i].time % 30;
		}
	}
	ok(n == 18, "RFC 6238 appendix B: %d cases of 18", n);
}

static enum sm_err with(unsigned digits, unsigned period, size_t keylen, int64_t now)
{
	static const uint8_t key[SM_OTP_KEY_MAX + 1] = {1};
	struct sm_otp o = {SM_OTP_SHA1, digits, period, key, keylen};
	char code[9];

	return sm_totp(code, &o, now, NULL);
}

int main(void)
{
	struct sm_otp o = otp(SM_OTP_SHA256, 7);
	unsigned left = 0;
	char code[9];

	rfc4226();
	rfc6238();
	ok(sm_totp(code, &o, 1111111109, NULL) == SM_OK && strcmp(code, "8084774") == 0, "seven digits keep the last seven");
	ok(sm_totp(code, &o, 60, &left) == SM_OK && left == 30, "a whole period is left at its start");
	ok(with(6, 30, 1, 0) == SM_OK && with(8, 3600, SM_OTP_KEY_MAX, 0) == SM_OK && with(6, 1, 20, INT64_MAX) == SM_OK,
	   "the outermost parameters");
	ok(with(5, 30, 20, 0) == SM_ERR_LIMIT && with(9, 30, 20, 0) == SM_ERR_LIMIT, "five and nine digits are refused");
	ok(with(6, 0, 20, 0) == SM_ERR_LIMIT && with(6, 3601, 20, 0) == SM_ERR_LIMIT, "periods of 0 and over an hour are refused");
	ok(with(6, 30, 0, 0) == SM_ERR_LIMIT && with(6, 30, SM_OTP_KEY_MAX + 1, 0) == SM_ERR_LIMIT, "no key and one too long are refused");
	ok(with(6, 30, 20, -1) == SM_ERR_LIMIT, "a time before 1970 is refused");
	return tap_done();
}
