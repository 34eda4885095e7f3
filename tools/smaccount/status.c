/* smaccount status: how things stand, and a look at the prekeys while at it. */
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/tty.h"
#include "common/net_status.h"
#include "crypto/hash.h"
#include "net/keys.h"
#include "smaccount/own.h"
#include "store/keyring.h"

#include <string.h>
#include <unistd.h>

/* Asks nobody: status is for scripts, too. */
static enum sm_err without_asking(void *ctx, struct sm_buf *pw, const char *path)
{
	struct sm_common *c = ctx;
	(void)path;
	return sm_passphrase_scripted(&c->passphrase) ? sm_passphrase(pw, &c->passphrase, "", false) : SM_ERR_PASSPHRASE;
}

/* Prekeys are signed and kept under the identity; a locked one leaves them as they are. */
static void refill(struct sm_online *on, struct sm_db *db, struct options *o)
{
	struct sm_identity id = {0};
	enum sm_err e = sm_keyring_load(&id, NULL, o->common.profile, without_asking, &o->common);
	if (e == SM_OK && sm_equal(id.pub.fp, on->client.session->device_fp, SM_FP_LEN))
		sm_own_prekeys(on, db, &id);
	else
		sm_note("prekeys are not looked after: the identity is locked");
	sm_identity_release(&id);
}

/* Not logged in is an answer, not an error. */
static int look_at_device(struct sm_status *s, struct sm_online *on, struct options *o)
{
	struct sm_own_devices d;
	struct sm_prekey_count count;
	struct sm_db db = {0};
	int code = SM_EXIT_OK;
	enum sm_err e = sm_db_open(&db, o->common.profile);
	if (e != SM_OK) {
		code = sm_fail(e, "cannot open the profile's database");
		goto out;
	}
	if ((code = sm_own_fetch(&d, on, &db, NULL, false)) || (code = sm_own_keep(&d, on, &db)))
		goto out;
	refill(on, &db, o);
	if ((e = sm_net_prekey_count(&count, &on->client)) != SM_OK) {
		code = sm_net_say(&on->client, e);
		goto out;
	}
	s->device = on->client.session->device;
	s->devices = d.list.n;
	s->prekeys = count.one_time;
	sm_sha256(s->user, d.user, SM_PK_LEN);
	for (size_t i = 0; i < d.n; i++)
		s->asking += !d.device[i].number;
out:
	sm_db_close(&db);
	return code;
}

static int print(const struct sm_status *s, const struct sm_online *on, const struct options *o)
{
	struct sm_buf text;
	sm_buf_init(&text, 8192);
	enum sm_err e = o->json ? sm_status_json(&text, on, s) : sm_status_text(&text, on, s);
	if (e == SM_OK)
		e = sm_put_text(STDOUT_FILENO, text.data, text.len);
	sm_buf_release(&text);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot write to standard output");
}

int sm_account_status(struct options *o)
{
	struct sm_online on = {0};
	struct sm_status s = {0};
	int code = sm_online_account(&on, o->common.profile);
	if (code == SM_EXIT_OK)
		code = sm_online_open(&on, o->common.profile);
	if (code == SM_EXIT_OK)
		code = sm_status_look(&s, &on, o->common.profile);
	if (code == SM_EXIT_OK && s.logged_in)
		code = look_at_device(&s, &on, o);
	if (code == SM_EXIT_OK)
		code = print(&s, &on, o);
	if (code == SM_EXIT_OK && !s.logged_in) {
		sm_error("not logged in as %s: run 'smaccount login'", on.account.address);
		code = SM_EXIT_REFUSED;
	}
	sm_online_close(&on);
	return code;
}
