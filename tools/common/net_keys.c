/* Asking for a key and pinning it, and for the devices that it signs for. */
#include "common/net_keys.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/who.h"
#include "store/devices.h"

#include <string.h>

int sm_peer_say_changed(struct sm_db *db, const char *address)
{
	struct sm_contact c;
	char fp[SM_FP_TEXT_LEN + 1] = "FINGERPRINT";
	if (sm_contact_get(&c, db, address) == SM_OK && c.has_seen)
		sm_fp_format(fp, c.seen_fp);
	sm_error("the key of %s has changed: once you know that the new one is theirs, run 'smcontact accept %s %s'", address, address, fp);
	return SM_EXIT_REFUSED;
}

int sm_peer_say_fork(const char *address)
{
	sm_error("the server gives a list of the devices of %s that may not follow the one it gave before: refused", address);
	return SM_EXIT_PROTOCOL;
}

enum sm_err sm_peer_lookup(struct sm_user_key *k, struct sm_online *o, const struct sm_address *who)
{
	if (strcmp(who->host, o->self.host) != 0)
		return SM_ERR_NOTFOUND;
	return sm_net_user_key(k, &o->client, who);
}

enum sm_err sm_peer_keep(struct sm_db *db, const struct sm_online *o, const struct sm_user_key *k, bool *added)
{
	struct sm_contact pin;
	enum sm_err e = SM_OK;
	/* Of the own account nobody is believed: without a pin, this device's key is the user key. */
	if (!strcmp(k->address, o->self.text) && o->client.session && !sm_equal(k->pub.fp, o->client.session->device_fp, SM_FP_LEN)) {
		e = sm_contact_get(&pin, db, k->address);
		if (e == SM_ERR_NOTFOUND)
			return SM_ERR_CHANGED;
	}
	if (e == SM_OK)
		e = sm_contact_pin(db, k->address, &k->pub, sm_time_now(), added);
	if (e == SM_OK)
		e = sm_devices_put(db, &k->list, *k->text ? k->text : NULL, strlen(k->text), NULL);
	return e;
}

/* A bare name stands at the account's own server. */
static enum sm_err full_address(struct sm_address *a, const struct sm_online *o, const char *who)
{
	struct sm_buf text;
	sm_buf_init(&text, SM_ADDRESS_MAX);
	enum sm_err e = SM_OK;
	if (sm_name_valid(who, strlen(who)))
		e = sm_buf_addf(&text, "%s@%s", who, o->self.host);
	else
		e = sm_buf_adds(&text, who);
	if (e == SM_OK)
		e = sm_address_parse(a, (const char *)text.data, text.len);
	sm_buf_release(&text);
	return e;
}

static int say_lookup(const struct sm_online *o, enum sm_err e, const struct sm_address *who)
{
	if (e != SM_ERR_NOTFOUND)
		return sm_net_say(&o->client, e);
	sm_error("nobody is called %s", who->text);
	return SM_EXIT_NORECIPIENT;
}

int sm_peer_address(struct sm_address *a, const struct sm_online *o, const char *who)
{
	if (full_address(a, o, who) != SM_OK) {
		sm_error("'%s' is neither a name nor an address (name@host)", who);
		return SM_EXIT_NORECIPIENT;
	}
	if (strcmp(a->host, o->self.host) != 0) {
		sm_error("%s is on another server: %s delivers to its own accounts only", a->text, o->self.host);
		return SM_EXIT_NORECIPIENT;
	}
	return SM_EXIT_OK;
}

static int say_keep(struct sm_db *db, const struct sm_online *o, enum sm_err e, const char *address)
{
	if (e == SM_ERR_CHANGED && !strcmp(address, o->self.text)) {
		sm_error("the server names another key for this account (%s) than its own: nothing is sent to it", address);
		return SM_EXIT_REFUSED;
	}
	if (e == SM_ERR_CHANGED)
		return sm_peer_say_changed(db, address);
	if (e == SM_ERR_POLICY)
		return sm_peer_say_fork(address);
	return sm_fail(e, "cannot keep the key of %s in '%s'", address, db->path);
}

static int look_up(struct sm_user_key *k, struct sm_online *o, const char *who)
{
	struct sm_address a;
	int code = sm_peer_address(&a, o, who);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_peer_lookup(k, o, &a);
	return e == SM_OK ? SM_EXIT_OK : say_lookup(o, e, &a);
}

int sm_peer_resolve(struct sm_user_key *k, bool *added, struct sm_online *o, struct sm_db *db, const char *who)
{
	struct sm_user_key r;
	int code = look_up(&r, o, who);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_peer_keep(db, o, &r, added);
	if (e != SM_OK)
		return say_keep(db, o, e, r.address);
	*k = r;
	return SM_EXIT_OK;
}

/* What is found before a key that has changed is kept, and so is that it has. */
static enum sm_err keep_all(const struct sm_user_key *k, size_t n, size_t *at, const struct sm_online *o, struct sm_db *db)
{
	enum sm_err kept = SM_OK, e = sm_db_begin(db);
	if (e != SM_OK)
		return e;
	for (*at = 0; kept == SM_OK && *at < n; ++*at)
		kept = sm_peer_keep(db, o, &k[*at], NULL);
	*at -= kept != SM_OK;
	e = kept == SM_OK || kept == SM_ERR_CHANGED ? sm_db_commit(db) : kept;
	if (e != SM_OK)
		sm_db_rollback(db);
	return e != SM_OK ? e : kept;
}

int sm_peer_resolve_all(struct sm_user_key *k, struct sm_online *o, struct sm_db *db, char *const *who, size_t n)
{
	size_t at = 0;
	int code = SM_EXIT_OK;
	for (size_t i = 0; code == SM_EXIT_OK && i < n; i++)
		code = look_up(&k[i], o, who[i]);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = keep_all(k, n, &at, o, db);
	return e == SM_OK ? SM_EXIT_OK : say_keep(db, o, e, at < n ? k[at].address : o->self.text);
}
