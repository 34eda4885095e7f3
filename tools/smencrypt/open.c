/* smencrypt -d: nothing comes out before all of it has verified. */
#include "stream/open.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "common/signers.h"
#include "smencrypt/verbs.h"

#include <string.h>
#include <unistd.h>

#define TERMINAL_MAX (1u << 20) /* content for a terminal is checked whole before any of it is shown */

struct decrypt {
	struct options *o;
	struct sm_identity id;
	struct sm_who wanted;
	struct sm_signers signers;
	bool said; /* a callback has already told what is wrong */
};

static enum sm_err ask(void *ctx, struct sm_buf *pw)
{
	struct decrypt *d = ctx;
	enum sm_err e = sm_passphrase(pw, &d->o->common.passphrase, "Passphrase for the envelope: ", false);

	d->said = e != SM_OK;
	return e;
}

static enum sm_err unlock(void *ctx, const struct sm_identity **id)
{
	struct decrypt *d = ctx;
	enum sm_err e = sm_unlock(&d->id, d->o->identity, &d->o->common);

	if ((d->said = e != SM_OK))
		return e;
	d->signers.self = &d->id.pub;
	*id = &d->id;
	return SM_OK;
}

static enum sm_err find_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	struct decrypt *d = ctx;
	enum sm_err e = sm_signers_find(&d->signers, pub, fp);

	if (e && e != SM_ERR_NOTFOUND) {
		d->said = true;
		(void)sm_fail(e, "cannot look the signer up in the contacts");
	}
	return e;
}

static enum sm_err policy(void *ctx, const struct sm_header *h, enum sm_proof proof)
{
	struct decrypt *d = ctx;
	const struct options *o = d->o;
	bool good = proof == SM_PROOF_PROVEN && (!o->signer || !memcmp(h->from.fp, d->wanted.pub.fp, SM_FP_LEN));

	if (good || !(o->signer || o->require_signature))
		return SM_OK;
	d->said = true;
	if (proof == SM_PROOF_NONE)
		sm_error("%s is not signed: refused by policy", sm_input_name(o->input));
	else
		sm_error("%s is not signed by %s: refused by policy", sm_input_name(o->input), o->signer ? o->signer : "a contact");
	return SM_ERR_POLICY;
}

/* One line on how far the sender is proven, before the content. */
static void say_sender(const struct decrypt *d, const struct sm_opened *r)
{
	char fp[SM_FP_TEXT_LEN + 1];
	const char *claimed = r->header.from.address.text;

	sm_fp_format(fp, r->header.from.fp);
	if (r->proof == SM_PROOF_NONE)
		sm_warning("the sender is not proven: the envelope is not signed");
	else if (r->proof == SM_PROOF_UNKNOWN)
		sm_warning("the sender is not proven: signed by %s, which is no contact's key", fp);
	else if (*claimed && *d->signers.address && strcmp(claimed, d->signers.address))
		sm_warning("signed by %s, though it says that it is from %s", d->signers.address, claimed);
	else
		sm_note("signed by %s %s", *d->signers.address ? d->signers.address : *claimed ? claimed : "key", fp);
}

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

static enum sm_err say_failure(const struct decrypt *d, enum sm_err e, const struct sm_opened *r)
{
	const char *name = sm_input_name(d->o->input);

	if (d->said)
		return e;
	if ((e == SM_ERR_HEADER || e == SM_ERR_SUITE) && r->header_line)
		(void)sm_fail_plain(e, "%s: %s, line %u", name, sm_err_text(e), r->header_line);
	else if (e == SM_ERR_POLICY)
		(void)sm_fail_plain(e, "%s: not a recipient", name);
	else
		(void)sm_fail(e, "%s", name);
	return e;
}

static enum sm_err open_envelope(struct decrypt *d, int fd)
{
	const struct options *o = d->o;
	struct sm_opener opener = {.unlock = unlock, .ask = ask, .find_signer = find_signer, .policy = policy, .ctx = d};
	struct sm_opened opened = {0};
	struct sm_progress progress;
	struct sm_source in;
	enum sm_err e;

	sm_source_fd(&in, fd, true);
	if ((e = sm_input_not_output(fd, o->output)))
		goto out;
	sm_input_progress(&progress, &in, o->no_progress || o->common.quiet);
	e = sm_open_verify(&opened, &opener, &in);
	sm_progress_end(&progress);
	if (e) {
		say_failure(d, e, &opened);
		goto out;
	}
	say_sender(d, &opened);
	if (o->attachments && (e = sm_attachments_save(&opened, o->attachments)))
		goto out;
	if (opened.header.nattach && !o->attachments)
		sm_warning("%zu attachment%s not written: --attachments DIR writes them", opened.header.nattach,
		           opened.header.nattach == 1 ? " is" : "s are");
	e = !o->output && sm_is_tty(STDOUT_FILENO) ? to_terminal(&opened) : to_file(o, &opened);
out:
	sm_opened_release(&opened);
	sm_source_release(&in);
	return e;
}

int sm_decrypt(struct options *o)
{
	struct decrypt d = {.o = o};
	int fd;
	enum sm_err e;

	d.signers.profile = o->common.profile;
	if (o->signer && (e = sm_who_resolve(&d.wanted, o->signer, o->common.profile, true)))
		return sm_exit_code(e);
	if (o->signer)
		d.signers.wanted = &d.wanted;
	if ((e = sm_input_open(&fd, o->input)))
		return sm_exit_code(e);
	e = open_envelope(&d, fd);
	if (fd > 0)
		close(fd);
	sm_identity_release(&d.id);
	return sm_exit_code(e);
}
