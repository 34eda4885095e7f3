/* Public identities and fingerprints: everything about them that needs no secret, so that smserver can link it. What an identity is made
 * of is its suite's matter (suite.c). */
#include "wire/identity.h"

#include "base/base64.h"
#include "wire/lex.h"

#include <string.h>

#define FP_PREFIX "SHA256:"

_Static_assert(SM_PUBLIC_TEXT_MAX >= sizeof "sm-rsa " - 1 + SM_BASE64_LEN(SM_PUBLIC_KEY_MAX), "room for the longest identity");

enum sm_err sm_public_parse(struct sm_public *p, const char *s, size_t n)
{
	struct sm_span text = {(const uint8_t *)s, n};
	const struct sm_suite *suite = sm_suite_of_public(text);
	struct sm_public got = {.suite = suite};
	enum sm_err e = suite ? suite->parse(&got, text) : SM_ERR_FORMAT;

	if (!e)
		*p = got;
	return e;
}

/* Where the identity ends and a comment may begin. Its prefix may have a space in it. */
static size_t token_length(struct sm_span line)
{
	const struct sm_suite *suite = sm_suite_of_public(line);
	size_t skip = suite ? strlen(suite->prefix) : 0;
	const uint8_t *space = line.n > skip ? memchr(line.p + skip, ' ', line.n - skip) : NULL;
	return space ? (size_t)(space - line.p) : line.n;
}

void sm_public_split(struct sm_span *token, struct sm_span *comment, struct sm_span line)
{
	size_t n = token_length(line);

	*token = (struct sm_span){line.p, n};
	*comment = n < line.n ? (struct sm_span){line.p + n + 1, line.n - n - 1} : (struct sm_span){NULL, 0};
}

enum sm_err sm_public_parse_line(struct sm_public *p, bool *found, struct sm_span *comment, struct sm_span line)
{
	struct sm_span token, rest;
	enum sm_err e;

	if (!line.n || line.p[0] == '#') {
		*found = false;
		return SM_OK;
	}
	if (line.n > SM_PUBLIC_LINE_MAX)
		return SM_ERR_FORMAT;
	sm_public_split(&token, &rest, line);
	if (rest.n > SM_COMMENT_MAX || !sm_value_ok(rest))
		return SM_ERR_FORMAT;
	if ((e = sm_public_parse(p, (const char *)token.p, token.n)))
		return e;
	if (comment)
		*comment = rest;
	*found = true;
	return SM_OK;
}

enum sm_err sm_public_format(struct sm_buf *b, const struct sm_public *p) { return p->suite->format(b, p); }

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
