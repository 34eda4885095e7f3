/* A member's word for a group is an expectation, which rosters must meet before anything is believed (net_groups.c); where there are
 * verified rosters already, they say who is a member, and they alone lead on. Anybody may send such messages: what nothing can come of is
 * not written down, and of what could, only so much. */
#include "common/control.h"

#include "base/base64.h"
#include "cli/diag.h"
#include "store/healing.h"
#include "store/invitations.h"
#include "store/outbox.h"

#include <string.h>

/* Is the sending device one of a member's, by the newest roster that is known? */
static enum sm_err is_member(bool *is, const struct sm_opening *o, const char *group)
{
	struct sm_roster r = {0};
	struct sm_device_list list;
	enum sm_err e = sm_group_roster(&r, NULL, o->db, group, 0);
	const struct sm_member *m = e == SM_OK ? sm_roster_find(&r, o->from.address.text) : NULL;
	*is = false;
	if (m && (e = sm_devices_of(&list, o->db, &m->address, m->pk)) == SM_OK)
		for (size_t i = 0; i < list.n; i++)
			*is |= !memcmp(list.device[i].pk, o->from.pk, SM_PK_LEN);
	sm_roster_release(&r);
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

static enum sm_err expect(struct sm_group *g, const struct sm_opening *o, const struct sm_control *line)
{
	g->expect = line->epoch;
	memcpy(g->expected, line->roster, sizeof(g->expected));
	memcpy(g->teller, o->from.address.text, sizeof(g->teller));
	return sm_group_put(o->db, g);
}

/* Of the words of several, the highest epoch counts: otherwise the server could put an older word behind a newer one. Except that the word
 * of somebody who was put out since counts for nothing. */
static enum sm_err outdone(bool *is, const struct sm_opening *o, const struct sm_group *g, const struct sm_control *line)
{
	struct sm_roster r = {0};
	*is = line->epoch <= g->epoch;
	if (*is || line->epoch >= g->expect)
		return SM_OK;
	enum sm_err e = sm_group_roster(&r, NULL, o->db, g->id, 0);
	*is = e == SM_OK && sm_roster_find(&r, g->teller);
	sm_roster_release(&r);
	return e;
}

/* *believed: the line may be acted upon. */
static enum sm_err take_in(bool *believed, const struct sm_opening *o, struct sm_group *g, const struct sm_control *line)
{
	bool old = false;
	enum sm_err e = is_member(believed, o, g->id);
	if (e != SM_OK || !*believed)
		return e;
	e = outdone(&old, o, g, line);
	return e == SM_OK && !old ? expect(g, o, line) : e;
}

static enum sm_err take_group(bool *believed, const struct sm_opening *o, const struct sm_control *line)
{
	struct sm_group g = {0};
	enum sm_err e = sm_group_get(&g, o->db, line->id);
	*believed = false;
	if (e != SM_OK && e != SM_ERR_NOTFOUND)
		return e;
	if (e == SM_OK && g.state == SM_GROUP_IN)
		return take_in(believed, o, &g, line);
	if (line->epoch <= g.epoch)
		return SM_OK;
	memcpy(g.id, line->id, sizeof(g.id));
	g.state = SM_GROUP_INVITED;
	*believed = true;
	e = expect(&g, o, line);
	return e == SM_OK ? sm_invitations_trim(o->db, g.teller) : e;
}

static enum sm_err take_chain(const struct sm_opening *o, const struct sm_control *line)
{
	struct sm_sender_chain c = {.sender = o->from, .n = line->n, .created = o->now};
	bool believed = false;
	memcpy(c.group, line->id, sizeof(c.group));
	memcpy(c.id, line->chain, sizeof(c.id));
	memcpy(c.ck, line->key, sizeof(c.ck));
	enum sm_err e = take_group(&believed, o, line);
	if (e == SM_OK && believed)
		e = sm_chain_put(o->db, o->self->key, &c, true, o->rand);
	sm_sender_chain_release(&c);
	return e == SM_ERR_EXISTS ? SM_OK : e;
}

/* Did this device send it? */
static enum sm_err is_ours(bool *is, const struct sm_opening *o, const char *id)
{
	struct sm_outbox_row row = {0};
	enum sm_err e = sm_outbox_by_id(&row, NULL, o->db, o->self->key, o->self->end.address.text, id);
	sm_wipe(&row.meta, sizeof(row.meta));
	*is = e == SM_OK;
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

static enum sm_err take_resend(const struct sm_opening *o, const struct sm_control *line)
{
	struct sm_wanted w = {0};
	struct sm_public pub;
	uint8_t random[16];
	bool ours = false;
	enum sm_err e = is_ours(&ours, o, line->id);
	if (e == SM_OK && !ours)
		sm_note("message %s, which %s has asked for, is not sent again: it is not kept here", line->id, o->from.address.text);
	if (e == SM_OK && ours)
		e = sm_public_from_ed25519(&pub, o->from.pk);
	if (e != SM_OK || !ours)
		return e;
	memcpy(w.address, o->from.address.text, sizeof(w.address));
	memcpy(w.fp, pub.fp, SM_FP_LEN);
	memcpy(w.id, line->id, sizeof(w.id));
	sm_rand_fill(o->rand, random, sizeof(random));
	sm_base32_id(w.key, random);
	return sm_wanted_add(o->db, &w, o->now);
}

enum sm_err sm_control_take(const struct sm_opening *o, const struct sm_control *line, size_t n)
{
	bool believed;
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < n; i++) {
		switch (line[i].kind) {
		case SM_CONTROL_CHAIN: e = take_chain(o, &line[i]); break;
		case SM_CONTROL_GROUP: e = take_group(&believed, o, &line[i]); break;
		case SM_CONTROL_RESEND: e = take_resend(o, &line[i]); break;
		}
	}
	return e;
}
