/* Account, connection, session, in this order; and one sentence for each way it can fail. */
#include "common/net_client.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"

#include <stdlib.h>
#include <string.h>

int sm_online_account(struct sm_online *o, const char *profile)
{
	enum sm_err e = sm_account_load(&o->account, profile);
	if (e == SM_ERR_NOTFOUND) {
		sm_error("no account: make one with 'smaccount register NAME@HOST', or use one with 'smaccount login NAME@HOST'");
		return SM_EXIT_REFUSED;
	}
	if (e == SM_ERR_FORMAT && profile)
		return sm_fail_plain(SM_ERR_CONFIG, "'%s' is not a profile name", profile);
	if (e != SM_OK)
		return sm_fail(e, "cannot read the profile's account");
	e = sm_address_parse(&o->self, o->account.address, strlen(o->account.address));
	return e == SM_OK ? SM_EXIT_OK : sm_fail_plain(SM_ERR_CONFIG, "the account file has a bad address");
}

int sm_online_open(struct sm_online *o, const char *profile)
{
	struct sm_server server = {o->account.url, o->account.cacert, o->account.insecure_http};
	enum sm_err e = sm_client_open(&o->client, &server, profile);
	if (e == SM_ERR_FORMAT)
		return sm_fail_plain(SM_ERR_CONFIG, "'%s' is not a server's URL: http[s]://HOST[:PORT]", o->account.url);
	if (e == SM_ERR_POLICY) {
		sm_error("refusing plain http to '%s', which is not this machine: use https, or --insecure-http if you must",
		         o->account.url);
		return SM_EXIT_REFUSED;
	}
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot start");
}

int sm_online_start(struct sm_online *o, const char *profile)
{
	enum sm_err e;
	int code = sm_online_account(o, profile);
	if (code == SM_EXIT_OK)
		code = sm_online_open(o, profile);
	if (code != SM_EXIT_OK)
		return code;
	e = sm_client_resume(&o->client);
	if (e == SM_OK && !strcmp(o->client.session->address, o->account.address))
		return SM_EXIT_OK;
	if (e == SM_OK || e == SM_ERR_NOTFOUND) {
		sm_error("not logged in as %s: run 'smaccount login'", o->account.address);
		return SM_EXIT_REFUSED;
	}
	if (e == SM_ERR_FORMAT) {
		sm_error("the session file is damaged: run 'smaccount login'");
		return SM_EXIT_REFUSED;
	}
	if (e == SM_ERR_PERM)
		return sm_fail_plain(e, "the session file, or its directory, may be read by others: chmod 600 the file, 700 the directory");
	return sm_fail(e, "cannot read the session");
}

void sm_online_close(struct sm_online *o)
{
	if (o->client.http.curl)
		sm_client_close(&o->client);
}

static int say_clock(const struct sm_api_error *x)
{
	char here[SM_TIME_LEN + 1], there[SM_TIME_LEN + 1];
	long long off = (long long)(x->sent - x->time);
	sm_time_format(here, x->sent);
	sm_time_format(there, x->time);
	sm_error("this computer's clock is %lld s %s the server's (here %s, there %s): set it right", llabs(off),
	         off > 0 ? "ahead of" : "behind", here, there);
	return SM_EXIT_REFUSED;
}

static bool session_over(const struct sm_api_error *x)
{
	static const char *const codes[] = {"unauthenticated", "session_revoked", "token_expired"};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (!strcmp(x->code, codes[i]))
			return true;
	return x->status == 0;
}

static int say_denied(const struct sm_client *c)
{
	const struct sm_api_error *x = &c->error;
	if (!strcmp(x->code, "clock") && x->time)
		return say_clock(x);
	if (!strcmp(x->code, "replay_window")) {
		sm_error("the server has just started: try again in %ld s", x->retry_after);
		return SM_EXIT_TEMP;
	}
	if (!strcmp(x->code, "device_removed"))
		sm_error("this device has been removed from %s", c->session ? c->session->address : "its account");
	else if (!strcmp(x->code, "login_refused"))
		sm_error("login refused: wrong name, password or identity");
	else if (session_over(x))
		sm_error("the login session has ended: run 'smaccount login'");
	else
		sm_error("refused by the server: %s", *x->message ? x->message : x->code);
	return SM_EXIT_REFUSED;
}

static int say_busy(const struct sm_client *c)
{
	const struct sm_api_error *x = &c->error;
	if (!x->status && *c->http.why)
		sm_error("the connection to %s broke: %s", c->http.url, c->http.why);
	else if (!x->status)
		sm_error("busy: try again");
	else if (x->retry_after > 0)
		sm_error("the server cannot do it now (%s): try again in %ld s", *x->message ? x->message : "busy", x->retry_after);
	else
		sm_error("the server cannot do it now (%s): try again later", *x->message ? x->message : "busy");
	return SM_EXIT_TEMP;
}

int sm_net_say(const struct sm_client *c, enum sm_err e)
{
	const struct sm_api_error *x = &c->error;
	switch (e) {
	case SM_ERR_NET: sm_error("cannot reach %s: %s", c->http.url, *c->http.why ? c->http.why : "no connection"); break;
	case SM_ERR_BUSY: return say_busy(c);
	case SM_ERR_DENIED: return say_denied(c);
	case SM_ERR_PROTOCOL:
		if (x->status)
			sm_error("the server answered %ld: %s", x->status, *x->message ? x->message : "nothing that could be understood");
		else
			sm_error("%s does not answer as this protocol's server does", c->http.url);
		break;
	default:
		if (x->status && *x->message)
			sm_error("the server refuses: %s", x->message);
		else
			(void)sm_fail(e, "cannot complete the request");
	}
	return sm_exit_code(e);
}
