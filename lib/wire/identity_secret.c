/* Secret identities: the secret in guarded memory and the text of a plain secret key file. smserver does not link this. */
#include "base/time.h"
#include "wire/lex.h"
#include "wire/suite_secret.h"

#include <string.h>

enum sm_err sm_identity_from_secret(struct sm_identity *id, const struct sm_suite *suite, struct sm_secret *secret)
{
	struct sm_identity made = {.secret = *secret};
	enum sm_err e = sm_suite_secret(suite)->derive(&made.pub, &made.secret);

	*secret = (struct sm_secret){0};
	if (e)
		sm_identity_release(&made);
	else
		*id = made;
	return e;
}

enum sm_err sm_identity_from_seed(struct sm_identity *id, const uint8_t seed[static SM_SEED_LEN])
{
	struct sm_secret secret;
	enum sm_err e = sm_secret_copy(&secret, seed, SM_SEED_LEN);
	return e ? e : sm_identity_from_secret(id, &sm_suite_x25519, &secret);
}

enum sm_err sm_identity_generate_in(struct sm_identity *id, const struct sm_suite *suite, unsigned bits, const struct sm_rand *rand)
{
	struct sm_secret secret;
	enum sm_err e = sm_suite_secret(suite)->generate(&secret, bits, rand);
	return e ? e : sm_identity_from_secret(id, suite, &secret);
}

enum sm_err sm_identity_generate(struct sm_identity *id, const struct sm_rand *rand)
{
	return sm_identity_generate_in(id, &sm_suite_x25519, 0, rand);
}

/* The comment in "# comment: TEXT", or in "# public: IDENTITY TEXT" (the form that sm_identity_format writes) where IDENTITY is own. */
static void find_comment(struct sm_span *comment, struct sm_span line, const char *own)
{
	static const char plain[] = "# comment: ", public[] = "# public: ";
	struct sm_span token, said = {NULL, 0};

	if (sm_span_starts(line, plain)) {
		said = (struct sm_span){line.p + strlen(plain), line.n - strlen(plain)};
	} else if (sm_span_starts(line, public)) {
		sm_public_split(&token, &said, (struct sm_span){line.p + strlen(public), line.n - strlen(public)});
		if (!sm_span_equals(token, own))
			return;
	}
	if (said.n && said.n <= SM_COMMENT_MAX && sm_value_ok(said))
		*comment = said;
}

/* Another key's comment is not this one's: so the key comes first, and the lines about it after. */
static enum sm_err find_comments(struct sm_span *comment, const struct sm_public *pub, struct sm_span text)
{
	struct sm_span line, said = {NULL, 0};
	struct sm_buf own;
	enum sm_err e;

	sm_buf_init(&own, SM_PUBLIC_TEXT_MAX + 1);
	if ((e = sm_public_format(&own, pub)))
		goto out;
	const char *name = sm_buf_str(&own);
	if (!name) {
		e = SM_ERR_NOMEM;
		goto out;
	}
	while (sm_line_take(&text, &line))
		if (line.n && line.p[0] == '#')
			find_comment(&said, line, name);
	*comment = said;
out:
	sm_buf_release(&own);
	return e;
}

enum sm_err sm_identity_parse(struct sm_identity *id, struct sm_span *comment, const uint8_t *text, size_t n)
{
	struct sm_span rest = {text, n}, at, line;
	const struct sm_suite_secret *s = NULL;
	struct sm_identity got = {0};
	struct sm_secret secret = {0};
	enum sm_err e = SM_ERR_FORMAT;

	while (at = rest, sm_line_take(&rest, &line)) {
		if (!line.n || line.p[0] == '#')
			continue;
		e = SM_ERR_FORMAT;
		if (s || !(s = sm_suite_secret_of_text(at)) || (e = s->parse(&secret, &at)))
			goto out;
		rest = at;
	}
	e = s ? sm_identity_from_secret(&got, s->suite, &secret) : SM_ERR_FORMAT;
	if (!e && comment)
		e = find_comments(comment, &got.pub, (struct sm_span){text, n});
	if (e)
		sm_identity_release(&got);
	else
		*id = got;
out:
	sm_secret_release(&secret);
	return e;
}

enum sm_err sm_identity_format(struct sm_buf *b, const struct sm_identity *id, const char *comment, int64_t created)
{
	size_t start = b->len;
	char date[SM_TIME_LEN + 1];
	struct sm_span c = {(const uint8_t *)comment, comment ? strlen(comment) : 0};
	enum sm_err e;

	if (c.n > SM_COMMENT_MAX || !sm_value_ok(c))
		return SM_ERR_FORMAT;
	sm_time_format(date, created);
	if ((e = sm_buf_addf(b, "# created: %s\n# public: ", date)) || (e = sm_public_format(b, &id->pub)))
		goto out;
	if (c.n && ((e = sm_buf_adds(b, " ")) || (e = sm_buf_add(b, c.p, c.n))))
		goto out;
	if ((e = sm_buf_adds(b, "\n")))
		goto out;
	e = sm_suite_secret(id->pub.suite)->format(b, &id->secret);
out:
	if (e)
		b->len = start;
	return e;
}

void sm_identity_release(struct sm_identity *id)
{
	if (!id)
		return;
	sm_secret_release(&id->secret);
	sm_wipe(id, sizeof *id);
}
