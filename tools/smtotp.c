/* smtotp: a local authenticator. Seeds are kept under the profile's identity (store/totp.h); codes are RFC 6238's. */
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/json.h"
#include "common/unlock.h"
#include "store/totp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define TIME_MAX 253402300799ull /* the end of the year 9999 */

enum { OPT_DIGITS = SM_OPT_LONG, OPT_PERIOD, OPT_ALGORITHM, OPT_TIME, OPT_JSON };

static const char *const verbs[] = {
        "add NAME          keep the otpauth:// URI or base32 secret on standard input as NAME",
        "code [NAME]       print the code of NAME, or of the only one there is",
        "list              names, issuers and accounts",
        "remove NAME       forget NAME and its secret",
        NULL,
};
static const struct sm_opt no_options[] = {{0}};
static struct sm_opts top = {
        .usage = "VERB ...", .about = "Makes time-based one-time codes (RFC 6238).", .table = no_options, .verbs = verbs};

struct arguments {
	const char *identity, *name, *digits, *period, *algorithm, *time;
	bool json;
	struct sm_common common;
};

static void parse_option(struct arguments *a, const struct sm_opts *o, int c)
{
	switch (c) {
	case 'i': sm_opt_once(o, &a->identity); break;
	case OPT_DIGITS: sm_opt_once(o, &a->digits); break;
	case OPT_PERIOD: sm_opt_once(o, &a->period); break;
	case OPT_ALGORITHM: sm_opt_once(o, &a->algorithm); break;
	case OPT_TIME: sm_opt_once(o, &a->time); break;
	case OPT_JSON: a->json = true; break;
	default: (void)sm_common_opt(&a->common, o, c);
	}
}

/* least and most: how many names may stand after the options, 0 or 1. */
static void parse_arguments(struct arguments *a, struct sm_opts *o, int argc, char **argv, int least, int most)
{
	int c;
	*a = (struct arguments){.common = SM_COMMON_INIT};
	while ((c = sm_opt_next(o, argc, argv)) != -1)
		parse_option(a, o, c);
	int given = argc - o->index;
	if (given < least)
		sm_usage(o, "NAME is missing");
	if (given > most)
		sm_usage(o, "unexpected argument '%s'", argv[o->index + most]);
	a->name = given ? argv[o->index] : NULL;
	if (a->name && !sm_totp_name_ok(a->name))
		sm_usage(o, "'%s' is no name: 1 to %d printable ASCII characters without spaces", a->name, SM_TOTP_NAME_MAX);
}

static int store_fail(enum sm_err e)
{
	switch (e) {
	case SM_ERR_PERM:
		return sm_fail_plain(e, "the authenticator's file (data/totp) or its directory is open to others: chmod 600, 700");
	case SM_ERR_FORMAT: return sm_fail_plain(e, "the authenticator's file (data/totp) is damaged");
	case SM_ERR_PAYLOAD: return sm_fail_plain(e, "the authenticator's file (data/totp) does not open with this identity");
	default: return sm_fail(e, "cannot use the authenticator's file (data/totp)");
	}
}

/* Writes b to stdout, as data or for a person to see, and releases it; e is what making it came to. */
static int finish_output(struct sm_buf *b, enum sm_err e)
{
	if (!e)
		e = sm_put_text(STDOUT_FILENO, b->data, b->len);
	sm_buf_release(b);
	return e ? sm_fail(e, "cannot write to standard output") : SM_EXIT_OK;
}

/* The unlocked identity's list; says what is wrong. */
static int read_list(struct sm_totp_list *l, struct arguments *a)
{
	struct sm_identity id = {0};
	enum sm_err e = sm_unlock(&id, a->identity, &a->common);
	if (e)
		return sm_exit_code(e);
	e = sm_totp_read(l, a->common.profile, &id);
	sm_identity_release(&id);
	return e ? store_fail(e) : SM_EXIT_OK;
}

/* --- add --- */

static const struct sm_opt add_options[] = {
        {OPT_DIGITS, "digits", "N", "with a plain secret: digits of a code, 6 to 8 (default 6)"},
        {OPT_PERIOD, "period", "SECONDS", "with a plain secret: how long a code lasts (default 30)"},
        {OPT_ALGORITHM, "algorithm", "NAME", "with a plain secret: SHA1 (the default), SHA256 or SHA512"},
        {'i', "identity", "FILE", "the identity that protects the secrets"},
        SM_COMMON_OPTS,
        {0},
};

static void trim(struct sm_span *s)
{
	for (; s->n && strchr(" \t\r\n", s->p[0]); s->p++)
		s->n--;
	while (s->n && strchr(" \t\r\n", s->p[s->n - 1]))
		s->n--;
}

static int read_secret(struct sm_buf *in)
{
	enum sm_err e;
	if (sm_is_tty(STDIN_FILENO)) {
		e = sm_passphrase_tty(in, "otpauth:// URI or secret: ", "standard input", false);
		return sm_exit_code(e);
	}
	e = sm_read_all(STDIN_FILENO, in);
	if (e == SM_ERR_LIMIT)
		return sm_fail_plain(e, "standard input is longer than any otpauth URI");
	return e ? sm_fail(e, "cannot read standard input") : SM_EXIT_OK;
}

static int parse_plain(struct sm_otpauth *otp, const struct arguments *a, const struct sm_opts *o, struct sm_span s)
{
	*otp = (struct sm_otpauth){.hash = SM_OTP_SHA1, .digits = 6, .period = 30};
	if (a->digits)
		otp->digits = (unsigned)sm_opt_number(o, "--digits", a->digits, 6, 8);
	if (a->period)
		otp->period = (unsigned)sm_opt_number(o, "--period", a->period, 1, 3600);
	if (a->algorithm && sm_otp_hash_parse(&otp->hash, a->algorithm, strlen(a->algorithm)))
		sm_usage(o, "--algorithm must be SHA1, SHA256 or SHA512, not '%s'", a->algorithm);
	enum sm_err e = sm_otp_secret_parse(otp->key, &otp->keylen, (const char *)s.p, s.n, true);
	if (e == SM_ERR_LIMIT)
		return sm_fail_plain(e, "the secret is longer than %d bytes", SM_OTP_KEY_MAX);
	return e ? sm_fail_plain(e, "standard input is neither an otpauth:// URI nor a base32 secret") : SM_EXIT_OK;
}

static int parse_secret(struct sm_otpauth *otp, const struct arguments *a, const struct sm_opts *o, struct sm_span s)
{
	const char *why = NULL;
	trim(&s);
	if (s.n < strlen("otpauth:") || strncasecmp((const char *)s.p, "otpauth:", strlen("otpauth:")) != 0)
		return parse_plain(otp, a, o, s);
	if (a->digits || a->period || a->algorithm)
		sm_usage(o, "--digits, --period and --algorithm go with a plain secret; a URI says its own");
	enum sm_err e = sm_otpauth_parse(otp, &why, (const char *)s.p, s.n);
	return e ? sm_fail_plain(e, "not an otpauth URI for time-based codes: %s", why) : SM_EXIT_OK;
}

static int add(int argc, char **argv)
{
	struct sm_opts o = {.verb = "add",
	                    .usage = "[OPTION]... NAME < FILE",
	                    .about = "Keeps the otpauth:// URI or base32 secret on standard input as NAME.",
	                    .table = add_options};
	struct arguments a;
	struct sm_totp_entry entry = {0};
	struct sm_identity id = {0};
	struct sm_buf in;
	parse_arguments(&a, &o, argc, argv, 1, 1);
	memcpy(entry.name, a.name, strlen(a.name));
	sm_buf_init(&in, SM_OTPAUTH_MAX + 2);
	int code = read_secret(&in);
	if (!code)
		code = parse_secret(&entry.otp, &a, &o, (struct sm_span){in.data, in.len});
	if (code)
		goto out;
	enum sm_err e = sm_unlock(&id, a.identity, &a.common);
	code = sm_exit_code(e);
	if (e)
		goto out;
	e = sm_totp_add(a.common.profile, &id, &entry, &sm_rand_system);
	if (e == SM_ERR_EXISTS)
		code = sm_fail_plain(e, "there is a '%s' already: remove it first", a.name);
	else if (e == SM_ERR_LIMIT)
		code = sm_fail_plain(e, "more than %d secrets", SM_TOTP_ENTRIES_MAX);
	else if (e)
		code = store_fail(e);
out:
	sm_wipe(&entry, sizeof(entry));
	sm_identity_release(&id);
	sm_buf_release(&in);
	return code;
}

/* --- code --- */

static const struct sm_opt code_options[] = {
        {OPT_TIME, "time", "SECONDS", "the code at SECONDS since 1970 instead of now"},
        {OPT_JSON, "json", NULL, "one JSON object"},
        {'i', "identity", "FILE", "the identity that protects the secrets"},
        SM_COMMON_OPTS,
        {0},
};

static const struct sm_totp_entry *choose(const struct sm_totp_list *l, const char *name)
{
	const struct sm_totp_entry *t = name ? sm_totp_find(l, name) : l->n == 1 ? l->entry : NULL;
	if (t)
		return t;
	if (name)
		sm_error("there is no '%s'", name);
	else if (l->n)
		sm_error("there are %zu secrets: which NAME?", l->n);
	else
		sm_error("there is no secret yet: see 'smtotp add -h'");
	return NULL;
}

static int print_code(const struct sm_totp_entry *t, int64_t now, bool json)
{
	const struct sm_otp otp = {t->otp.hash, t->otp.digits, t->otp.period, t->otp.key, t->otp.keylen};
	char code[9];
	unsigned left;
	struct sm_buf b;
	enum sm_err e = sm_totp(code, &otp, now, &left);
	if (e)
		return sm_fail(e, "cannot make a code");
	sm_note("%u second%s left", left, left == 1 ? "" : "s");
	sm_buf_init(&b, 1024);
	if (json) {
		if (!(e = sm_buf_adds(&b, "{\"v\":1,")) && !(e = sm_json_member(&b, "name", t->name)))
			e = sm_buf_addf(&b, ",\"code\":\"%s\",\"left\":%u,\"period\":%u}\n", code, left, otp.period);
	} else {
		e = sm_buf_addf(&b, "%s\n", code);
	}
	sm_wipe(code, sizeof(code));
	return finish_output(&b, e);
}

static int code(int argc, char **argv)
{
	struct sm_opts o = {.verb = "code",
	                    .usage = "[OPTION]... [NAME]",
	                    .about = "Prints the code of NAME, or of the only one there is.",
	                    .table = code_options};
	struct arguments a;
	struct sm_totp_list l = {0};
	parse_arguments(&a, &o, argc, argv, 0, 1);
	int64_t at = a.time ? (int64_t)sm_opt_number(&o, "--time", a.time, 0, TIME_MAX) : -1;
	int status = read_list(&l, &a);
	if (status)
		return status;
	const struct sm_totp_entry *t = choose(&l, a.name);
	/* the clock is looked at after the passphrase was typed */
	status = t ? print_code(t, at < 0 ? sm_time_now() : at, a.json) : a.name || !l.n ? SM_EXIT_NOINPUT : SM_EXIT_USAGE;
	sm_totp_release(&l);
	return status;
}

/* --- list --- */

static const struct sm_opt list_options[] = {
        {OPT_JSON, "json", NULL, "one JSON object a line"},
        {'i', "identity", "FILE", "the identity that protects the secrets"},
        SM_COMMON_OPTS,
        {0},
};

static enum sm_err add_json(struct sm_buf *b, const struct sm_totp_entry *t)
{
	enum sm_err e = sm_buf_adds(b, "{\"v\":1,");
	if (!e)
		e = sm_json_member(b, "name", t->name);
	if (!e)
		e = sm_buf_adds(b, ",");
	if (!e)
		e = sm_json_member(b, "issuer", t->otp.issuer);
	if (!e)
		e = sm_buf_adds(b, ",");
	if (!e)
		e = sm_json_member(b, "account", t->otp.account);
	return e ? e
	         : sm_buf_addf(b, ",\"algorithm\":\"%s\",\"digits\":%u,\"period\":%u}\n", sm_otp_hash_name(t->otp.hash), t->otp.digits,
	                       t->otp.period);
}

static int list(int argc, char **argv)
{
	struct sm_opts o = {.verb = "list",
	                    .usage = "[OPTION]...",
	                    .about = "Prints NAME, issuer and account, with tabs between.",
	                    .table = list_options};
	struct arguments a;
	struct sm_totp_list l = {0};
	struct sm_buf b;
	parse_arguments(&a, &o, argc, argv, 0, 0);
	int status = read_list(&l, &a);
	if (status)
		return status;
	enum sm_err e = SM_OK;
	sm_buf_init(&b, 4u << 20);
	for (size_t i = 0; !e && i < l.n; i++) {
		const struct sm_totp_entry *t = &l.entry[i];
		e = a.json ? add_json(&b, t) : sm_buf_addf(&b, "%s\t%s\t%s\n", t->name, t->otp.issuer, t->otp.account);
	}
	sm_totp_release(&l);
	return finish_output(&b, e);
}

/* --- remove --- */

static const struct sm_opt remove_options[] = {
        {'i', "identity", "FILE", "the identity that protects the secrets"},
        SM_COMMON_OPTS,
        {0},
};

static int forget(int argc, char **argv)
{
	struct sm_opts o = {
	        .verb = "remove", .usage = "[OPTION]... NAME", .about = "Forgets NAME and its secret.", .table = remove_options};
	struct arguments a;
	struct sm_identity id = {0};
	parse_arguments(&a, &o, argc, argv, 1, 1);
	enum sm_err e = sm_unlock(&id, a.identity, &a.common);
	if (e)
		return sm_exit_code(e);
	e = sm_totp_remove(a.common.profile, &id, a.name, &sm_rand_system);
	sm_identity_release(&id);
	if (e == SM_ERR_NOTFOUND)
		return sm_fail_plain(e, "there is no '%s'", a.name);
	return e ? store_fail(e) : SM_EXIT_OK;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int, char **);
	} verb[] = {{"add", add}, {"code", code}, {"list", list}, {"remove", forget}};
	sm_diag_init(argv[0]);
	enum sm_err e = sm_secret_harden();
	if (e)
		return sm_fail(e, "cannot protect this process's memory");
	for (size_t i = 0; argc > 1 && i < sizeof(verb) / sizeof(verb[0]); i++)
		if (!strcmp(argv[1], verb[i].name))
			return verb[i].run(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] == '-')
		while (sm_opt_next(&top, argc, argv) != -1)
			;
	if (argc > 1 && argv[1][0] != '-')
		sm_usage(&top, "unknown verb '%s'", argv[1]);
	sm_usage(&top, "a verb is missing: add, code, list or remove");
}
