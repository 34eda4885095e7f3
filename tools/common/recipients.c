/* From arguments and files to `to` lines. */
#include "common/recipients.h"

#include "cli/diag.h"
#include "common/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (8u << 20)

static void remember(struct sm_recipients *r, const struct sm_opts *o, const char *arg, bool file)
{
	if (r->given == SM_RECIPIENT_ARGS_MAX)
		sm_usage(o, "more than %d of -r and -R", SM_RECIPIENT_ARGS_MAX);
	r->args[r->given].arg = arg;
	r->args[r->given++].file = file;
}

void sm_recipients_who(struct sm_recipients *r, const struct sm_opts *o, const char *who) { remember(r, o, who, false); }

void sm_recipients_file(struct sm_recipients *r, const struct sm_opts *o, const char *path) { remember(r, o, path, true); }

static enum sm_err add(struct sm_recipients *r, const struct sm_party *party, const struct sm_public *pub, const char *who)
{
	for (size_t i = 0; i < r->n; i++)
		if (!memcmp(r->pub[i].fp, pub->fp, SM_FP_LEN))
			return SM_OK;
	if (r->n && pub->suite != r->pub[0].suite) {
		sm_error("recipients of different suites: %s has a key of %s, those before of %s", who, pub->suite->id,
		         r->pub[0].suite->id);
		return SM_ERR_SUITE;
	}
	if (r->n == SM_TO_MAX) {
		sm_error("more than %d recipients, the sender included (--no-self leaves it out)", SM_TO_MAX);
		return SM_ERR_LIMIT;
	}
	r->party[r->n] = *party;
	r->pub[r->n++] = *pub;
	return SM_OK;
}

static enum sm_err add_line(struct sm_recipients *r, const char *path, unsigned number, struct sm_span line)
{
	struct sm_party party = {.has_fp = true};
	struct sm_public pub;
	char who[512];
	bool found;
	enum sm_err e = sm_public_parse_line(&pub, &found, NULL, line);

	if (e) {
		(void)sm_fail_plain(e, "'%s' line %u: %s", path, number, e == SM_ERR_SUITE ? sm_err_text(e) : "not a public key");
		return e;
	}
	if (!found)
		return SM_OK;
	memcpy(party.fp, pub.fp, SM_FP_LEN);
	(void)snprintf(who, sizeof who, "'%s' line %u", path, number);
	return add(r, &party, &pub, who);
}

static enum sm_err add_file(struct sm_recipients *r, const char *path)
{
	struct sm_buf text;
	struct sm_span all, line;
	unsigned number = 0;
	size_t before = r->n;
	int fd;
	enum sm_err e = sm_input_open(&fd, path);

	if (e)
		return e;
	sm_buf_init(&text, FILE_MAX);
	if ((e = sm_read_all(fd, &text)) || (text.len && text.data[text.len - 1] != '\n' && (e = sm_buf_add_u8(&text, '\n'))))
		(void)sm_fail(e, "cannot read '%s'", path);
	all = (struct sm_span){text.data, text.len};
	while (!e && sm_span_take_line(&all, &line))
		e = add_line(r, path, ++number, line);
	if (!e && r->n == before && !before) {
		sm_error("'%s' has no key in it", path);
		e = SM_ERR_FORMAT;
	}
	sm_buf_release(&text);
	if (fd > 0)
		close(fd);
	return e;
}

static enum sm_err add_who(struct sm_recipients *r, const struct sm_who *who)
{
	struct sm_party party;
	struct sm_public pub;
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < sm_who_keys(who); i++)
		if (!(e = sm_who_key(&party, &pub, who, i)))
			e = add(r, &party, &pub, who->contact ? who->address.text : "a key given");
	return e;
}

enum sm_err sm_recipients_resolve(struct sm_recipients *r, const char *profile)
{
	struct sm_who who;
	enum sm_err e = SM_OK;

	if (!r->given)
		return SM_OK;
	r->party = calloc(SM_TO_MAX, sizeof *r->party);
	r->pub = calloc(SM_TO_MAX, sizeof *r->pub);
	if (!r->party || !r->pub)
		return SM_ERR_NOMEM;
	for (size_t i = 0; !e && i < r->given; i++) {
		if (r->args[i].file)
			e = add_file(r, r->args[i].arg);
		else if (!(e = sm_who_resolve(&who, r->args[i].arg, profile, true)))
			e = add_who(r, &who);
	}
	return e;
}

enum sm_err sm_recipients_also(struct sm_recipients *r, const struct sm_party *party, const struct sm_public *pub)
{
	return add(r, party, pub, "the sender");
}

enum sm_err sm_recipients_devices(struct sm_recipients *r, const struct sm_device_list *l)
{
	struct sm_party party = {.address = l->address, .has_fp = true};
	struct sm_public pub;
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < l->n; i++) {
		memcpy(party.fp, l->device[i].fp, SM_FP_LEN);
		if (!(e = sm_public_from_ed25519(&pub, l->device[i].pk)))
			e = add(r, &party, &pub, "the sender");
	}
	return e;
}

void sm_recipients_release(struct sm_recipients *r)
{
	free(r->party);
	free(r->pub);
	r->party = NULL;
	r->pub = NULL;
}
