/* A ratchet stanza: whose device it is from by the stored lists, then the sessions with this device. A message that begins a session is
 * accepted once; what it used up goes only when it is kept. */
#include "common/opening.h"

#include "base/secret.h"
#include "common/group_open.h"
#include "store/groups.h"
#include "store/prekeys.h"

#include <stdlib.h>
#include <string.h>

/* Sets o->from. */
static enum sm_err find_sender(struct sm_opening *o, const struct sm_header *h)
{
	struct sm_speaker s;
	bool seen = false;
	enum sm_err e = sm_speakers_find(&s, &seen, o->speakers, o->db, o->self, &h->from);
	o->why = SM_INBOX_WHY_SENDER;
	if (e == SM_ERR_NOTFOUND || (e == SM_ERR_CHANGED && !seen))
		return SM_ERR_STANZA;
	if (e != SM_OK && e != SM_ERR_CHANGED)
		return e;
	if (!s.device || !*h->from.address.text)
		return SM_ERR_STANZA;
	o->changed = e == SM_ERR_CHANGED;
	o->from = (struct sm_end){.address = h->from.address, .device = s.device};
	memcpy(o->from.pk, s.pub.ed25519, SM_PK_LEN);
	return SM_OK;
}

/* The sessions there are with the sender. SM_ERR_NOTFOUND: none of them opens it. */
static enum sm_err open_known(struct sm_opening *o, uint8_t *file_key, const struct sm_stanza *s)
{
	struct sm_pair *all = calloc(SM_PAIR_MAX, sizeof(*all));
	size_t n = 0;
	bool opened = false;
	if (!all)
		return SM_ERR_NOMEM;
	enum sm_err e = sm_pair_all(all, &n, o->db, o->self->key, o->from.pk);
	for (size_t i = 0; e == SM_OK && i < n && !opened; i++) {
		e = sm_pair_open(&all[i], file_key, s, o->now, o->rand);
		opened = e == SM_OK;
		if (opened) {
			o->pair = all[i];
			sm_wipe(&all[i], sizeof(all[i]));
		}
		e = e == SM_ERR_STANZA ? SM_OK : e;
	}
	for (size_t i = 0; i < n; i++)
		sm_pair_release(&all[i]);
	free(all);
	return e != SM_OK ? e : opened ? SM_OK : SM_ERR_NOTFOUND;
}

static enum sm_err load_prekeys(struct sm_own_prekey *spk, struct sm_own_prekey *opk, struct sm_opening *o, const struct sm_stanza *s)
{
	enum sm_err e = sm_signed_prekey_get(spk, o->db, o->self->key, s->ratchet.spk);
	if (e == SM_OK && s->ratchet.has_opk)
		e = sm_prekey_get(opk, o->db, o->self->key, s->ratchet.opk);
	return e == SM_ERR_NOTFOUND ? SM_ERR_STANZA : e;
}

/* A first message that was taken once is never taken again, also when its session is gone. */
static enum sm_err open_first(struct sm_opening *o, uint8_t *file_key, const struct sm_stanza *s)
{
	struct sm_own_prekey spk = {0}, opk = {0};
	struct sm_pair p = {0};
	bool seen = false;
	enum sm_err e = sm_first_seen(&seen, o->db, o->from.pk, s->ratchet.eka);
	if (e == SM_OK && seen)
		return SM_ERR_STANZA;
	if (e == SM_OK)
		e = load_prekeys(&spk, &opk, o, s);
	if (e == SM_OK)
		e = sm_pair_accept(&p, o->self->id, &o->self->end, &o->from, s, spk.sk, s->ratchet.has_opk ? opk.sk : NULL);
	if (e == SM_OK)
		e = sm_pair_open(&p, file_key, s, o->now, o->rand);
	if (e == SM_OK) {
		o->pair = p;
		o->first = true;
		o->used_opk = s->ratchet.has_opk;
		o->opk = s->ratchet.has_opk ? s->ratchet.opk : 0;
		sm_wipe(&p, sizeof(p));
	} else {
		sm_pair_release(&p);
	}
	sm_wipe(&spk, sizeof(spk));
	sm_wipe(&opk, sizeof(opk));
	return e;
}

static enum sm_err open_pairwise(struct sm_opening *o, uint8_t *file_key, const struct sm_header *h, const struct sm_stanza *s)
{
	enum sm_err e = find_sender(o, h);
	if (e != SM_OK)
		return e;
	o->why = SM_INBOX_WHY_SESSION;
	if (s->ratchet.device != o->self->end.device || !memcmp(o->from.pk, o->self->end.pk, SM_PK_LEN))
		return SM_ERR_STANZA;
	e = open_known(o, file_key, s);
	if (e == SM_ERR_NOTFOUND)
		e = s->ratchet.x3dh ? open_first(o, file_key, s) : SM_ERR_STANZA;
	o->pairwise = e == SM_OK;
	return e;
}

enum sm_err sm_opening_session(void *ctx, uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, size_t i)
{
	struct sm_opening *o = ctx;
	enum sm_err e;
	if (!o->self)
		return h->has_group ? SM_ERR_POLICY : SM_ERR_STANZA;
	if (h->has_group) {
		e = sm_group_open(o, file_key, h);
		o->why = e == SM_ERR_POLICY ? SM_INBOX_WHY_GROUP : SM_INBOX_WHY_CHAIN;
	} else {
		e = open_pairwise(o, file_key, h, &h->stanza[i]);
	}
	if (e == SM_OK)
		o->why = SM_INBOX_WHY_NONE;
	return e;
}

static enum sm_err keep_pair(struct sm_opening *o)
{
	enum sm_err e = sm_pair_put(o->db, o->self->key, &o->pair, true, o->rand);
	if (e == SM_OK && o->first)
		e = sm_first_remember(o->db, o->pair.peer, o->pair.eka, o->pair.spk, o->now);
	return e == SM_OK && o->used_opk ? sm_prekey_drop(o->db, o->opk) : e;
}

enum sm_err sm_opening_keep(struct sm_opening *o)
{
	if (o->pairwise)
		return keep_pair(o);
	return o->group ? sm_chain_put(o->db, o->self->key, &o->chain, false, o->rand) : SM_OK;
}

void sm_opening_release(struct sm_opening *o)
{
	sm_pair_release(&o->pair);
	sm_sender_chain_release(&o->chain);
}
