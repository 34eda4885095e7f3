/* otpauth URIs and base32 secrets: what is accepted is within its limits, makes a code, and its texts are harmless. The whole input is
 * tried as both. */
#include "check.h"

#include "base/text.h"
#include "wire/lex.h"
#include "wire/otpauth.h"

#include <string.h>

static void check_text(const char *s)
{
	size_t n = strnlen(s, SM_OTPAUTH_TEXT_MAX + 1);
	CHECK(n <= SM_OTPAUTH_TEXT_MAX);
	CHECK(sm_utf8_valid((const uint8_t *)s, n) && sm_value_ok((struct sm_span){(const uint8_t *)s, n}));
}

static void check_code(const struct sm_otpauth *o)
{
	struct sm_otp otp = {o->hash, o->digits, o->period, o->key, o->keylen};
	char code[9];
	unsigned left = 0;
	CHECK(!sm_totp(code, &otp, 1234567890, &left));
	CHECK(strlen(code) == o->digits && strspn(code, "0123456789") == o->digits && left >= 1 && left <= o->period);
}

/* Without spaces, whatever is taken with spaces is the same. */
static void check_secret(const char *s, size_t n)
{
	uint8_t a[SM_OTP_KEY_MAX], b[SM_OTP_KEY_MAX];
	size_t na = 0, nb = 0;
	enum sm_err e = sm_otp_secret_parse(a, &na, s, n, false), f = sm_otp_secret_parse(b, &nb, s, n, true);
	CHECK(e ? !na : na >= 1 && na <= SM_OTP_KEY_MAX);
	if (!e)
		CHECK(!f && na == nb && !memcmp(a, b, na));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sm_otpauth o;
	const char *why = NULL;
	enum sm_err e = sm_otpauth_parse(&o, &why, (const char *)p, n);
	CHECK(e ? e == SM_ERR_FORMAT && why : !why);
	if (!e) {
		check_text(o.issuer);
		check_text(o.account);
		check_code(&o);
	}
	check_secret((const char *)p, n);
	return 0;
}
