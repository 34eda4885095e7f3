/* What is sent: read whole, so that it can be sealed again when the server knows of other devices than we do. */
#include "base/file.h"
#include "base/text.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "smsend/send.h"

#include <string.h>
#include <unistd.h>

int send_read(struct sending *s)
{
	struct sm_source in;
	int fd;
	enum sm_err e = sm_input_open(&fd, s->o->input);
	if (e != SM_OK)
		return sm_exit_code(e);
	e = sm_read_all(fd, &s->text);
	if (fd > 0)
		(void)close(fd);
	if (e == SM_ERR_LIMIT)
		return sm_fail_plain(e, "%s is too large for a message", sm_input_name(s->o->input));
	if (e != SM_OK)
		return sm_fail(e, "cannot read %s", sm_input_name(s->o->input));
	sm_source_mem(&in, s->text.data, s->text.len, false);
	e = sm_source_is_envelope(&in, &s->ready);
	sm_source_release(&in);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot read %s", sm_input_name(s->o->input));
}

/* The name of the content: -n, else the last part of FILE's path when that can be one. */
static bool set_name(struct sm_fields *f, const struct options *o)
{
	const char *slash = o->input ? strrchr(o->input, '/') : NULL, *base = slash ? slash + 1 : o->input;
	f->name = o->name;
	if (o->name)
		return sm_filename_ok(o->name, strlen(o->name));
	if (base && strcmp(base, "-") != 0 && sm_filename_ok(base, strlen(base)))
		f->name = base;
	return true;
}

static int fill_fields(struct sending *s)
{
	const struct options *o = s->o;
	struct sm_fields *f = &s->fields;
	struct sm_buf trial;
	f->type = o->type ? o->type : sm_utf8_valid(s->text.data, s->text.len) ? "text/plain" : "application/octet-stream";
	f->subject = o->subject;
	if (!set_name(f, o))
		return sm_fail_plain(SM_ERR_FORMAT, "'%s' cannot be a name: 1 to 255 bytes of UTF-8 without / \\ or control characters",
		                     o->name);
	sm_buf_init(&trial, 4 + SM_FIELDS_MAX);
	enum sm_err e = sm_fields_write(&trial, f);
	sm_buf_release(&trial);
	return e == SM_OK ? SM_EXIT_OK : sm_fail_plain(e, "the subject or the type is too long, or has characters that cannot stand there");
}

static int read_attachments(struct sending *s)
{
	struct sm_attachments *a = &s->o->attach;
	size_t room = ENVELOPE_MAX;
	for (size_t i = 0; i < a->n; i++) {
		sm_buf_init(&s->file[i], room);
		enum sm_err e = sm_read_all(a->in[i].fd, &s->file[i]);
		if (e == SM_ERR_LIMIT)
			return sm_fail_plain(e, "'%s' is too large for a message", a->path[i]);
		if (e != SM_OK)
			return sm_fail(e, "cannot read '%s'", a->path[i]);
		room -= s->file[i].len;
		sm_source_mem(&s->in[i], s->file[i].data, s->file[i].len, false);
		s->attach[i] = a->seal[i];
		s->attach[i].in = &s->in[i];
	}
	return SM_EXIT_OK;
}

int send_content(struct sending *s)
{
	int code = fill_fields(s);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_attachments_open(&s->o->attach);
	code = e == SM_OK ? read_attachments(s) : sm_exit_code(e);
	sm_attachments_release(&s->o->attach);
	return code;
}

void send_release(struct sending *s)
{
	for (size_t i = 0; i < s->o->attach.n; i++) {
		sm_source_release(&s->in[i]);
		sm_buf_release(&s->file[i]);
	}
	sm_buf_release(&s->text);
	sm_buf_release(&s->envelope);
	sm_identity_release(&s->id);
	sm_self_release(&s->self);
}
