/* The plaintext's own format: PADMÉ, the fields, and where the padding starts. All of it comes from whoever could seal the body,
 * so every value is hostile until it has passed here. */
#include "wire/content.h"

#include "base/base64.h"
#include "base/secret.h"
#include "wire/lex.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAD_MARK 0x80
#define ATTACH "attach"
#define SM_ATTACH_TYPE_MAX 255 /* RFC 6838 allows 127 characters on each side of the slash */

static unsigned log2_floor(uint64_t n) { return 63 - (unsigned)__builtin_clzll(n); }

/* Rounds up so that only the top floor(log2 log2 n) + 1 bits of n may be set. What would not fit in 64 bits stays as it is. */
uint64_t sm_padme(uint64_t n)
{
	unsigned e, s;
	uint64_t mask;

	if (n < 2)
		return n;
	e = log2_floor(n);
	s = log2_floor(e) + 1;
	mask = ((uint64_t)1 << (e - s)) - 1;
	return n > UINT64_MAX - mask ? n : (n + mask) & ~mask;
}

uint64_t sm_content_total(uint64_t l)
{
	uint64_t padded = sm_padme(l);
	return padded < SM_CONTENT_MIN ? SM_CONTENT_MIN : padded;
}

bool sm_filename_ok(const char *s, size_t n)
{
	struct sm_span name = {(const uint8_t *)s, n};
	if (n < 1 || n > 255 || sm_span_equals(name, ".") || sm_span_equals(name, ".."))
		return false;
	return !memchr(s, '/', n) && !memchr(s, '\\', n) && sm_value_ok(name);
}

/* One word, no control characters: a type that can stand between others on a line. */
static bool word_ok(struct sm_span s) { return s.n && !memchr(s.p, ' ', s.n) && sm_value_ok(s); }

/* The block's own copy is cut into strings: what follows a value (a space, or the line's LF) becomes its end. */
static const char *cut(struct sm_span v)
{
	char *p = (char *)(uintptr_t)v.p;
	p[v.n] = 0;
	return p;
}

static bool set(const char **out, struct sm_span v, bool good)
{
	if (*out || !good)
		return false;
	*out = cut(v);
	return true;
}

static bool parse_text(const char **out, struct sm_span v) { return set(out, v, v.n && sm_value_ok(v)); }

static bool parse_name(const char **out, struct sm_span v) { return set(out, v, sm_filename_ok((const char *)v.p, v.n)); }

static bool parse_id(const char **out, struct sm_span v)
{
	char id[SM_ID_LEN + 1];
	return set(out, v, sm_id_copy(id, v));
}

/* Takes the word before the next space, and the space. */
static bool take_word(struct sm_span *s, struct sm_span *word)
{
	const uint8_t *sp = s->n ? memchr(s->p, ' ', s->n) : NULL;
	if (!sp)
		return false;
	*word = (struct sm_span){s->p, (size_t)(sp - s->p)};
	s->n -= word->n + 1;
	s->p = sp + 1;
	return true;
}

/* `<i> <key> <size> <type> <name>`: the name is the rest, spaces and all. */
static bool parse_attach(struct sm_fields *f, struct sm_span v)
{
	struct sm_attach_field *a = &f->attach[f->nattach];
	struct sm_span i, key, size, type;
	uint64_t index;

	if (f->nattach == SM_ATTACH_MAX || !take_word(&v, &i) || !take_word(&v, &key) || !take_word(&v, &size) || !take_word(&v, &type))
		return false;
	if (!sm_decimal(&index, i, f->nattach, f->nattach) || !sm_base64_exact(a->key, sizeof a->key, key) ||
	    !sm_decimal(&a->size, size, 0, SM_NUMBER_MAX) || type.n > SM_ATTACH_TYPE_MAX || !word_ok(type) || !parse_name(&a->name, v))
		return false;
	a->type = cut(type);
	f->nattach++;
	return true;
}

static bool parse_field(struct sm_fields *f, struct sm_span line)
{
	struct sm_span key;

	if (!take_word(&line, &key))
		return false;
	if (sm_span_equals(key, "type"))
		return parse_text(&f->type, line);
	if (sm_span_equals(key, "name"))
		return parse_name(&f->name, line);
	if (sm_span_equals(key, "subject"))
		return parse_text(&f->subject, line);
	if (sm_span_equals(key, "thread"))
		return parse_id(&f->thread, line);
	if (sm_span_equals(key, "reply-to"))
		return parse_id(&f->reply_to, line);
	if (sm_span_equals(key, "original"))
		return parse_id(&f->original, line);
	return sm_span_equals(key, ATTACH) && parse_attach(f, line);
}

void sm_fields_release(struct sm_fields *f)
{
	if (f->text)
		sm_wipe(f->text, f->ntext);
	free(f->text);
	sm_wipe(f, sizeof *f);
}

enum sm_err sm_fields_parse(struct sm_fields *f, const uint8_t *p, size_t n)
{
	struct sm_fields got = {.ntext = n};
	struct sm_span rest, line;
	enum sm_err e = SM_OK;

	if (n > SM_FIELDS_MAX)
		return SM_ERR_PAYLOAD;
	if (!(got.text = malloc(n + 1)))
		return SM_ERR_NOMEM;
	if (n)
		memcpy(got.text, p, n);
	rest = (struct sm_span){(const uint8_t *)got.text, n};
	while (!e && rest.n)
		if (!sm_span_take_line(&rest, &line) || !parse_field(&got, line))
			e = SM_ERR_PAYLOAD;
	if (e)
		sm_fields_release(&got);
	else
		*f = got;
	return e;
}

static enum sm_err write_attach(struct sm_buf *b, const struct sm_fields *f, size_t i)
{
	const struct sm_attach_field *a = &f->attach[i];
	enum sm_err e;

	if (!a->type || !a->name)
		return SM_ERR_FORMAT;
	if ((e = sm_buf_addf(b, ATTACH " %zu ", i)) || (e = sm_buf_add_base64(b, a->key, sizeof a->key)))
		return e;
	return sm_buf_addf(b, " %" PRIu64 " %s %s\n", a->size, a->type, a->name);
}

static enum sm_err write_text(struct sm_buf *b, const char *key, const char *value)
{
	if (!value || !value[0])
		return SM_OK;
	enum sm_err e = sm_buf_addf(b, "%s ", key);
	if (e || (e = sm_buf_adds(b, value)))
		return e;
	return sm_buf_adds(b, "\n");
}

static enum sm_err write_all(struct sm_buf *b, const struct sm_fields *f)
{
	enum sm_err e;

	if (f->nattach > SM_ATTACH_MAX)
		return SM_ERR_FORMAT;
	if ((e = write_text(b, "type", f->type)) || (e = write_text(b, "name", f->name)) || (e = write_text(b, "subject", f->subject)) ||
	    (e = write_text(b, "thread", f->thread)) || (e = write_text(b, "reply-to", f->reply_to)) ||
	    (e = write_text(b, "original", f->original)))
		return e;
	for (size_t i = 0; i < f->nattach; i++)
		if ((e = write_attach(b, f, i)))
			return e;
	return SM_OK;
}

static bool same(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

/* Would the reader take what was written, and find as much in it? A line feed in a value would make two fields of one. */
static enum sm_err reads_back(const struct sm_fields *f, const uint8_t *p, size_t n)
{
	struct sm_fields again = {0};
	enum sm_err e = sm_fields_parse(&again, p, n);

	if (e)
		return e == SM_ERR_PAYLOAD ? SM_ERR_FORMAT : e;
	bool good = again.nattach == f->nattach && same(again.type, f->type) && same(again.name, f->name) &&
	            same(again.subject, f->subject) && same(again.thread, f->thread) && same(again.reply_to, f->reply_to) &&
	            same(again.original, f->original);
	for (size_t i = 0; good && i < f->nattach; i++)
		good = same(again.attach[i].type, f->attach[i].type) && same(again.attach[i].name, f->attach[i].name);
	sm_fields_release(&again);
	return good ? SM_OK : SM_ERR_FORMAT;
}

enum sm_err sm_fields_write(struct sm_buf *b, const struct sm_fields *f)
{
	size_t start = b->len;
	enum sm_err e;

	if (!f)
		return sm_buf_add_be32(b, 0);
	if ((e = sm_buf_add_be32(b, 0)) || (e = write_all(b, f)) || (e = reads_back(f, b->data + start + 4, b->len - start - 4)))
		goto out;
	sm_put_be32(b->data + start, (uint32_t)(b->len - start - 4));
out:
	if (e)
		b->len = start;
	return e;
}

void sm_unpad_update(struct sm_unpad *u, const uint8_t *p, size_t n)
{
	size_t end = n;
	uint64_t word;

	/* padding is long: eight bytes at a time while all are zero */
	while (end >= sizeof word && (memcpy(&word, p + end - sizeof word, sizeof word), !word))
		end -= sizeof word;
	while (end && !p[end - 1])
		end--;
	if (end) {
		u->end = u->total + end;
		u->last = p[end - 1];
	}
	u->total += n;
}

enum sm_err sm_unpad_final(const struct sm_unpad *u, uint64_t *l)
{
	/* 5: be32 length of no fields, no content, the mark */
	if (u->last != PAD_MARK || u->end < 5 || (u->total != u->end && u->total != sm_content_total(u->end)))
		return SM_ERR_PAYLOAD;
	*l = u->end - 1;
	return SM_OK;
}
