/* smaccount login: a session for a device that is in; a device that is not yet asks to be let in (enroll.c). */
#include "cli/diag.h"
#include "cli/exit.h"
#include "smaccount/begin.h"
#include "smaccount/enroll.h"

#include <string.h>

/* The account to log in to: the profile's, or the one named; options replace what the profile's says. *kept: it was in before. */
static int choose_account(struct sm_online *on, bool *kept, struct options *o)
{
	struct sm_account have = {0};
	const char *who = o->operands ? o->operand[0] : NULL;
	*kept = sm_account_load(&have, o->common.profile) == SM_OK && (!who || !strcmp(who, have.address));
	if (!who && !*kept)
		return sm_online_account(on, o->common.profile);
	const char *address = who ? who : have.address;
	if (sm_address_parse(&on->self, address, strlen(address)) != SM_OK)
		sm_usage(&o->opts, "'%s' is not an address: NAME@HOST[:PORT] in lower case", address);
	if (*kept && !o->place.url)
		o->place.url = have.url;
	if (*kept && !o->place.cacert && *have.cacert)
		o->place.cacert = have.cacert;
	o->place.insecure_http |= *kept && have.insecure_http;
	return sm_place_account(&on->account, &on->self, &o->place);
}

static bool wants_code(const struct options *o) { return o->recovery || o->code.file || o->code.fd >= 0; }

static int log_in(struct sm_begin *b, struct options *o, bool kept)
{
	enum sm_err e = sm_begin_session(b);
	if (e == SM_OK && wants_code(o))
		sm_note("this device is in already: the recovery code is not used");
	if (e == SM_OK)
		return sm_begin_settle(b, o, kept ? SM_TRUST_OWN : SM_TRUST_FIRST, NULL);
	if (e != SM_ERR_DENIED)
		return sm_exit_code(e);
	if (strcmp(b->on.client.error.code, "login_refused") != 0)
		return sm_net_say(&b->on.client, e);
	return wants_code(o) ? sm_enroll_with_code(b, o) : sm_enroll_and_wait(b, o, kept);
}

int sm_account_login(struct options *o)
{
	struct sm_begin b = {0};
	bool kept = false;
	int code;
	if (o->no_wait && wants_code(o))
		sm_usage(&o->opts, "--no-wait does not go with a recovery code: there is nothing to wait for");
	sm_begin_init(&b);
	if ((code = choose_account(&b.on, &kept, o)) || (code = sm_begin_open(&b, o)) || (code = sm_begin_password(&b, o, false)))
		goto out;
	code = log_in(&b, o, kept);
out:
	sm_begin_release(&b);
	return code;
}
