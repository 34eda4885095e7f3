/* The header's reader: one function a line kind, in the order of the format. Each leaves the cursor on the next line; whoever
 * returns false leaves it on the line that is wrong. */
#include "wire/header.h"

#include "base/base64.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "wire/header_stanza.h"
#include "wire/lex.h"

#include <stdlib.h>
#include <string.h>

#define BODY_COLUMNS 64
#define STANZA_MARK "-> "

/* SM_ERR_SUITE for any other one word, whatever it is. */
static enum sm_err parse_suite(struct sm_header *h, struct sm_lines *l)
{
	struct sm_span w[2];
	if (!sm_lines_next(l) || !sm_span_starts(l->line, SM_MAGIC) || sm_words(w, 2, l->line) != 2)
		return SM_ERR_HEADER;
	h->suite = sm_suite_find(w[1]);
	return h->suite ? SM_OK : SM_ERR_SUITE;
}

static bool parse_from(struct sm_header *h, struct sm_lines *l)
{
	struct sm_span w[3];
	return sm_lines_next(l) && sm_lines_words(l, w, 3, "from") && sm_party_parse(&h->from, w[1], w[2]) && sm_lines_next(l);
}

/* Room for as many `to` lines as follow, so that one allocation does. */
static size_t count_to(struct sm_span rest, struct sm_span line)
{
	size_t n = 0;
	while (n <= SM_TO_MAX && sm_span_starts(line, "to ")) {
		n++;
		if (!sm_span_take_line(&rest, &line))
			break;
	}
	return n;
}

static bool parse_to(struct sm_header *h, struct sm_lines *l)
{
	struct sm_span w[3];
	struct sm_party *to = &h->to[h->nto];

	if (h->nto == SM_TO_MAX || !sm_lines_words(l, w, 3, "to") || !sm_party_parse(to, w[1], w[2]))
		return false;
	/* `to - -`, a passphrase's, stands alone */
	if (h->nto && (!to->has_fp || !h->to[0].has_fp))
		return false;
	if (to->has_fp && sm_header_find_to(h, to->fp) >= 0)
		return false;
	h->nto++;
	return sm_lines_next(l);
}

static bool parse_group(struct sm_header *h, struct sm_lines *l)
{
	struct sm_span w[4];
	if (!sm_lines_words(l, w, 4, "group") || !sm_id_copy(h->group.id, w[1]) || !sm_decimal(&h->group.epoch, w[2], 0, SM_NUMBER_MAX) ||
	    sm_hex_parse(h->group.roster, sizeof h->group.roster, (const char *)w[3].p, w[3].n))
		return false;
	h->has_group = true;
	return sm_lines_next(l);
}

static enum sm_err parse_recipients(struct sm_header *h, struct sm_lines *l)
{
	size_t n = count_to(l->rest, l->line);
	if (!n)
		return parse_group(h, l) ? SM_OK : SM_ERR_HEADER;
	if (!(h->to = calloc(n, sizeof *h->to)))
		return SM_ERR_NOMEM;
	while (sm_span_starts(l->line, "to "))
		if (!parse_to(h, l))
			return SM_ERR_HEADER;
	return SM_OK;
}

static bool parse_id(struct sm_header *h, struct sm_lines *l)
{
	struct sm_span w[2];
	return sm_lines_words(l, w, 2, "id") && sm_id_copy(h->id, w[1]) && sm_lines_next(l);
}

static bool parse_date(struct sm_header *h, struct sm_lines *l)
{
	struct sm_span w[2];
	return sm_lines_words(l, w, 2, "date") && !sm_time_parse(&h->date, (const char *)w[1].p, w[1].n) && sm_lines_next(l);
}

static bool parse_attach(struct sm_header *h, struct sm_lines *l)
{
	while (sm_span_starts(l->line, "attach ")) {
		struct sm_attach_line *a = &h->attach[h->nattach];
		struct sm_span w[4];
		uint64_t i;
		if (h->nattach == SM_ATTACH_MAX || !sm_lines_words(l, w, 4, "attach") || !sm_decimal(&i, w[1], h->nattach, h->nattach) ||
		    sm_hex_parse(a->digest, sizeof a->digest, (const char *)w[2].p, w[2].n) ||
		    !sm_decimal(&a->bytes, w[3], 0, SM_NUMBER_MAX))
			return false;
		h->nattach++;
		if (!sm_lines_next(l))
			return false;
	}
	return true;
}

/* Body lines up to the next line that begins with `-`, which base64 never does. Each full line decodes on its own. */
static enum sm_err parse_body(struct sm_stanza *s, const struct sm_suite *suite, struct sm_lines *l)
{
	uint8_t body[SM_STANZA_BODY_MAX + BODY_COLUMNS];
	size_t n = 0, got;
	bool last = false;

	for (;;) {
		if (!sm_lines_next(l))
			return SM_ERR_HEADER;
		if (l->line.p[0] == '-')
			break;
		if (last || l->line.n > BODY_COLUMNS || sm_base64_decode(body + n, &got, (const char *)l->line.p, l->line.n, false))
			return SM_ERR_HEADER;
		last = l->line.n < BODY_COLUMNS;
		if ((n += got) > SM_STANZA_BODY_MAX)
			return SM_ERR_HEADER;
	}
	if (!sm_stanza_body_ok(s, suite, n)) {
		l->no--; /* what is wrong is the body's last line, not the one after it */
		return SM_ERR_HEADER;
	}
	if (!(s->body = malloc(n)))
		return SM_ERR_NOMEM;
	memcpy(s->body, body, n);
	s->bodylen = n;
	return SM_OK;
}

/* Does the stanza wrap for the kind of recipient that stands in its place? */
static bool stanza_fits(const struct sm_header *h, const struct sm_stanza *s)
{
	if (h->has_group)
		return s->type == SM_STANZA_SENDERKEY;
	if (!h->to[0].has_fp)
		return sm_stanza_is_passphrase(s);
	return s->type != SM_STANZA_SENDERKEY && !sm_stanza_is_passphrase(s);
}

static enum sm_err parse_stanzas(struct sm_header *h, struct sm_lines *l)
{
	size_t want = h->has_group ? 1 : h->nto;
	enum sm_err e;

	if (!(h->stanza = calloc(want, sizeof *h->stanza)))
		return SM_ERR_NOMEM;
	while (h->nstanza < want) {
		struct sm_stanza *s = &h->stanza[h->nstanza];
		if (!sm_span_starts(l->line, STANZA_MARK) || !sm_stanza_parse(s, h->suite, l->line) || !stanza_fits(h, s))
			return SM_ERR_HEADER;
		if ((e = parse_body(s, h->suite, l)))
			return e;
		h->nstanza++;
	}
	return SM_OK;
}

static enum sm_err parse_all(struct sm_header *h, struct sm_lines *l)
{
	enum sm_err e;

	if ((e = parse_suite(h, l)))
		return e;
	if (!parse_from(h, l))
		return SM_ERR_HEADER;
	if ((e = parse_recipients(h, l)))
		return e;
	if (!parse_id(h, l) || !parse_date(h, l) || !parse_attach(h, l))
		return SM_ERR_HEADER;
	if ((e = parse_stanzas(h, l)))
		return e;
	if (!sm_span_equals(l->line, "---"))
		return SM_ERR_HEADER;
	l->no += l->rest.n > 0;
	return l->rest.n ? SM_ERR_HEADER : SM_OK;
}

enum sm_err sm_header_parse(struct sm_header *h, unsigned *line, const uint8_t *p, size_t n)
{
	struct sm_lines l = {.rest = {p, n}};
	struct sm_header got = {0};
	enum sm_err e = SM_ERR_HEADER;

	if (n <= SM_HEADER_MAX)
		e = parse_all(&got, &l);
	if (e) {
		sm_header_release(&got);
		*line = l.no ? l.no : 1;
		return e;
	}
	sm_sha256(got.hh, p, n);
	*h = got;
	return SM_OK;
}
