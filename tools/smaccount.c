/* smaccount: makes an account, logs in and out, and says how things stand. */
#include "base/file.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_client.h"
#include "common/net_place.h"
#include "common/net_status.h"
#include "common/unlock.h"
#include "net/account.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INVITE_MAX 128
#define LABEL_MAX 64

enum { OPT_URL = SM_OPT_LONG, OPT_CACERT, OPT_INSECURE, OPT_INVITE, OPT_INVITE_FILE, OPT_PASSWORD_FILE, OPT_PASSWORD_FD, OPT_JSON };

#define PLACE_OPTS                                                                                                                         \
	{OPT_URL, "url", "URL", "where the server answers, when that is not https://HOST"},                                                \
	        {OPT_CACERT, "cacert", "FILE", "trust the certificates in FILE (PEM) instead of the system's"},                            \
	        {OPT_INSECURE, "insecure-http", NULL, "allow http to another machine: everybody between sees who writes to whom"},         \
	        {OPT_PASSWORD_FILE, "password-file", "FILE", "read the account's password from FILE"},                                     \
	{                                                                                                                                  \
		OPT_PASSWORD_FD, "password-fd", "N", "read the account's password from descriptor N"                                       \
	}

static const struct sm_opt register_table[] = {PLACE_OPTS,
                                               {OPT_INVITE, "invite", "CODE", "the invitation's code"},
                                               {OPT_INVITE_FILE, "invite-file", "FILE", "read the invitation's code from FILE"},
                                               SM_COMMON_OPTS,
                                               {0}};
static const struct sm_opt login_table[] = {PLACE_OPTS, SM_COMMON_OPTS, {0}};
static const struct sm_opt logout_table[] = {SM_COMMON_OPTS, {0}};
static const struct sm_opt status_table[] = {{OPT_JSON, "json", NULL, "one JSON object"}, SM_COMMON_OPTS, {0}};
static const struct sm_opt no_table[] = {{0}};

static const char *const verbs[] = {"register NAME@HOST   make an account for the profile's identity, and log in",
                                    "login [NAME@HOST]    begin a session", "logout               end it",
                                    "status               address, server, session, clock, messages", NULL};

struct options {
	struct sm_opts opts;
	struct sm_common common;
	struct sm_place place;
	const char *invite, *invite_file;
	struct sm_passphrase_source password;
	bool json;
	const char *who;
};

static bool place_option(struct options *o, int c)
{
	switch (c) {
	case OPT_URL: sm_opt_once(&o->opts, &o->place.url); break;
	case OPT_CACERT: sm_opt_once(&o->opts, &o->place.cacert); break;
	case OPT_INSECURE: o->place.insecure_http = true; break;
	case OPT_INVITE: sm_opt_once(&o->opts, &o->invite); break;
	case OPT_INVITE_FILE: sm_opt_once(&o->opts, &o->invite_file); break;
	case OPT_PASSWORD_FILE: sm_opt_once(&o->opts, &o->password.file); break;
	case OPT_PASSWORD_FD: o->password.fd = (int)sm_opt_number(&o->opts, "descriptor", o->opts.arg, 0, 1000000); break;
	default: return false;
	}
	return true;
}

/* operands: how many there may be; *who is the first of them. */
static void parse(struct options *o, int operands, int argc, char **argv)
{
	int c;
	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1) {
		if (c == OPT_JSON)
			o->json = true;
		else if (!place_option(o, c))
			(void)sm_common_opt(&o->common, &o->opts, c);
	}
	if (argc - o->opts.index > operands)
		sm_usage(&o->opts, "too many arguments");
	if (o->password.file && o->password.fd >= 0)
		sm_usage(&o->opts, "--password-file and --password-fd exclude each other");
	if (o->invite && o->invite_file)
		sm_usage(&o->opts, "--invite and --invite-file exclude each other");
	o->who = argc > o->opts.index ? argv[o->opts.index] : NULL;
}

static int read_password(struct sm_buf *pw, struct options *o, const char *address, bool fresh)
{
	char prompt[SM_ADDRESS_MAX + 64];
	enum sm_err e;
	(void)snprintf(prompt, sizeof(prompt), "%s for %s: ", fresh ? "New password" : "Password", address);
	if (o->password.file || o->password.fd >= 0)
		e = sm_passphrase(pw, &o->password, prompt, fresh);
	else
		e = sm_passphrase_tty(pw, prompt, "--password-file or --password-fd", fresh);
	return sm_exit_code(e);
}

static int say_policy(const struct sm_policy *p, const struct options *o, const struct sm_buf *pw)
{
	const char *bad = sm_policy_password(p, pw->data, pw->len);
	if (bad) {
		sm_error("%s", bad);
		return SM_EXIT_REFUSED;
	}
	if (p->registration == SM_REGISTRATION_CLOSED) {
		sm_error("this server takes no new accounts");
		return SM_EXIT_REFUSED;
	}
	if (p->registration == SM_REGISTRATION_INVITE && !o->invite) {
		sm_error("this server wants an invitation: --invite CODE or --invite-file FILE");
		return SM_EXIT_REFUSED;
	}
	return SM_EXIT_OK;
}

/* The host's name, as far as it is printable: helps to tell devices apart in a list. */
static void make_label(char label[static LABEL_MAX + 1])
{
	size_t n = 0;
	if (gethostname(label, LABEL_MAX + 1))
		label[0] = 0;
	label[LABEL_MAX] = 0;
	while (label[n] > 0x20 && label[n] < 0x7f)
		n++;
	label[n] = 0;
}

static int read_invite(char invite[static INVITE_MAX + 1], struct options *o)
{
	struct sm_buf text;
	size_t n;
	sm_buf_init(&text, INVITE_MAX);
	enum sm_err e = sm_file_read(o->invite_file, &text, false);
	for (n = 0; e == SM_OK && n < text.len && text.data[n] > 0x20 && text.data[n] < 0x7f; n++)
		invite[n] = (char)text.data[n];
	invite[e == SM_OK ? n : 0] = 0;
	sm_buf_release(&text);
	if (e != SM_OK)
		return sm_fail(e, "cannot read '%s'", o->invite_file);
	o->invite = invite;
	return SM_EXIT_OK;
}

static int log_in(struct sm_online *on, struct options *o, const struct sm_login *l)
{
	enum sm_err e = sm_net_login(&on->client, l);
	if (e == SM_ERR_IO || e == SM_ERR_CANTCREAT || e == SM_ERR_PERM)
		return sm_fail(e, "cannot keep the session");
	if (e != SM_OK)
		return sm_net_say(&on->client, e);
	e = sm_account_save(&on->account, o->common.profile);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot write the account file");
}

static int say_register(const struct sm_online *on, enum sm_err e)
{
	if (e == SM_ERR_CONFLICT && !strcmp(on->client.error.code, "name_taken")) {
		sm_error("the name '%s' is taken (if it is yours: 'smaccount login %s')", on->self.name, on->self.text);
		return SM_EXIT_REFUSED;
	}
	return sm_net_say(&on->client, e);
}

/* With the password known: registers, keeps the account, logs in. */
static int make_account(struct sm_online *on, struct options *o, const struct sm_policy *p, struct sm_login *l)
{
	char label[LABEL_MAX + 1];
	enum sm_err e;
	make_label(label);
	l->label = *label ? label : NULL;
	l->invite = o->invite;
	e = sm_net_register(&on->client, p, l);
	if (e != SM_OK)
		return say_register(on, e);
	e = sm_account_save(&on->account, o->common.profile);
	if (e != SM_OK)
		return sm_fail(e, "the account %s exists now, but cannot be kept here", on->self.text);
	return log_in(on, o, l);
}

/* An account that the profile has already is not replaced by a new one. */
static int refuse_second(const struct options *o)
{
	struct sm_account have;
	if (sm_account_load(&have, o->common.profile) != SM_OK)
		return SM_EXIT_OK;
	sm_error("this profile has the account %s already: use --profile NAME for another", have.address);
	return SM_EXIT_CANTCREAT;
}

static int begin(struct sm_online *on, struct sm_identity *id, struct options *o)
{
	enum sm_err e = sm_unlock(id, NULL, &o->common);
	if (e != SM_OK)
		return sm_exit_code(e);
	if (id->pub.suite != &sm_suite_x25519) {
		sm_error("this profile's identity is of %s, and accounts sign in with x25519 identities only: --profile NAME and smkeygen "
		         "make one",
		         id->pub.suite->id);
		return SM_EXIT_CONFIG;
	}
	return sm_online_open(on, o->common.profile);
}

static int say_made(const struct sm_online *on)
{
	char line[SM_ADDRESS_MAX + 2];
	int n = snprintf(line, sizeof(line), "%s\n", on->self.text);
	enum sm_err e = sm_write_full(STDOUT_FILENO, line, (size_t)n);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "the account is made, but its address cannot be printed");
}

static int verb_register(struct options *o, int argc, char **argv)
{
	char invite[INVITE_MAX + 1];
	struct sm_online on = {0};
	struct sm_identity id = {0};
	struct sm_policy policy;
	struct sm_buf pw;
	int code;
	parse(o, 1, argc, argv);
	if (!o->who || sm_address_parse(&on.self, o->who, strlen(o->who)) != SM_OK)
		sm_usage(&o->opts, o->who ? "'%s' is not an address: NAME@HOST[:PORT] in lower case" : "whose? give NAME@HOST", o->who);
	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	if ((code = refuse_second(o)) || (code = sm_place_account(&on.account, &on.self, &o->place)) ||
	    (o->invite_file && (code = read_invite(invite, o))) || (code = begin(&on, &id, o)) || (code = sm_server_check(&policy, &on)) ||
	    (code = read_password(&pw, o, on.self.text, true)) || (code = say_policy(&policy, o, &pw)))
		goto out;
	code = make_account(&on, o, &policy, &(struct sm_login){.address = on.self, .id = &id, .password = pw.data, .n = pw.len});
	if (code == SM_EXIT_OK)
		code = say_made(&on);
out:
	sm_buf_release(&pw);
	sm_identity_release(&id);
	sm_online_close(&on);
	return code;
}

/* The account to log in to: the profile's, or the one named; options replace what the profile's says. */
static int choose_account(struct sm_online *on, struct options *o)
{
	struct sm_account have = {0};
	bool kept = sm_account_load(&have, o->common.profile) == SM_OK && (!o->who || !strcmp(o->who, have.address));
	if (!o->who && !kept)
		return sm_online_account(on, o->common.profile);
	const char *address = o->who ? o->who : have.address;
	if (sm_address_parse(&on->self, address, strlen(address)) != SM_OK)
		sm_usage(&o->opts, "'%s' is not an address: NAME@HOST[:PORT] in lower case", address);
	if (kept && !o->place.url)
		o->place.url = have.url;
	if (kept && !o->place.cacert && *have.cacert)
		o->place.cacert = have.cacert;
	o->place.insecure_http |= kept && have.insecure_http;
	return sm_place_account(&on->account, &on->self, &o->place);
}

static int verb_login(struct options *o, int argc, char **argv)
{
	struct sm_online on = {0};
	struct sm_identity id = {0};
	struct sm_policy policy;
	struct sm_buf pw;
	int code;
	parse(o, 1, argc, argv);
	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	if ((code = choose_account(&on, o)) || (code = begin(&on, &id, o)) || (code = sm_server_check(&policy, &on)) ||
	    (code = read_password(&pw, o, on.self.text, false)))
		goto out;
	code = log_in(&on, o, &(struct sm_login){.address = on.self, .id = &id, .password = pw.data, .n = pw.len});
out:
	sm_buf_release(&pw);
	sm_identity_release(&id);
	sm_online_close(&on);
	return code;
}

static int verb_logout(struct options *o, int argc, char **argv)
{
	struct sm_online on = {0};
	enum sm_err e;
	parse(o, 0, argc, argv);
	int code = sm_online_account(&on, o->common.profile);
	if (code == SM_EXIT_OK)
		code = sm_online_open(&on, o->common.profile);
	if (code != SM_EXIT_OK)
		goto out;
	e = sm_client_resume(&on.client);
	if (e == SM_ERR_NOTFOUND) {
		sm_note("not logged in");
		goto out;
	}
	e = e == SM_OK ? sm_net_logout(&on.client) : sm_session_remove(o->common.profile);
	if (e == SM_ERR_DENIED)
		sm_note("the server had ended the session already");
	else if (e != SM_OK)
		code = sm_net_say(&on.client, e);
out:
	sm_online_close(&on);
	return code;
}

static int verb_status(struct options *o, int argc, char **argv)
{
	struct sm_online on = {0};
	struct sm_status s = {0};
	struct sm_buf text;
	enum sm_err e;
	parse(o, 0, argc, argv);
	sm_buf_init(&text, 8192);
	int code = sm_online_account(&on, o->common.profile);
	if (code == SM_EXIT_OK)
		code = sm_online_open(&on, o->common.profile);
	if (code == SM_EXIT_OK)
		code = sm_status_look(&s, &on, o->common.profile);
	if (code != SM_EXIT_OK)
		goto out;
	e = o->json ? sm_status_json(&text, &on, &s) : sm_status_text(&text, &on, &s);
	if (e == SM_OK)
		e = sm_put_text(STDOUT_FILENO, text.data, text.len);
	if (e != SM_OK)
		code = sm_fail(e, "cannot write to standard output");
	else if (!s.logged_in)
		code = SM_EXIT_REFUSED;
	if (code == SM_EXIT_REFUSED)
		sm_error("not logged in as %s: run 'smaccount login'", on.account.address);
out:
	sm_buf_release(&text);
	sm_online_close(&on);
	return code;
}

struct verb {
	const char *name, *usage, *about;
	const struct sm_opt *table;
	int (*run)(struct options *, int, char **);
};

static const struct verb table[] = {
        {"register", "NAME@HOST[:PORT] [--url URL] [--invite CODE]", "make an account and log in", register_table, verb_register},
        {"login", "[NAME@HOST[:PORT]]", "log in to the profile's account, or to another one", login_table, verb_login},
        {"logout", "", "end the session, here and on the server", logout_table, verb_logout},
        {"status", "[--json]", "show the account, the session and what is waiting", status_table, verb_status},
};

int main(int argc, char **argv)
{
	static struct options o = {.common = SM_COMMON_INIT, .password = {.fd = -1}};
	sm_diag_init(argv[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	enum sm_err e = sm_secret_harden();
	if (e != SM_OK)
		return sm_fail(e, "cannot protect this process's memory");
	for (size_t i = 0; argc > 1 && i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(argv[1], table[i].name) != 0)
			continue;
		o.opts = (struct sm_opts){.verb = table[i].name, .usage = table[i].usage, .about = table[i].about, .table = table[i].table};
		return table[i].run(&o, argc - 1, argv + 1);
	}
	o.opts = (struct sm_opts){
	        .usage = "register|login|logout|status ...", .about = "accounts and login sessions", .table = no_table, .verbs = verbs};
	while (sm_opt_next(&o.opts, argc, argv) != -1)
		;
	sm_usage(&o.opts, argc > 1 ? "unknown verb '%s'" : "no verb given", argc > 1 ? argv[1] : "");
}
