/* From an address and a password to a session, and from a session to a device that can send and receive. */
#include "smaccount/begin.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_status.h"
#include "smaccount/own.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void sm_begin_init(struct sm_begin *b) { sm_buf_init(&b->password, SM_PASSPHRASE_MAX); }

void sm_begin_release(struct sm_begin *b)
{
	sm_buf_release(&b->password);
	sm_identity_release(&b->id);
	sm_online_close(&b->on);
}

int sm_begin_open(struct sm_begin *b, struct options *o)
{
	enum sm_err e = sm_unlock(&b->id, NULL, &o->common);
	if (e != SM_OK)
		return sm_exit_code(e);
	if (b->id.pub.suite != &sm_suite_x25519) {
		sm_error("this profile's identity is of %s, and accounts sign in with x25519 identities only: --profile NAME and smkeygen "
		         "make one",
		         b->id.pub.suite->id);
		return SM_EXIT_CONFIG;
	}
	int code = sm_online_open(&b->on, o->common.profile);
	return code == SM_EXIT_OK ? sm_server_check(&b->policy, &b->on) : code;
}

/* The host's name, as far as it is printable: helps to tell devices apart in a list. */
static void make_label(char *label, size_t room)
{
	size_t n = 0;
	if (gethostname(label, room))
		label[0] = 0;
	label[room - 1] = 0;
	while (label[n] > 0x20 && label[n] < 0x7f)
		n++;
	label[n] = 0;
}

int sm_begin_password(struct sm_begin *b, struct options *o, bool fresh)
{
	char prompt[SM_ADDRESS_MAX + 64];
	enum sm_err e;
	(void)snprintf(prompt, sizeof(prompt), "%s for %s: ", fresh ? "New password" : "Password", b->on.self.text);
	if (o->password.file || o->password.fd >= 0)
		e = sm_passphrase(&b->password, &o->password, prompt, fresh);
	else
		e = sm_passphrase_tty(&b->password, prompt, "--password-file or --password-fd", fresh);
	make_label(b->label, sizeof(b->label));
	b->login = (struct sm_login){.address = b->on.self,
	                             .id = &b->id,
	                             .password = b->password.data,
	                             .n = b->password.len,
	                             .invite = o->invite,
	                             .label = *b->label ? b->label : NULL};
	return sm_exit_code(e);
}

enum sm_err sm_begin_session(struct sm_begin *b)
{
	enum sm_err e = sm_net_login(&b->on.client, &b->login);
	if (e == SM_ERR_IO || e == SM_ERR_CANTCREAT || e == SM_ERR_PERM)
		(void)sm_fail(e, "cannot keep the session");
	else if (e != SM_OK && e != SM_ERR_DENIED)
		(void)sm_net_say(&b->on.client, e);
	return e;
}

/* The pin under the own address is what everything else here goes by (common/self.h). */
static int pin_user(struct sm_begin *b, struct sm_db *db, const struct sm_own_devices *d, enum sm_trusting trusting)
{
	char fp[SM_FP_TEXT_LEN + 1];
	struct sm_public user;
	bool added = false;
	enum sm_err e = sm_public_from_ed25519(&user, d->user);
	if (e == SM_OK && sm_equal(user.fp, b->id.pub.fp, SM_FP_LEN))
		return SM_EXIT_OK;
	if (e == SM_OK)
		e = sm_contact_pin(db, b->on.self.text, &user, sm_time_now(), &added);
	if (e != SM_OK)
		return sm_fail(e, "cannot keep the user key of %s", b->on.self.text);
	sm_fp_format(fp, user.fp);
	if (added && trusting == SM_TRUST_FIRST)
		sm_warning("the server says that the user key of %s is %s: 'smaccount status' on another device must say the same",
		           b->on.self.text, fp);
	return SM_EXIT_OK;
}

static int settle_in(struct sm_begin *b, struct options *o, struct sm_db *db, enum sm_trusting trusting, const struct sm_public *user)
{
	struct sm_own_devices d;
	int code = sm_own_fetch(&d, &b->on, db, user, trusting == SM_TRUST_FIRST);
	if (code == SM_EXIT_OK)
		code = pin_user(b, db, &d, trusting);
	if (code == SM_EXIT_OK)
		code = sm_own_keep(&d, &b->on, db);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_account_save(&b->on.account, o->common.profile);
	if (e == SM_OK)
		e = sm_account_asked_forget(o->common.profile);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot write the account file");
}

int sm_begin_settle(struct sm_begin *b, struct options *o, enum sm_trusting trusting, const struct sm_public *user)
{
	struct sm_db db = {0};
	enum sm_err e = sm_db_open(&db, o->common.profile);
	int code = e == SM_OK ? settle_in(b, o, &db, trusting, user) : sm_fail(e, "cannot open the profile's database");
	if (code == SM_EXIT_OK)
		sm_own_prekeys(&b->on, &db, &b->id);
	else if (trusting != SM_TRUST_OWN && sm_net_logout(&b->on.client) != SM_OK)
		sm_note("the session stays open on the server");
	sm_db_close(&db);
	return code;
}
