/* Who may speak in a group, and on which chain: asked of what is stored here, never of the message. */
#include "common/group_open.h"

#include "store/groups.h"

#include <string.h>

/* The sender's user key by the roster, then its device by the list that counts for this key. */
static enum sm_err find_sender(struct sm_end *from, struct sm_opening *o, const struct sm_roster *r, const struct sm_header *h)
{
	const struct sm_member *m = sm_roster_find(r, h->from.address.text);
	const struct sm_listed_device *d;
	struct sm_device_list list;
	enum sm_err e;

	if (!m || !h->from.has_fp)
		return SM_ERR_STANZA;
	if ((e = sm_devices_of(&list, o->db, &h->from.address, m->pk)))
		return e;
	if (!(d = sm_device_list_find(&list, h->from.fp)))
		return SM_ERR_STANZA;
	*from = (struct sm_end){.address = h->from.address, .device = d->number};
	memcpy(from->pk, d->pk, sizeof(from->pk));
	return SM_OK;
}

static enum sm_err find_roster(struct sm_roster *r, struct sm_opening *o, const struct sm_header *h)
{
	enum sm_err e = sm_group_roster(r, NULL, o->db, h->group.id, h->group.epoch);

	if (e == SM_ERR_NOTFOUND)
		return SM_ERR_POLICY;
	if (e)
		return e;
	if (memcmp(r->hash, h->group.roster, sizeof(r->hash)) != 0 || !sm_roster_find(r, o->self->end.address.text)) {
		sm_roster_release(r);
		return SM_ERR_POLICY;
	}
	return SM_OK;
}

enum sm_err sm_group_open(struct sm_opening *o, uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h)
{
	const struct sm_stanza *s = &h->stanza[0];
	struct sm_sender_chain chain = {0};
	struct sm_roster r = {0};
	struct sm_end from;
	enum sm_err e = find_roster(&r, o, h);

	if (e)
		return e;
	e = find_sender(&from, o, &r, h);
	sm_roster_release(&r);
	if (e || (e = sm_chain_get(&chain, o->db, o->self->key, h->group.id, from.pk, s->senderkey.chain)))
		return e == SM_ERR_NOTFOUND ? SM_ERR_STANZA : e;
	if ((e = sm_sender_chain_open(&chain, file_key, s, h, o->now))) {
		sm_sender_chain_release(&chain);
		return e;
	}
	o->chain = chain;
	o->from = from;
	o->group = true;
	return SM_OK;
}
