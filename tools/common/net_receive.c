/* The order matters: the server may forget a message only when it is safely here; until then it sends it again, and what is here
 * already is passed over. */
#include "common/net_receive.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/letter_keep.h"
#include "common/net_control.h"
#include "common/net_groups.h"
#include "common/net_keys.h"
#include "store/groups.h"

#include <string.h>

#define PAGE 256
#define ASKED_MAX ((size_t)16 << 20)
#define BREAKS_MAX 16 /* of one page */

void sm_receiver_init(struct sm_receiver *x, struct sm_reader *reader, struct sm_online *online)
{
	*x = (struct sm_receiver){.reader = reader, .online = online};
	if (online->client.session)
		reader->number = online->client.session->device;
	sm_buf_init(&x->asked, ASKED_MAX);
	sm_buf_init(&x->opened, ASKED_MAX);
}

void sm_receiver_release(struct sm_receiver *x)
{
	sm_buf_release(&x->asked);
	sm_buf_release(&x->opened);
}

/* Each address is asked for once in a run. */
static bool ask_once(struct sm_receiver *x, const char *address)
{
	struct sm_span left = {x->asked.data, x->asked.len}, one;
	while (sm_span_take_lp(&left, &one))
		if (sm_span_equals(one, address))
			return false;
	return sm_buf_add_lp(&x->asked, address, strlen(address)) == SM_OK;
}

static enum sm_err keep_devices(struct sm_receiver *x, const struct sm_user_key *k)
{
	struct sm_reader *r = x->reader;
	enum sm_err e = sm_peer_keep(&r->db, x->online, k, NULL);
	if (e == SM_ERR_POLICY)
		sm_warning("the server gives a list of the devices of %s that may not follow the one it gave before: not believed",
		           k->address);
	if (e == SM_OK || e == SM_ERR_CHANGED)
		e = sm_reader_refresh(r);
	return e == SM_ERR_POLICY ? SM_OK : e;
}

/* Trust on first use: the server's word for the sender's key counts when the envelope is from one of this user's devices. For an address
 * that is pinned to another key, this records the new one as seen, so that it can be accepted by hand. */
static enum sm_err introduce(struct sm_receiver *x, const struct sm_party *from)
{
	struct sm_speaker s;
	struct sm_contact c;
	struct sm_user_key k;
	const char *address = from->address.text;
	if (!*address || !from->has_fp)
		return SM_OK;
	enum sm_err e = sm_reader_speaker(&s, x->reader, from);
	if ((e != SM_ERR_NOTFOUND && e != SM_ERR_CHANGED) || !ask_once(x, address))
		return e == SM_ERR_NOTFOUND || e == SM_ERR_CHANGED ? SM_OK : e;
	e = sm_peer_lookup(&k, x->online, &from->address);
	if (e == SM_ERR_NOTFOUND || e == SM_ERR_PROTOCOL)
		return SM_OK; /* gone, or nonsense: the sender stays unknown */
	if (e != SM_OK)
		return e;
	if (sm_equal(k.pub.fp, from->fp, SM_FP_LEN) || sm_device_list_find(&k.list, from->fp))
		return keep_devices(x, &k);
	/* not one of these devices: what is known of a user who is pinned may be old all the same */
	e = sm_contact_get(&c, &x->reader->db, address);
	if (e == SM_OK && sm_equal(c.pub.fp, k.pub.fp, SM_FP_LEN))
		return keep_devices(x, &k);
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

static enum sm_err introduce_sender(struct sm_receiver *x, struct sm_span envelope)
{
	struct sm_header h = {0};
	unsigned line;
	size_t n;
	if (sm_header_find(&n, envelope.p, envelope.n) != SM_OK || sm_header_parse(&h, &line, envelope.p, n) != SM_OK)
		return SM_OK;
	enum sm_err e = introduce(x, &h.from);
	if (e == SM_OK && h.has_group && x->reader->has_device)
		sm_groups_prepare(x->online, &x->reader->db, &x->reader->device, &h);
	sm_header_release(&h);
	return e;
}

static struct sm_inbox_new row_of(const struct sm_receiver *x, const struct sm_incoming *m)
{
	return (struct sm_inbox_new){
	        .account = x->online->account.address, .seq = m->seq, .received = m->received, .envelope = m->envelope};
}

/* What has to be asked of the server, before the write lock is taken. Also finds where the page breaks off. */
static enum sm_err prepare(struct sm_receiver *x, struct sm_span page)
{
	struct sm_incoming m;
	enum sm_err bad, e = SM_OK;
	while (e == SM_OK && sm_page_next(&m, &page, &bad)) {
		bool here = false;
		struct sm_inbox_new row = row_of(x, &m);
		e = sm_inbox_has(&here, &x->reader->db, &row);
		if (e == SM_OK && !here)
			e = introduce_sender(x, m.envelope);
	}
	return e == SM_OK ? bad : e;
}

static bool speaks_of_groups(const struct sm_letter *l)
{
	for (size_t i = 0; i < l->nline; i++)
		if (l->line[i].kind != SM_CONTROL_RESEND)
			return true;
	return false;
}

/* Is another copy of this device meant, perhaps (a clone, or what a restored backup has left elsewhere)? What does not open here may open
 * there, and what is asked for may have been sent from there; the mailbox is one for both. So the server keeps these for one run more. */
static enum sm_err for_a_copy(bool *is, struct sm_reader *r, const struct sm_letter *l, const struct sm_inbox_new *row)
{
	struct sm_outbox_row sent = {0};
	enum sm_err e = SM_OK;
	*is = row->waits == 1;
	for (size_t i = 0; e == SM_OK && i < l->nline; i++) {
		if (l->line[i].kind != SM_CONTROL_RESEND)
			continue;
		e = sm_outbox_by_id(&sent, NULL, &r->db, r->device.key, r->self, l->line[i].id);
		*is |= e == SM_ERR_NOTFOUND;
		e = e == SM_ERR_NOTFOUND ? SM_OK : e;
	}
	sm_wipe(&sent.meta, sizeof(sent.meta));
	return e;
}

/* A page that is being stored. Each break is a commit and a request, and a stranger can ask for them: so only so many. */
struct storing {
	struct sm_span page; /* what is left */
	uint64_t last;
	unsigned breaks;
	uint64_t looked;        /* seq of the message that we have broken off for */
	bool stop;              /* rosters are wanted before the next group's message is opened */
	bool again;             /* and before this one is taken: */
	struct sm_header wants; /* .group */
};

/* Does it speak of an epoch that is not known here? Whether the sender is a member may depend on it. */
static enum sm_err is_behind(struct storing *s, struct sm_reader *r, const struct sm_letter *l)
{
	struct sm_group g;
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < l->nline && !s->again; i++) {
		if (l->line[i].kind == SM_CONTROL_RESEND)
			continue;
		e = sm_group_get(&g, &r->db, l->line[i].id);
		if (e == SM_OK && g.state == SM_GROUP_IN && g.epoch < l->line[i].epoch) {
			s->again = true;
			s->wants = (struct sm_header){.has_group = true};
			memcpy(s->wants.group.id, g.id, sizeof(g.id));
			s->wants.group.epoch = l->line[i].epoch;
		}
		e = e == SM_ERR_NOTFOUND ? SM_OK : e;
	}
	return e;
}

static enum sm_err keep_one(struct sm_receiver *x, struct sm_letter *l, struct sm_inbox_new *row, struct storing *s)
{
	bool copy = false;
	enum sm_err e = sm_letter_keep(l, x->reader, row);
	if (e == SM_OK)
		e = for_a_copy(&copy, x->reader, l, row);
	if (copy && (!x->hold || row->seq < x->hold))
		x->hold = row->seq;
	if (e == SM_OK) {
		s->stop |= speaks_of_groups(l);
		x->first |= l->opening.first;
		x->unfinished |= l->line || row->waits || l->opening.first;
	}
	return e;
}

static enum sm_err store_one(struct sm_receiver *x, const struct sm_incoming *m, struct storing *s)
{
	struct sm_letter l = {0};
	struct sm_inbox_new row = row_of(x, m);
	bool here = false;
	enum sm_err e = sm_inbox_has(&here, &x->reader->db, &row);
	if (e != SM_OK || here)
		return e;
	e = sm_letter_judge(&l, x->reader, m->envelope, sm_time_now());
	if (e == SM_OK && s->breaks < BREAKS_MAX && s->looked != m->seq)
		e = is_behind(s, x->reader, &l);
	if (e == SM_OK && !s->again)
		e = keep_one(x, &l, &row, s);
	else
		s->looked = m->seq;
	sm_letter_release(&l);
	return e;
}

static bool to_group(struct sm_span envelope)
{
	size_t n;
	return sm_header_find(&n, envelope.p, envelope.n) == SM_OK && memmem(envelope.p, n, "\ngroup ", 7);
}

/* Up to what rosters are wanted for. */
static enum sm_err store_some(struct sm_receiver *x, struct storing *s)
{
	struct sm_incoming m;
	struct sm_span next = s->page;
	enum sm_err bad, e = SM_OK;
	while (e == SM_OK && sm_page_next(&m, &next, &bad)) {
		if (s->stop && s->breaks < BREAKS_MAX && to_group(m.envelope))
			break;
		e = store_one(x, &m, s);
		if (e != SM_OK || s->again)
			break;
		s->last = m.seq > s->last ? m.seq : s->last;
		s->page = next;
	}
	return e;
}

/* In one commit. */
static enum sm_err store(struct sm_receiver *x, struct storing *s)
{
	enum sm_err e = sm_db_begin(&x->reader->db);
	if (e != SM_OK)
		return e;
	s->stop = s->again = false;
	e = store_some(x, s);
	if (e == SM_OK)
		e = sm_db_commit(&x->reader->db);
	if (e != SM_OK)
		sm_db_rollback(&x->reader->db);
	return e;
}

static void fetch_rosters(struct sm_receiver *x, struct storing *s)
{
	struct sm_reader *r = x->reader;
	if (!r->has_device)
		return;
	if (s->stop)
		sm_groups_prepare(x->online, &r->db, &r->device, NULL);
	if (s->again)
		sm_groups_prepare(x->online, &r->db, &r->device, &s->wants);
	s->breaks++;
}

enum sm_err sm_receive_page(struct sm_receiver *x, struct sm_span page)
{
	struct storing s = {.page = page};
	bool on = page.n != 0;
	enum sm_err e = sm_reader_refresh(x->reader);
	while (e == SM_OK && on) {
		size_t left = s.page.n;
		e = prepare(x, s.page);
		if (e != SM_OK)
			break;
		x->storing = true;
		e = store(x, &s);
		x->storing = e != SM_OK;
		on = s.page.n && (s.page.n < left || s.again);
		if (e == SM_OK && (s.stop || s.again))
			fetch_rosters(x, &s);
	}
	uint64_t last = s.last;
	if (e == SM_OK && last > x->last)
		x->last = last;
	if (x->hold && last >= x->hold)
		last = x->hold - 1;
	if (e == SM_OK && last)
		e = sm_net_ack(&x->online->client, last);
	return e;
}

enum sm_err sm_receive_all(struct sm_receiver *x)
{
	bool more = true;
	enum sm_err e = x->reader->removed ? SM_ERR_DENIED : SM_OK;
	while (e == SM_OK && more) {
		struct sm_http_answer page = {0};
		uint64_t before = x->last;
		e = sm_net_fetch(&page, &x->online->client, x->last, PAGE);
		if (e == SM_OK)
			e = sm_receive_page(x, (struct sm_span){page.body.data, page.body.len});
		more = page.more && x->last > before;
		sm_http_answer_release(&page);
	}
	return e;
}

void sm_receive_finish(struct sm_receiver *x)
{
	struct sm_reader *r = x->reader;
	enum sm_err e;
	if (!r->has_device)
		return;
	sm_heal(x->online, r, &x->opened);
	e = sm_prekeys_keep(x->online, &r->db, &r->device, x->first);
	if (e != SM_OK)
		sm_note("prekeys are not refilled now: %s", sm_err_text(e));
	x->first = x->unfinished = false;
	x->hold = 0;
}

int sm_receive_say(const struct sm_receiver *x, enum sm_err e)
{
	if (e == SM_OK)
		return SM_EXIT_OK;
	if (x->reader->removed && e == SM_ERR_DENIED)
		return sm_fail_plain(e, "this device has been removed from %s", x->reader->self);
	if (x->storing || e == SM_ERR_IO || e == SM_ERR_CANTCREAT || e == SM_ERR_FORMAT || e == SM_ERR_PERM)
		return sm_fail(e, "cannot keep messages in '%s'", x->reader->db.path);
	return sm_net_say(&x->online->client, e);
}
