/* What a signature signs, its verification, and the detached file: public keys only, so that smserver can link it. */
#include "wire/signature.h"

#include "base/time.h"
#include "crypto/hash.h"
#include "wire/lex.h"

#include <string.h>

#define MAGIC "sm-signature/1"
#define COMMENT "comment "
#define SIGNED_MAX 512

static const char signed_label[] = "sm-signature/1"; /* its 0 byte belongs to it */

enum sm_err sm_signed_bytes(struct sm_buf *b, const struct sm_suite *suite, const uint8_t fp[static SM_FP_LEN], const uint8_t hh[static 32],
                            const uint8_t digest[static 32])
{
	size_t start = b->len;
	enum sm_err e;

	if ((e = sm_buf_add(b, signed_label, sizeof signed_label)) || (e = sm_buf_add_lp(b, suite->id, strlen(suite->id))) ||
	    (e = sm_buf_add(b, fp, SM_FP_LEN)) || (e = sm_buf_add(b, hh, 32)) || (e = sm_buf_add(b, digest, 32)))
		b->len = start;
	return e;
}

bool sm_signature_size_ok(const struct sm_suite *suite, size_t n) { return n >= suite->sig_min && n <= suite->sig_max; }

enum sm_err sm_signature_verify(const struct sm_public *signer, const uint8_t hh[static 32], const uint8_t digest[static 32],
                                const uint8_t *sig, size_t siglen)
{
	struct sm_buf b;
	enum sm_err e;

	if (!sm_signature_size_ok(signer->suite, siglen))
		return SM_ERR_SIGNATURE;
	sm_buf_init(&b, SIGNED_MAX);
	if (!(e = sm_signed_bytes(&b, signer->suite, signer->fp, hh, digest)))
		e = signer->suite->verify(signer, (struct sm_span){b.data, b.len}, sig, siglen);
	sm_buf_release(&b);
	return e;
}

static bool ns_valid(struct sm_span s)
{
	if (s.n < 1 || s.n > SM_NAMESPACE_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = (char)s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!word && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return false;
	}
	return true;
}

static bool parse_ns(struct sm_detached *d, struct sm_lines *l)
{
	struct sm_span w[2];
	if (!sm_lines_next(l) || !sm_lines_words(l, w, 2, "namespace") || !ns_valid(w[1]))
		return false;
	memcpy(d->ns, w[1].p, w[1].n);
	return true;
}

static bool parse_signer(struct sm_detached *d, struct sm_lines *l)
{
	struct sm_span w[3];
	return sm_lines_next(l) && sm_lines_words(l, w, 3, "signer") && sm_party_parse(&d->signer, w[1], w[2]) && d->signer.has_fp;
}

static bool parse_date(struct sm_detached *d, struct sm_lines *l)
{
	struct sm_span w[2];
	return sm_lines_next(l) && sm_lines_words(l, w, 2, "date") && !sm_time_parse(&d->date, (const char *)w[1].p, w[1].n);
}

/* The optional comment and the end of the header. */
static bool parse_end(struct sm_detached *d, struct sm_lines *l)
{
	if (!sm_lines_next(l))
		return false;
	if (sm_span_starts(l->line, COMMENT)) {
		size_t skip = strlen(COMMENT), n = l->line.n - skip;
		if (n < 1 || n >= sizeof d->comment)
			return false;
		memcpy(d->comment, l->line.p + skip, n);
		if (!sm_lines_next(l))
			return false;
	}
	return sm_span_equals(l->line, "---");
}

static enum sm_err parse_record(struct sm_detached *d, struct sm_span rest)
{
	uint16_t n;

	if (!sm_span_take_be16(&rest, &n) || rest.n != n)
		return SM_ERR_PAYLOAD;
	if (!sm_signature_size_ok(d->suite, n))
		return SM_ERR_SIGNATURE;
	memcpy(d->sig, rest.p, n);
	d->siglen = n;
	return SM_OK;
}

/* The whole header comes before its suite in the order of checks, unlike an envelope's. */
enum sm_err sm_detached_parse(struct sm_detached *d, unsigned *line, const uint8_t *p, size_t n)
{
	struct sm_lines l = {.rest = {p, n}};
	struct sm_detached got = {0};
	struct sm_span w[2];
	enum sm_err e;

	if (!sm_lines_next(&l) || !sm_lines_words(&l, w, 2, MAGIC) || !parse_ns(&got, &l) || !parse_signer(&got, &l) ||
	    !parse_date(&got, &l) || !parse_end(&got, &l)) {
		*line = l.no;
		return SM_ERR_HEADER;
	}
	if (!(got.suite = sm_suite_find(w[1]))) {
		*line = 1;
		return SM_ERR_SUITE;
	}
	if ((e = parse_record(&got, l.rest)))
		return e;
	sm_sha256(got.hh, p, n - l.rest.n);
	*d = got;
	return SM_OK;
}

enum sm_err sm_detached_write_header(struct sm_buf *b, struct sm_detached *d)
{
	struct sm_span ns = {(const uint8_t *)d->ns, strnlen(d->ns, sizeof d->ns)};
	struct sm_span comment = {(const uint8_t *)d->comment, strnlen(d->comment, sizeof d->comment)};
	char date[SM_TIME_LEN + 1];
	size_t start = b->len;
	enum sm_err e;
	int64_t again;

	if (!d->suite || !ns_valid(ns) || !d->signer.has_fp || comment.n == sizeof d->comment || !sm_printable(comment))
		return SM_ERR_HEADER;
	sm_time_format(date, d->date);
	if (sm_time_parse(&again, date, SM_TIME_LEN) || again != d->date)
		return SM_ERR_HEADER;
	if ((e = sm_buf_addf(b, MAGIC " %s\nnamespace %s\nsigner ", d->suite->id, d->ns)) || (e = sm_party_write(b, &d->signer)) ||
	    (e = sm_buf_addf(b, "\ndate %s\n", date)))
		goto out;
	if (comment.n && (e = sm_buf_addf(b, COMMENT "%s\n", d->comment)))
		goto out;
	if ((e = sm_buf_adds(b, "---\n")))
		goto out;
	sm_sha256(d->hh, b->data + start, b->len - start);
out:
	if (e)
		b->len = start;
	return e;
}
