/* otpauth URIs: the Key Uri Format's own example, every limit of every parameter, and base32 as RFC 4648 and as people write it. */
#include "tap.h"

#include "wire/otpauth.h"

#include <stdlib.h>
#include <string.h>

#define S "AAAAAAAA"
#define B50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B250 B50 B50 B50 B50 B50

static const struct {
	const char *uri, *issuer, *account;
	enum sm_otp_hash hash;
	unsigned digits, period;
	size_t keylen;
} good[] = {
        {"otpauth://totp/"
         "ACME%20Co:john.doe@email.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME%20Co&algorithm=SHA1&digits=6&period=30",
         "ACME Co", "john.doe@email.com", SM_OTP_SHA1, 6, 30, 20},
        {"otpauth://totp/alice?secret=" S, "", "alice", SM_OTP_SHA1, 6, 30, 5},
        {"OTPauth://ToTp/alice?secret=" S, "", "alice", SM_OTP_SHA1, 6, 30, 5},
        {"otpauth://totp/?secret=" S, "", "", SM_OTP_SHA1, 6, 30, 5},
        {"otpauth://totp/Big%3A%20%20alice?secret=" S, "Big", "alice", SM_OTP_SHA1, 6, 30, 5},
        {"otpauth://totp/Label:alice?secret=" S "&issuer=Parameter", "Parameter", "alice", SM_OTP_SHA1, 6, 30, 5},
        {"otpauth://totp/%c3%bcber:%E6%97%A5?secret=" S,
         "\xc3\xbc"
         "ber",
         "\xe6\x97\xa5", SM_OTP_SHA1, 6, 30, 5},
        {"otpauth://totp/a?image=x&secret=" S "&algorithm=sha256&digits=7&period=1", "", "a", SM_OTP_SHA256, 7, 1, 5},
        {"otpauth://totp/a?secret=MZXW6%3D%3D%3D&algorithm=SHA512&digits=8&period=3600", "", "a", SM_OTP_SHA512, 8, 3600, 3},
        {"otpauth://totp/a?secret=MZXW6===", "", "a", SM_OTP_SHA1, 6, 30, 3},
        {"otpauth://totp/" B250 "aaaaa?secret=" S, "", B250 "aaaaa", SM_OTP_SHA1, 6, 30, 5},
};

static const char *const bad[] = {
        "",
        "otpauth:",
        "otpauth://",
        "otpauth://totp",
        "otpauth://totp/a",
        "otpauth://totp/a?",
        "otpauth://totp/a?issuer=b",
        "otpauth://hotp/a?counter=0&secret=" S,
        "otpauth://motp/a?secret=" S,
        "otpauth:///a?secret=" S,
        "http://totp/a?secret=" S,
        " otpauth://totp/a?secret=" S,
        "otpauth://totp/a?secret=" S "\n",
        "otpauth://totp/a b?secret=" S,
        "otpauth://totp/a?secret=" S "#x",
        "otpauth://totp/\xc3\xbc?secret=" S,
        "otpauth://totp/%00?secret=" S,
        "otpauth://totp/%1b[2J?secret=" S,
        "otpauth://totp/%C2%9B?secret=" S,
        "otpauth://totp/%ff?secret=" S,
        "otpauth://totp/%g0?secret=" S,
        "otpauth://totp/%?secret=" S,
        "otpauth://totp/%4?secret=" S,
        "otpauth://totp/a?secret=%4",
        "otpauth://totp/a?secret=",
        "otpauth://totp/a?secret",
        "otpauth://totp/a?secret=A",
        "otpauth://totp/a?secret=AAA",
        "otpauth://totp/a?secret=AAAAAA",
        "otpauth://totp/a?secret=A1AAAAAA",
        "otpauth://totp/a?secret=AAAA%20AAAA",
        "otpauth://totp/a?secret=" S "&secret=" S,
        "otpauth://totp/a?secret=" S "&digits=6&digits=6",
        "otpauth://totp/a?secret=" S "&&digits=6",
        "otpauth://totp/a?secret=" S "&",
        "otpauth://totp/a?secret=" S "&=6",
        "otpauth://totp/a?secret=" S "&digits=5",
        "otpauth://totp/a?secret=" S "&digits=9",
        "otpauth://totp/a?secret=" S "&digits=06",
        "otpauth://totp/a?secret=" S "&digits=",
        "otpauth://totp/a?secret=" S "&period=0",
        "otpauth://totp/a?secret=" S "&period=3601",
        "otpauth://totp/a?secret=" S "&period=-1",
        "otpauth://totp/a?secret=" S "&algorithm=MD5",
        "otpauth://totp/a?secret=" S "&algorithm=",
        "otpauth://totp/a?secret=" S "&issuer=%0A",
        "otpauth://totp/" B250 "aaaaaa?secret=" S,
};

static void uris(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct sm_otpauth o;
		const char *why = "";
		bool read = sm_otpauth_parse(&o, &why, good[i].uri, strlen(good[i].uri)) == SM_OK;
		ok(read && !strcmp(o.issuer, good[i].issuer) && !strcmp(o.account, good[i].account) && o.hash == good[i].hash &&
		           o.digits == good[i].digits && o.period == good[i].period && o.keylen == good[i].keylen,
		   "accepts %.60s %s", good[i].uri, why);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sm_otpauth o = {.digits = 77};
		const char *why = NULL;
		bool refused = sm_otpauth_parse(&o, &why, bad[i], strlen(bad[i])) == SM_ERR_FORMAT;
		ok(refused && why && o.digits == 77, "refuses case %zu: %s", i, why ? why : "no reason");
	}
}

static void long_uri(void)
{
	static char uri[SM_OTPAUTH_MAX + 2];
	static const char start[] = "otpauth://totp/a?secret=" S "&x=";
	struct sm_otpauth o;
	const char *why;
	memset(uri, 'y', sizeof(uri));
	memcpy(uri, start, sizeof(start) - 1);
	ok(sm_otpauth_parse(&o, &why, uri, SM_OTPAUTH_MAX) == SM_OK, "accepts %d bytes", SM_OTPAUTH_MAX);
	ok(sm_otpauth_parse(&o, &why, uri, SM_OTPAUTH_MAX + 1) == SM_ERR_FORMAT, "refuses one more");
}

static bool decodes(const char *text, bool spaces, const char *want)
{
	uint8_t key[SM_OTP_KEY_MAX];
	size_t n = 0;
	if (sm_otp_secret_parse(key, &n, text, strlen(text), spaces))
		return !want;
	return want && n == strlen(want) && !memcmp(key, want, n);
}

static void base32(void)
{
	/* RFC 4648 section 10 */
	ok(decodes("MY======", false, "f") && decodes("MZXQ====", false, "fo") && decodes("MZXW6===", false, "foo") &&
	           decodes("MZXW6YQ=", false, "foob") && decodes("MZXW6YTB", false, "fooba") &&
	           decodes("MZXW6YTBOI======", false, "foobar"),
	   "base32: the RFC's cases");
	ok(decodes("my", false, "f") && decodes("mzxw6ytboi", false, "foobar"), "base32: lower case, no padding");
	ok(decodes("MZ", false, "f"), "base32: left-over bits are dropped");
	ok(decodes("MZXW 6YTB", true, "fooba") && decodes("MZXW 6YTB", false, NULL), "base32: spaces only where they are allowed");
	ok(decodes("", false, NULL) && decodes("========", false, NULL) && decodes(" ", true, NULL), "base32: nothing is no secret");
	ok(decodes("MY=====", false, NULL) && decodes("MY=======", false, NULL) && decodes("MZXW6YTB========", false, NULL) &&
	           decodes("M=Y=====", false, NULL),
	   "base32: wrong padding");
	ok(decodes("M", false, NULL) && decodes("MZX", false, NULL) && decodes("MZXW6Y", false, NULL), "base32: 1, 3 or 6 characters");
	ok(decodes("MZXW6YT0", false, NULL) && decodes("MZXW6YT\xc3", false, NULL), "base32: other characters");
}

static void base32_size(void)
{
	char text[210];
	uint8_t key[SM_OTP_KEY_MAX];
	size_t n = 0;
	memset(text, 'A', sizeof(text));
	ok(!sm_otp_secret_parse(key, &n, text, 205, false) && n == 128, "base32: 128 bytes");
	ok(sm_otp_secret_parse(key, &n, text, 207, false) == SM_ERR_LIMIT, "base32: 129 bytes");
}

int main(void)
{
	uris();
	long_uri();
	base32();
	base32_size();
	return tap_done();
}
