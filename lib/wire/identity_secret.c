/* Secret identities: the seed in guarded memory and the text of a plain secret key file. smserver does not link this. */
#include "base/time.h"
#include "wire/identity.h"
#include "wire/lex.h"

#include <string.h>

#define SECRET_HRP "sm-secret-key-"
#define PEM_PREFIX "-----BEGIN PRIVATE KEY-----" /* how a key of the RSA suite begins */

enum sm_err sm_identity_from_seed(struct sm_identity *id, const uint8_t seed[static SM_SEED_LEN])
{
	struct sm_identity made = {0};
	uint8_t pk[SM_PK_LEN];
	enum sm_err e;

	sm_seed_to_pk(pk, seed);
	if ((e = sm_public_from_ed25519(&made.pub, pk)) || (e = sm_secret_copy(&made.seed, seed, SM_SEED_LEN)))
		return e;
	*id = made;
	return SM_OK;
}

enum sm_err sm_identity_generate(struct sm_identity *id, const struct sm_rand *rand)
{
	uint8_t seed[SM_SEED_LEN];
	enum sm_err e;

	sm_rand_fill(rand, seed, sizeof seed);
	e = sm_identity_from_seed(id, seed);
	sm_wipe(seed, sizeof seed);
	return e;
}

/* The next line, whether or not the last one ends in LF; false at the end. */
static bool next_line(struct sm_span *text, struct sm_span *line)
{
	if (sm_span_take_line(text, line))
		return true;
	*line = *text;
	text->p += text->n;
	text->n = 0;
	return line->n > 0;
}

/* The comment in "# comment: TEXT" or "# public: sm1... TEXT", the form that sm_identity_format writes. */
static void find_comment(struct sm_span *comment, struct sm_span line)
{
	static const char plain[] = "# comment: ", public[] = "# public: ";
	const uint8_t *end = line.p + line.n, *from = NULL;

	if (sm_span_starts(line, plain)) {
		from = line.p + strlen(plain);
	} else if (sm_span_starts(line, public)) {
		from = line.p + strlen(public);
		from = memchr(from, ' ', (size_t)(end - from));
		from = from ? from + 1 : NULL;
	}
	if (!from || from == end)
		return;
	struct sm_span found = {from, (size_t)(end - from)};
	if (found.n <= SM_COMMENT_MAX && sm_value_ok(found))
		*comment = found;
}

enum sm_err sm_identity_parse(struct sm_identity *id, struct sm_span *comment, const uint8_t *text, size_t n)
{
	struct sm_span rest = {text, n}, line, said = {NULL, 0};
	uint8_t seed[SM_SEED_LEN] = {0};
	enum sm_err e = SM_ERR_FORMAT;
	bool found = false;

	if (sm_span_starts(rest, PEM_PREFIX))
		return SM_ERR_SUITE;
	while (next_line(&rest, &line)) {
		if (!line.n)
			continue;
		if (line.p[0] == '#') {
			find_comment(&said, line);
			continue;
		}
		if (found) {
			e = SM_ERR_FORMAT;
			goto out;
		}
		if ((e = sm_bech32_decode(seed, sizeof seed, SECRET_HRP, (const char *)line.p, line.n, true)))
			goto out;
		found = true;
	}
	if (!found || (e = sm_identity_from_seed(id, seed)))
		goto out;
	if (comment)
		*comment = said;
out:
	sm_wipe(seed, sizeof seed);
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
	if ((e = sm_buf_adds(b, "\n")) || (e = sm_bech32_encode(b, SECRET_HRP, id->seed.data, id->seed.len, true)))
		goto out;
	e = sm_buf_adds(b, "\n");
out:
	if (e)
		b->len = start;
	return e;
}

void sm_identity_release(struct sm_identity *id)
{
	if (!id)
		return;
	sm_secret_release(&id->seed);
	sm_wipe(id, sizeof *id);
}
