/* A member's word for a group is an expectation, which rosters must meet before anything is believed (net_groups.c); where there are
 * verified rosters already, they alone lead on. */
#include "common/control.h"

#include "base/base64.h"
#include "store/groups.h"
#include "store/healing.h"

#include <string.h>

static enum sm_err take_group(struct sm_db *db, const struct sm_control *line)
{
	struct sm_group g = {0};
	enum sm_err e = sm_group_get(&g, db, line->id);
	if (e != SM_OK && e != SM_ERR_NOTFOUND)
		return e;
	if (e == SM_ERR_NOTFOUND)
		memcpy(g.id, line->id, sizeof(g.id));
	else if (g.state == SM_GROUP_IN || line->epoch <= g.epoch)
		return SM_OK;
	g.state = SM_GROUP_INVITED;
	g.expect = line->epoch;
	memcpy(g.expected, line->roster, sizeof(g.expected));
	return sm_group_put(db, &g);
}

static enum sm_err take_chain(const struct sm_opening *o, const struct sm_control *line)
{
	struct sm_sender_chain c = {.sender = o->from, .n = line->n, .created = o->now};
	memcpy(c.group, line->id, sizeof(c.group));
	memcpy(c.id, line->chain, sizeof(c.id));
	memcpy(c.ck, line->key, sizeof(c.ck));
	enum sm_err e = take_group(o->db, line);
	if (e == SM_OK)
		e = sm_chain_put(o->db, o->self->key, &c, true, o->rand);
	sm_sender_chain_release(&c);
	return e == SM_ERR_EXISTS ? SM_OK : e;
}

static enum sm_err take_resend(const struct sm_opening *o, const struct sm_control *line)
{
	struct sm_wanted w = {0};
	struct sm_public pub;
	uint8_t random[16];
	enum sm_err e = sm_public_from_ed25519(&pub, o->from.pk);
	if (e != SM_OK)
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
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < n; i++) {
		switch (line[i].kind) {
		case SM_CONTROL_CHAIN: e = take_chain(o, &line[i]); break;
		case SM_CONTROL_GROUP: e = take_group(o->db, &line[i]); break;
		case SM_CONTROL_RESEND: e = take_resend(o, &line[i]); break;
		}
	}
	return e;
}
