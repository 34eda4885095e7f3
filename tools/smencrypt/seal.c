/* smencrypt: content in, envelope out. */
#include "stream/seal.h"
#include "base/file.h"
#include "base/path.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "smencrypt/verbs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum sm_err fill_fields(struct sm_fields *f, const struct options *o)
{
	struct sm_buf trial;
	const char *slash = o->input ? strrchr(o->input, '/') : NULL, *base = slash ? slash + 1 : o->input;
	enum sm_err e = SM_OK;

	if (o->name && !sm_filename_ok(o->name, strlen(o->name))) {
		sm_error("'%s' cannot be a name: 1 to 255 bytes of UTF-8 without / \\ or control characters", o->name);
		return SM_ERR_FORMAT;
	}
	f->type = o->type;
	f->subject = o->subject;
	f->name = o->name;
	if (!o->name && base && strcmp(base, "-") && sm_filename_ok(base, strlen(base)))
		f->name = base;
	sm_buf_init(&trial, 4 + SM_FIELDS_MAX);
	if ((o->type || o->subject) && (e = sm_fields_write(&trial, f)))
		sm_error("the type or the subject is too long, or has characters that cannot stand there");
	sm_buf_release(&trial);
	return e;
}

static bool have_identity(const struct options *o)
{
	char *path;
	bool have = !sm_path(&path, SM_DIR_CONFIG, o->common.profile, "identity", 0);

	if (have) {
		have = !access(path, F_OK);
		free(path);
	}
	return have;
}

enum sm_err sm_sender(struct options *o, struct sm_identity *id, struct sm_seal *job)
{
	struct sm_device_list own = {0};
	struct sm_public pub;
	enum sm_err e;

	if (o->anonymous)
		return SM_OK;
	if (o->sign) {
		if ((e = sm_unlock(id, o->identity, &o->common)))
			return e;
		pub = id->pub;
	} else {
		if (!o->identity && !have_identity(o))
			return SM_OK;
		if ((e = sm_unlock_public(&pub, NULL, o->identity, &o->common)))
			return e;
	}
	if (o->to.n && pub.suite != o->to.pub[0].suite) {
		sm_error("the sender's key is of %s, the recipients' of %s: --anonymous names no sender, -i FILE another", pub.suite->id,
		         o->to.pub[0].suite->id);
		return SM_ERR_SUITE;
	}
	job->suite = pub.suite;
	job->from.has_fp = true;
	memcpy(job->from.fp, pub.fp, SM_FP_LEN);
	if (!o->identity && ((e = sm_who_self(&job->from.address, o->common.profile)) ||
	                     (e = sm_who_own_devices(&own, &job->from.address, &pub, o->common.profile))))
		return e;
	if (o->no_self || !o->to.n)
		return SM_OK;
	/* Who sends can read it too, on all devices, and nobody learns more from that than from the `from` line. */
	return (e = sm_recipients_also(&o->to, &job->from, &pub)) ? e : sm_recipients_devices(&o->to, &own);
}

enum sm_err sm_seal_to_output(const struct options *o, const struct sm_seal *job, struct sm_source *in, int fd)
{
	struct sm_sink sink = {0};
	struct sm_outfile out = {.fd = -1};
	enum sm_err e;

	if (fd >= 0 && (e = sm_input_not_output(fd, o->output)))
		return e;
	if ((e = sm_outfile_open(&out, o->output, 0))) {
		(void)sm_fail(e, "cannot create '%s'", o->output);
		return e;
	}
	sm_outfile_guard(&out);
	if (o->binary && (e = sm_refuse_binary(out.fd, "leave out -b, or use -o FILE")))
		goto out;
	sm_sink_fd(&sink, out.fd, o->binary ? NULL : SM_ARMOR_ENVELOPE);
	if ((e = sm_seal(job, in, &sink, NULL, NULL)) || (e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot encrypt %s", sm_input_name(o->input));
out:
	sm_sink_release(&sink);
	sm_outfile_abandon(&out);
	return e;
}

static enum sm_err seal(const struct options *o, const struct sm_seal *job)
{
	struct sm_source in;
	struct sm_progress progress;
	int fd;
	enum sm_err e;

	if ((e = sm_input_open(&fd, o->input)))
		return e;
	sm_source_fd(&in, fd, false);
	sm_input_start(&progress, &in, o->no_progress || o->common.quiet);
	e = sm_seal_to_output(o, job, &in, fd);
	sm_progress_end(&progress);
	sm_source_release(&in);
	if (fd > 0)
		close(fd);
	return e;
}

int sm_encrypt(struct options *o)
{
	struct sm_fields fields = {0};
	struct sm_identity id = {0};
	struct sm_buf pw;
	struct sm_seal job = {
	        .fields = &fields, .no_pad = o->no_pad, .date = sm_time_now(), .rand = &sm_rand_system, .pw_t = o->t, .pw_m = o->m};
	int status;
	enum sm_err e;

	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	if ((e = fill_fields(&fields, o)) || (e = sm_recipients_resolve(&o->to, o->common.profile)) || (e = sm_sender(o, &id, &job)) ||
	    (o->passphrase && (e = sm_passphrase(&pw, &o->common.passphrase, "Passphrase for the envelope: ", true))) ||
	    (e = sm_attachments_open(&o->attach)))
		goto out;
	job.attach = o->attach.seal, job.nattach = o->attach.n;
	job.to = o->to.party, job.to_pub = o->to.pub, job.nto = o->to.n;
	if (o->passphrase)
		job.pw = pw.data ? (const void *)pw.data : "", job.pwlen = pw.len;
	job.signer = o->sign ? &id : NULL;
	e = seal(o, &job);
out:
	status = e == SM_ERR_NOTFOUND ? SM_EXIT_NORECIPIENT : sm_exit_code(e);
	sm_buf_release(&pw);
	sm_identity_release(&id);
	sm_attachments_release(&o->attach);
	return status;
}
