/* From a judgement to rows, and from a row to what a person is shown. */
#include "common/letter_keep.h"

#include "base/time.h"
#include "cli/diag.h"
#include "common/control.h"
#include "store/groups.h"
#include "store/healing.h"

#include <string.h>

/* --- Storing --- */

/* Of a message that did not open, what its header says is not proven: such a ref may be anybody's, and only ever removes what did not open
 * either. Of one that did, the sender is proven, or its device has made it for this one alone. */
static bool has_ref(const struct sm_letter *l)
{
	const struct sm_inbox_meta *m = &l->meta;
	if (!*m->id || !*m->from.address.text)
		return false;
	if (m->problem != SM_OK)
		return m->why != SM_INBOX_WHY_NONE && m->why != SM_INBOX_WHY_UNSIGNED;
	if (l->opening.changed)
		return false;
	return m->proof == SM_INBOX_PROVEN || (m->proof == SM_INBOX_NONE && l->opening.pairwise && l->alone);
}

/* A repetition was sealed for this device alone, so that nobody else can have made it of the sender's stanza. */
static bool repeats(const struct sm_letter *l) { return *l->meta.original && l->opening.pairwise && l->alone && has_ref(l); }

/* Is the first one here? *ref: of that. */
static enum sm_err repeats_taken(bool *taken, uint8_t ref[static SM_INBOX_REF_LEN], const struct sm_letter *l, struct sm_reader *r)
{
	sm_inbox_ref(ref, l->meta.from.address.text, l->meta.original);
	return sm_inbox_taken(taken, &r->db, ref, (struct sm_span){ref, SM_INBOX_REF_LEN});
}

/* How the row stands: shown, waiting, or hidden. */
static enum sm_err place(struct sm_letter *l, struct sm_reader *r, struct sm_inbox_new *row)
{
	const struct sm_inbox_meta *m = &l->meta;
	uint8_t first[SM_INBOX_REF_LEN];
	bool taken = false;
	enum sm_err e = SM_OK;
	row->has_ref = has_ref(l);
	sm_inbox_ref(row->ref, m->from.address.text, m->id);
	/* a session lets nothing in twice by itself */
	if (m->problem != SM_OK || (!l->opening.pairwise && !l->opening.group))
		e = sm_inbox_taken(&taken, &r->db, row->ref, row->envelope);
	else if (repeats(l))
		e = repeats_taken(&taken, first, l, r);
	if (e != SM_OK)
		return e;
	row->hidden = taken || l->line;
	if (taken)
		sm_note("a message from %s is here already: passed over", *m->from.address.text ? m->from.address.text : "nobody");
	else if (m->problem != SM_OK && row->has_ref)
		row->waits = l->ask ? 1 : 2;
	return SM_OK;
}

/* What opened one stepped, asks for, and stands in the place of. n: its own row, 0 while it has none. *any: something stood there. */
static enum sm_err settle(struct sm_letter *l, struct sm_reader *r, int64_t n, bool *any)
{
	uint8_t ref[SM_INBOX_REF_LEN];
	enum sm_err e = sm_opening_keep(&l->opening);
	if (e == SM_OK && has_ref(l)) {
		sm_inbox_ref(ref, l->meta.from.address.text, l->meta.id);
		e = sm_inbox_supersede(NULL, &r->db, ref, n, l->opening.now);
	}
	if (e == SM_OK && repeats(l)) {
		sm_inbox_ref(ref, l->meta.from.address.text, l->meta.original);
		e = sm_inbox_supersede(any, &r->db, ref, n, l->opening.now);
	}
	return e == SM_OK && l->line ? sm_control_take(&l->opening, l->line, l->nline) : e;
}

/* A repetition of what has not come, or was removed: another repetition is to find that it is here. */
static enum sm_err remember_first(const struct sm_letter *l, struct sm_reader *r, const struct sm_inbox_new *row)
{
	struct sm_inbox_new first = *row;
	int64_t n;
	first.hidden = true;
	first.received = l->opening.now * 1000;
	first.has_ref = true;
	sm_inbox_ref(first.ref, l->meta.from.address.text, l->meta.original);
	first.envelope = (struct sm_span){first.ref, sizeof(first.ref)};
	enum sm_err e = sm_inbox_add(&n, &r->db, r->key, &first, &sm_rand_system);
	return e == SM_ERR_EXISTS ? SM_OK : e;
}

enum sm_err sm_letter_keep(struct sm_letter *l, struct sm_reader *r, struct sm_inbox_new *row)
{
	bool any = true;
	int64_t n;
	row->meta = &l->meta;
	enum sm_err e = place(l, r, row);
	if (row->hidden)
		row->received = l->opening.now * 1000; /* how long it is remembered is not the server's to say */
	if (e == SM_OK && l->meta.problem == SM_OK)
		e = settle(l, r, 0, &any);
	if (e == SM_OK && !any && !row->hidden)
		e = remember_first(l, r, row);
	if (e == SM_OK)
		e = sm_inbox_add(&n, &r->db, r->key, row, &sm_rand_system);
	return e == SM_ERR_EXISTS ? SM_OK : e;
}

/* --- Trying again --- */

/* The row becomes what the message is after all; *gone: it is nothing to be shown. */
static enum sm_err replace(struct sm_letter *l, struct sm_reader *r, struct sm_inbox_row *row, bool *gone)
{
	uint8_t first[SM_INBOX_REF_LEN];
	bool any, taken = false;
	enum sm_err e = repeats(l) ? repeats_taken(&taken, first, l, r) : SM_OK;
	if (e == SM_OK)
		e = settle(l, r, row->n, &any);
	if (e != SM_OK)
		return e;
	*gone = taken || l->line;
	row->meta = l->meta;
	e = sm_inbox_update(&r->db, r->key, row, &sm_rand_system);
	if (e == SM_OK && *gone)
		return sm_inbox_remove(&r->db, row->n, sm_time_now());
	return e == SM_OK ? sm_inbox_mark(&r->db, row->n, SM_INBOX_NEW) : e;
}

static enum sm_err retry(struct sm_inbox_row *row, struct sm_reader *r, bool *gone)
{
	struct sm_letter l = {0};
	struct sm_buf envelope;
	sm_buf_init(&envelope, (size_t)64 << 20);
	enum sm_err e = sm_inbox_get(row, &envelope, &r->db, r->key, row->n);
	if (e == SM_OK && row->meta.problem != SM_OK && row->meta.why != SM_INBOX_WHY_NONE) {
		e = sm_letter_judge(&l, r, (struct sm_span){envelope.data, envelope.len}, sm_time_now());
		if (e == SM_OK && l.meta.problem == SM_OK) {
			e = replace(&l, r, row, gone);
		} else if (e == SM_OK && (l.meta.why != row->meta.why || (row->asked && !l.ask))) {
			row->meta = l.meta;
			row->asked = l.ask;
			e = sm_inbox_update(&r->db, r->key, row, &sm_rand_system);
			if (e == SM_OK)
				e = sm_inbox_wait(&r->db, row->n, l.ask);
		}
	}
	sm_letter_release(&l);
	sm_buf_release(&envelope);
	return e;
}

enum sm_err sm_letter_retry(struct sm_inbox_row *row, struct sm_reader *r)
{
	bool gone = false;
	enum sm_err e = sm_db_begin(&r->db);
	if (e != SM_OK)
		return e;
	e = retry(row, r, &gone);
	if (e == SM_OK)
		e = sm_db_commit(&r->db);
	if (e != SM_OK)
		sm_db_rollback(&r->db);
	return e == SM_OK && gone ? SM_ERR_NOTFOUND : e;
}

/* --- Showing --- */

static enum sm_mark mark_of(enum sm_trust t)
{
	switch (t) {
	case SM_TRUST_VERIFIED: return SM_MARK_VERIFIED;
	case SM_TRUST_CHANGED: return SM_MARK_CHANGED;
	case SM_TRUST_UNVERIFIED: break;
	}
	return SM_MARK_UNVERIFIED;
}

static void set_mark(struct sm_shown *s, enum sm_trust t)
{
	switch (s->row.meta.proof) {
	case SM_INBOX_PROVEN: s->mark = mark_of(t); break;
	case SM_INBOX_CHANGED: s->mark = SM_MARK_CHANGED; break;
	case SM_INBOX_UNKNOWN: s->mark = SM_MARK_UNKNOWN; break;
	case SM_INBOX_NONE: s->mark = SM_MARK_UNSIGNED; break;
	}
}

/* The device is none of the user's any more, or the user's key is another one. */
static enum sm_err still_proven(struct sm_shown *s, struct sm_reader *r, enum sm_err found, enum sm_trust *trust)
{
	struct sm_inbox_meta *m = &s->row.meta;
	struct sm_contact c = {0};
	enum sm_err e = m->has_user && *m->from.address.text ? sm_contact_get(&c, &r->db, m->from.address.text) : SM_ERR_NOTFOUND;
	*trust = c.trust;
	if (e == SM_OK && sm_equal(c.pub.fp, m->user, SM_FP_LEN))
		return SM_OK;
	if (e == SM_OK || e == SM_ERR_NOTFOUND)
		m->proof = found == SM_ERR_CHANGED ? SM_INBOX_CHANGED : SM_INBOX_UNKNOWN;
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

/* The key is known now: is the signature right? */
static enum sm_err prove(struct sm_shown *s, struct sm_reader *r)
{
	struct sm_reopened x = {0};
	enum sm_err e = sm_letter_reopen(&x, &s->row, r);
	sm_reopened_release(&x);
	if (sm_letter_fault(e)) {
		s->row.meta.problem = e;
		e = SM_OK;
	}
	return e == SM_OK ? sm_inbox_update(&r->db, r->key, &s->row, &sm_rand_system) : e;
}

static enum sm_err review_proof(struct sm_shown *s, struct sm_reader *r)
{
	struct sm_inbox_meta *m = &s->row.meta;
	struct sm_speaker who = {.trust = SM_TRUST_UNVERIFIED};
	enum sm_err e = SM_OK;
	if (m->proof != SM_INBOX_NONE) {
		e = sm_reader_speaker(&who, r, &m->from);
		if ((e == SM_ERR_NOTFOUND || e == SM_ERR_CHANGED) && m->proof == SM_INBOX_PROVEN)
			e = still_proven(s, r, e, &who.trust);
		else if (e == SM_ERR_NOTFOUND || e == SM_ERR_CHANGED)
			m->proof = e == SM_ERR_CHANGED ? SM_INBOX_CHANGED : SM_INBOX_UNKNOWN, e = SM_OK;
		else if (e == SM_OK && m->proof != SM_INBOX_PROVEN)
			e = prove(s, r);
	}
	if (e == SM_OK)
		set_mark(s, who.trust);
	return e;
}

static enum sm_err name_group(struct sm_shown *s, struct sm_reader *r)
{
	struct sm_group g;
	memcpy(s->group, s->row.meta.group, sizeof(s->group));
	if (!*s->group)
		return SM_OK;
	enum sm_err e = sm_group_get(&g, &r->db, s->group);
	if (e == SM_OK && *g.alias)
		memcpy(s->group, g.alias, strlen(g.alias) + 1);
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

enum sm_err sm_letter_review(struct sm_shown *s, struct sm_reader *r)
{
	struct sm_inbox_meta *m = &s->row.meta;
	enum sm_err e = SM_OK;
	if (m->problem != SM_OK && m->why != SM_INBOX_WHY_NONE && r->has_device)
		e = sm_letter_retry(&s->row, r);
	s->mark = SM_MARK_UNKNOWN;
	if (e == SM_OK && m->problem == SM_OK)
		e = review_proof(s, r);
	return e == SM_OK ? name_group(s, r) : e;
}
