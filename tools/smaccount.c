/* smaccount: makes an account, logs in and out, manages its devices, and says how things stand. Here are the options; the verbs are in
 * smaccount/. */
#include "base/secret.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/verb.h"
#include "smaccount/verbs.h"

#include <signal.h>
#include <string.h>

enum {
	OPT_URL = SM_OPT_LONG,
	OPT_CACERT,
	OPT_INSECURE,
	OPT_INVITE,
	OPT_INVITE_FILE,
	OPT_PASSWORD_FILE,
	OPT_PASSWORD_FD,
	OPT_JSON,
	OPT_RECOVERY,
	OPT_RECOVERY_FILE,
	OPT_RECOVERY_FD,
	OPT_NO_WAIT,
	OPT_YES
};

#define PLACE_OPTS                                                                                                                         \
	{OPT_URL, "url", "URL", "where the server answers, when that is not https://HOST"},                                                \
	        {OPT_CACERT, "cacert", "FILE", "trust the certificates in FILE (PEM) instead of the system's"},                            \
	        {OPT_INSECURE, "insecure-http", NULL, "allow http to another machine: everybody between sees who writes to whom"},         \
	        {OPT_PASSWORD_FILE, "password-file", "FILE", "read the account's password from FILE"},                                     \
	{                                                                                                                                  \
		OPT_PASSWORD_FD, "password-fd", "N", "read the account's password from descriptor N"                                       \
	}
#define RECOVERY_OPTS                                                                                                                      \
	{OPT_RECOVERY, "recovery", NULL, "with the user key's recovery code, which is asked for"},                                         \
	        {OPT_RECOVERY_FILE, "recovery-file", "FILE", "read the recovery code from FILE"},                                          \
	{                                                                                                                                  \
		OPT_RECOVERY_FD, "recovery-fd", "N", "read the recovery code from descriptor N"                                            \
	}

static const struct sm_opt register_table[] = {PLACE_OPTS,
                                               {OPT_INVITE, "invite", "CODE", "the invitation's code"},
                                               {OPT_INVITE_FILE, "invite-file", "FILE", "read the invitation's code from FILE"},
                                               SM_COMMON_OPTS,
                                               {0}};
static const struct sm_opt login_table[] = {PLACE_OPTS,
                                            RECOVERY_OPTS,
                                            {OPT_NO_WAIT, "no-wait", NULL, "print a new device's code, and do not wait for its approval"},
                                            SM_COMMON_OPTS,
                                            {0}};
static const struct sm_opt devices_table[] = {{OPT_JSON, "json", NULL, "with list: one JSON object a line"},
                                              RECOVERY_OPTS,
                                              {OPT_YES, "yes", NULL, "with remove: also this very device"},
                                              SM_COMMON_OPTS,
                                              {0}};
static const struct sm_opt logout_table[] = {SM_COMMON_OPTS, {0}};
static const struct sm_opt status_table[] = {{OPT_JSON, "json", NULL, "one JSON object"}, SM_COMMON_OPTS, {0}};

static const char *const lines[] = {"register NAME@HOST   make an account for the profile's identity, and log in",
                                    "login [NAME@HOST]    begin a session; a new device asks to be let in",
                                    "logout               end it",
                                    "status               address, server, session, clock, messages, device",
                                    "devices ...          list, approve, refuse and remove devices",
                                    NULL};

static bool account_option(struct options *o, int c)
{
	switch (c) {
	case OPT_URL: sm_opt_once(&o->opts, &o->place.url); break;
	case OPT_CACERT: sm_opt_once(&o->opts, &o->place.cacert); break;
	case OPT_INSECURE: o->place.insecure_http = true; break;
	case OPT_INVITE: sm_opt_once(&o->opts, &o->invite); break;
	case OPT_INVITE_FILE: sm_opt_once(&o->opts, &o->invite_file); break;
	case OPT_PASSWORD_FILE: sm_opt_once(&o->opts, &o->password.file); break;
	case OPT_PASSWORD_FD: o->password.fd = (int)sm_opt_number(&o->opts, "descriptor", o->opts.arg, 0, 1000000); break;
	case OPT_RECOVERY: o->recovery = true; break;
	case OPT_RECOVERY_FILE: sm_opt_once(&o->opts, &o->code.file); break;
	case OPT_RECOVERY_FD: o->code.fd = (int)sm_opt_number(&o->opts, "descriptor", o->opts.arg, 0, 1000000); break;
	case OPT_NO_WAIT: o->no_wait = true; break;
	case OPT_YES: o->yes = true; break;
	case OPT_JSON: o->json = true; break;
	default: return false;
	}
	return true;
}

static void parse(struct options *o, const struct sm_verb *v, int argc, char **argv)
{
	int c;
	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1)
		if (!account_option(o, c))
			(void)sm_common_opt(&o->common, &o->opts, c);
	if (o->password.file && o->password.fd >= 0)
		sm_usage(&o->opts, "--password-file and --password-fd exclude each other");
	if (o->invite && o->invite_file)
		sm_usage(&o->opts, "--invite and --invite-file exclude each other");
	if (o->code.file && o->code.fd >= 0)
		sm_usage(&o->opts, "--recovery-file and --recovery-fd exclude each other");
	o->operand = argv + o->opts.index;
	o->operands = sm_verb_operands(&o->opts, v, argc);
}

static const struct sm_verb table[] = {
        {"register", "NAME@HOST[:PORT] [--url URL] [--invite CODE]", "make an account and log in", register_table, 0, 1,
         sm_account_register},
        {"login", "[NAME@HOST[:PORT]] [--recovery | --no-wait]", "log in to the profile's account, or to another one", login_table, 0, 1,
         sm_account_login},
        {"logout", "", "end the session, here and on the server", logout_table, 0, 0, sm_account_logout},
        {"status", "[--json]", "show the account, the session and what is waiting", status_table, 0, 0, sm_account_status},
        {"devices", "[list | approve CODE | refuse | remove NUMBER]",
         "show the account's devices, let one in, let none in, or take one out", devices_table, 0, 2, sm_account_devices},
};

static const struct sm_verbs verbs = {table, sizeof(table) / sizeof(table[0]), "register|login|logout|status|devices ...",
                                      "accounts, login sessions and devices", lines};

int main(int argc, char **argv)
{
	static struct options o = {.common = SM_COMMON_INIT, .password = {.fd = -1}, .code = {.fd = -1}};
	sm_diag_init(argv[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	enum sm_err e = sm_secret_harden();
	if (e != SM_OK)
		return sm_fail(e, "cannot protect this process's memory");
	const struct sm_verb *v = sm_verb_find(&o.opts, &verbs, argc, argv);
	parse(&o, v, argc - 1, argv + 1);
	return v->run(&o);
}
