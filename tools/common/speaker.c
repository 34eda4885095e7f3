/* A key proves an address only when it is one of the devices of the very address: a contact must not pass for another one by writing its
 * address. */
#include "common/speaker.h"

#include "base/secret.h"

#include <string.h>

static enum sm_err take_device(struct sm_speaker *s, const struct sm_listed_device *d)
{
	enum sm_err e = sm_public_from_ed25519(&s->pub, d->pk);
	if (e == SM_OK)
		s->device = d->number;
	return e;
}

static enum sm_err find_own(struct sm_speaker *s, const struct sm_self *self, const uint8_t *fp)
{
	const struct sm_listed_device *d = sm_device_list_find(&self->own, fp);
	struct sm_public user;
	if (!d)
		return SM_ERR_NOTFOUND;
	enum sm_err e = sm_public_from_ed25519(&user, self->user);
	if (e != SM_OK)
		return e;
	s->own = true;
	s->trust = SM_TRUST_VERIFIED;
	memcpy(s->user, user.fp, SM_FP_LEN);
	return take_device(s, d);
}

/* Not one of the pinned user's devices. Only the server's word stands behind a key that was seen: enough to open what it sent and to mark
 * it, never to believe it. */
static enum sm_err other_key(struct sm_speaker *s, bool *seen, const struct sm_contact *c, const uint8_t *fp, bool signed_list)
{
	if (c->trust == SM_TRUST_CHANGED && c->has_seen && sm_equal(c->seen_fp, fp, SM_FP_LEN) &&
	    sm_public_parse(&s->pub, c->seen, strlen(c->seen)) == SM_OK) {
		s->device = s->pub.suite == &sm_suite_x25519 ? 1 : 0;
		*seen = true;
	}
	return c->trust == SM_TRUST_CHANGED || !signed_list ? SM_ERR_CHANGED : SM_ERR_NOTFOUND;
}

static enum sm_err find_contact(struct sm_speaker *s, bool *seen, struct sm_db *db, const struct sm_contact *c, const uint8_t *fp)
{
	const struct sm_listed_device *d;
	struct sm_device_list list;
	s->trust = c->trust;
	memcpy(s->user, c->pub.fp, SM_FP_LEN);
	if (c->pub.suite != &sm_suite_x25519) {
		if (!sm_equal(c->pub.fp, fp, SM_FP_LEN))
			return other_key(s, seen, c, fp, false);
		s->pub = c->pub;
		return SM_OK;
	}
	enum sm_err e = sm_devices_of(&list, db, &s->address, c->pub.ed25519);
	if (e != SM_OK)
		return e;
	d = sm_device_list_find(&list, fp);
	return d ? take_device(s, d) : other_key(s, seen, c, fp, list.version > 0);
}

/* Whose key is it, when the message does not say? */
static enum sm_err contact_by_key(struct sm_contact *c, struct sm_db *db, const uint8_t *fp)
{
	struct sm_device_list list;
	enum sm_err e = sm_contact_by_fp(c, db, fp);
	if (e != SM_ERR_NOTFOUND)
		return e;
	e = sm_devices_by_fp(&list, db, fp);
	return e == SM_OK ? sm_contact_get(c, db, list.address.text) : e;
}

enum sm_err sm_speaker_find(struct sm_speaker *s, bool *seen, struct sm_db *db, const struct sm_self *self, const struct sm_party *from)
{
	struct sm_speaker found = {.address = from->address};
	struct sm_contact c;
	bool other = false;
	enum sm_err e;
	if (!from->has_fp)
		return SM_ERR_NOTFOUND;
	if (self && (!*from->address.text || !strcmp(from->address.text, self->end.address.text))) {
		e = find_own(&found, self, from->fp);
		if (e != SM_ERR_NOTFOUND || *from->address.text) {
			if (e == SM_OK)
				*s = found;
			return e;
		}
	}
	e = *from->address.text ? sm_contact_get(&c, db, from->address.text) : contact_by_key(&c, db, from->fp);
	if (e == SM_OK && !*from->address.text)
		e = sm_address_parse(&found.address, c.address, strlen(c.address));
	if (e == SM_OK)
		e = find_contact(&found, &other, db, &c, from->fp);
	if (e == SM_OK || other)
		*s = found;
	if (seen)
		*seen = other;
	return e;
}

static bool same_party(const struct sm_party *a, const struct sm_party *b)
{
	return a->has_fp == b->has_fp && !memcmp(a->fp, b->fp, SM_FP_LEN) && !strcmp(a->address.text, b->address.text);
}

enum sm_err sm_speakers_find(struct sm_speaker *s, bool *seen, struct sm_speakers *known, struct sm_db *db, const struct sm_self *self,
                             const struct sm_party *from)
{
	struct sm_known_speaker k = {.from = *from}, *at = &k;
	for (size_t i = 0; i < known->n && at == &k; i++)
		if (same_party(&known->v[i].from, from))
			at = &known->v[i];
	if (at == &k) {
		k.e = sm_speaker_find(&k.s, &k.seen, db, self, from);
		if (k.e != SM_OK && k.e != SM_ERR_NOTFOUND && k.e != SM_ERR_CHANGED)
			return k.e;
		at = &known->v[known->next];
		*at = k;
		known->next = (known->next + 1) % SM_SPEAKERS;
		known->n += known->n < SM_SPEAKERS;
	}
	if (at->e == SM_OK || at->seen)
		*s = at->s;
	if (seen)
		*seen = at->seen;
	return at->e;
}
