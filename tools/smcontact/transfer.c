/* Contacts as a text, one line each: `ADDRESS IDENTITY`, and ` verified` where it was compared. What import reads is what export writes,
 * and what a person writes: blank lines and # lines are passed over. */
#include "smcontact/verbs.h"

#include "base/file.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "wire/lex.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum sm_err on_contact(void *ctx, const struct sm_contact *c)
{
	struct sm_buf *b = ctx;
	enum sm_err e = sm_buf_addf(b, "%s ", c->address);
	if (e == SM_OK)
		e = sm_public_format(b, &c->pub);
	/* after a change, the pinned key without the word: it is in question */
	return e == SM_OK ? sm_buf_adds(b, c->trust == SM_TRUST_VERIFIED ? " verified\n" : "\n") : e;
}

int sm_verb_export(struct options *o)
{
	struct sm_buf b;
	sm_buf_init(&b, SM_CONTACTS_TEXT_MAX);
	int code = sm_contacts_open(o);
	if (code == SM_EXIT_OK) {
		enum sm_err e = sm_contact_each(&o->db, on_contact, &b);
		code = e == SM_OK ? sm_contacts_print(&b) : sm_fail(e, "cannot read '%s'", o->db.path);
	}
	sm_buf_release(&b);
	return code;
}

/* --- import --- */

struct line {
	struct sm_address address;
	struct sm_public pub;
	bool verified;
};

static bool parse_line(struct line *l, struct sm_span text)
{
	const uint8_t *space = memchr(text.p, ' ', text.n);
	struct sm_span token, word;
	if (!space || sm_address_parse(&l->address, (const char *)text.p, (size_t)(space - text.p)) != SM_OK)
		return false;
	sm_public_split(&token, &word, (struct sm_span){space + 1, text.n - (size_t)(space - text.p) - 1});
	l->verified = sm_span_equals(word, "verified");
	return (!word.n || l->verified) && token.p + token.n + (word.n ? word.n + 1 : 0) == text.p + text.n &&
	       sm_public_parse(&l->pub, (const char *)token.p, token.n) == SM_OK;
}

static bool passed_over(struct sm_span line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t')
			return line.p[i] == '#';
	return true;
}

/* Before anything is written: the whole text, or the line that is wrong. */
static int check(const struct sm_buf *b, const char *name)
{
	struct sm_span rest = {b->data, b->len}, text;
	struct line l;
	for (unsigned no = 1; sm_line_take(&rest, &text); no++)
		if (!passed_over(text) && !parse_line(&l, text))
			return sm_fail_plain(SM_ERR_FORMAT, "%s: line %u is not 'ADDRESS KEY' or 'ADDRESS KEY verified'", name, no);
	return SM_EXIT_OK;
}

static int merge(struct options *o, const struct line *l)
{
	bool added = false;
	enum sm_err e = sm_contact_merge(&o->db, l->address.text, &l->pub, l->verified, sm_time_now(), &added);
	if (e == SM_ERR_CHANGED) {
		sm_error("%s is pinned to another key: not imported ('smcontact show %s' has the pin)", l->address.text, l->address.text);
		return SM_EXIT_REFUSED;
	}
	if (e != SM_OK)
		return sm_fail(e, "cannot write '%s'", o->db.path);
	if (added)
		sm_note("pinned %s", l->address.text);
	return SM_EXIT_OK;
}

/* All lines in one transaction. A pin that is another is said and left; anything else that fails leaves all as it was. */
static int merge_all(struct options *o, const struct sm_buf *b)
{
	struct sm_span rest = {b->data, b->len}, text;
	struct line l;
	int worst = SM_EXIT_OK;
	enum sm_err e = sm_db_begin(&o->db);
	if (e != SM_OK)
		return sm_fail(e, "cannot write '%s'", o->db.path);
	while (sm_line_take(&rest, &text)) {
		int code = !passed_over(text) && parse_line(&l, text) ? merge(o, &l) : SM_EXIT_OK;
		if (code != SM_EXIT_OK)
			worst = code;
		if (code != SM_EXIT_OK && code != SM_EXIT_REFUSED)
			break;
	}
	if (worst != SM_EXIT_OK && worst != SM_EXIT_REFUSED) {
		sm_db_rollback(&o->db);
		return worst;
	}
	e = sm_db_commit(&o->db);
	if (e == SM_OK)
		return worst;
	sm_db_rollback(&o->db);
	return sm_fail(e, "cannot write '%s'", o->db.path);
}

static enum sm_err read_input(struct sm_buf *b, const char *path)
{
	return path ? sm_file_read(path, b, false) : sm_read_all(STDIN_FILENO, b);
}

int sm_verb_import(struct options *o)
{
	const char *path = o->narg && strcmp(o->arg[0], "-") != 0 ? o->arg[0] : NULL;
	struct sm_buf b;
	sm_buf_init(&b, SM_CONTACTS_TEXT_MAX);
	enum sm_err e = read_input(&b, path);
	int code = e == SM_OK ? SM_EXIT_OK : path ? sm_fail(e, "cannot read '%s'", path) : sm_fail(e, "cannot read standard input");
	if (code == SM_EXIT_OK)
		code = check(&b, path ? path : "standard input");
	if (code == SM_EXIT_OK)
		code = sm_contacts_open(o);
	if (code == SM_EXIT_OK)
		code = merge_all(o, &b);
	sm_buf_release(&b);
	return code;
}
