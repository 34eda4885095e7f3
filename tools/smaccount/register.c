/* smaccount register: the account is made for this identity, which is its user key and its first device. */
#include "base/file.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "smaccount/begin.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INVITE_MAX 128

static int check_policy(const struct sm_begin *b, const struct options *o)
{
	const struct sm_policy *p = &b->policy;
	const char *bad = sm_policy_password(p, b->password.data, b->password.len);
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

static int read_invite(char invite[static INVITE_MAX + 1], struct options *o)
{
	struct sm_buf text;
	size_t n;
	if (!o->invite_file)
		return SM_EXIT_OK;
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

/* An account that the profile has already is not replaced by a new one. */
static int refuse_second(const struct options *o)
{
	struct sm_account have;
	if (sm_account_load(&have, o->common.profile) != SM_OK)
		return SM_EXIT_OK;
	sm_error("this profile has the account %s already: use --profile NAME for another", have.address);
	return SM_EXIT_CANTCREAT;
}

static int say_refused(const struct sm_begin *b, enum sm_err e)
{
	if (e == SM_ERR_CONFLICT && !strcmp(b->on.client.error.code, "name_taken")) {
		sm_error("the name '%s' is taken (if it is yours: 'smaccount login %s')", b->on.self.name, b->on.self.text);
		return SM_EXIT_REFUSED;
	}
	return sm_net_say(&b->on.client, e);
}

/* Registers, keeps the account, logs in. */
static int make_account(struct sm_begin *b, struct options *o)
{
	enum sm_err e = sm_net_register(&b->on.client, &b->policy, &b->login);
	if (e != SM_OK)
		return say_refused(b, e);
	e = sm_account_save(&b->on.account, o->common.profile);
	if (e != SM_OK)
		return sm_fail(e, "the account %s exists now, but cannot be kept here", b->on.self.text);
	e = sm_begin_session(b);
	if (e == SM_ERR_DENIED)
		return sm_net_say(&b->on.client, e);
	return e == SM_OK ? sm_begin_settle(b, o, SM_TRUST_OWN, NULL) : sm_exit_code(e);
}

static int say_made(const struct sm_online *on)
{
	char line[SM_ADDRESS_MAX + 2];
	int n = snprintf(line, sizeof(line), "%s\n", on->self.text);
	enum sm_err e = sm_write_full(STDOUT_FILENO, line, (size_t)n);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "the account is made, but its address cannot be printed");
}

int sm_account_register(struct options *o)
{
	char invite[INVITE_MAX + 1];
	struct sm_begin b = {0};
	const char *who = o->operands ? o->operand[0] : NULL;
	int code;
	if (!who || sm_address_parse(&b.on.self, who, strlen(who)) != SM_OK)
		sm_usage(&o->opts, who ? "'%s' is not an address: NAME@HOST[:PORT] in lower case" : "whose? give NAME@HOST", who);
	sm_begin_init(&b);
	if ((code = refuse_second(o)) || (code = sm_place_account(&b.on.account, &b.on.self, &o->place)) ||
	    (code = read_invite(invite, o)) || (code = sm_begin_open(&b, o)) || (code = sm_begin_password(&b, o, true)) ||
	    (code = check_policy(&b, o)))
		goto out;
	code = make_account(&b, o);
	if (code == SM_EXIT_OK)
		code = say_made(&b.on);
out:
	sm_begin_release(&b);
	return code;
}
