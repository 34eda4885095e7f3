/* A message is marked as read only when all of it has been written. */
#include "common/inbox_view.h"

#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/letter_show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENT_MAX ((size_t)64 << 20)
#define JSON_MAX (CONTENT_MAX * 6 + 65536) /* every byte may become \u00XX */

int sm_view_done(struct sm_reader *r, enum sm_err e, int64_t n)
{
	switch (e) {
	case SM_OK: return SM_EXIT_OK;
	case SM_ERR_NOTFOUND: sm_error("there is no message %" PRId64, n); return SM_EXIT_NOINPUT;
	case SM_ERR_IO:
	case SM_ERR_BUSY:
	case SM_ERR_CANTCREAT: return sm_fail(e, "cannot use '%s'", r->db.path);
	case SM_ERR_PASSPHRASE: sm_error("message %" PRId64 " is sealed under another identity", n); return SM_EXIT_REFUSED;
	default: return sm_fail(e, "message %" PRId64, n);
	}
}

static int mark_read(struct sm_reader *r, const struct sm_inbox_row *row)
{
	enum sm_err e = row->state == SM_INBOX_READ ? SM_OK : sm_inbox_mark(&r->db, row->n, SM_INBOX_READ);
	return e == SM_ERR_NOTFOUND ? SM_EXIT_OK : sm_view_done(r, e, row->n); /* removed meanwhile: then it needs no mark */
}

static int say_output(enum sm_err e) { return sm_fail(e, "cannot write to standard output"); }

/* --- Lists --- */

struct listing {
	struct sm_view *view;
	struct sm_reader *reader;
	int64_t upto;
	int code; /* of what was said already */
};

static enum sm_err line_of(struct sm_buf *b, const struct sm_shown *s) { return sm_letter_line(b, s, sm_is_tty(STDOUT_FILENO)); }

/* content is read here rather than in the list: most messages are small, and only one is in memory at a time. */
static enum sm_err json_of(struct sm_buf *b, struct sm_shown *s, struct sm_reader *r)
{
	struct sm_inbox_meta *m = &s->row.meta;
	struct sm_inbox_row again = {0};
	struct sm_buf content;
	sm_buf_init(&content, CONTENT_MAX);
	enum sm_err e = m->problem == SM_OK ? sm_letter_read(&again, &content, r, s->row.n) : SM_OK;
	if (sm_letter_fault(e)) {
		m->problem = e; /* it opened once: what is kept here is damaged */
		s->mark = SM_MARK_UNKNOWN;
		e = SM_OK;
	}
	if (e == SM_OK)
		e = sm_letter_json(b, s, m->problem == SM_OK ? &content : NULL);
	sm_wipe(&again, sizeof(again));
	sm_buf_release(&content);
	return e;
}

static enum sm_err put(struct listing *l, const struct sm_buf *text)
{
	enum sm_err e = sm_put_text(STDOUT_FILENO, text->data, text->len);
	if (e != SM_OK)
		l->code = say_output(e);
	return e;
}

static bool from_group(const struct sm_view *v) { return v->from && *v->from == '@'; }

static bool wanted(const struct listing *l, const struct sm_inbox_row *row)
{
	const struct sm_view *v = l->view;
	return row->n <= l->upto && (!v->from || from_group(v) || !strcmp(row->meta.from.address.text, v->address.text));
}

/* The group's name is known only after a review. */
static bool to_wanted_group(const struct sm_view *v, const struct sm_shown *s)
{
	const char *name = from_group(v) ? v->from + 1 : NULL;
	return !name || (*s->group && (!strcmp(s->group, name) || !strcmp(s->row.meta.group, name)));
}

static enum sm_err show(struct listing *l, struct sm_shown *s)
{
	struct sm_buf text;
	sm_buf_init(&text, JSON_MAX);
	enum sm_err e = l->view->json ? json_of(&text, s, l->reader) : line_of(&text, s);
	if (e == SM_OK)
		e = put(l, &text);
	if (e == SM_OK)
		l->view->listed++;
	if (e == SM_OK && l->view->mark && l->view->json && (l->code = mark_read(l->reader, &s->row)) != SM_EXIT_OK)
		e = SM_ERR_IO;
	sm_buf_release(&text);
	return e;
}

static enum sm_err list_one(void *ctx, const struct sm_inbox_row *found)
{
	struct listing *l = ctx;
	struct sm_shown s = {.row = *found};
	if (!wanted(l, found))
		return SM_OK;
	enum sm_err e = sm_letter_review(&s, l->reader);
	if (e == SM_OK && to_wanted_group(l->view, &s))
		e = show(l, &s);
	sm_wipe(&s, sizeof(s));
	return e == SM_ERR_NOTFOUND ? SM_OK : e; /* removed by another process meanwhile */
}

int sm_view_list(struct sm_view *v, struct sm_reader *r, bool all, int64_t above, int64_t upto)
{
	struct listing l = {.view = v, .reader = r, .upto = upto};
	enum sm_err e = sm_inbox_each(&r->db, r->key, all, above, list_one, &l);
	if (e == SM_OK || l.code != SM_EXIT_OK)
		return e == SM_OK ? SM_EXIT_OK : l.code;
	return e == SM_ERR_PIPE ? SM_EXIT_IO : sm_fail(e, "cannot list '%s'", r->db.path);
}

/* --- Single messages --- */

static enum sm_err load(struct sm_shown *s, struct sm_reader *r, int64_t n)
{
	enum sm_err e = sm_inbox_get(&s->row, NULL, &r->db, r->key, n);
	return e == SM_OK ? sm_letter_review(s, r) : e;
}

int sm_view_json(struct sm_view *v, struct sm_reader *r, int64_t n)
{
	struct sm_shown s = {0};
	struct sm_buf text;
	int code;
	sm_buf_init(&text, JSON_MAX);
	enum sm_err e = load(&s, r, n);
	if (e == SM_OK)
		e = json_of(&text, &s, r);
	code = sm_view_done(r, e, n);
	if (e == SM_OK) {
		e = sm_put_text(STDOUT_FILENO, text.data, text.len);
		code = e == SM_OK ? mark_read(r, &s.row) : say_output(e);
		v->listed += e == SM_OK;
	}
	sm_buf_release(&text);
	sm_wipe(&s, sizeof(s));
	return code;
}

/* What a reader must know before the content: who it is from, as far as that is proven. */
static void say_sender(const struct sm_shown *s)
{
	const struct sm_inbox_row *row = &s->row;
	char fp[SM_FP_TEXT_LEN + 1] = "no key";
	const struct sm_inbox_meta *m = &row->meta;
	const char *from = *m->from.address.text ? m->from.address.text : "nobody";
	if (m->from.has_fp)
		sm_fp_format(fp, m->from.fp);
	if (m->proof == SM_INBOX_NONE)
		sm_warning("the sender is not proven: message %" PRId64 " is not signed (it says it is from %s)", row->n, from);
	else if (m->proof == SM_INBOX_UNKNOWN)
		sm_warning("the sender is not proven: message %" PRId64
		           " is signed by %s, which is no contact's key (it says it is from %s)",
		           row->n, fp, from);
	else if (m->proof == SM_INBOX_CHANGED)
		sm_warning("the sender is not proven: %s is pinned to another key than the %s of message %" PRId64, from, fp, row->n);
	else if (s->mark == SM_MARK_CHANGED)
		sm_warning("the key of %s has changed since: message %" PRId64 " is proven under the pinned one", from, row->n);
	else
		sm_note("from %s %s, %s", from, fp, sm_mark_word(s->mark));
	if (*s->group)
		sm_note("to the group @%s", s->group);
	if (*m->subject)
		sm_note("subject %s", m->subject);
}

static int read_letter(struct sm_shown *s, struct sm_buf *content, struct sm_reader *r, int64_t n, const char *dir)
{
	struct sm_inbox_row again = {0};
	bool said = false;
	enum sm_err e = load(s, r, n);
	if (e == SM_OK && s->row.meta.problem != SM_OK && s->row.meta.why != SM_INBOX_WHY_NONE)
		return sm_fail_plain(s->row.meta.problem, "message %" PRId64 " %s", n, sm_letter_reason(&s->row));
	if (e == SM_OK)
		e = sm_letter_take(&again, content, r, n, dir, &said);
	sm_wipe(&again, sizeof(again));
	if (said)
		return sm_exit_code(e);
	if (e == SM_OK)
		say_sender(s);
	return sm_view_done(r, e, n);
}

int sm_view_read(struct sm_reader *r, int64_t n)
{
	struct sm_shown s = {0};
	struct sm_buf content;
	sm_buf_init(&content, CONTENT_MAX);
	int code = read_letter(&s, &content, r, n, NULL);
	if (code == SM_EXIT_OK) {
		enum sm_err e = sm_put_text(STDOUT_FILENO, content.data, content.len);
		code = e == SM_OK ? mark_read(r, &s.row) : say_output(e);
	}
	sm_buf_release(&content);
	sm_wipe(&s, sizeof(s));
	return code;
}

/* The sender's name for it, made harmless: no hidden file, nothing that a command would take for an option. */
static void file_name(char out[static 256], const struct sm_inbox_row *row)
{
	const char *name = row->meta.name;
	size_t n = strlen(name);
	if (!n || n > 255 || !sm_filename_ok(name, n)) {
		(void)snprintf(out, 256, "message-%" PRId64, row->n);
		return;
	}
	memcpy(out, name, n + 1);
	if (out[0] == '.' || out[0] == '-' || out[0] == '~')
		out[0] = '_';
}

static mode_t default_mode(void)
{
	mode_t mask = umask(0);
	(void)umask(mask);
	return 0666 & ~mask;
}

static int save_as(const char *path, const struct sm_buf *content)
{
	enum sm_err e = sm_file_create(path, content->data, content->len, default_mode());
	if (e == SM_ERR_EXISTS)
		return sm_fail_plain(e, "'%s' exists: not overwriting it", path);
	if (e != SM_OK)
		return sm_fail(e, "cannot create '%s'", path);
	struct sm_buf line;
	sm_buf_init(&line, 16384);
	e = sm_buf_addf(&line, "%s\n", path);
	if (e == SM_OK)
		e = sm_put_text(STDOUT_FILENO, line.data, line.len);
	sm_buf_release(&line);
	return e == SM_OK ? SM_EXIT_OK : say_output(e);
}

int sm_view_save(struct sm_reader *r, int64_t n, const char *dir)
{
	struct sm_shown s = {0};
	struct sm_buf content;
	char name[256], *path = NULL;
	sm_buf_init(&content, CONTENT_MAX);
	int code = read_letter(&s, &content, r, n, dir);
	if (code == SM_EXIT_OK) {
		file_name(name, &s.row);
		path = sm_path_join(dir, name);
		code = path ? save_as(path, &content) : sm_fail(SM_ERR_NOMEM, "cannot save message %" PRId64, n);
	}
	if (code == SM_EXIT_OK)
		code = mark_read(r, &s.row);
	free(path);
	sm_buf_release(&content);
	sm_wipe(&s, sizeof(s));
	return code;
}

int sm_view_raw(struct sm_reader *r, int64_t n)
{
	struct sm_inbox_row row = {0};
	struct sm_buf envelope;
	struct sm_sink out;
	sm_buf_init(&envelope, CONTENT_MAX);
	enum sm_err e = sm_inbox_get(&row, &envelope, &r->db, r->key, n);
	int code = sm_view_done(r, e, n);
	if (e == SM_OK) {
		sm_sink_fd(&out, STDOUT_FILENO, SM_ARMOR_ENVELOPE);
		e = sm_sink_write(&out, envelope.data, envelope.len);
		if (e == SM_OK)
			e = sm_sink_finish(&out);
		sm_sink_release(&out);
		code = e == SM_OK ? SM_EXIT_OK : say_output(e);
	}
	sm_buf_release(&envelope);
	sm_wipe(&row, sizeof(row));
	return code;
}
