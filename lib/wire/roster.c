/* Rosters: the reader. One function a line kind, in the order of the format. */
#include "wire/roster.h"

#include "base/base64.h"
#include "base/time.h"
#include "wire/signed_text.h"

#include <stdlib.h>
#include <string.h>

static bool copy_name(char *out, struct sm_span v)
{
	if (!sm_name_valid((const char *)v.p, v.n))
		return false;
	memcpy(out, v.p, v.n);
	return true;
}

/* `-` is the first epoch's, and no other's. */
static bool parse_previous(struct sm_roster *r, struct sm_span v)
{
	if (r->epoch == 1)
		return sm_span_equals(v, "-");
	return !sm_hex_parse(r->previous, sizeof(r->previous), (const char *)v.p, v.n);
}

static bool parse_head(struct sm_roster *r, struct sm_lines *in)
{
	struct sm_span v;
	if (!sm_signed_text_value(in, "sm-roster/1", &v) || !sm_id_copy(r->group, v))
		return false;
	if (!sm_signed_text_value(in, "epoch", &v) || !sm_decimal(&r->epoch, v, 1, SM_NUMBER_MAX))
		return false;
	if (!sm_signed_text_value(in, "previous", &v) || !parse_previous(r, v))
		return false;
	if (!sm_signed_text_value(in, "name", &v) || !copy_name(r->name, v))
		return false;
	return sm_signed_text_value(in, "date", &v) && !sm_time_parse(&r->date, (const char *)v.p, v.n) && sm_lines_next(in);
}

static bool parse_member(struct sm_roster *r, const struct sm_lines *in)
{
	struct sm_member *m = &r->member[r->n];
	struct sm_span w[4];
	int n = sm_words(w, 4, in->line);

	if (n < 3 || !sm_span_equals(w[0], "member") || (n == 4 && !sm_span_equals(w[3], "admin")) ||
	    sm_address_parse(&m->address, (const char *)w[1].p, w[1].n) || !sm_signed_text_key(m->pk, w[2]))
		return false;
	if (r->n && strcmp(r->member[r->n - 1].address.text, m->address.text) >= 0)
		return false;
	m->admin = n == 4;
	r->n++;
	return true;
}

/* Room for as many members as follow, so that one allocation does. */
static size_t count_members(struct sm_span rest, struct sm_span line)
{
	size_t n = 0;
	while (n <= SM_ROSTER_MAX && sm_span_starts(line, "member ")) {
		n++;
		if (!sm_span_take_line(&rest, &line))
			break;
	}
	return n;
}

static int by_key(const void *a, const void *b) { return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, SM_PK_LEN); }

static enum sm_err check_keys(const struct sm_roster *r)
{
	const uint8_t **key = calloc(r->n, sizeof(*key));
	enum sm_err e = SM_OK;

	if (!key)
		return SM_ERR_NOMEM;
	for (size_t i = 0; i < r->n; i++)
		key[i] = r->member[i].pk;
	qsort(key, r->n, sizeof(*key), by_key);
	for (size_t i = 1; !e && i < r->n; i++)
		if (!by_key(&key[i - 1], &key[i]))
			e = SM_ERR_FORMAT;
	free(key);
	return e;
}

static enum sm_err parse_members(struct sm_roster *r, struct sm_lines *in)
{
	size_t n = count_members(in->rest, in->line);

	if (!n || n > SM_ROSTER_MAX)
		return SM_ERR_FORMAT;
	if (!(r->member = calloc(n, sizeof(*r->member))))
		return SM_ERR_NOMEM;
	while (r->n < n)
		if (!parse_member(r, in) || !sm_lines_next(in))
			return SM_ERR_FORMAT;
	return check_keys(r);
}

static bool parse_signer(struct sm_roster *r, struct sm_lines *in)
{
	struct sm_span w[2];
	return sm_lines_words(in, w, 2, "signer") && !sm_address_parse(&r->signer, (const char *)w[1].p, w[1].n) && sm_lines_next(in);
}

enum sm_err sm_roster_parse(struct sm_roster *r, const char *text, size_t n)
{
	struct sm_lines in = {.rest = {(const uint8_t *)text, n}};
	struct sm_roster got = {0};
	enum sm_err e = SM_ERR_FORMAT;

	if (n > SM_ROSTER_TEXT_MAX || !parse_head(&got, &in))
		return SM_ERR_FORMAT;
	if (!(e = parse_members(&got, &in)) &&
	    (!parse_signer(&got, &in) || !sm_signed_text_end(got.hash, got.sig, &in, (const uint8_t *)text)))
		e = SM_ERR_FORMAT;
	if (e)
		sm_roster_release(&got);
	else
		*r = got;
	return e;
}

enum sm_err sm_roster_verify(const struct sm_roster *r, const uint8_t signer[static SM_PK_LEN])
{
	return sm_signed_text_verify(SM_ROSTER_LABEL, r->hash, r->sig, signer);
}

static int by_address(const void *key, const void *member) { return strcmp(key, ((const struct sm_member *)member)->address.text); }

const struct sm_member *sm_roster_find(const struct sm_roster *r, const char *address)
{
	return r->n ? bsearch(address, r->member, r->n, sizeof(*r->member), by_address) : NULL;
}

enum sm_err sm_roster_next(struct sm_roster *next, const struct sm_roster *r)
{
	struct sm_roster got = *r;

	if (r->epoch >= SM_NUMBER_MAX)
		return SM_ERR_LIMIT;
	if (!(got.member = calloc(SM_ROSTER_MAX, sizeof(*got.member))))
		return SM_ERR_NOMEM;
	memcpy(got.member, r->member, r->n * sizeof(*r->member));
	got.epoch++;
	memcpy(got.previous, r->hash, sizeof(got.previous));
	memset(got.hash, 0, sizeof(got.hash));
	memset(got.sig, 0, sizeof(got.sig));
	*next = got;
	return SM_OK;
}

void sm_roster_release(struct sm_roster *r)
{
	free(r->member);
	memset(r, 0, sizeof(*r));
}
