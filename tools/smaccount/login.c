/* smaccount login: a session for a device that is in; a device that is not yet asks to be let in (enroll.c). */
#include "cli/diag.h"
#include "cli/exit.h"
#include "smaccount/begin.h"
#include "smaccount/enroll.h"

#include <string.h>

/* What the profile says of the account: it was in before, or this device has asked to be let in. */
struct remembered {
	bool kept, asked;
};

static void recall(struct sm_account *have, struct remembered *m, const char *profile, const char *who)
{
	enum sm_err e = sm_account_load(have, profile);
	m->kept = e == SM_OK && (!who || !strcmp(who, have->address));
	if (e == SM_ERR_NOTFOUND && sm_account_asked_load(have, profile) == SM_OK)
		m->asked = !who || !strcmp(who, have->address);
}

/* The account to log in to: the profile's, or the one named; options replace what the profile says of it. */
static int choose_account(struct sm_online *on, struct remembered *m, struct options *o)
{
	struct sm_account have = {0};
	const char *who = o->operands ? o->operand[0] : NULL;
	recall(&have, m, o->common.profile, who);
	bool known = m->kept || m->asked;
	if (!who && !known)
		return sm_online_account(on, o->common.profile);
	const char *address = who ? who : have.address;
	if (sm_address_parse(&on->self, address, strlen(address)) != SM_OK)
		sm_usage(&o->opts, "'%s' is not an address: NAME@HOST[:PORT] in lower case", address);
	if (known && !o->place.url)
		o->place.url = have.url;
	if (known && !o->place.cacert && *have.cacert)
		o->place.cacert = have.cacert;
	o->place.insecure_http |= known && have.insecure_http;
	return sm_place_account(&on->account, &on->self, &o->place);
}

/* A profile that knows nothing of the account is most likely a new device, and asks first: that is one derivation from the password less.
 */
static int log_in(struct sm_begin *b, struct options *o, const struct remembered *m)
{
	if (!m->kept && !m->asked)
		return sm_enroll(b, o, false, false);
	enum sm_err e = sm_begin_session(b);
	if (e == SM_OK && sm_enroll_by_code(o))
		sm_note("this device is in already: the recovery code is not used");
	if (e == SM_OK)
		return sm_begin_settle(b, o, m->kept ? SM_TRUST_OWN : SM_TRUST_FIRST, NULL);
	if (e != SM_ERR_DENIED)
		return sm_exit_code(e);
	if (strcmp(b->on.client.error.code, "login_refused") != 0)
		return sm_net_say(&b->on.client, e);
	return sm_enroll(b, o, m->kept, true);
}

int sm_account_login(struct options *o)
{
	struct sm_begin b = {0};
	struct remembered m = {0};
	int code;
	if (o->no_wait && sm_enroll_by_code(o))
		sm_usage(&o->opts, "--no-wait does not go with a recovery code: there is nothing to wait for");
	sm_begin_init(&b);
	if ((code = choose_account(&b.on, &m, o)) || (code = sm_begin_open(&b, o)) || (code = sm_begin_password(&b, o, false)))
		goto out;
	code = log_in(&b, o, &m);
out:
	sm_begin_release(&b);
	return code;
}
