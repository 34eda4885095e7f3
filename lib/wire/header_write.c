/* The header's writer. What it wrote is read back before it is given out, so there is one set of rules and it is the reader's. */
#include "wire/header.h"

#include "base/base64.h"
#include "base/time.h"
#include "wire/header_stanza.h"
#include "wire/lex.h"

#include <inttypes.h>
#include <string.h>

/* An id field that does not hold an id must not be able to add words or lines. */
static bool is_id(const char *id)
{
	char copy[SM_ID_LEN + 1];
	return sm_id_copy(copy, (struct sm_span){(const uint8_t *)id, strnlen(id, SM_ID_LEN + 1)});
}

static enum sm_err write_recipients(struct sm_buf *b, const struct sm_header *h)
{
	enum sm_err e;
	char roster[65];

	for (size_t i = 0; i < h->nto; i++)
		if ((e = sm_buf_adds(b, "to ")) || (e = sm_party_write(b, &h->to[i])) || (e = sm_buf_adds(b, "\n")))
			return e;
	if (!h->has_group)
		return SM_OK;
	if (!is_id(h->group.id))
		return SM_ERR_HEADER;
	sm_hex(roster, h->group.roster, sizeof h->group.roster);
	return sm_buf_addf(b, "group %s %" PRIu64 " %s\n", h->group.id, h->group.epoch, roster);
}

static enum sm_err write_attach(struct sm_buf *b, const struct sm_header *h)
{
	enum sm_err e;
	char hex[65];

	for (size_t i = 0; i < h->nattach; i++) {
		sm_hex(hex, h->attach[i].digest, sizeof h->attach[i].digest);
		if ((e = sm_buf_addf(b, "attach %zu %s %" PRIu64 "\n", i, hex, h->attach[i].bytes)))
			return e;
	}
	return SM_OK;
}

static enum sm_err write_all(struct sm_buf *b, const struct sm_header *h)
{
	char date[SM_TIME_LEN + 1];
	enum sm_err e;

	if (!h->suite || !is_id(h->id) || h->nattach > SM_ATTACH_MAX || h->nto > SM_TO_MAX)
		return SM_ERR_HEADER;
	sm_time_format(date, h->date);
	if ((e = sm_buf_addf(b, SM_MAGIC "%s\nfrom ", h->suite->id)) || (e = sm_party_write(b, &h->from)) || (e = sm_buf_adds(b, "\n")))
		return e;
	if ((e = write_recipients(b, h)) || (e = sm_buf_addf(b, "id %s\ndate %s\n", h->id, date)) || (e = write_attach(b, h)))
		return e;
	for (size_t i = 0; i < h->nstanza; i++) {
		if (h->stanza[i].type == SM_STANZA_SENDERKEY && !is_id(h->stanza[i].senderkey.chain))
			return SM_ERR_HEADER;
		if ((e = sm_stanza_write(b, &h->stanza[i], h->suite)))
			return e;
	}
	return sm_buf_adds(b, "---\n");
}

enum sm_err sm_header_write(struct sm_buf *b, struct sm_header *h)
{
	struct sm_header check = {0};
	size_t start = b->len;
	unsigned line;
	enum sm_err e;

	if ((e = write_all(b, h)) || (e = sm_header_parse(&check, &line, b->data + start, b->len - start)))
		goto out;
	if (check.nto != h->nto || check.nstanza != h->nstanza || check.nattach != h->nattach || check.date != h->date) {
		e = SM_ERR_HEADER;
		goto out;
	}
	memcpy(h->hh, check.hh, sizeof h->hh);
out:
	sm_header_release(&check);
	if (e)
		b->len = start;
	return e == SM_ERR_SUITE ? SM_ERR_HEADER : e;
}
