/* Public identities and fingerprints: everything about them that needs no secret, so that smserver can link it. */
#include "wire/identity.h"

#include "base/base64.h"
#include "crypto/hash.h"
#include "wire/lex.h"

#include <string.h>

#define HRP "sm"
#define FP_PREFIX "SHA256:"

enum sm_err sm_public_from_ed25519(struct sm_public *p, const uint8_t pk[static SM_PK_LEN])
{
	struct sm_public pub = {.suite = &sm_suite_x25519};
	enum sm_err e;

	if ((e = sm_pk_check(pk)) || (e = sm_pk_to_x25519(pub.x25519, pk)))
		return e;
	memcpy(pub.ed25519, pk, sizeof pub.ed25519);
	sm_sha256(pub.fp, pk, SM_PK_LEN);
	*p = pub;
	return SM_OK;
}

enum sm_err sm_public_parse(struct sm_public *p, const char *s, size_t n)
{
	struct sm_span token = {(const uint8_t *)s, n};
	uint8_t pk[SM_PK_LEN];
	enum sm_err e;

	if (sm_span_equals(token, "sm-rsa") || sm_span_starts(token, "sm-rsa "))
		return SM_ERR_SUITE;
	if ((e = sm_bech32_decode(pk, sizeof pk, HRP, s, n, false)))
		return e;
	return sm_public_from_ed25519(p, pk);
}

enum sm_err sm_public_parse_line(struct sm_public *p, bool *found, struct sm_span *comment, struct sm_span line)
{
	struct sm_span token = line, rest = {NULL, 0};
	const uint8_t *sp;
	enum sm_err e;

	if (!line.n || line.p[0] == '#') {
		*found = false;
		return SM_OK;
	}
	if (line.n > SM_PUBLIC_LINE_MAX)
		return SM_ERR_FORMAT;
	if ((sp = memchr(line.p, ' ', line.n))) {
		token.n = (size_t)(sp - line.p);
		rest = (struct sm_span){sp + 1, line.n - token.n - 1};
	}
	if (rest.n > SM_COMMENT_MAX || !sm_value_ok(rest))
		return sm_span_equals(token, "sm-rsa") ? SM_ERR_SUITE : SM_ERR_FORMAT;
	if ((e = sm_public_parse(p, (const char *)token.p, token.n)))
		return e;
	if (comment)
		*comment = rest;
	*found = true;
	return SM_OK;
}

enum sm_err sm_public_format_ed25519(struct sm_buf *b, const uint8_t pk[static SM_PK_LEN])
{
	return sm_bech32_encode(b, HRP, pk, SM_PK_LEN, false);
}

enum sm_err sm_public_format(struct sm_buf *b, const struct sm_public *p) { return sm_public_format_ed25519(b, p->ed25519); }

void sm_fp_format(char out[static SM_FP_TEXT_LEN + 1], const uint8_t fp[static SM_FP_LEN])
{
	memcpy(out, FP_PREFIX, strlen(FP_PREFIX));
	sm_base64_encode(out + strlen(FP_PREFIX), fp, SM_FP_LEN, false);
	out[SM_FP_TEXT_LEN] = 0;
}

enum sm_err sm_fp_parse(uint8_t fp[static SM_FP_LEN], const char *s, size_t n)
{
	size_t skip = strlen(FP_PREFIX);
	struct sm_span text = {(const uint8_t *)s, n};
	if (n != SM_FP_TEXT_LEN || !sm_span_starts(text, FP_PREFIX))
		return SM_ERR_FORMAT;
	text = (struct sm_span){text.p + skip, n - skip};
	return sm_base64_exact(fp, SM_FP_LEN, text) ? SM_OK : SM_ERR_FORMAT;
}
