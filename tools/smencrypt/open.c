/* smencrypt -d: nothing comes out before all of it has verified. */
#include "base/file.h"
#include "base/text.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "smencrypt/decryption.h"

#include <string.h>
#include <unistd.h>

#define TERMINAL_MAX (1u << 20) /* content for a terminal is checked whole before any of it is shown */

/* A terminal gets text, shown; anything else would be raw. */
static enum sm_err to_terminal(struct sm_opened *r)
{
	struct sm_sink sink;
	struct sm_buf text;
	enum sm_err e;

	sm_buf_init(&text, TERMINAL_MAX);
	sm_sink_mem(&sink, &text, NULL);
	if (r->content > TERMINAL_MAX) {
		sm_error("too much for a terminal: use -o FILE");
		e = SM_ERR_IO;
	} else if ((e = sm_open_release(r, &sink))) {
		(void)sm_fail(e, "cannot decrypt");
	} else if (memchr(text.data ? text.data : (uint8_t *)"", 0, text.len) || !sm_utf8_valid(text.data, text.len)) {
		sm_error("binary is not written to a terminal: use -o FILE");
		e = SM_ERR_IO;
	} else if ((e = sm_put_text(STDOUT_FILENO, text.data, text.len))) {
		(void)sm_fail(e, "cannot write");
	}
	sm_sink_release(&sink);
	sm_buf_release(&text);
	return e;
}

static enum sm_err to_file(const struct options *o, struct sm_opened *r)
{
	struct sm_outfile out = {.fd = -1};
	struct sm_sink sink = {0};
	enum sm_err e;

	if ((e = sm_outfile_open(&out, o->output, 0600)))
		(void)sm_fail(e, "cannot create '%s'", o->output);
	if (e)
		return e;
	sm_outfile_guard(&out);
	sm_sink_fd(&sink, out.fd, NULL);
	if ((e = sm_open_release(r, &sink)) || (e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot decrypt %s", sm_input_name(o->input));
	sm_sink_release(&sink);
	sm_outfile_abandon(&out);
	return e;
}

/* --early: the content goes out while it comes in. */
static enum sm_err open_early(struct sm_decryption *d, struct sm_opened *r, struct sm_source *in)
{
	const struct options *o = d->o;
	struct sm_outfile out = {.fd = -1};
	struct sm_sink sink = {0};
	enum sm_err e;

	sm_warning("--early: what comes out has not been verified to its end, nor has its sender, until the exit status is 0");
	if ((e = sm_outfile_open(&out, o->output, 0600))) {
		(void)sm_fail(e, "cannot create '%s'", o->output);
		return e;
	}
	sm_outfile_guard(&out);
	if ((e = sm_refuse_binary(out.fd, "--early does not know what comes; use -o FILE")))
		goto out;
	sm_sink_fd(&sink, out.fd, NULL);
	d->opener.early = &sink;
	if ((e = sm_open_verify(r, &d->opener, in)))
		sm_decryption_say_failure(d, e, r->header_line);
	if (sm_sink_finish(&sink) && !e)
		(void)sm_fail(e = SM_ERR_IO, "cannot write");
	if (!e && (e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot write");
	if (!e)
		sm_decryption_say_sender(d, r);
out:
	sm_sink_release(&sink);
	sm_outfile_abandon(&out);
	return e;
}

static enum sm_err release(struct sm_decryption *d, struct sm_opened *r)
{
	const struct options *o = d->o;
	enum sm_err e;

	sm_decryption_say_sender(d, r);
	if (o->attachments && (e = sm_attachments_save(r, o->attachments)))
		return e;
	if (r->header.nattach && !o->attachments)
		sm_warning("%zu attachment%s not written: --attachments DIR writes them", r->header.nattach,
		           r->header.nattach == 1 ? " is" : "s are");
	bool to_stdout = !o->output || !strcmp(o->output, "-");
	return to_stdout && sm_is_tty(STDOUT_FILENO) ? to_terminal(r) : to_file(o, r);
}

static enum sm_err open_envelope(struct sm_decryption *d, int fd)
{
	const struct options *o = d->o;
	struct sm_opened opened = {0};
	struct sm_progress progress;
	struct sm_source in;
	enum sm_err e;

	sm_source_fd(&in, fd, true);
	if ((e = sm_input_not_output(fd, o->output)))
		goto out;
	sm_input_start(&progress, &in, o->no_progress || o->common.quiet);
	if (o->early) {
		e = open_early(d, &opened, &in);
		sm_progress_end(&progress);
		goto out;
	}
	e = sm_open_verify(&opened, &d->opener, &in);
	sm_progress_end(&progress);
	if (e)
		sm_decryption_say_failure(d, e, opened.header_line);
	else
		e = release(d, &opened);
out:
	sm_opened_release(&opened);
	sm_source_release(&in);
	return e;
}

int sm_decrypt(struct options *o)
{
	struct sm_decryption d;
	int fd;
	enum sm_err e;

	if ((e = sm_decryption_init(&d, o)) || (e = sm_input_open(&fd, o->input)))
		return sm_exit_code(e);
	e = open_envelope(&d, fd);
	if (fd > 0)
		close(fd);
	sm_decryption_release(&d);
	return sm_exit_code(e);
}
