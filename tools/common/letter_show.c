/* Words and columns. Subjects and names have no control characters (sm-format(5), "Content"), so tabs and line ends are ours. */
#include "common/letter_show.h"

#include "base/base64.h"
#include "base/text.h"
#include "base/time.h"
#include "common/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *sm_proof_word(enum sm_inbox_proof p)
{
	switch (p) {
	case SM_INBOX_PROVEN: return "proven";
	case SM_INBOX_UNKNOWN: return "unknown";
	case SM_INBOX_CHANGED: return "changed";
	case SM_INBOX_NONE: break;
	}
	return "none";
}

const char *sm_mark_word(enum sm_mark m)
{
	switch (m) {
	case SM_MARK_VERIFIED: return "verified";
	case SM_MARK_UNVERIFIED: return "unverified";
	case SM_MARK_CHANGED: return "changed";
	case SM_MARK_UNKNOWN: return "unknown";
	case SM_MARK_UNSIGNED: break;
	}
	return "unsigned";
}

#define AGAIN "; it is asked for again"
#define WHY(text) (row->asked ? text AGAIN : text)
const char *sm_letter_reason(const struct sm_inbox_row *row)
{
	const struct sm_inbox_meta *m = &row->meta;
	switch (m->why) {
	case SM_INBOX_WHY_SENDER: return "cannot be opened: its sender's device is not known here";
	case SM_INBOX_WHY_SESSION: return WHY("cannot be opened: no session with its sender fits");
	case SM_INBOX_WHY_GROUP: return WHY("cannot be opened: the group is not known here");
	case SM_INBOX_WHY_CHAIN: return WHY("cannot be opened: no key of its sender's for the group fits");
	case SM_INBOX_WHY_UNSIGNED: return "refused: its sender is not proven to the group";
	case SM_INBOX_WHY_NONE: break;
	}
	return sm_err_text(m->problem);
}

static const char *prefix(const struct sm_shown *s)
{
	const struct sm_inbox_meta *m = &s->row.meta;
	switch (s->mark) {
	case SM_MARK_VERIFIED: return "+";
	case SM_MARK_UNVERIFIED: return "";
	case SM_MARK_CHANGED: return m->proof == SM_INBOX_PROVEN ? "!" : "?!";
	case SM_MARK_UNKNOWN:
	case SM_MARK_UNSIGNED: break;
	}
	return "?";
}

/* The address, else the key, else a dash. */
static void sender(char *out, size_t room, const struct sm_shown *s)
{
	const struct sm_inbox_meta *m = &s->row.meta;
	char fp[SM_FP_TEXT_LEN + 1];
	if (m->from.has_fp)
		sm_fp_format(fp, m->from.fp);
	(void)snprintf(out, room, "%s%s%s%s", prefix(s),
	               *m->from.address.text ? m->from.address.text
	               : m->from.has_fp      ? fp
	                                     : "-",
	               *s->group ? " @" : "", s->group);
}

enum sm_err sm_letter_line(struct sm_buf *b, const struct sm_shown *s, bool columns)
{
	char time[SM_TIME_LEN + 1], from[SM_ADDRESS_MAX + SM_NAME_MAX + 8];
	const struct sm_inbox_row *row = &s->row;
	const struct sm_inbox_meta *m = &row->meta;
	const char *state = row->state == SM_INBOX_NEW ? "new" : "read";
	const char *subject = *m->subject ? m->subject : *m->name ? m->name : "-";
	const char *left = "", *right = "";
	sm_time_format(time, row->received / 1000);
	sender(from, sizeof(from), s);
	if (m->problem != SM_OK) {
		left = "[", right = "]";
		subject = sm_letter_reason(row);
	}
	if (columns)
		return sm_buf_addf(b, "%4" PRId64 "  %-4s  %s  %-24s  %s%s%s  %" PRIu64 "\n", row->n, state, time, from, left, subject,
		                   right, m->size);
	return sm_buf_addf(b, "%" PRId64 "\t%s\t%s\t%s\t%s%s%s\t%" PRIu64 "\n", row->n, state, time, from, left, subject, right, m->size);
}

/* --- JSON --- */

static enum sm_err member(struct sm_buf *b, const char *name, const char *value)
{
	enum sm_err e = sm_buf_adds(b, ",");
	return e == SM_OK ? sm_json_member(b, name, value) : e;
}

static enum sm_err optional(struct sm_buf *b, const char *name, const char *value) { return *value ? member(b, name, value) : SM_OK; }

static enum sm_err add_sender(struct sm_buf *b, const struct sm_shown *s)
{
	const struct sm_inbox_meta *m = &s->row.meta;
	char fp[SM_FP_TEXT_LEN + 1] = "";
	bool proven = m->problem == SM_OK && m->proof == SM_INBOX_PROVEN;
	if (m->from.has_fp)
		sm_fp_format(fp, m->from.fp);
	enum sm_err e = member(b, "from", m->from.address.text);
	if (e == SM_OK)
		e = optional(b, "fingerprint", fp);
	if (e == SM_OK)
		e = member(b, "proof", sm_proof_word(m->problem == SM_OK ? m->proof : SM_INBOX_NONE));
	if (e == SM_OK)
		e = sm_buf_addf(b, ",\"verified\":%s", proven ? "true" : "false");
	if (e == SM_OK)
		e = member(b, "trust", sm_mark_word(s->mark));
	return e == SM_OK ? optional(b, "group", s->group) : e;
}

static enum sm_err add_base64(struct sm_buf *b, const struct sm_buf *content)
{
	uint8_t *where;
	enum sm_err e = sm_buf_adds(b, ",\"base64\":\"");
	if (e == SM_OK)
		e = sm_buf_reserve(b, SM_BASE64_PADDED_LEN(content->len), &where);
	if (e == SM_OK) {
		b->len += sm_base64_encode((char *)where, content->data, content->len, true);
		e = sm_buf_adds(b, "\"");
	}
	return e;
}

static enum sm_err add_content(struct sm_buf *b, const struct sm_inbox_row *row, const struct sm_buf *content)
{
	const struct sm_inbox_meta *m = &row->meta;
	enum sm_err e;
	if (!content)
		return member(b, "error", sm_letter_reason(row));
	if ((*m->type && strncmp(m->type, "text/", 5) != 0) || !sm_utf8_valid(content->data, content->len))
		return add_base64(b, content);
	e = sm_buf_adds(b, ",\"text\":");
	return e == SM_OK ? sm_json_string(b, content->data, content->len) : e;
}

enum sm_err sm_letter_json(struct sm_buf *b, const struct sm_shown *s, const struct sm_buf *content)
{
	char date[SM_TIME_LEN + 1], received[SM_TIME_LEN + 1];
	const struct sm_inbox_row *row = &s->row;
	const struct sm_inbox_meta *m = &row->meta;
	enum sm_err e = sm_buf_addf(b, "{\"v\":1,\"n\":%" PRId64 ",\"state\":\"%s\",\"seq\":%" PRId64, row->n,
	                            row->state == SM_INBOX_NEW ? "new" : "read", row->seq);
	sm_time_format(date, m->date);
	sm_time_format(received, row->received / 1000);
	if (e == SM_OK)
		e = optional(b, "id", m->id);
	if (e == SM_OK)
		e = optional(b, "original", m->original);
	if (e == SM_OK)
		e = add_sender(b, s);
	if (e == SM_OK && *m->id)
		e = member(b, "time", date);
	if (e == SM_OK)
		e = member(b, "received", received);
	if (e == SM_OK)
		e = optional(b, "subject", m->subject);
	if (e == SM_OK)
		e = optional(b, "name", m->name);
	if (e == SM_OK)
		e = optional(b, "type", m->type);
	if (e == SM_OK)
		e = sm_buf_addf(b, ",\"size\":%" PRIu64, m->size);
	if (e == SM_OK)
		e = add_content(b, row, content);
	return e == SM_OK ? sm_buf_adds(b, "}\n") : e;
}
