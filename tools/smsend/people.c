/* Text over sessions: whom it is for by what the server says now, prekeys for those who are new, one commit, and only then the network
 * again. What is in the outbox is what is sent: a retry sends those bytes. */
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "common/net_post.h"
#include "smsend/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 4 /* the first, and three more when devices have changed */

struct letter {
	struct sending *s;
	struct sm_sealing sealing;
	struct sm_targets to;
	struct sm_bundles bundles;
	struct sm_outbox_row row;
	char refused[SM_ID_LEN + 1]; /* the envelope that the server would not take, "" for none */
	bool again;                  /* the server knows of other devices */
	bool left_out;               /* own devices that cannot be reached */
};

/* --- Whom it is for --- */

/* The own list as the server has it: only after it has said that ours is not the present one. */
static int refresh_self(struct letter *l)
{
	struct sending *s = l->s;
	struct sm_user_key *k = malloc(sizeof(*k));
	int code = k ? sm_peer_resolve(k, NULL, &s->online, &s->db, s->online.self.text) : sm_fail(SM_ERR_NOMEM, "cannot send");
	free(k);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_self_load(&s->self, &s->id, &s->db, &s->online.self, s->online.client.session->device);
	if (e == SM_ERR_POLICY)
		return sm_fail_plain(SM_ERR_DENIED, "this device has been removed from the devices of %s", s->online.self.text);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot read '%s'", s->db.path);
}

static int fill_targets(struct letter *l)
{
	struct sending *s = l->s;
	enum sm_err e = SM_OK;
	l->to.n = 0;
	for (size_t i = 0; e == SM_OK && i < s->nto; i++)
		e = sm_targets_add(&l->to, &s->peer[i].list, &s->self, true);
	if (e == SM_OK)
		e = sm_targets_add(&l->to, &s->self.own, &s->self, false);
	if (e == SM_ERR_LIMIT)
		return sm_fail_plain(e, "the recipients have more than %d devices together", SM_TO_MAX);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot encrypt");
}

/* --- Sessions that are to begin --- */

static bool is_own(const struct letter *l, const struct sm_target *t)
{
	return !strcmp(t->party.address.text, l->s->self.end.address.text);
}

static bool has_bundle(const struct letter *l, const struct sm_target *t)
{
	for (size_t i = 0; i < l->bundles.n; i++)
		if (!memcmp(l->bundles.v[i].end.pk, t->device.pk, SM_PK_LEN))
			return true;
	return false;
}

static int say_stale(const struct sm_target *t)
{
	sm_error("%s has no fresh prekeys (device %u has not been used for long): try later, or send it without a session: "
	         "smencrypt -r %s | smsign | smsend %s",
	         t->party.address.text, (unsigned)t->device.number, t->party.address.name, t->party.address.name);
	return SM_EXIT_TEMP;
}

static int say_forged(const struct sm_target *t)
{
	sm_error("the server gives a prekey of %s (device %u) that this device has not made: refused", t->party.address.text,
	         (unsigned)t->device.number);
	return SM_EXIT_PROTOCOL;
}

/* A device of somebody else stops the sending; one of one's own, lying in a drawer, does not. */
static int leave_out(struct letter *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->to.n; i++) {
		const struct sm_target *t = &l->to.v[i];
		bool fine = t->hpke || has_bundle(l, t);
		enum sm_err e = fine ? SM_OK : sm_pair_exists(&fine, &l->s->db, l->s->self.key, t->device.pk);
		if (e != SM_OK)
			return sm_fail(e, "cannot read '%s'", l->s->db.path);
		if (!fine && !is_own(l, t))
			return say_stale(t);
		if (!fine)
			sm_warning("your device %u has no fresh prekeys: it gets no copy ('smaccount devices' lists them)",
			           (unsigned)t->device.number);
		l->left_out |= !fine;
		if (fine)
			l->to.v[n++] = *t;
	}
	l->to.n = n;
	return n ? SM_EXIT_OK : sm_fail_plain(SM_ERR_BUSY, "none of your devices can be reached");
}

static int fetch_bundles(struct letter *l)
{
	struct sending *s = l->s;
	size_t at = 0;
	sm_bundles_release(&l->bundles);
	enum sm_err e = sm_bundles_fetch(&l->bundles, &s->online, &s->db, &s->self, &l->to, l->sealing.now, &at);
	if (e == SM_ERR_POLICY)
		return leave_out(l);
	if (e == SM_ERR_SIGNATURE) {
		sm_error("the server gives a prekey of %s (device %u) that this device has not made: refused",
		         l->to.v[at].party.address.text, (unsigned)l->to.v[at].device.number);
		return SM_EXIT_PROTOCOL;
	}
	return e == SM_OK ? SM_EXIT_OK : sm_net_say(&s->online.client, e);
}

/* --- The envelope --- */

static enum sm_err same_message(const struct letter *l, const struct sm_outbox_row *row)
{
	return sm_equal(row->meta.digest, l->row.meta.digest, sizeof(row->meta.digest)) ? SM_OK : SM_ERR_EXISTS;
}

/* Under the lock: what another process has put under the key meanwhile is what is sent, unless the server has refused just that. */
static enum sm_err make_locked(struct letter *l, size_t *bad)
{
	struct sending *s = l->s;
	struct sm_outbox_row row;
	enum sm_err e = sm_outbox_get(&row, NULL, &s->db, s->self.key, s->self.end.address.text, s->key);
	if (e == SM_OK && (e = same_message(l, &row)) == SM_OK) {
		if (strcmp(row.id, l->refused) != 0) {
			l->row = row;
			return SM_OK;
		}
		e = sm_outbox_drop(&s->db, s->self.end.address.text, s->key);
	}
	sm_wipe(&row.meta, sizeof(row.meta));
	if (e != SM_OK && e != SM_ERR_NOTFOUND)
		return e;
	(void)snprintf(l->row.query, sizeof(l->row.query), "%s", l->left_out ? "self=none" : "");
	l->sealing.to = &l->to;
	l->sealing.bundle = l->bundles.v, l->sealing.nbundle = l->bundles.n;
	return sm_sealing_make(&l->row, &l->sealing, bad);
}

static int say_make(const struct letter *l, enum sm_err e)
{
	if (e == SM_ERR_EXISTS)
		return sm_fail_plain(SM_ERR_CONFLICT, "the key '%s' was used for other bytes already: use another for another message",
		                     l->s->key);
	if (e == SM_ERR_LIMIT)
		return sm_fail_plain(e, "%s is too large for a message", sm_input_name(l->s->o->input));
	return sm_fail(e, "cannot keep the message in '%s'", l->s->db.path);
}

static int make(struct letter *l)
{
	struct sm_db *db = &l->s->db;
	size_t bad = 0;
	enum sm_err e = sm_db_begin(db);
	if (e != SM_OK)
		return say_make(l, e);
	if ((e = make_locked(l, &bad)) == SM_OK)
		e = sm_db_commit(db);
	if (e != SM_OK)
		sm_db_rollback(db);
	/* A session has gone since we looked: look again. */
	if (e == SM_ERR_NOTFOUND)
		l->again = true;
	if (e == SM_ERR_SIGNATURE)
		return say_forged(&l->to.v[bad]);
	return e == SM_OK || l->again ? SM_EXIT_OK : say_make(l, e);
}

/* --- Sending --- */

static bool is_final(const struct sm_client *c, enum sm_err e)
{
	return e == SM_ERR_NOTFOUND || e == SM_ERR_LIMIT || e == SM_ERR_CONFLICT || (e == SM_ERR_PROTOCOL && c->error.status == 400);
}

/* What the server will not take in this form must not wait for a retry. */
static void drop(const struct letter *l)
{
	struct sending *s = l->s;
	if (sm_outbox_drop(&s->db, s->self.end.address.text, s->key) != SM_OK)
		sm_note("'%s' could not be written", s->db.path);
}

/* The words, for which the size may matter. */
static int say_post(struct letter *l, enum sm_err e)
{
	struct sending *s = l->s;
	const char *account = s->self.end.address.text;
	struct sm_outbox_row row;
	sm_buf_clear(&s->envelope);
	if (sm_outbox_get(&row, &s->envelope, &s->db, s->self.key, account, s->key) == SM_OK)
		sm_wipe(&row.meta, sizeof(row.meta));
	int code = sm_post_say(&s->online.client, e, s->key, &s->envelope);
	if (is_final(&s->online.client, e))
		drop(l);
	return code;
}

static int transmit(struct letter *l)
{
	struct sending *s = l->s;
	struct sm_client *c = &s->online.client;
	enum sm_err e = sm_transmit(&s->sent, &s->online, &s->db, &s->self, &l->row);
	if (e == SM_OK)
		return send_report(s, l->row.id);
	if (e != SM_ERR_CONFLICT || strcmp(c->error.code, "stale_devices") != 0)
		return say_post(l, e);
	memcpy(l->refused, l->row.id, sizeof(l->refused));
	l->again = true;
	return SM_EXIT_OK;
}

static int attempt(struct letter *l)
{
	int code = *l->refused ? refresh_self(l) : SM_EXIT_OK;
	l->again = l->left_out = false;
	if (code == SM_EXIT_OK)
		code = send_resolve(l->s);
	if (code == SM_EXIT_OK)
		code = fill_targets(l);
	if (code == SM_EXIT_OK)
		code = fetch_bundles(l);
	if (code == SM_EXIT_OK)
		code = make(l);
	return code == SM_EXIT_OK && !l->again ? transmit(l) : code;
}

/* Over addresses: what a repetition is told by is known before the server is asked. */
static int digest(struct letter *l)
{
	struct sending *s = l->s;
	const char **text = calloc(s->nto, sizeof(*text));
	enum sm_err e = text ? SM_OK : SM_ERR_NOMEM;
	for (size_t i = 0; text && i < s->nto; i++)
		text[i] = s->to[i].text;
	if (e == SM_OK)
		e = sm_sealing_digest(l->row.meta.digest, &l->sealing, text, s->nto);
	free(text);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot send");
}

/* Was this very message made before, under the key given? */
static int find_made(struct letter *l, bool *made)
{
	struct sending *s = l->s;
	struct sm_outbox_row row;
	*made = false;
	if (!s->o->key)
		return SM_EXIT_OK;
	enum sm_err e = sm_outbox_get(&row, NULL, &s->db, s->self.key, s->self.end.address.text, s->key);
	if (e == SM_ERR_NOTFOUND)
		return SM_EXIT_OK;
	if (e == SM_OK && (e = same_message(l, &row)) == SM_OK) {
		l->row = row;
		*made = true;
	}
	return e == SM_OK ? SM_EXIT_OK : say_make(l, e);
}

static int deliver(struct letter *l)
{
	bool made = false;
	int code = digest(l);
	if (code == SM_EXIT_OK)
		code = find_made(l, &made);
	if (code != SM_EXIT_OK)
		return code;
	l->again = !made;
	if (made)
		code = transmit(l);
	for (int i = made; code == SM_EXIT_OK && l->again && i < TRIES; i++)
		code = attempt(l);
	if (code != SM_EXIT_OK || !l->again)
		return code;
	drop(l);
	return sm_fail_plain(SM_ERR_BUSY, "the recipients' devices keep changing: try again");
}

int send_people(struct sending *s)
{
	struct letter l = {.s = s, .sealing = send_sealing(s)};
	(void)snprintf(l.row.key, sizeof(l.row.key), "%s", s->key);
	int code = deliver(&l);
	sm_targets_release(&l.to);
	sm_bundles_release(&l.bundles);
	sm_wipe(&l.row.meta, sizeof(l.row.meta));
	return code;
}
