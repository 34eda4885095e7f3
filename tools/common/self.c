/* Who this device is, from the store alone. The user key under the own address is a pin like any other: the server's word for it is not
 * taken (net_keys.c). */
#include "common/self.h"

#include "base/secret.h"
#include "store/keyring.h"

#include <string.h>

/* A device that was enrolled has pinned its account's user key; without a pin the only device there is holds it. */
static enum sm_err find_user(struct sm_self *s, struct sm_db *db)
{
	struct sm_contact pin;
	enum sm_err e = sm_contact_get(&pin, db, s->end.address.text);

	memcpy(s->user, s->end.pk, sizeof s->user);
	if (e == SM_OK && pin.pub.suite != &sm_suite_x25519)
		return SM_ERR_SUITE;
	if (e == SM_OK)
		memcpy(s->user, pin.pub.ed25519, sizeof s->user);
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

enum sm_err sm_self_load(struct sm_self *s, const struct sm_identity *id, struct sm_db *db, const struct sm_address *address,
                         uint32_t number)
{
	struct sm_self made = {.id = id, .end = {.address = *address, .device = number}};
	enum sm_err e;

	if (id->pub.suite != &sm_suite_x25519)
		return SM_ERR_SUITE;
	memcpy(made.end.pk, id->pub.ed25519, sizeof made.end.pk);
	if ((e = find_user(&made, db)) || (e = sm_devices_of(&made.own, db, address, made.user)))
		return e;
	made.holds_user = !memcmp(made.user, made.end.pk, sizeof made.user);
	if (made.own.version && !sm_device_list_find(&made.own, id->pub.fp))
		return SM_ERR_POLICY;
	if ((e = sm_keyring_store_key(made.key, id, "sessions")))
		return e;
	*s = made;
	sm_wipe(made.key, sizeof made.key);
	return SM_OK;
}

void sm_self_release(struct sm_self *s) { sm_wipe(s, sizeof *s); }
