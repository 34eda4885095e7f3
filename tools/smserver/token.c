/* Tokens. The refresh token says which generation it is and carries a tag, so that an old one of ours can be told from noise:
 * the first revokes the session, the second is merely refused. */
#include "token.h"

#include "base/base64.h"
#include "crypto/hash.h"
#include "crypto/rand.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* base64url of {"alg":"HS256","typ":"JWT"}, the only header there is */
static const char header[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
enum { HEADER = sizeof header - 1, TAG = 43, REFRESH = 52 };

static void to_url(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s[i] = s[i] == '+' ? '-' : s[i] == '/' ? '_' : s[i];
}

static bool from_url(char *out, const char *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (in[i] == '+' || in[i] == '/')
			return false;
		out[i] = in[i] == '-' ? '+' : in[i] == '_' ? '/' : in[i];
	}
	return true;
}

static size_t encode_url(char *out, const uint8_t *p, size_t n)
{
	size_t len = sm_base64_encode(out, p, n, false);

	to_url(out, len);
	return len;
}

enum sm_err sm_token_make(char out[static SM_TOKEN_MAX], const struct sm_keys *k, const char *user, uint32_t device, const char *sid,
                          int64_t now)
{
	char claims[256];
	uint8_t tag[32];
	size_t n = HEADER;
	int len = snprintf(claims, sizeof claims,
	                   "{\"sub\":\"%s\",\"device\":%u,\"sid\":\"%s\",\"scope\":\"session\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}",
	                   user, (unsigned)device, sid, now, now + SM_ACCESS_SECONDS);

	if (len < 0 || (size_t)len >= sizeof claims || HEADER + SM_BASE64_PADDED_LEN((size_t)len) + 1 + TAG + 2 > SM_TOKEN_MAX)
		return SM_ERR_BUG;
	memcpy(out, header, HEADER);
	n += encode_url(out + n, (const uint8_t *)claims, (size_t)len);
	sm_hmac_sha256(tag, k->jwt, 32, out, n);
	out[n++] = '.';
	n += encode_url(out + n, tag, sizeof tag);
	out[n] = '\0';
	return SM_OK;
}

static enum sm_err read_claims(struct sm_claims *c, const char *p, size_t n)
{
	char text[SM_TOKEN_MAX];
	uint8_t raw[SM_TOKEN_MAX];
	size_t len;
	const char *sub, *sid, *scope;
	json_int_t exp, device;
	json_t *o = NULL;
	enum sm_err e = SM_ERR_DENIED;

	if (from_url(text, p, n) && !sm_base64_decode(raw, &len, text, n, false))
		o = json_loadb((const char *)raw, len, JSON_REJECT_DUPLICATES, NULL);
	if (o && !json_unpack(o, "{s:s,s:s,s:s,s:I,s:I}", "sub", &sub, "sid", &sid, "scope", &scope, "device", &device, "exp", &exp) &&
	    strlen(sub) < sizeof c->sub && strlen(sid) == SM_ID_LEN && !strcmp(scope, "session")) {
		memcpy(c->sub, sub, strlen(sub) + 1);
		memcpy(c->sid, sid, SM_ID_LEN + 1);
		c->device = device;
		c->exp = exp;
		e = SM_OK;
	}
	json_decref(o);
	return e;
}

enum sm_err sm_token_check(struct sm_claims *c, const struct sm_keys *k, const char *token, size_t n)
{
	uint8_t tag[32];
	char want[SM_BASE64_PADDED_LEN(32)];

	if (n >= SM_TOKEN_MAX || n < HEADER + 1 + 1 + TAG || memcmp(token, header, HEADER) != 0 || token[n - TAG - 1] != '.')
		return SM_ERR_DENIED;
	sm_hmac_sha256(tag, k->jwt, 32, token, n - TAG - 1);
	encode_url(want, tag, sizeof tag);
	if (!sm_equal(want, token + n - TAG, TAG))
		return SM_ERR_DENIED;
	return read_claims(c, token + HEADER, n - HEADER - TAG - 1);
}

static void refresh_tag(uint8_t tag[static 32], const struct sm_keys *k, const char *sid, const uint8_t *raw)
{
	uint8_t m[SM_ID_LEN + 36];

	memcpy(m, sid, SM_ID_LEN);
	memcpy(m + SM_ID_LEN, raw, 36);
	sm_hmac_sha256(tag, k->refresh, 32, m, sizeof m);
	sm_wipe(m, sizeof m);
}

void sm_refresh_make(char out[static SM_REFRESH_TEXT], uint8_t hash[static 32], const struct sm_keys *k, const char *sid,
                     uint32_t generation)
{
	uint8_t raw[REFRESH], tag[32];

	sm_put_be32(raw, generation);
	sm_rand_fill(&sm_rand_system, raw + 4, 32);
	refresh_tag(tag, k, sid, raw);
	memcpy(raw + 36, tag, 16);
	sm_sha256(hash, raw, sizeof raw);
	out[encode_url(out, raw, sizeof raw)] = '\0';
	sm_wipe(raw, sizeof raw);
}

enum sm_err sm_refresh_check(uint8_t hash[static 32], uint32_t *generation, const struct sm_keys *k, const char *sid, const char *text)
{
	uint8_t raw[REFRESH + 8], tag[32];
	char plain[SM_REFRESH_TEXT];
	size_t n = strlen(text), len;
	enum sm_err e = SM_ERR_DENIED;

	if (n != SM_BASE64_LEN(REFRESH) || !from_url(plain, text, n) || sm_base64_decode(raw, &len, plain, n, false))
		return SM_ERR_DENIED;
	refresh_tag(tag, k, sid, raw);
	if (sm_equal(tag, raw + 36, 16)) {
		*generation = sm_get_be32(raw);
		sm_sha256(hash, raw, REFRESH);
		e = SM_OK;
	}
	sm_wipe(raw, sizeof raw);
	sm_wipe(plain, sizeof plain);
	return e;
}
