/* smencrypt -d --range A-B: a part of a large envelope, without reading the rest. */
#include "stream/range.h"
#include "base/file.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "smencrypt/decryption.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

static void say(const struct sm_decryption *d, enum sm_err e, const struct sm_range *r)
{
	const char *name = sm_input_name(d->o->input);

	if (e == SM_ERR_ARMOR)
		sm_error("%s is armored, or not an envelope: --range needs a binary one", name);
	else if (e == SM_ERR_IO && errno == ESPIPE)
		sm_error("%s is no file: --range needs one", name);
	else if (e == SM_ERR_NOTFOUND)
		sm_error("nothing there: the content has %" PRIu64 " bytes", r->content);
	else
		sm_decryption_say_failure(d, e, r->header_line);
}

static enum sm_err open_range(struct sm_decryption *d, int fd)
{
	const struct options *o = d->o;
	struct sm_range r = {.from = o->range_from, .to = o->range_to};
	struct sm_outfile out = {.fd = -1};
	struct sm_sink sink = {0};
	struct sm_source in;
	enum sm_err e;

	sm_source_fd(&in, fd, true);
	if ((e = sm_input_not_output(fd, o->output)))
		goto out;
	if ((e = sm_outfile_open(&out, o->output, 0600))) {
		(void)sm_fail(e, "cannot create '%s'", o->output);
		goto out;
	}
	sm_outfile_guard(&out);
	if ((e = sm_refuse_binary(out.fd, "use -o FILE")))
		goto out;
	sm_sink_fd(&sink, out.fd, NULL);
	if ((e = sm_open_range(&r, &d->opener, &in, &sink)))
		say(d, e, &r);
	else if ((e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot write");
	else
		sm_warning("the sender is not proven: --range does not read what the signature is over");
out:
	sm_sink_release(&sink);
	sm_source_release(&in);
	sm_outfile_abandon(&out);
	return e;
}

int sm_decrypt_range(struct options *o)
{
	struct sm_decryption d;
	int fd;
	enum sm_err e;

	if ((e = sm_decryption_init(&d, o)) || (e = sm_input_open(&fd, o->input)))
		return sm_exit_code(e);
	e = open_range(&d, fd);
	if (fd > 0)
		close(fd);
	sm_decryption_release(&d);
	return e == SM_ERR_NOTFOUND ? SM_EXIT_NO : e == SM_ERR_IO && errno == ESPIPE ? SM_EXIT_DATA : sm_exit_code(e);
}
