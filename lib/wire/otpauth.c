/* The URI is taken apart from the left: scheme, type, label, parameters. Values are percent-decoded into a scratch buffer that is wiped,
 * as one of them is the secret. */
#include "wire/otpauth.h"

#include "base/secret.h"
#include "base/text.h"
#include "wire/lex.h"

#include <string.h>
#include <strings.h>

#define SCHEME "otpauth://"

enum { HAS_SECRET = 1, HAS_ISSUER = 2, HAS_ALGORITHM = 4, HAS_DIGITS = 8, HAS_PERIOD = 16 };

static int base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* Padding fills the last group of 8 exactly, or is left out; 1, 3 and 6 characters are no number of bytes. */
static bool ending_ok(size_t chars, size_t pads)
{
	size_t last = chars % 8;
	if (!chars || last == 1 || last == 3 || last == 6)
		return false;
	return !pads || (last && last + pads == 8);
}

enum sm_err sm_otp_secret_parse(uint8_t key[static SM_OTP_KEY_MAX], size_t *keylen, const char *s, size_t n, bool spaces)
{
	uint8_t out[SM_OTP_KEY_MAX];
	size_t len = 0, chars = 0, pads = 0;
	unsigned bits = 0, held = 0;
	enum sm_err e = SM_ERR_FORMAT;
	for (size_t i = 0; i < n; i++) {
		int v = base32_value(s[i]);
		if (spaces && s[i] == ' ')
			continue;
		if (s[i] == '=') {
			pads++;
			continue;
		}
		if (v < 0 || pads)
			goto out;
		chars++;
		held = (held << 5 | (unsigned)v) & 0xfff;
		bits += 5;
		if (bits < 8)
			continue;
		if (len == SM_OTP_KEY_MAX) {
			e = SM_ERR_LIMIT;
			goto out;
		}
		bits -= 8;
		out[len++] = (uint8_t)(held >> bits);
	}
	if (!ending_ok(chars, pads))
		goto out;
	memcpy(key, out, len);
	*keylen = len;
	e = SM_OK;
out:
	sm_wipe(out, sizeof(out));
	return e;
}

static bool equals_nocase(const char *word, const char *s, size_t n) { return strlen(word) == n && !strncasecmp(word, s, n); }

enum sm_err sm_otp_hash_parse(enum sm_otp_hash *hash, const char *s, size_t n)
{
	for (enum sm_otp_hash h = SM_OTP_SHA1; h <= SM_OTP_SHA512; h++)
		if (equals_nocase(sm_otp_hash_name(h), s, n)) {
			*hash = h;
			return SM_OK;
		}
	return SM_ERR_FORMAT;
}

const char *sm_otp_hash_name(enum sm_otp_hash hash) { return hash == SM_OTP_SHA512 ? "SHA512" : hash == SM_OTP_SHA256 ? "SHA256" : "SHA1"; }

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Into b, which is emptied first. */
static enum sm_err percent_decode(struct sm_buf *b, struct sm_span s)
{
	enum sm_err e = SM_OK;
	sm_buf_clear(b);
	for (size_t i = 0; !e && i < s.n; i++) {
		if (s.p[i] != '%') {
			e = sm_buf_add_u8(b, s.p[i]);
			continue;
		}
		int hi = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1, lo = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
		if (hi < 0 || lo < 0)
			return SM_ERR_FORMAT;
		e = sm_buf_add_u8(b, (uint8_t)(hi << 4 | lo));
		i += 2;
	}
	return e;
}

static bool copy_text(char out[static SM_OTPAUTH_TEXT_MAX + 1], struct sm_span s)
{
	if (s.n > SM_OTPAUTH_TEXT_MAX || !sm_utf8_valid(s.p, s.n) || !sm_value_ok(s))
		return false;
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return true;
}

/* Cuts s at the first c; rest is what follows it. */
static bool cut(struct sm_span *s, struct sm_span *rest, char c)
{
	const uint8_t *at = s->n ? memchr(s->p, c, s->n) : NULL;
	if (!at)
		return false;
	*rest = (struct sm_span){at + 1, s->n - (size_t)(at - s->p) - 1};
	s->n = (size_t)(at - s->p);
	return true;
}

/* [issuer ":" *space] account, after decoding. */
static bool set_label(struct sm_otpauth *o, struct sm_span label)
{
	struct sm_span account;
	if (!cut(&label, &account, ':'))
		return copy_text(o->account, label);
	while (account.n && *account.p == ' ') {
		account.p++;
		account.n--;
	}
	return copy_text(o->issuer, label) && copy_text(o->account, account);
}

static unsigned parameter_bit(struct sm_span name)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = {{"secret", HAS_SECRET},
	             {"issuer", HAS_ISSUER},
	             {"algorithm", HAS_ALGORITHM},
	             {"digits", HAS_DIGITS},
	             {"period", HAS_PERIOD}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (sm_span_equals(name, known[i].name))
			return known[i].bit;
	return 0;
}

/* NULL, or what is wrong with it. */
static const char *set_parameter(struct sm_otpauth *o, unsigned bit, struct sm_span v)
{
	uint32_t number;
	switch (bit) {
	case HAS_SECRET:
		return sm_otp_secret_parse(o->key, &o->keylen, (const char *)v.p, v.n, false) ? "the secret is not base32 of 1 to 128 bytes"
		                                                                              : NULL;
	case HAS_ISSUER: return copy_text(o->issuer, v) ? NULL : "the issuer is not plain text";
	case HAS_ALGORITHM:
		return sm_otp_hash_parse(&o->hash, (const char *)v.p, v.n) ? "the algorithm is not SHA1, SHA256 or SHA512" : NULL;
	case HAS_DIGITS:
		if (!sm_decimal32(&number, v, 6, 8))
			return "digits is not 6, 7 or 8";
		o->digits = number;
		return NULL;
	default:
		if (!sm_decimal32(&number, v, 1, 3600))
			return "the period is not 1 to 3600 seconds";
		o->period = number;
		return NULL;
	}
}

static const char *set_parameters(struct sm_otpauth *o, struct sm_buf *scratch, struct sm_span query)
{
	unsigned seen = 0;
	bool more = true;
	while (more) {
		struct sm_span name = query, value, rest = {NULL, 0};
		more = cut(&name, &rest, '&');
		query = rest;
		if (!cut(&name, &value, '=') || !name.n)
			return "a parameter is not name=value";
		unsigned bit = parameter_bit(name);
		if (!bit)
			continue;
		if (seen & bit)
			return "a parameter stands twice";
		seen |= bit;
		if (percent_decode(scratch, value))
			return "a % is not followed by two hex digits";
		const char *why = set_parameter(o, bit, (struct sm_span){scratch->data, scratch->len});
		if (why)
			return why;
	}
	return seen & HAS_SECRET ? NULL : "there is no secret";
}

static const char *parse(struct sm_otpauth *o, struct sm_buf *scratch, struct sm_span s)
{
	struct sm_span label, query;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '#')
			return "a character that no URI has";
	if (s.n < strlen(SCHEME) || strncasecmp((const char *)s.p, SCHEME, strlen(SCHEME)) != 0)
		return "it does not begin with otpauth://";
	s = (struct sm_span){s.p + strlen(SCHEME), s.n - strlen(SCHEME)};
	if (!cut(&s, &label, '/'))
		return "there is no label";
	if (equals_nocase("hotp", (const char *)s.p, s.n))
		return "counter-based codes (hotp) are not supported";
	if (!equals_nocase("totp", (const char *)s.p, s.n))
		return "its type is not totp";
	if (!cut(&label, &query, '?'))
		return "there is no secret";
	if (percent_decode(scratch, label))
		return "a % is not followed by two hex digits";
	if (!set_label(o, (struct sm_span){scratch->data, scratch->len}))
		return "the label is not plain text";
	return set_parameters(o, scratch, query);
}

enum sm_err sm_otpauth_parse(struct sm_otpauth *o, const char **why, const char *s, size_t n)
{
	struct sm_otpauth got = {.hash = SM_OTP_SHA1, .digits = 6, .period = 30};
	struct sm_buf scratch;
	sm_buf_init(&scratch, SM_OTPAUTH_MAX);
	const char *wrong = n > SM_OTPAUTH_MAX ? "it is too long" : parse(&got, &scratch, (struct sm_span){(const uint8_t *)s, n});
	if (wrong)
		*why = wrong;
	else
		*o = got;
	sm_wipe(&got, sizeof(got));
	sm_buf_release(&scratch);
	return wrong ? SM_ERR_FORMAT : SM_OK;
}
