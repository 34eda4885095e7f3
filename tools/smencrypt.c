/* smencrypt: content in, envelope out, and with -d the other way. The work is lib/stream's; here are the options and the words. */
#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/attachments.h"
#include "common/input.h"
#include "common/recipients.h"
#include "common/signers.h"
#include "common/unlock.h"
#include "crypto/pwhash.h"
#include "stream/open.h"
#include "stream/seal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGON2_T 3
#define ARGON2_M 65536
#define TERMINAL_MAX (1u << 20) /* content for a terminal is checked whole before any of it is shown */

enum { OPT_ANONYMOUS = SM_OPT_LONG, OPT_REQUIRE_SIGNATURE, OPT_SUBJECT, OPT_NO_PAD, OPT_ARGON2, OPT_ATTACHMENTS, OPT_NO_PROGRESS };

static const struct sm_opt table[] = {{'r', "recipient", "WHO", "encrypt to WHO: a key (sm1...), a contact, or name@host"},
                                      {'R', "recipients-file", "FILE", "encrypt to every key in FILE"},
                                      {'p', "passphrase", NULL, "encrypt under a passphrase"},
                                      {'i', "identity", "FILE", "use the identity in FILE instead of the profile's"},
                                      {OPT_ANONYMOUS, "anonymous", NULL, "name no sender"},
                                      {'S', "sign", NULL, "sign too"},
                                      {'n', "name", "NAME", "name the content"},
                                      {'m', "type", "MIME", "say of what type the content is"},
                                      {OPT_SUBJECT, "subject", "TEXT", "give it a subject"},
                                      {OPT_NO_PAD, "no-pad", NULL, "do not hide the size of the content"},
                                      {OPT_ARGON2, "argon2", "T,M", "passes and KiB of memory for -p (3,65536)"},
                                      {'A', "attach", "FILE", "attach FILE"},
                                      {'b', "binary", NULL, "write binary instead of armor"},
                                      {'d', "decrypt", NULL, "open an envelope"},
                                      {'s', "signer", "WHO", "with -d: only if WHO has signed it"},
                                      {OPT_REQUIRE_SIGNATURE, "require-signature", NULL, "with -d: only if a contact has signed it"},
                                      {OPT_ATTACHMENTS, "attachments", "DIR", "with -d: write the attachments into DIR"},
                                      {'o', "output", "FILE", "write to FILE instead of stdout"},
                                      {OPT_NO_PROGRESS, "no-progress", NULL, "show no progress on a terminal"},
                                      SM_COMMON_OPTS,
                                      {0}};

struct options {
	struct sm_opts opts;
	struct sm_common common;
	struct sm_recipients to;
	struct sm_attachments attach;
	const char *attachments; /* --attachments */
	const char *identity, *name, *type, *subject, *signer, *output, *input, *argon2;
	bool passphrase, anonymous, sign, no_pad, binary, decrypt, require_signature, no_progress;
	uint32_t t, m;
};

static bool encrypt_option(struct options *o, int c)
{
	switch (c) {
	case 'r': sm_recipients_who(&o->to, &o->opts, o->opts.arg); break;
	case 'R': sm_recipients_file(&o->to, &o->opts, o->opts.arg); break;
	case 'p': o->passphrase = true; break;
	case 'A': sm_attachments_add(&o->attach, &o->opts, o->opts.arg); break;
	case 'S': o->sign = true; break;
	case 'b': o->binary = true; break;
	case 'n': sm_opt_once(&o->opts, &o->name); break;
	case 'm': sm_opt_once(&o->opts, &o->type); break;
	case OPT_SUBJECT: sm_opt_once(&o->opts, &o->subject); break;
	case OPT_ANONYMOUS: o->anonymous = true; break;
	case OPT_NO_PAD: o->no_pad = true; break;
	case OPT_ARGON2: sm_opt_once(&o->opts, &o->argon2); break;
	default: return false;
	}
	return true;
}

static void parse(struct options *o, int argc, char **argv)
{
	int c;
	bool encrypting = false;

	o->opts = (struct sm_opts){.usage = "(-r WHO)... [-R FILE] [-p] [-S] [-o FILE] [FILE] | -d [-s WHO] [-o FILE] [FILE]",
	                           .about = "encrypt to people's keys or under a passphrase; open with -d",
	                           .table = table};
	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1) {
		if (encrypt_option(o, c))
			encrypting = true;
		else if (c == 'd')
			o->decrypt = true;
		else if (c == 'i')
			sm_opt_once(&o->opts, &o->identity);
		else if (c == 'o')
			sm_opt_once(&o->opts, &o->output);
		else if (c == 's')
			sm_opt_once(&o->opts, &o->signer);
		else if (c == OPT_REQUIRE_SIGNATURE)
			o->require_signature = true;
		else if (c == OPT_ATTACHMENTS)
			sm_opt_once(&o->opts, &o->attachments);
		else if (c == OPT_NO_PROGRESS)
			o->no_progress = true;
		else
			sm_common_opt(&o->common, &o->opts, c);
	}
	if (argc - o->opts.index > 1)
		sm_usage(&o->opts, "more than one FILE");
	o->input = argv[o->opts.index];
	if (o->decrypt && encrypting)
		sm_usage(&o->opts, "-d takes no option that is for encrypting");
	if (!o->decrypt && (o->signer || o->require_signature || o->attachments))
		sm_usage(&o->opts, "-s, --require-signature and --attachments go with -d (to sign: -S; to attach: -A)");
	if (o->signer && o->require_signature)
		sm_usage(&o->opts, "-s says it all: leave out --require-signature");
}

static void parse_argon2(struct options *o)
{
	char t[3];
	const char *comma = o->argon2 ? strchr(o->argon2, ',') : NULL;

	o->t = ARGON2_T, o->m = ARGON2_M;
	if (!o->argon2)
		return;
	if (!comma || comma == o->argon2 || comma - o->argon2 >= (ptrdiff_t)sizeof t)
		sm_usage(&o->opts, "--argon2 wants T,M: passes, and KiB of memory");
	memcpy(t, o->argon2, (size_t)(comma - o->argon2));
	t[comma - o->argon2] = 0;
	o->t = (uint32_t)sm_opt_number(&o->opts, "passes", t, 1, SM_ARGON2_T_MAX);
	o->m = (uint32_t)sm_opt_number(&o->opts, "KiB of memory", comma + 1, SM_ARGON2_M_MIN, SM_ARGON2_M_MAX);
}

/* What -r, -R, -p, -S and --anonymous may not do together. */
static void check_encrypt(struct options *o)
{
	if (!o->passphrase && !o->to.given)
		sm_usage(&o->opts, "to whom? give -r WHO, -R FILE or -p");
	if (o->passphrase && o->to.given)
		sm_usage(&o->opts, "-p is the only way in: it goes with no -r or -R");
	if (o->anonymous && (o->sign || o->identity))
		sm_usage(&o->opts, "--anonymous names no sender: it goes with neither -S nor -i");
	if (o->argon2 && !o->passphrase)
		sm_usage(&o->opts, "--argon2 goes with -p");
	parse_argon2(o);
}

static enum sm_err text_field(char *out, size_t size, const char *what, const char *value)
{
	if (!value)
		return SM_OK;
	if (strlen(value) >= size) {
		sm_error("%s is longer than %zu bytes", what, size - 1);
		return SM_ERR_FORMAT;
	}
	memcpy(out, value, strlen(value) + 1);
	return SM_OK;
}

/* *any: is there a field at all? */
static enum sm_err fill_fields(struct sm_fields *f, bool *any, const struct options *o)
{
	struct sm_buf trial;
	const char *slash = o->input ? strrchr(o->input, '/') : NULL, *base = slash ? slash + 1 : o->input;
	enum sm_err e;

	if (o->name && !sm_filename_ok(o->name, strlen(o->name))) {
		sm_error("'%s' cannot be a name: 1 to 255 bytes of UTF-8 without / \\ or control characters", o->name);
		return SM_ERR_FORMAT;
	}
	if ((e = text_field(f->type, sizeof f->type, "the type", o->type)) ||
	    (e = text_field(f->subject, sizeof f->subject, "the subject", o->subject)) ||
	    (e = text_field(f->name, sizeof f->name, "the name", o->name)))
		return e;
	if (!o->name && base && strcmp(base, "-") && sm_filename_ok(base, strlen(base)))
		memcpy(f->name, base, strlen(base) + 1);
	*any = o->type || o->subject || f->name[0];
	if (!o->type && !o->subject)
		return SM_OK;
	sm_buf_init(&trial, 4 + SM_FIELDS_MAX);
	if ((e = sm_fields_write(&trial, f)))
		sm_error("the type or the subject has characters that cannot stand there");
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

/* `from`: the profile's identity and its account's address, another identity without address, or nobody. */
static enum sm_err choose_sender(struct options *o, struct sm_identity *id, struct sm_party *from)
{
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
	from->has_fp = true;
	memcpy(from->fp, pub.fp, SM_FP_LEN);
	return o->identity ? SM_OK : sm_who_self(&from->address, o->common.profile);
}

static enum sm_err seal(struct options *o, const struct sm_seal *job)
{
	struct sm_source in;
	struct sm_sink sink = {0};
	struct sm_outfile out = {.fd = -1};
	struct sm_progress progress;
	int fd;
	enum sm_err e;

	if ((e = sm_input_open(&fd, o->input)))
		return e;
	sm_source_fd(&in, fd, false);
	sm_input_progress(&progress, &in, o->no_progress || o->common.quiet);
	if ((e = sm_input_not_output(fd, o->output)))
		goto out;
	if ((e = sm_outfile_open(&out, o->output, 0))) {
		(void)sm_fail(e, "cannot create '%s'", o->output);
		goto out;
	}
	sm_outfile_guard(&out);
	if (o->binary && (e = sm_refuse_binary(out.fd, "leave out -b, or use -o FILE")))
		goto out;
	sm_sink_fd(&sink, out.fd, o->binary ? NULL : SM_ARMOR_ENVELOPE);
	e = sm_seal(job, &in, &sink, NULL, NULL);
	sm_progress_end(&progress);
	if (e || (e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot encrypt %s", sm_input_name(o->input));
out:
	sm_sink_release(&sink);
	sm_source_release(&in);
	sm_outfile_abandon(&out);
	if (fd > 0)
		close(fd);
	return e;
}

static int encrypt(struct options *o)
{
	static struct sm_fields fields; /* large, and mostly untouched */
	struct sm_identity id = {0};
	struct sm_buf pw;
	bool any = false;
	struct sm_seal job = {
	        .fields = &fields, .no_pad = o->no_pad, .date = sm_time_now(), .rand = &sm_rand_system, .pw_t = o->t, .pw_m = o->m};
	int status;
	enum sm_err e;

	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	if ((e = fill_fields(&fields, &any, o)) || (e = sm_recipients_resolve(&o->to, o->common.profile)) ||
	    (e = choose_sender(o, &id, &job.from)) ||
	    (o->passphrase && (e = sm_passphrase(&pw, &o->common.passphrase, "Passphrase for the envelope: ", true))) ||
	    (e = sm_attachments_open(&o->attach)))
		goto out;
	job.attach = o->attach.seal, job.nattach = o->attach.n;
	job.to = o->to.party, job.to_pub = o->to.pub, job.nto = o->to.n;
	if (o->passphrase)
		job.pw = pw.data ? (const void *)pw.data : "", job.pwlen = pw.len;
	job.fields = any ? &fields : NULL;
	job.signer = o->sign ? &id : NULL;
	e = seal(o, &job);
out:
	status = e == SM_ERR_NOTFOUND ? SM_EXIT_NORECIPIENT : sm_exit_code(e);
	sm_buf_release(&pw);
	sm_identity_release(&id);
	sm_attachments_release(&o->attach);
	if (any)
		sm_wipe(&fields, sizeof fields);
	return status;
}

/* ---- -d */

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

static int decrypt(struct options *o)
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

int main(int argc, char **argv)
{
	static struct options o = {.common = SM_COMMON_INIT};
	enum sm_err e;
	int status;

	sm_diag_init(argv[0]);
	if ((e = sm_secret_harden()))
		return sm_fail(e, "cannot start");
	parse(&o, argc, argv);
	if (!o.decrypt)
		check_encrypt(&o);
	status = o.decrypt ? decrypt(&o) : encrypt(&o);
	sm_recipients_release(&o.to);
	return status;
}
