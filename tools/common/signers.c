/* From a fingerprint to a key that one has a reason to trust. */
#include "common/signers.h"

#include <string.h>

static bool is(const struct sm_public *pub, const uint8_t *fp) { return pub && !memcmp(pub->fp, fp, SM_FP_LEN); }

/* The user who has the device fp: pinned under the address that the list is for, or oneself. */
static bool trusts(const struct sm_signers *s, struct sm_db *db, const struct sm_device_list *l)
{
	struct sm_contact c;
	enum sm_err e = sm_contact_get(&c, db, l->address.text);

	if (e == SM_ERR_NOTFOUND)
		return s->self && s->self->suite == &sm_suite_x25519 && !memcmp(s->self->ed25519, l->user, SM_PK_LEN);
	return !e && c.pub.suite == &sm_suite_x25519 && !memcmp(c.pub.ed25519, l->user, SM_PK_LEN);
}

/* Another device of a user; lists that were stored have been verified. */
static enum sm_err find_device(struct sm_signers *s, struct sm_db *db, struct sm_public *pub, const uint8_t *fp)
{
	struct sm_device_list l;
	enum sm_err e = sm_devices_by_fp(&l, db, fp);

	if (e) /* a key that several claim is nobody's, as long as nobody says whose it should be */
		return e == SM_ERR_POLICY ? SM_ERR_NOTFOUND : e;
	const struct sm_listed_device *d = sm_device_list_find(&l, fp);
	if (!d || !trusts(s, db, &l))
		return SM_ERR_NOTFOUND;
	if (!(e = sm_public_from_ed25519(pub, d->pk)))
		memcpy(s->address, l.address.text, sizeof s->address);
	return e;
}

/* A user key speaks for its user as long as it is one of the devices. */
static enum sm_err find_user(struct sm_signers *s, struct sm_db *db, struct sm_public *pub, const uint8_t *fp)
{
	struct sm_device_list l;
	struct sm_address address;
	struct sm_contact c;
	enum sm_err e = sm_contact_by_fp(&c, db, fp);

	if (e)
		return e;
	if (c.pub.suite == &sm_suite_x25519 &&
	    ((e = sm_address_parse(&address, c.address, strlen(c.address))) || (e = sm_devices_of(&l, db, &address, c.pub.ed25519))))
		return e;
	if (c.pub.suite == &sm_suite_x25519 && !sm_device_list_find(&l, fp))
		return SM_ERR_NOTFOUND;
	*pub = c.pub;
	memcpy(s->address, c.address, sizeof s->address);
	return SM_OK;
}

static enum sm_err find_contact(struct sm_signers *s, struct sm_public *pub, const uint8_t *fp)
{
	struct sm_db db = {0};
	enum sm_err e;

	if (!sm_who_have_store(s->profile))
		return SM_ERR_NOTFOUND;
	if (!(e = sm_db_open(&db, s->profile)) && (e = find_user(s, &db, pub, fp)) == SM_ERR_NOTFOUND)
		e = find_device(s, &db, pub, fp);
	sm_db_close(&db);
	return e;
}

enum sm_err sm_signers_find(struct sm_signers *s, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	s->address[0] = 0;
	if (s->wanted && sm_who_find(pub, s->wanted, fp) == SM_OK) {
		memcpy(s->address, s->wanted->address.text, sizeof s->address);
		return SM_OK;
	}
	if (is(s->self, fp)) {
		*pub = *s->self;
		return SM_OK;
	}
	return find_contact(s, pub, fp);
}
