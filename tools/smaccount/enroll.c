/* Asking to be let in. Ctrl-C is harmless at any time: what waits is the server's, and running it again goes on. */
#include "smaccount/enroll.h"

#include "base/file.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/qr.h"
#include "cli/tty.h"
#include "common/confirm.h"
#include "common/net_keys.h"
#include "net/enroll.h"
#include "smaccount/own.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MAX (15 * 60) /* seconds, whatever the server says */

static int say_enroll(const struct sm_begin *b, enum sm_err e)
{
	const char *code = b->on.client.error.code;
	if (e == SM_ERR_EXISTS) {
		sm_error("%s has this device, but refused its login: try again", b->on.self.text);
		return SM_EXIT_TEMP;
	}
	if (!strcmp(code, "too_many_waiting")) {
		sm_error("too many devices wait to be let in: 'smaccount devices refuse' on another device makes room");
		return SM_EXIT_TEMP;
	}
	return sm_net_say(&b->on.client, e);
}

/* The code to standard output, for whoever types or scans it; what it is for to the person. */
static int show_code(const struct sm_begin *b, int64_t expires)
{
	char code[SM_ENROLL_CODE_LEN + 2], until[SM_TIME_LEN + 1];
	sm_enroll_code(code, &b->on.self, b->id.pub.ed25519);
	sm_time_format(until, expires);
	sm_error("this device is not one of %s yet: approve it on one that is, until %s: smaccount devices approve %s", b->on.self.text,
	         until, code);
	if (sm_is_tty(STDERR_FILENO) && sm_qr_print(STDERR_FILENO, code) != SM_OK)
		sm_note("no QR code");
	code[SM_ENROLL_CODE_LEN] = '\n';
	enum sm_err e = sm_write_full(STDOUT_FILENO, code, SM_ENROLL_CODE_LEN + 1);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot write the code to standard output");
}

/* SM_OK when approved. A server that is away for a while is waited for as well. */
static enum sm_err wait_for(struct sm_begin *b, const struct sm_enrollment *r)
{
	const struct timespec second = {.tv_sec = 1};
	int64_t end = sm_time_mono_ms() + WAIT_MAX * 1000;
	for (;;) {
		enum sm_err e = sm_net_enroll_state(&b->on.client, r->id);
		if (e != SM_ERR_BUSY && e != SM_ERR_NET)
			return e;
		if (sm_time_mono_ms() >= end)
			return SM_ERR_BUSY;
		(void)nanosleep(&second, NULL);
	}
}

static int say_wait(const struct sm_begin *b, enum sm_err e)
{
	if (e == SM_ERR_BUSY) {
		sm_error("nobody has approved this device: run it again");
		return SM_EXIT_TEMP;
	}
	if (e == SM_ERR_NOTFOUND) {
		sm_error("this device was refused, or nobody has approved it in time");
		return SM_EXIT_REFUSED;
	}
	return sm_net_say(&b->on.client, e);
}

static int log_in(struct sm_begin *b, struct options *o, enum sm_trusting trusting, const struct sm_public *user)
{
	enum sm_err e = sm_begin_session(b);
	if (e == SM_ERR_DENIED)
		return sm_net_say(&b->on.client, e);
	return e == SM_OK ? sm_begin_settle(b, o, trusting, user) : sm_exit_code(e);
}

/* So that whoever runs it again need not say whose device this will be. */
static void remember(const struct sm_begin *b, const struct options *o)
{
	if (sm_account_asked_save(&b->on.account, o->common.profile) != SM_OK)
		sm_note("the address is not remembered");
}

static int ask_and_wait(struct sm_begin *b, struct options *o, const struct sm_enrollment *r, bool kept)
{
	int code;
	if (kept)
		sm_warning("this device has been removed from %s, and asks to be let in again", b->on.self.text);
	else
		remember(b, o);
	if ((code = show_code(b, r->expires)) != SM_EXIT_OK)
		return code;
	if (o->no_wait)
		return SM_EXIT_TEMP;
	enum sm_err e = wait_for(b, r);
	return e == SM_OK ? log_in(b, o, SM_TRUST_FIRST, NULL) : say_wait(b, e);
}

/* --- With the user key --- */

struct signing {
	struct sm_begin *b;
	struct options *o;
	struct sm_enrollment *r;
	const struct sm_identity *user;
	bool ask; /* there is a person at the terminal */
};

/* What is signed here everybody believes, and this device knows the list from the server alone: an old one would bring a removed device
 * back. So whoever has the key sees it. */
static int show_list(const struct signing *s, const struct sm_device_list *l)
{
	char fp[SM_FP_TEXT_LEN + 1];
	sm_error("signing that these are the devices of %s ('smaccount devices remove' takes out one that is not):", s->b->on.self.text);
	for (size_t i = 0; i < l->n; i++) {
		bool self = i == s->r->list.n;
		const char *label = self ? s->b->label : s->r->label[i];
		sm_fp_format(fp, l->device[i].fp);
		sm_error("device %u: %s %s%s", l->device[i].number, fp, *label ? label : "-", self ? " (this device)" : "");
	}
	if (!s->ask || sm_confirm("Sign it? [y/N] "))
		return SM_EXIT_OK;
	sm_error("not signed: this device stays outside");
	return SM_EXIT_REFUSED;
}

/* The list with this device behind the others. What is known here already is not gone back behind. */
static int make_list(char *text, const struct signing *s)
{
	const struct sm_begin *b = s->b;
	struct sm_device_list next = s->r->list, known;
	struct sm_db db = {0};
	enum sm_err e = sm_db_open(&db, s->o->common.profile);
	if (e == SM_OK)
		e = sm_devices_of(&known, &db, &b->on.self, s->r->user);
	sm_db_close(&db);
	if (e != SM_OK)
		return sm_fail(e, "cannot read the devices of %s", b->on.self.text);
	if (known.version && sm_device_list_follows(&known, &s->r->list) != SM_OK)
		return sm_peer_say_fork(b->on.self.text);
	int code = sm_own_append(&next, s->r->next, &b->id.pub);
	if (code == SM_EXIT_OK)
		code = show_list(s, &next);
	return code == SM_EXIT_OK ? sm_own_sign(text, &next, &s->r->list, s->user) : code;
}

static enum sm_err hand_in(const struct signing *s, int *code)
{
	char text[SM_DEVICES_TEXT_MAX + 1];
	*code = make_list(text, s);
	return *code == SM_EXIT_OK ? sm_net_enroll(s->r, &s->b->on.client, &s->b->login, text) : SM_OK;
}

/* Once more when another device has changed the list meanwhile. */
static int sign_in(const struct signing *s)
{
	struct sm_public pub = s->user->pub;
	int code;
	enum sm_err e = hand_in(s, &code);
	if (e == SM_ERR_CONFLICT && !strcmp(s->b->on.client.error.code, "stale_list")) {
		e = sm_net_enroll(s->r, &s->b->on.client, &s->b->login, NULL);
		if (e == SM_OK)
			e = hand_in(s, &code);
	}
	if (e != SM_OK)
		return say_enroll(s->b, e);
	return code == SM_EXIT_OK ? log_in(s->b, s->o, SM_TRUST_CODE, &pub) : code;
}

static int with_code(struct sm_begin *b, struct options *o, struct sm_enrollment *r)
{
	struct sm_identity user = {0};
	struct signing s = {.b = b, .o = o, .r = r, .user = &user, .ask = o->recovery};
	int code = sm_own_signer(&user, o, &b->on.self, r->user);
	if (code == SM_EXIT_OK)
		code = sign_in(&s);
	sm_identity_release(&user);
	return code;
}

/* An identity that was brought back from its recovery code, where the first device has been removed. */
static int with_own_key(struct sm_begin *b, struct options *o, struct sm_enrollment *r)
{
	bool typed = !o->password.file && o->password.fd < 0;
	struct signing s = {.b = b, .o = o, .r = r, .user = &b->id, .ask = typed};
	return sign_in(&s);
}

/* --- Which way --- */

bool sm_enroll_by_code(const struct options *o) { return o->recovery || o->code.file || o->code.fd >= 0; }

int sm_enroll(struct sm_begin *b, struct options *o, bool kept, bool refused)
{
	struct sm_enrollment r;
	enum sm_err e = sm_net_enroll(&r, &b->on.client, &b->login, NULL);
	if (e == SM_ERR_EXISTS && !refused) {
		if (sm_enroll_by_code(o))
			sm_note("this device is in already: the recovery code is not used");
		return log_in(b, o, SM_TRUST_FIRST, NULL);
	}
	if (e != SM_OK)
		return say_enroll(b, e);
	if (sm_enroll_by_code(o))
		return with_code(b, o, &r);
	if (sm_equal(r.user, b->id.pub.ed25519, SM_PK_LEN))
		return with_own_key(b, o, &r);
	return ask_and_wait(b, o, &r, kept);
}
