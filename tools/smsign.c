/* smsign: signs an envelope from a pipe in place, makes detached signatures of anything else, and verifies both. */
#include "base/file.h"
#include "base/secret.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "common/signers.h"
#include "common/unlock.h"
#include "stream/filedigest.h"
#include "stream/keep.h"
#include "stream/resign.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_NAMESPACE "file"
#define SUFFIX ".sig"
#define ARMORED_MAX (2 * SM_SIGNATURE_FILE_MAX)

enum { OPT_NO_PROGRESS = SM_OPT_LONG };

static const struct sm_opt table[] = {{'i', "identity", "FILE", "sign with the identity in FILE instead of the profile's"},
                                      {'V', "verify", NULL, "verify"},
                                      {'s', "signer", "WHO", "with -V: whose signature it must be"},
                                      {'x', "signature", "FILE", "with -V: the detached signature is in FILE"},
                                      {'n', "namespace", "NAME", "what a detached signature is for (file)"},
                                      {'c', "comment", "TEXT", "a comment for a detached signature; it is signed too"},
                                      {'b', "binary", NULL, "write binary instead of armor"},
                                      {'o', "output", "FILE", "write to FILE"},
                                      {OPT_NO_PROGRESS, "no-progress", NULL, "show no progress on a terminal"},
                                      SM_COMMON_OPTS,
                                      {0}};

struct options {
	struct sm_opts opts;
	struct sm_common common;
	const char *identity, *signer, *signature, *ns, *comment, *output;
	char **files;
	int nfiles;
	bool verify, binary, no_progress;
};

static void parse(struct options *o, int argc, char **argv)
{
	int c;

	o->opts = (struct sm_opts){.usage = "[-i FILE] [FILE...] | -V -s WHO [-x SIGNATURE] [FILE...]",
	                           .about = "sign envelopes and files; verify with -V",
	                           .table = table};
	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1) {
		switch (c) {
		case 'i': sm_opt_once(&o->opts, &o->identity); break;
		case 'V': o->verify = true; break;
		case 's': sm_opt_once(&o->opts, &o->signer); break;
		case 'x': sm_opt_once(&o->opts, &o->signature); break;
		case 'n': sm_opt_once(&o->opts, &o->ns); break;
		case 'c': sm_opt_once(&o->opts, &o->comment); break;
		case 'b': o->binary = true; break;
		case 'o': sm_opt_once(&o->opts, &o->output); break;
		case OPT_NO_PROGRESS: o->no_progress = true; break;
		default: sm_common_opt(&o->common, &o->opts, c);
		}
	}
	o->files = argv + o->opts.index;
	o->nfiles = argc - o->opts.index;
}

static void check(const struct options *o)
{
	if (o->verify && !o->signer)
		sm_usage(&o->opts, "-V wants -s WHO: whose signature must it be?");
	if (o->verify && o->nfiles > 1 && (o->signature || o->output))
		sm_usage(&o->opts, "-x and -o go with one FILE");
	if (o->verify && (o->identity || o->comment))
		sm_usage(&o->opts, "-i and -c are for signing, not for -V");
	if (!o->verify && (o->signer || o->signature))
		sm_usage(&o->opts, "-s and -x go with -V");
	if (!o->verify && o->output && o->nfiles > 1)
		sm_usage(&o->opts, "-o goes with one FILE");
}

/* ---- signing */

static enum sm_err write_output(const struct options *o, const char *path, const struct sm_buf *b)
{
	struct sm_outfile out = {.fd = -1};
	enum sm_err e;

	if ((e = sm_outfile_open(&out, path, 0))) {
		(void)sm_fail(e, "cannot create '%s'", path);
		return e;
	}
	if (o->binary && (e = sm_refuse_binary(out.fd, "leave out -b, or use -o FILE")))
		goto out;
	if ((e = sm_write_full(out.fd, b->data, b->len)) || (e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot write %s", path ? path : "the signature");
out:
	sm_outfile_abandon(&out);
	return e;
}

static enum sm_err signer_party(struct sm_party *p, const struct options *o, const struct sm_identity *id)
{
	p->has_fp = true;
	memcpy(p->fp, id->pub.fp, SM_FP_LEN);
	return o->identity ? SM_OK : sm_who_self(&p->address, o->common.profile);
}

/* Header, then be16 length | signature; armored unless -b. */
static enum sm_err make_detached(struct sm_buf *out, const struct options *o, const struct sm_identity *id, const uint8_t *digest)
{
	struct sm_detached d = {.suite = id->pub.suite, .date = sm_time_now()};
	const char *ns = o->ns ? o->ns : DEFAULT_NAMESPACE, *comment = o->comment ? o->comment : "";
	struct sm_buf raw;
	enum sm_err e;

	sm_buf_init(&raw, SM_SIGNATURE_FILE_MAX);
	if (strlen(ns) >= sizeof d.ns || strlen(comment) >= sizeof d.comment) {
		sm_error("the namespace or the comment is too long");
		return SM_ERR_FORMAT;
	}
	memcpy(d.ns, ns, strlen(ns) + 1);
	memcpy(d.comment, comment, strlen(comment) + 1);
	if ((e = signer_party(&d.signer, o, id)))
		return e;
	if ((e = sm_detached_write_header(&raw, &d))) {
		(void)sm_fail_plain(e, "the namespace is [a-z0-9][a-z0-9._-]*, and a comment printable ASCII");
		goto out;
	}
	if ((e = sm_signature_make(d.sig, &d.siglen, id, d.hh, digest)) || (e = sm_buf_add_be16(&raw, (uint16_t)d.siglen)) ||
	    (e = sm_buf_add(&raw, d.sig, d.siglen)) ||
	    (e = o->binary ? sm_buf_add(out, raw.data, raw.len) : sm_armor_encode(out, SM_ARMOR_SIGNATURE, raw.data, raw.len)))
		(void)sm_fail(e, "cannot sign");
out:
	sm_buf_release(&raw);
	return e;
}

static enum sm_err sign_detached(const struct options *o, const struct sm_identity *id, struct sm_source *in, const char *name,
                                 const char *output)
{
	uint8_t digest[SM_HASH_LEN];
	struct sm_buf out;
	enum sm_err e;

	sm_buf_init(&out, ARMORED_MAX);
	if ((e = sm_stream_digest(digest, in)))
		(void)sm_fail(e, "cannot read %s", name);
	else if (!(e = make_detached(&out, o, id, digest)))
		e = write_output(o, output, &out);
	sm_buf_release(&out);
	return e;
}

static void say_envelope(enum sm_err e, const char *name, unsigned line)
{
	if ((e == SM_ERR_HEADER || e == SM_ERR_SUITE) && line)
		(void)sm_fail_plain(e, "%s: %s, line %u", name, sm_err_text(e), line);
	else
		(void)sm_fail(e, "%s", name);
}

static enum sm_err sign_envelope(const struct options *o, const struct sm_identity *id, struct sm_source *in)
{
	struct sm_outfile out = {.fd = -1};
	struct sm_scanned scanned = {0};
	struct sm_sink sink = {0};
	enum sm_err e;

	if ((e = sm_outfile_open(&out, o->output, 0))) {
		(void)sm_fail(e, "cannot create '%s'", o->output);
		return e;
	}
	sm_outfile_guard(&out);
	if (o->binary && (e = sm_refuse_binary(out.fd, "leave out -b, or use -o FILE")))
		goto out;
	sm_sink_fd(&sink, out.fd, o->binary ? NULL : SM_ARMOR_ENVELOPE);
	e = sm_scan(&scanned, in, &sink, id);
	if (e == SM_ERR_POLICY)
		(void)sm_fail_plain(e, "the envelope is not from this identity: its 'from' line names another key, or nobody");
	else if (e)
		say_envelope(e, "stdin", scanned.header_line);
	else if ((e = sm_sink_finish(&sink)) || (e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot write");
out:
	sm_header_release(&scanned.header);
	sm_sink_release(&sink);
	sm_outfile_abandon(&out);
	return e;
}

static enum sm_err sign_stdin(const struct options *o, const struct sm_identity *id)
{
	struct sm_source in;
	struct sm_progress progress;
	bool envelope = false;
	enum sm_err e;

	sm_source_fd(&in, STDIN_FILENO, false);
	sm_input_start(&progress, &in, o->no_progress || o->common.quiet);
	if ((e = sm_source_is_envelope(&in, &envelope)))
		(void)sm_fail(e, "cannot read stdin");
	else if (envelope && (o->ns || o->comment))
		e = sm_fail_plain(SM_ERR_POLICY, "stdin is an envelope: -n and -c are for detached signatures") ? SM_ERR_POLICY : SM_OK;
	else
		e = envelope ? sign_envelope(o, id, &in) : sign_detached(o, id, &in, "stdin", o->output);
	sm_progress_end(&progress);
	sm_source_release(&in);
	return e;
}

static enum sm_err sign_file(const struct options *o, const struct sm_identity *id, const char *path)
{
	struct sm_source in;
	struct sm_progress progress;
	struct sm_buf beside;
	int fd;
	enum sm_err e;

	if (!strcmp(path, "-"))
		return sign_stdin(o, id);
	if ((e = sm_input_open(&fd, path)))
		return e;
	sm_buf_init(&beside, 8192);
	sm_source_fd(&in, fd, false);
	sm_input_start(&progress, &in, o->no_progress || o->common.quiet);
	if ((e = sm_buf_addf(&beside, "%s" SUFFIX, path)) || !sm_buf_str(&beside))
		(void)sm_fail(e = SM_ERR_LIMIT, "the name of '%s'", path);
	else if (!(e = sm_input_not_output(fd, o->output ? o->output : (const char *)beside.data)))
		e = sign_detached(o, id, &in, path, o->output ? o->output : (const char *)beside.data);
	sm_progress_end(&progress);
	sm_source_release(&in);
	sm_buf_release(&beside);
	close(fd);
	return e;
}

/* A device that has been removed from its account speaks for it no more, and what it signed would be refused. */
static enum sm_err check_listed(const struct options *o, const struct sm_identity *id)
{
	struct sm_device_list own;
	struct sm_address self;
	enum sm_err e;

	if (o->identity || (e = sm_who_self(&self, o->common.profile)))
		return o->identity ? SM_OK : e;
	return sm_who_own_devices(&own, &self, &id->pub, o->common.profile);
}

static int sign(struct options *o)
{
	struct sm_identity id = {0};
	enum sm_err e, first;

	if ((e = sm_unlock(&id, o->identity, &o->common)))
		return sm_exit_code(e);
	if ((first = check_listed(o, &id)))
		goto out;
	if (!o->nfiles)
		first = sign_stdin(o, &id);
	for (int i = 0; i < o->nfiles; i++) {
		e = sign_file(o, &id, o->files[i]);
		first = first ? first : e;
	}
out:
	sm_identity_release(&id);
	return sm_exit_code(first);
}

/* ---- verifying */

/* Signature and policy are answers, not malformed input. */
static int verdict(enum sm_err e) { return e == SM_ERR_SIGNATURE || e == SM_ERR_POLICY ? SM_EXIT_NO : sm_exit_code(e); }

/* The key that signed must be WHO's, or one of WHO's devices', and the signature right. */
static enum sm_err check_signer(const struct options *o, const struct sm_who *who, const char *name, const struct sm_suite *suite,
                                const uint8_t *fp, const uint8_t *hh, const uint8_t *digest, const uint8_t *sig, size_t n)
{
	char text[SM_FP_TEXT_LEN + 1];
	struct sm_public pub;
	enum sm_err e;

	sm_fp_format(text, fp);
	if (sm_who_find(&pub, who, fp)) {
		sm_error("%s: signed by another key than %s's: %s", name, o->signer, text);
		if (who->contact)
			sm_note("a new device of theirs becomes known with 'smcontact add %s'", who->address.text);
		return SM_ERR_POLICY;
	}
	e = pub.suite == suite ? sm_signature_verify(&pub, hh, digest, sig, n) : SM_ERR_SIGNATURE;
	if (e)
		(void)sm_fail_plain(e, "%s: bad signature of %s", name, o->signer);
	else
		sm_note("%s: good signature of %s %s", name, o->signer, text);
	return e;
}

static enum sm_err dearmor(struct sm_buf *raw, const struct sm_buf *text)
{
	size_t i = 0;

	while (i < text->len && strchr(" \t\r\n\v\f", text->data[i]) && text->data[i])
		i++;
	if (i < text->len && text->data[i] == '-')
		return sm_dearmor(raw, SM_ARMOR_SIGNATURE, text->data, text->len);
	return sm_buf_add(raw, text->data, text->len);
}

static enum sm_err read_signature(struct sm_detached *d, const char *path)
{
	struct sm_buf text, raw;
	unsigned line = 0;
	int fd;
	enum sm_err e = sm_input_open(&fd, path);

	if (e)
		return e;
	sm_buf_init(&text, ARMORED_MAX);
	sm_buf_init(&raw, SM_SIGNATURE_FILE_MAX);
	if ((e = sm_read_all(fd, &text)))
		(void)sm_fail(e, "cannot read '%s'", path);
	else if ((e = dearmor(&raw, &text)) || (e = sm_detached_parse(d, &line, raw.data, raw.len)))
		(void)(e == SM_ERR_HEADER ? sm_fail_plain(e, "%s: malformed signature header, line %u", path, line)
		                          : sm_fail(e, "%s", path));
	sm_buf_release(&text);
	sm_buf_release(&raw);
	if (fd > 0)
		close(fd);
	return e;
}

/* As checksum tools say it, one line a file on stdout; the reason for FAILED is on stderr already. */
static enum sm_err say_result(const struct options *o, const char *file, enum sm_err result)
{
	struct sm_buf line;
	enum sm_err e;

	if (!file || o->common.quiet)
		return result;
	sm_buf_init(&line, 16384);
	if (!(e = sm_buf_addf(&line, "%s: %s\n", file, result ? "FAILED" : "OK")) && (e = sm_put_text(STDOUT_FILENO, line.data, line.len)))
		(void)sm_fail(e, "cannot write");
	sm_buf_release(&line);
	return result ? result : e;
}

static enum sm_err verify_detached(const struct options *o, const struct sm_who *who, struct sm_source *in, const char *name,
                                   const char *signature)
{
	struct sm_detached d;
	uint8_t digest[SM_HASH_LEN];
	const char *ns = o->ns ? o->ns : DEFAULT_NAMESPACE;
	char date[SM_TIME_LEN + 1];
	enum sm_err e;

	if ((e = read_signature(&d, signature)))
		return e;
	if ((e = sm_stream_digest(digest, in))) {
		(void)sm_fail(e, "cannot read %s", name);
		return e;
	}
	if ((e = check_signer(o, who, name, d.suite, d.signer.fp, d.hh, digest, d.sig, d.siglen)))
		return e;
	if (strcmp(d.ns, ns)) {
		sm_error("%s: the signature is for namespace '%s', not '%s'", name, d.ns, ns);
		return SM_ERR_POLICY;
	}
	sm_time_format(date, d.date);
	sm_note("dated %s%s%s", date, *d.comment ? ", comment: " : "", d.comment);
	return SM_OK;
}

/* What has verified goes on to stdout, as armor if it came so. */
static enum sm_err pass_on(const struct options *o, const struct sm_keep *kept, bool armored)
{
	struct sm_outfile out = {.fd = -1};
	struct sm_sink sink = {0};
	bool binary = o->binary || !armored;
	enum sm_err e;

	if ((e = sm_outfile_open(&out, o->output, 0))) {
		(void)sm_fail(e, "cannot create '%s'", o->output);
		return e;
	}
	sm_outfile_guard(&out);
	sm_sink_fd(&sink, out.fd, binary ? NULL : SM_ARMOR_ENVELOPE);
	if (binary && (e = sm_refuse_binary(out.fd, "use -o FILE")))
		goto out;
	if ((e = sm_keep_copy(kept, &sink)) || (e = sm_sink_finish(&sink)) || (e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot write");
out:
	sm_sink_release(&sink);
	sm_outfile_abandon(&out);
	return e;
}

static enum sm_err verify_envelope(const struct options *o, const struct sm_who *who, struct sm_source *in, const char *name)
{
	struct sm_scanned s = {0};
	struct sm_keep kept;
	struct sm_sink spool;
	enum sm_err e;

	sm_keep_init_spool(&kept);
	sm_sink_keep(&spool, &kept);
	if ((e = sm_scan(&s, in, &spool, NULL)) || (e = sm_sink_finish(&spool))) {
		say_envelope(e, name, s.header_line);
	} else if (!s.siglen) {
		sm_error("%s is not signed", name);
		e = SM_ERR_POLICY;
	} else if (!(e = check_signer(o, who, name, s.header.suite, s.header.from.fp, s.header.hh, s.digest, s.sig, s.siglen))) {
		e = pass_on(o, &kept, in->armored);
	}
	sm_header_release(&s.header);
	sm_sink_release(&spool);
	sm_keep_release(&kept);
	return e;
}

static enum sm_err verify_beside(const struct options *o, const struct sm_who *who, struct sm_source *in, const char *path)
{
	struct sm_buf beside;
	enum sm_err e;

	sm_buf_init(&beside, 8192);
	e = sm_buf_addf(&beside, "%s" SUFFIX, path);
	const char *name = e ? NULL : sm_buf_str(&beside);
	e = name ? verify_detached(o, who, in, path, name) : SM_ERR_LIMIT;
	sm_buf_release(&beside);
	return e;
}

static enum sm_err verify_input(const struct options *o, const struct sm_who *who, struct sm_source *in, const char *path)
{
	const char *name = sm_input_name(path), *file = path && strcmp(path, "-") ? path : NULL;
	bool envelope = false;
	enum sm_err e;

	if (o->signature)
		return say_result(o, file, verify_detached(o, who, in, name, o->signature));
	if ((e = sm_source_is_envelope(in, &envelope))) {
		(void)sm_fail(e, "cannot read %s", name);
		return e;
	}
	if (envelope && o->nfiles > 1) {
		sm_error("%s is an envelope: give it alone", name);
		return SM_ERR_FORMAT;
	}
	if (envelope)
		return verify_envelope(o, who, in, name);
	if (!file) {
		sm_error("stdin is no envelope: give its detached signature with -x SIGNATURE");
		return SM_ERR_HEADER;
	}
	return say_result(o, file, verify_beside(o, who, in, file));
}

static enum sm_err verify_path(const struct options *o, const struct sm_who *who, const char *path)
{
	struct sm_source in;
	struct sm_progress progress;
	int fd;
	enum sm_err e = sm_input_open(&fd, path);

	if (e)
		return e;
	sm_source_fd(&in, fd, false);
	sm_input_start(&progress, &in, o->no_progress || o->common.quiet);
	if (!(e = sm_input_not_output(fd, o->output)))
		e = verify_input(o, who, &in, path);
	sm_progress_end(&progress);
	sm_source_release(&in);
	if (fd > 0)
		close(fd);
	return e;
}

/* Of several files the first that is not as it should be decides. */
static int verify(struct options *o)
{
	struct sm_who who;
	enum sm_err e, first;

	if ((e = sm_who_resolve(&who, o->signer, o->common.profile, true)))
		return sm_exit_code(e);
	first = verify_path(o, &who, o->nfiles ? o->files[0] : NULL);
	for (int i = 1; i < o->nfiles; i++) {
		e = verify_path(o, &who, o->files[i]);
		first = first ? first : e;
	}
	return verdict(first);
}

int main(int argc, char **argv)
{
	struct options o = {.common = SM_COMMON_INIT};
	enum sm_err e;

	sm_diag_init(argv[0]);
	if ((e = sm_secret_harden()))
		return sm_fail(e, "cannot start");
	parse(&o, argc, argv);
	check(&o);
	return o.verify ? verify(&o) : sign(&o);
}
