/* The server keeps the list, the user key signs it, and what has been seen before decides what may come next. */
#include "smaccount/own.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_keys.h"
#include "common/net_sessions.h"
#include "common/recovery.h"
#include "common/self.h"

#include <string.h>

#define NEXT_MAX 1000 /* how far a new device's number may be above the highest on the list */

/* Whose signature the list must bear: SM_ERR_NOTFOUND when that is still to be learnt. */
static enum sm_err expected_user(uint8_t fp[static SM_FP_LEN], const struct sm_online *on, struct sm_db *db, const struct sm_public *user,
                                 bool first)
{
	struct sm_contact pin;
	enum sm_err e = sm_contact_get(&pin, db, on->self.text);
	if (e == SM_OK && user && memcmp(pin.pub.fp, user->fp, SM_FP_LEN) != 0)
		return SM_ERR_CHANGED;
	if (e == SM_OK || user)
		memcpy(fp, user ? user->fp : pin.pub.fp, SM_FP_LEN);
	else if (e == SM_ERR_NOTFOUND && !first)
		memcpy(fp, on->client.session->device_fp, SM_FP_LEN);
	else
		return e;
	return SM_OK;
}

static int check_user(const struct sm_own_devices *d, const struct sm_online *on, struct sm_db *db, const struct sm_public *user,
                      bool first)
{
	uint8_t fp[SM_FP_LEN];
	struct sm_public named;
	enum sm_err e = expected_user(fp, on, db, user, first);
	if (e == SM_ERR_NOTFOUND && first)
		return SM_EXIT_OK;
	if (e == SM_ERR_CHANGED) {
		sm_error("another user key is pinned for %s: 'smcontact list' shows it", on->self.text);
		return SM_EXIT_REFUSED;
	}
	if (e == SM_OK)
		e = sm_public_from_ed25519(&named, d->user);
	if (e != SM_OK)
		return sm_fail(e, "cannot tell the user key of %s", on->self.text);
	if (sm_equal(named.fp, fp, SM_FP_LEN))
		return SM_EXIT_OK;
	sm_error("the server names another user key for %s than the one that is known here: refused", on->self.text);
	return SM_EXIT_PROTOCOL;
}

/* Known already in another, newer form? Nothing is stored here yet. */
static int check_rollback(const struct sm_own_devices *d, const struct sm_online *on, struct sm_db *db)
{
	struct sm_device_list known;
	enum sm_err e = sm_devices_of(&known, db, &on->self, d->user);
	if (e != SM_OK)
		return sm_fail(e, "cannot read the devices of %s", on->self.text);
	if (!known.version || sm_device_list_follows(&known, &d->list) == SM_OK)
		return SM_EXIT_OK;
	return sm_peer_say_fork(on->self.text);
}

static int check_listed(const struct sm_own_devices *d, const struct sm_online *on)
{
	const struct sm_session *s = on->client.session;
	const struct sm_listed_device *self = sm_device_list_find(&d->list, s->device_fp);
	if (!self) {
		sm_error("this device has been removed from %s", on->self.text);
		return SM_EXIT_REFUSED;
	}
	if (!d->list.version || self->number == s->device)
		return SM_EXIT_OK;
	sm_error("the server takes this device for number %u of %s, but it is number %u", s->device, on->self.text, self->number);
	return SM_EXIT_PROTOCOL;
}

int sm_own_fetch(struct sm_own_devices *d, struct sm_online *on, struct sm_db *db, const struct sm_public *user, bool first)
{
	struct sm_own_devices got;
	enum sm_err e = sm_net_devices(&got, &on->client, &on->self);
	int code;
	if (e == SM_ERR_PROTOCOL && !on->client.error.status) {
		sm_error("the server's list of the devices of %s is not one that its user key has signed: refused", on->self.text);
		return SM_EXIT_PROTOCOL;
	}
	if (e != SM_OK)
		return sm_net_say(&on->client, e);
	if ((code = check_user(&got, on, db, user, first)) || (code = check_rollback(&got, on, db)) || (code = check_listed(&got, on)))
		return code;
	*d = got;
	return SM_EXIT_OK;
}

int sm_own_keep(const struct sm_own_devices *d, const struct sm_online *on, struct sm_db *db)
{
	enum sm_err e = sm_devices_put(db, &d->list, d->list.version ? d->text : NULL, strlen(d->text), NULL);
	if (e == SM_ERR_POLICY)
		return check_rollback(d, on, db);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot keep the devices of %s", on->self.text);
}

int sm_own_append(struct sm_device_list *list, uint32_t next, const struct sm_public *device)
{
	uint32_t highest = list->device[list->n - 1].number;
	if (list->n == SM_DEVICES_LIST_MAX) {
		sm_error("%s has %d devices, which is all it may have: remove one first", list->address.text, SM_DEVICES_LIST_MAX);
		return SM_EXIT_REFUSED;
	}
	/* A number far above would leave none for those that come later: it is signed, and none goes back. */
	if (next <= highest || next - highest > NEXT_MAX) {
		sm_error("the server wants the next device of %s to be number %u, after %u: refused", list->address.text, next, highest);
		return SM_EXIT_PROTOCOL;
	}
	struct sm_listed_device *d = &list->device[list->n++];
	d->number = next;
	memcpy(d->pk, device->ed25519, SM_PK_LEN);
	memcpy(d->fp, device->fp, SM_FP_LEN);
	return SM_EXIT_OK;
}

/* --- Signing --- */

int sm_own_signer(struct sm_identity *key, struct options *o, const struct sm_address *self, const uint8_t user[static SM_PK_LEN])
{
	bool code = o->recovery || o->code.file || o->code.fd >= 0;
	enum sm_err e = code ? sm_recovery_read(key, &o->code) : sm_unlock(key, NULL, &o->common);
	if (e != SM_OK)
		return sm_exit_code(e);
	if (sm_equal(key->pub.ed25519, user, SM_PK_LEN))
		return SM_EXIT_OK;
	if (code)
		sm_error("the recovery code is not that of the user key of %s", self->text);
	else
		sm_error("this device does not hold the user key of %s: run it on the one that does, or use the recovery code (--recovery)",
		         self->text);
	sm_identity_release(key);
	return SM_EXIT_REFUSED;
}

int sm_own_sign(char *text, struct sm_device_list *l, const struct sm_device_list *known, const struct sm_identity *key)
{
	struct sm_buf b;
	l->version = known->version + 1;
	l->date = sm_time_now();
	sm_buf_init(&b, SM_DEVICES_TEXT_MAX);
	enum sm_err e = sm_device_list_follows(known, l);
	if (e == SM_OK)
		e = sm_device_list_sign(&b, l, key);
	if (e == SM_OK) {
		memcpy(text, b.data, b.len);
		text[b.len] = 0;
	}
	sm_buf_release(&b);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot sign the list of devices");
}

/* --- Prekeys --- */

void sm_own_prekeys(struct sm_online *on, struct sm_db *db, const struct sm_identity *id)
{
	struct sm_self self = {0};
	enum sm_err e = sm_self_load(&self, id, db, &on->self, on->client.session->device);
	if (e == SM_OK)
		e = sm_prekeys_keep(on, db, &self, true);
	if (e != SM_OK)
		sm_note("prekeys could not be sent: %s", *on->client.error.message ? on->client.error.message : sm_err_text(e));
	sm_self_release(&self);
}
