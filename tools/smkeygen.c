/* smkeygen: makes identities, and shows, protects and unlocks them. */
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/json.h"
#include "common/recovery.h"
#include "common/unlock.h"
#include "crypto/rsa.h"
#include "smkeygen/import.h"
#include "smkeygen/recovery.h"
#include "store/keyring.h"
#include "wire/lex.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum mode { MAKE, SHOW_PUBLIC, SHOW_FINGERPRINT, CHANGE, UNLOCK, LOCK, RECOVERY };
enum {
	OPT_UNLOCK = SM_OPT_LONG,
	OPT_LOCK,
	OPT_NEW_PASSPHRASE,
	OPT_JSON,
	OPT_IMPORT,
	OPT_IMPORT_ENCRYPT,
	OPT_RECOVERY,
	OPT_RECOVER,
	OPT_RECOVERY_FILE,
	OPT_RECOVERY_FD
};

static const struct sm_opt table[] = {
        {'t', "type", "SUITE", "kind of identity: x25519 (the default), rsa or rsa:BITS"},
        {OPT_IMPORT, "import", "FILE", "make it of the private key in FILE: PEM, RSA or Ed25519"},
        {OPT_IMPORT_ENCRYPT, "import-encrypt", "FILE", "with --import of RSA: the second key, which encrypts"},
        {OPT_RECOVER, "recover", NULL, "make it of its recovery code, which is asked for"},
        {OPT_RECOVERY_FILE, "recovery-file", "FILE", "with --recover: read the code from FILE"},
        {OPT_RECOVERY_FD, "recovery-fd", "N", "with --recover: read the code from descriptor N"},
        {'o', "output", "FILE", "write the secret key to FILE, the public line to FILE.pub"},
        {'C', "comment", "TEXT", "comment of the public line instead of user@host"},
        {'N', "no-passphrase", NULL, "keep the secret key without a passphrase"},
        {'y', "public", NULL, "print the public line"},
        {'l', "fingerprint", NULL, "print the fingerprint"},
        {'p', "change-passphrase", NULL, "change the passphrase (with -N: to none)"},
        {OPT_UNLOCK, "unlock", "TIME", "keep the key unlocked in the kernel for TIME (90, 15m, 8h, 7d)"},
        {OPT_LOCK, "lock", NULL, "forget the unlocked key"},
        {OPT_RECOVERY, "recovery", NULL, "print the recovery code: the secret key to write down"},
        {'i', "identity", "FILE", "the identity that -y, -l, -p, --unlock, --lock and --recovery are about"},
        {OPT_NEW_PASSPHRASE, "new-passphrase-file", "FILE", "with -p and --import: read the new passphrase from FILE"},
        {OPT_JSON, "json", NULL, "with -y and -l: one JSON object a line"},
        SM_COMMON_OPTS,
        {0},
};
static struct sm_opts opts = {
        .usage = "[-N] [-t SUITE | --import FILE [--import-encrypt FILE] | --recover] [-o FILE] [-C TEXT] | "
                 "(-y | -l | -p | --unlock TIME | --lock | --recovery) [FILE]",
        .about = "Makes the identity of a profile, or shows, protects or unlocks one.",
        .table = table,
};

static struct {
	enum mode mode;
	const char *mode_name; /* as typed, for messages */
	const char *type, *import, *import_encrypt, *output, *comment, *identity, *unlock, *new_file;
	bool plain, json, recover;
	struct sm_passphrase_source code; /* --recovery-file, --recovery-fd */
	struct sm_common common;
} arg = {.code = {.fd = -1}, .common = SM_COMMON_INIT};

static void set_mode(enum mode mode, const char *name)
{
	if (arg.mode_name)
		sm_usage(&opts, mode == arg.mode ? "%s given twice" : "%s and %s exclude each other", name, arg.mode_name);
	arg.mode = mode;
	arg.mode_name = name;
}

static void parse_option(int c)
{
	switch (c) {
	case 't': sm_opt_once(&opts, &arg.type); break;
	case OPT_IMPORT: sm_opt_once(&opts, &arg.import); break;
	case OPT_IMPORT_ENCRYPT: sm_opt_once(&opts, &arg.import_encrypt); break;
	case 'o': sm_opt_once(&opts, &arg.output); break;
	case 'C': sm_opt_once(&opts, &arg.comment); break;
	case 'N': arg.plain = true; break;
	case 'y': set_mode(SHOW_PUBLIC, "-y"); break;
	case 'l': set_mode(SHOW_FINGERPRINT, "-l"); break;
	case 'p': set_mode(CHANGE, "-p"); break;
	case OPT_UNLOCK:
		set_mode(UNLOCK, "--unlock");
		arg.unlock = opts.arg;
		break;
	case OPT_LOCK: set_mode(LOCK, "--lock"); break;
	case OPT_RECOVERY: set_mode(RECOVERY, "--recovery"); break;
	case OPT_RECOVER: arg.recover = true; break;
	case OPT_RECOVERY_FILE: sm_opt_once(&opts, &arg.code.file); break;
	case OPT_RECOVERY_FD: arg.code.fd = (int)sm_opt_number(&opts, "descriptor", opts.arg, 0, 1000000); break;
	case 'i': sm_opt_once(&opts, &arg.identity); break;
	case OPT_NEW_PASSPHRASE: sm_opt_once(&opts, &arg.new_file); break;
	case OPT_JSON: arg.json = true; break;
	default: (void)sm_common_opt(&arg.common, &opts, c);
	}
}

/* What belongs to another mode is refused, never ignored. */
static void check_options(void)
{
	bool make = arg.mode == MAKE, show = arg.mode == SHOW_PUBLIC || arg.mode == SHOW_FINGERPRINT;
	bool code = arg.code.file || arg.code.fd >= 0;
	if (!make && (arg.type || arg.output || arg.comment || arg.import || arg.import_encrypt || arg.recover))
		sm_usage(&opts, "%s does not go with -t, --import, --recover, -o or -C", arg.mode_name);
	if ((arg.type || arg.recover) && arg.import)
		sm_usage(&opts, "%s and --import exclude each other: the key says what it is", arg.type ? "-t" : "--recover");
	if (arg.type && arg.recover)
		sm_usage(&opts, "-t and --recover exclude each other: the code says what it is");
	if (code && (!arg.recover || (arg.code.file && arg.code.fd >= 0)))
		sm_usage(&opts, "%s",
		         arg.recover ? "--recovery-file and --recovery-fd exclude each other"
		                     : "--recovery-file and --recovery-fd go with --recover");
	if (arg.import_encrypt && !arg.import)
		sm_usage(&opts, "--import-encrypt goes with --import");
	if (make && arg.identity)
		sm_usage(&opts, "-i does not go with making an identity; to write elsewhere use -o");
	if (arg.plain && !make && arg.mode != CHANGE)
		sm_usage(&opts, "-N does not go with %s", arg.mode_name);
	if (arg.json && !show)
		sm_usage(&opts, "--json goes with -y and -l only");
	if (arg.new_file && ((arg.mode != CHANGE && !arg.import) || arg.plain))
		sm_usage(&opts, "--new-passphrase-file goes with -p and --import only, and not with -N");
	if (make && arg.plain && !arg.import && (arg.common.passphrase.file || arg.common.passphrase.fd >= 0))
		sm_usage(&opts, "-N and a passphrase exclude each other");
}

static void parse_arguments(int argc, char **argv)
{
	int c;
	while ((c = sm_opt_next(&opts, argc, argv)) != -1)
		parse_option(c);
	check_options();
	if (argc - opts.index > 1)
		sm_usage(&opts, "one FILE at most");
	if (opts.index == argc)
		return;
	if (arg.mode == MAKE)
		sm_usage(&opts, "unexpected argument '%s'; to write to a file use -o", argv[opts.index]);
	if (arg.identity)
		sm_usage(&opts, "-i and FILE exclude each other");
	arg.identity = argv[opts.index];
}

/* - is standard input, which is read for showing only. */
static void check_identity(void)
{
	bool show = arg.mode == SHOW_PUBLIC || arg.mode == SHOW_FINGERPRINT;
	if (arg.identity && !strcmp(arg.identity, "-") && !show)
		sm_usage(&opts, "%s needs the name of a file, not '-'", arg.mode_name);
}

/* --- Making --- */

/* user@host in printable ASCII, whatever the system calls them. */
static void default_comment(char out[static SM_COMMENT_MAX + 1])
{
	char host[65] = "";
	const struct passwd *pw = getpwuid(geteuid());
	if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
		memcpy(host, "localhost", sizeof("localhost"));
	snprintf(out, SM_COMMENT_MAX + 1, "%.100s@%s", pw ? pw->pw_name : "user", host);
	for (char *p = out; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '_';
}

static int write_all(const struct sm_buf *b)
{
	enum sm_err e = sm_put_text(STDOUT_FILENO, b->data, b->len);
	return e ? sm_fail(e, "cannot write to standard output") : SM_EXIT_OK;
}

static enum sm_err add_line(struct sm_buf *b, const struct sm_public *pub, const char *comment)
{
	char fp[SM_FP_TEXT_LEN + 1];
	enum sm_err e;
	sm_fp_format(fp, pub->fp);
	if (arg.json) {
		struct sm_buf key;
		sm_buf_init(&key, SM_PUBLIC_LINE_MAX);
		if (!(e = sm_public_format(&key, pub)))
			e = sm_buf_addf(b, "{\"v\":1,\"public\":\"%.*s\",\"fingerprint\":\"%s\",", (int)key.len, key.data, fp);
		sm_buf_release(&key);
		if (!e)
			e = sm_json_member(b, "comment", comment);
		return e ? e : sm_buf_adds(b, "}\n");
	}
	e = arg.mode == SHOW_FINGERPRINT ? sm_buf_adds(b, fp) : sm_public_format(b, pub);
	return e ? e : sm_buf_addf(b, "%s%s\n", *comment ? " " : "", comment);
}

static bool readable_by_others(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && (st.st_mode & 077);
}

static int print_made(const struct sm_identity *id, const char *comment, const char *path)
{
	struct sm_buf line;
	sm_buf_init(&line, SM_PUBLIC_LINE_MAX);
	enum sm_err e = add_line(&line, &id->pub, comment);
	if (!e)
		e = sm_write_full(STDOUT_FILENO, line.data, line.len);
	sm_buf_release(&line);
	return e ? sm_fail(e, "the identity is in '%s', but its public line cannot be written", path) : SM_EXIT_OK;
}

/* -o -: the secret key itself, for a program that puts it where it belongs. */
static int make_to_stdout(const struct sm_identity *id, const char *comment, const void *pw, size_t pwlen)
{
	struct stat st;
	struct sm_buf text;
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO))
		sm_warning("writing a secret key to a file that everybody may read");
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	enum sm_err e = sm_keyring_format(&text, id, comment, pw, pwlen, SM_KEYRING_T, SM_KEYRING_M);
	if (!e)
		e = sm_write_full(STDOUT_FILENO, text.data, text.len);
	sm_buf_release(&text);
	return e ? sm_fail(e, "cannot write the secret key to standard output") : SM_EXIT_OK;
}

static int make_to_file(const struct sm_identity *id, const char *comment, const void *pw, size_t pwlen, const char *path)
{
	enum sm_err e = sm_keyring_save(path, id, comment, pw, pwlen, SM_KEYRING_T, SM_KEYRING_M, false);
	if (e == SM_ERR_EXISTS)
		return sm_fail_plain(e, "'%s' or '%s.pub' exists: not overwriting it", path, path);
	if (e)
		return sm_fail(e, "cannot write '%s'", path);
	if (readable_by_others(path))
		sm_warning("'%s' may be read by others: this file system keeps no permissions", path);
	return print_made(id, comment, path);
}

/* The profile's identity, or -o. *path is malloc'd. */
static int output_path(char **path)
{
	enum sm_err e = SM_OK;
	if (!arg.output)
		e = sm_path(path, SM_DIR_CONFIG, arg.common.profile, "identity", 1);
	else if (!(*path = strdup(arg.output)))
		e = SM_ERR_NOMEM;
	if (e == SM_ERR_CANTCREAT || e == SM_ERR_NOMEM)
		return sm_fail(e, "cannot make the profile's directory");
	if (e == SM_ERR_PERM)
		return sm_fail_plain(e, "the profile's directory is open to others: chmod 700 it");
	if (e) {
		sm_identity_error(e, NULL, arg.common.profile);
		return sm_exit_code(e);
	}
	/* before anybody thinks of a passphrase; sm_keyring_save makes sure of it */
	if (access(*path, F_OK) == 0 && strcmp(*path, "-") != 0)
		return sm_fail_plain(SM_ERR_EXISTS, "'%s' exists: not overwriting it", *path);
	return SM_EXIT_OK;
}

/* -t SUITE; *bits 0 for the suite's default. */
static const struct sm_suite *parse_type(unsigned *bits)
{
	*bits = 0;
	if (!arg.type || !strcmp(arg.type, "x25519"))
		return &sm_suite_x25519;
	if (!strncmp(arg.type, "rsa:", 4))
		*bits = (unsigned)sm_opt_number(&opts, "bits", arg.type + 4, SM_RSA_BITS_MIN, SM_RSA_BITS_MAX);
	else if (strcmp(arg.type, "rsa") != 0)
		sm_usage(&opts, "unknown kind '%s': x25519, rsa and rsa:BITS are what there is", arg.type);
	if (*bits % 8)
		sm_usage(&opts, "%u bits are no whole bytes", *bits);
	return &sm_suite_rsa;
}

static void check_make(void)
{
	struct sm_span c = {(const uint8_t *)arg.comment, arg.comment ? strlen(arg.comment) : 0};
	if (c.n > SM_COMMENT_MAX || !sm_value_ok(c))
		sm_usage(&opts, "a comment is up to %d bytes of UTF-8 without control characters", SM_COMMENT_MAX);
	if (arg.output && !*arg.output)
		sm_usage(&opts, "an empty file name");
}

static enum sm_err ask_new(struct sm_buf *pw)
{
	struct sm_passphrase_source file = {.file = arg.new_file, .fd = -1};
	if (arg.plain)
		return SM_OK;
	if (arg.new_file)
		return sm_passphrase(pw, &file, "", true);
	return sm_passphrase_tty(pw, "New passphrase: ", "--new-passphrase-file, or -N for none", true);
}

/* The passphrase that the new identity is kept under. An import has its own use for the other sources. */
static enum sm_err ask_for_made(struct sm_buf *pw)
{
	if (arg.import || arg.plain)
		return ask_new(pw);
	arg.common.passphrase.hint = "-N or --passphrase-file";
	return sm_passphrase(pw, &arg.common.passphrase, "New passphrase: ", true);
}

/* Says what is wrong itself. */
static enum sm_err make_identity(struct sm_identity *id, const struct sm_suite *suite, unsigned bits)
{
	enum sm_err e;
	if (arg.import)
		return sm_keygen_import(id, arg.import, arg.import_encrypt, &arg.common.passphrase);
	if (arg.recover)
		return sm_recovery_read(id, &arg.code);
	if ((e = sm_identity_generate_in(id, suite, bits, &sm_rand_system)))
		(void)sm_fail(e, "cannot make a key");
	return e;
}

static int make(void)
{
	char host_comment[SM_COMMENT_MAX + 1], *path = NULL;
	const char *comment = arg.comment ? arg.comment : host_comment;
	struct sm_identity id = {0};
	struct sm_buf pw;
	bool out = arg.output && !strcmp(arg.output, "-");
	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	check_make();
	unsigned bits;
	const struct sm_suite *suite = parse_type(&bits);
	if (!arg.comment)
		default_comment(host_comment);
	if (out && sm_is_tty(STDOUT_FILENO))
		return sm_fail_plain(SM_ERR_IO, "not writing a secret key to a terminal; name a file with -o");
	int code = output_path(&path);
	if (code)
		goto out;
	/* an import asks for the old passphrase before the new one, and so does a code; a key that takes long to make is made when there is
	 * nothing left to ask */
	bool given = arg.import || arg.recover;
	enum sm_err e = given ? make_identity(&id, suite, bits) : SM_OK;
	if (!e)
		e = ask_for_made(&pw);
	if (!e && !given)
		e = make_identity(&id, suite, bits);
	code = sm_exit_code(e);
	if (e)
		goto out;
	if (out)
		code = make_to_stdout(&id, comment, arg.plain ? NULL : pw.data, pw.len);
	else
		code = make_to_file(&id, comment, arg.plain ? NULL : pw.data, pw.len, path);
out:
	sm_identity_release(&id);
	sm_buf_release(&pw);
	free(path);
	return code;
}

/* --- Showing --- */

static int show_secret(struct sm_buf *out)
{
	struct sm_public pub;
	struct sm_buf comment;
	sm_buf_init(&comment, SM_COMMENT_MAX + 1);
	enum sm_err e = sm_unlock_public(&pub, &comment, arg.identity, &arg.common);
	int code = sm_exit_code(e);
	if (!e) {
		const char *text = sm_buf_str(&comment);
		e = text ? add_line(out, &pub, text) : SM_ERR_NOMEM;
		code = e ? sm_fail(e, "cannot show the identity") : SM_EXIT_OK;
	}
	sm_buf_release(&comment);
	return code;
}

static enum sm_err show_public_line(struct sm_buf *out, struct sm_span line, bool *found)
{
	struct sm_public pub;
	struct sm_span said = {NULL, 0};
	char comment[SM_COMMENT_MAX + 1];
	enum sm_err e = sm_public_parse_line(&pub, found, &said, line);
	if (e || !*found)
		return e;
	if (said.n)
		memcpy(comment, said.p, said.n); /* at most SM_COMMENT_MAX, as the parser promises */
	comment[said.n] = 0;
	return add_line(out, &pub, comment);
}

static int show_public_lines(struct sm_buf *out, const struct sm_buf *text, const char *name)
{
	struct sm_span rest = {text->data, text->len}, line;
	bool found, any = false;
	for (unsigned n = 1; rest.n; n++) {
		if (!sm_span_take_line(&rest, &line)) {
			line = rest;
			rest.n = 0;
		}
		enum sm_err e = show_public_line(out, line, &found);
		if (e)
			return sm_fail(e, "'%s' line %u", name, n);
		any = any || found;
	}
	return any ? SM_EXIT_OK : sm_fail_plain(SM_ERR_FORMAT, "'%s' holds no identity", name);
}

/* A FILE that is neither plain nor protected key is one of public lines, as `-` always is. */
static int show(void)
{
	struct sm_buf text, out;
	bool standard = arg.identity && !strcmp(arg.identity, "-");
	sm_buf_init(&text, 1u << 22);
	sm_buf_init(&out, 1u << 23);
	int code;
	enum sm_err e = SM_OK;
	if (arg.identity)
		e = standard ? sm_read_all(STDIN_FILENO, &text) : sm_file_read(arg.identity, &text, false);
	/* FILE may be gone while FILE.pub is there */
	bool secret = !arg.identity || (e == SM_ERR_NOINPUT && !standard) || (!e && sm_keyring_is_secret(&text));
	if (secret && !standard)
		code = show_secret(&out);
	else if (e)
		code = sm_fail(e, "cannot read '%s'", arg.identity);
	else if (secret)
		code = sm_fail_plain(SM_ERR_FORMAT, "a secret key on standard input: name its file instead");
	else
		code = show_public_lines(&out, &text, arg.identity);
	if (!code)
		code = write_all(&out);
	sm_buf_release(&text);
	sm_buf_release(&out);
	return code;
}

/* --- The passphrase --- */

static char *identity_path(void)
{
	char *path = NULL;
	if (arg.identity)
		return strdup(arg.identity);
	return sm_path(&path, SM_DIR_CONFIG, arg.common.profile, "identity", 0) == SM_OK ? path : NULL;
}

static int change(void)
{
	struct sm_identity id = {0};
	struct sm_buf text, pw;
	char *path = NULL;
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	enum sm_err e = sm_unlock_with(&id, arg.identity, &arg.common, &text, NULL);
	if (!e)
		e = ask_new(&pw);
	int code = sm_exit_code(e);
	if (e)
		goto out;
	path = identity_path();
	e = path ? sm_keyring_rewrite(path, &id, &text, arg.plain ? NULL : pw.data, pw.len, SM_KEYRING_T, SM_KEYRING_M) : SM_ERR_NOMEM;
	if (e)
		code = sm_fail(e, "cannot write '%s'", path ? path : "the identity");
out:
	sm_identity_release(&id);
	sm_buf_release(&text);
	sm_buf_release(&pw);
	free(path);
	return code;
}

static int unlock(void)
{
	struct sm_identity id = {0};
	bool protected = false;
	int64_t seconds;
	if (sm_duration_parse(&seconds, arg.unlock) != SM_OK || seconds < 1)
		sm_usage(&opts, "'%s' is not a time: 90, 15m, 8h, 7d", arg.unlock);
	enum sm_err e = sm_unlock_with(&id, arg.identity, &arg.common, NULL, &protected);
	int code = sm_exit_code(e);
	if (e)
		goto out;
	if (!protected)
		sm_warning("this identity has no passphrase: there is nothing to unlock");
	else if ((e = sm_keyring_unlock(&id, seconds)))
		code = sm_fail(e, "cannot use the kernel's keyring");
out:
	sm_identity_release(&id);
	return code;
}

static int lock(void)
{
	struct sm_public pub;
	struct sm_buf comment;
	sm_buf_init(&comment, SM_COMMENT_MAX + 1);
	enum sm_err e = sm_unlock_public(&pub, &comment, arg.identity, &arg.common);
	sm_buf_release(&comment);
	if (e)
		return sm_exit_code(e);
	e = sm_keyring_lock(pub.fp);
	if (e == SM_ERR_NOTFOUND)
		sm_note("it was not unlocked");
	else if (e)
		return sm_fail(e, "cannot use the kernel's keyring");
	return SM_EXIT_OK;
}

int main(int argc, char **argv)
{
	sm_diag_init(argv[0]);
	enum sm_err e = sm_secret_harden();
	if (e)
		return sm_fail(e, "cannot protect this process's memory");
	parse_arguments(argc, argv);
	check_identity();
	switch (arg.mode) {
	case MAKE: return make();
	case SHOW_PUBLIC:
	case SHOW_FINGERPRINT: return show();
	case CHANGE: return change();
	case UNLOCK: return unlock();
	case LOCK: return lock();
	case RECOVERY: return sm_keygen_recovery(arg.identity, &arg.common);
	}
	return SM_EXIT_BUG;
}
