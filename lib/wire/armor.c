/* Armor, both ways. The lines between BEGIN and END are coded straight from the caller's memory into the buffer, a line at a time;
 * only the pieces of a line that two calls share are kept here. */
#include "wire/armor.h"

#include "base/base64.h"

#include <string.h>

#define LINE_BYTES 48
#define LINE_CHARS 64
#define DASHES "-----"

void sm_armor_writer_init(struct sm_armor_writer *w, const char *label)
{
	memset(w, 0, sizeof *w);
	w->label = label;
}

static enum sm_err begin(struct sm_armor_writer *w, struct sm_buf *out)
{
	enum sm_err e;
	if (w->begun)
		return SM_OK;
	if (!(e = sm_buf_addf(out, DASHES "BEGIN %s" DASHES "\n", w->label)))
		w->begun = true;
	return e;
}

/* n bytes, 1..48, as one line; o has room for 65. */
static uint8_t *encode_line(uint8_t *o, const uint8_t *p, size_t n)
{
	o += sm_base64_encode((char *)o, p, n, true);
	*o++ = '\n';
	return o;
}

enum sm_err sm_armor_write(struct sm_armor_writer *w, struct sm_buf *out, const uint8_t *p, size_t n)
{
	size_t take = LINE_BYTES - w->nheld < n ? LINE_BYTES - w->nheld : n;
	uint8_t *o, *start;
	enum sm_err e;

	if ((e = begin(w, out)))
		return e;
	if (w->nheld + n >= LINE_BYTES) {
		if ((e = sm_buf_reserve(out, (w->nheld + n) / LINE_BYTES * (LINE_CHARS + 1), &start)))
			return e;
		o = start;
		if (w->nheld) {
			memcpy(w->held + w->nheld, p, take);
			o = encode_line(o, w->held, LINE_BYTES);
			w->nheld = 0, p += take, n -= take;
		}
		for (; n >= LINE_BYTES; n -= LINE_BYTES, p += LINE_BYTES)
			o = encode_line(o, p, LINE_BYTES);
		out->len += (size_t)(o - start);
	}
	if (n)
		memcpy(w->held + w->nheld, p, n);
	w->nheld += n;
	return SM_OK;
}

enum sm_err sm_armor_finish(struct sm_armor_writer *w, struct sm_buf *out)
{
	uint8_t *o;
	enum sm_err e;

	if ((e = begin(w, out)))
		return e;
	if (w->nheld) {
		if ((e = sm_buf_reserve(out, LINE_CHARS + 1, &o)))
			return e;
		out->len += (size_t)(encode_line(o, w->held, w->nheld) - o);
		w->nheld = 0;
	}
	return sm_buf_addf(out, DASHES "END %s" DASHES "\n", w->label);
}

enum state { BEFORE, BEGIN, BEGIN_EOL, BODY, END, AFTER, FAILED };

void sm_armor_reader_init(struct sm_armor_reader *r, const char *label)
{
	memset(r, 0, sizeof *r);
	r->label = label;
	r->state = BEFORE;
}

static bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The i-th character of `-----BEGIN LABEL-----` or `-----END LABEL-----`; 0 after the last. */
static char marker_char(const char *word, const char *label, size_t i)
{
	const char *const part[] = {DASHES, word, label, DASHES};
	for (size_t k = 0; k < sizeof part / sizeof *part; k++) {
		size_t n = strlen(part[k]);
		if (i < n)
			return part[k][i];
		i -= n;
	}
	return 0;
}

/* One character of a marker; after its last one the state is next. */
static void step_marker(struct sm_armor_reader *r, const char *word, uint8_t c, enum state next)
{
	if ((uint8_t)marker_char(word, r->label, r->nline++) != c) {
		r->state = FAILED;
	} else if (!marker_char(word, r->label, r->nline)) {
		r->state = next;
		r->nline = 0;
	}
}

/* LF or CRLF after the BEGIN line; line[0] remembers a CR. */
static void step_begin_eol(struct sm_armor_reader *r, uint8_t c)
{
	if (c == '\n') {
		r->state = BODY;
		r->nline = 0;
	} else if (c == '\r' && !r->nline) {
		r->nline = 1;
	} else {
		r->state = FAILED;
	}
}

/* Everything outside the body, which is short, a byte at a time. */
static void step(struct sm_armor_reader *r, uint8_t c)
{
	switch ((enum state)r->state) {
	case BEFORE:
		if (is_space(c))
			return;
		r->state = BEGIN;
		r->nline = 0;
		/* fallthrough */
	case BEGIN: step_marker(r, "BEGIN ", c, BEGIN_EOL); return;
	case BEGIN_EOL: step_begin_eol(r, c); return;
	case END: step_marker(r, "END ", c, AFTER); return;
	case AFTER:
		if (!is_space(c))
			r->state = FAILED;
		return;
	case BODY:
	case FAILED: return;
	}
}

/* One line of n characters without its LF, into o, which has room for 48 bytes. */
static bool decode_line(struct sm_armor_reader *r, uint8_t *o, size_t *got, const char *s, size_t n)
{
	if (n && s[n - 1] == '\r')
		n--;
	if (!n || n > LINE_CHARS || r->last || sm_base64_decode(o, got, s, n, true))
		return false;
	r->last = *got < LINE_BYTES;
	return true;
}

/* Keeps what of a line has come; false when no line is that long. */
static bool hold(struct sm_armor_reader *r, const uint8_t *p, size_t n)
{
	if (n > LINE_CHARS + 1 - r->nline)
		return false;
	memcpy(r->line + r->nline, p, n);
	r->nline += n;
	return true;
}

/* Decodes the lines that end in the n bytes at p and keeps the rest; returns how many were used up, all of them unless END begins. */
static size_t body(struct sm_armor_reader *r, uint8_t **o, const uint8_t *p, size_t n)
{
	size_t at = 0, got;

	while (at < n) {
		const uint8_t *line = p + at;
		/* a line can be no longer than this, so neither need the search for its end be */
		size_t look = n - at < LINE_CHARS + 2 ? n - at : LINE_CHARS + 2;
		if (!r->nline && line[0] == '-') {
			r->state = END;
			return at;
		}
		const uint8_t *lf = memchr(line, '\n', look);
		size_t len = lf ? (size_t)(lf - line) : look;
		bool fine;
		if (lf && !r->nline) {
			fine = decode_line(r, *o, &got, (const char *)line, len);
		} else {
			fine = hold(r, line, len);
			if (fine && lf)
				fine = decode_line(r, *o, &got, r->line, r->nline);
			if (lf)
				r->nline = 0;
		}
		if (!fine) {
			r->state = FAILED;
			return n;
		}
		*o += lf ? got : 0;
		at += len + (lf != NULL);
	}
	return n;
}

enum sm_err sm_armor_read(struct sm_armor_reader *r, struct sm_buf *out, const uint8_t *p, size_t n)
{
	uint8_t *start, *o;
	enum sm_err e;

	while (n && r->state != FAILED) {
		if (r->state != BODY) {
			step(r, *p++);
			n--;
			continue;
		}
		/* every four characters give at most three bytes, those held included; 3 more is what the decoder asks for */
		if ((e = sm_buf_reserve(out, (n + r->nline) / 4 * 3 + 3, &start)))
			return e;
		o = start;
		size_t used = body(r, &o, p, n);
		out->len += (size_t)(o - start);
		p += used;
		n -= used;
	}
	return r->state == FAILED ? SM_ERR_ARMOR : SM_OK;
}

enum sm_err sm_armor_read_end(struct sm_armor_reader *r) { return r->state == AFTER ? SM_OK : SM_ERR_ARMOR; }

enum sm_err sm_armor_encode(struct sm_buf *out, const char *label, const uint8_t *p, size_t n)
{
	struct sm_armor_writer w;
	size_t start = out->len;
	enum sm_err e;

	sm_armor_writer_init(&w, label);
	if ((e = sm_armor_write(&w, out, p, n)) || (e = sm_armor_finish(&w, out)))
		out->len = start;
	return e;
}

enum sm_err sm_dearmor(struct sm_buf *out, const char *label, const uint8_t *p, size_t n)
{
	struct sm_armor_reader r;
	size_t start = out->len;
	enum sm_err e;

	sm_armor_reader_init(&r, label);
	if ((e = sm_armor_read(&r, out, p, n)) || (e = sm_armor_read_end(&r)))
		out->len = start;
	return e;
}
