/* Asking to be let in. Ctrl-C is harmless at any time: what waits is the server's, and running it again goes on. */
#include "smaccount/enroll.h"

#include "base/file.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/qr.h"
#include "cli/tty.h"
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

int sm_enroll_and_wait(struct sm_begin *b, struct options *o, bool kept)
{
	struct sm_enrollment r;
	enum sm_err e = sm_net_enroll(&r, &b->on.client, &b->login, NULL);
	int code;
	if (e != SM_OK)
		return say_enroll(b, e);
	if (kept)
		sm_warning("this device has been removed from %s, and asks to be let in again", b->on.self.text);
	if ((code = show_code(b, r.expires)) != SM_EXIT_OK)
		return code;
	if (o->no_wait)
		return SM_EXIT_TEMP;
	e = wait_for(b, &r);
	return e == SM_OK ? log_in(b, o, SM_TRUST_FIRST, NULL) : say_wait(b, e);
}

/* --- By recovery code --- */

/* The list with this device behind the others. What is known here already is not gone back behind. */
static int make_list(char *text, const struct sm_begin *b, const struct options *o, const struct sm_enrollment *r,
                     const struct sm_identity *user)
{
	struct sm_device_list next = r->list, known;
	struct sm_db db = {0};
	uint32_t number = sm_own_next(&r->list, r->next);
	enum sm_err e = sm_db_open(&db, o->common.profile);
	if (e == SM_OK)
		e = sm_devices_of(&known, &db, &b->on.self, r->user);
	sm_db_close(&db);
	if (e != SM_OK)
		return sm_fail(e, "cannot read the devices of %s", b->on.self.text);
	if (!number || (known.version && sm_device_list_follows(&known, &r->list) != SM_OK)) {
		sm_error("the server gives a list of the devices of %s that does not follow the one it gave before: refused",
		         b->on.self.text);
		return SM_EXIT_PROTOCOL;
	}
	if (next.n == SM_DEVICES_LIST_MAX) {
		sm_error("%s has %d devices, which is all it may have: remove one first", b->on.self.text, SM_DEVICES_LIST_MAX);
		return SM_EXIT_REFUSED;
	}
	struct sm_listed_device *d = &next.device[next.n++];
	d->number = number;
	memcpy(d->pk, b->id.pub.ed25519, SM_PK_LEN);
	memcpy(d->fp, b->id.pub.fp, SM_FP_LEN);
	return sm_own_sign(text, &next, &r->list, user);
}

static enum sm_err hand_in(struct sm_begin *b, struct options *o, struct sm_enrollment *r, const struct sm_identity *user, int *code)
{
	char text[SM_DEVICES_TEXT_MAX + 1];
	*code = make_list(text, b, o, r, user);
	return *code == SM_EXIT_OK ? sm_net_enroll(r, &b->on.client, &b->login, text) : SM_OK;
}

/* Once more when another device has changed the list meanwhile. */
static int enroll_listed(struct sm_begin *b, struct options *o, struct sm_enrollment *r, const struct sm_identity *user)
{
	int code;
	enum sm_err e = hand_in(b, o, r, user, &code);
	if (e == SM_ERR_CONFLICT && !strcmp(b->on.client.error.code, "stale_list")) {
		e = sm_net_enroll(r, &b->on.client, &b->login, NULL);
		if (e == SM_OK)
			e = hand_in(b, o, r, user, &code);
	}
	return e == SM_OK ? code : say_enroll(b, e);
}

int sm_enroll_with_code(struct sm_begin *b, struct options *o)
{
	struct sm_identity user = {0};
	struct sm_public pub;
	struct sm_enrollment r;
	enum sm_err e = sm_net_enroll(&r, &b->on.client, &b->login, NULL);
	int code;
	if (e != SM_OK)
		return say_enroll(b, e);
	code = sm_own_signer(&user, o, &b->on.self, r.user);
	if (code == SM_EXIT_OK)
		code = enroll_listed(b, o, &r, &user);
	pub = user.pub;
	sm_identity_release(&user);
	return code == SM_EXIT_OK ? log_in(b, o, SM_TRUST_CODE, &pub) : code;
}
