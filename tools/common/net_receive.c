/* The order matters: the server may forget a message only when it is safely here; until then it sends it again, and what is here
 * already is passed over. */
#include "common/net_receive.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_keys.h"

#include <string.h>

#define PAGE 256
#define ASKED_MAX ((size_t)16 << 20)

void sm_receiver_init(struct sm_receiver *x, struct sm_reader *reader, struct sm_online *online)
{
	*x = (struct sm_receiver){.reader = reader, .online = online};
	sm_buf_init(&x->asked, ASKED_MAX);
}

void sm_receiver_release(struct sm_receiver *x) { sm_buf_release(&x->asked); }

/* Each address is asked for once in a run. */
static bool ask_once(struct sm_receiver *x, const char *address)
{
	struct sm_span left = {x->asked.data, x->asked.len}, one;
	while (sm_span_take_lp(&left, &one))
		if (sm_span_equals(one, address))
			return false;
	return sm_buf_add_lp(&x->asked, address, strlen(address)) == SM_OK;
}

/* Trust on first use: the server's word for the sender's key counts when the envelope names the same one. For an address that is pinned
 * to another key, this records the new one as seen, so that it can be accepted by hand. */
static enum sm_err introduce(struct sm_receiver *x, const struct sm_party *from)
{
	struct sm_contact c;
	struct sm_user_key k;
	const char *address = from->address.text;
	if (!*address || !from->has_fp || !strcmp(address, x->reader->self))
		return SM_OK;
	enum sm_err e = sm_contact_get(&c, &x->reader->db, address);
	if (e == SM_OK && sm_equal(c.pub.fp, from->fp, SM_FP_LEN))
		return SM_OK;
	if ((e != SM_OK && e != SM_ERR_NOTFOUND) || !ask_once(x, address))
		return e == SM_ERR_NOTFOUND ? SM_OK : e;
	e = sm_peer_lookup(&k, x->online, &from->address);
	if (e == SM_ERR_NOTFOUND || e == SM_ERR_PROTOCOL)
		return SM_OK; /* gone, or nonsense: the sender stays unknown */
	if (e == SM_OK && sm_equal(k.pub.fp, from->fp, SM_FP_LEN))
		e = sm_contact_pin(&x->reader->db, address, &k.pub, sm_time_now(), NULL);
	return e == SM_ERR_CHANGED ? SM_OK : e;
}

static enum sm_err introduce_sender(struct sm_receiver *x, struct sm_span envelope)
{
	struct sm_header h = {0};
	unsigned line;
	size_t n;
	if (sm_header_find(&n, envelope.p, envelope.n) != SM_OK || sm_header_parse(&h, &line, envelope.p, n) != SM_OK)
		return SM_OK;
	enum sm_err e = introduce(x, &h.from);
	sm_header_release(&h);
	return e;
}

static struct sm_inbox_new row_of(const struct sm_receiver *x, const struct sm_incoming *m, const struct sm_inbox_meta *meta)
{
	return (struct sm_inbox_new){
	        .account = x->online->account.address, .seq = m->seq, .received = m->received, .envelope = m->envelope, .meta = meta};
}

/* What has to be asked of the server, before the write lock is taken. Also finds where the page breaks off. */
static enum sm_err prepare(struct sm_receiver *x, struct sm_span page)
{
	struct sm_incoming m;
	enum sm_err bad, e = SM_OK;
	while (e == SM_OK && sm_page_next(&m, &page, &bad)) {
		bool here = false;
		struct sm_inbox_new row = row_of(x, &m, NULL);
		e = sm_inbox_has(&here, &x->reader->db, &row);
		if (e == SM_OK && !here)
			e = introduce_sender(x, m.envelope);
	}
	return e == SM_OK ? bad : e;
}

static enum sm_err store_one(struct sm_receiver *x, const struct sm_incoming *m)
{
	struct sm_inbox_meta meta = {0};
	struct sm_inbox_new row = row_of(x, m, &meta);
	bool here = false;
	int64_t n;
	enum sm_err e = sm_inbox_has(&here, &x->reader->db, &row);
	if (e != SM_OK || here)
		return e;
	e = sm_letter_judge(&meta, x->reader, m->envelope);
	if (e == SM_OK)
		e = sm_inbox_add(&n, &x->reader->db, x->reader->key, &row, &sm_rand_system);
	sm_wipe(&meta, sizeof(meta));
	return e == SM_ERR_EXISTS ? SM_OK : e;
}

static enum sm_err store(struct sm_receiver *x, struct sm_span page, uint64_t *last)
{
	struct sm_incoming m;
	enum sm_err bad, e = sm_db_begin(&x->reader->db);
	if (e != SM_OK)
		return e;
	while (e == SM_OK && sm_page_next(&m, &page, &bad)) {
		e = store_one(x, &m);
		*last = m.seq > *last ? m.seq : *last;
	}
	if (e == SM_OK)
		e = sm_db_commit(&x->reader->db);
	if (e != SM_OK)
		sm_db_rollback(&x->reader->db);
	return e;
}

enum sm_err sm_receive_page(struct sm_receiver *x, struct sm_span page)
{
	uint64_t last = 0;
	enum sm_err e = prepare(x, page);
	if (e == SM_OK) {
		x->storing = true;
		e = store(x, page, &last);
		x->storing = e != SM_OK;
	}
	if (e == SM_OK && last)
		e = sm_net_ack(&x->online->client, last);
	if (e == SM_OK && last > x->last)
		x->last = last;
	return e;
}

enum sm_err sm_receive_all(struct sm_receiver *x)
{
	bool more = true;
	enum sm_err e = SM_OK;
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

int sm_receive_say(const struct sm_receiver *x, enum sm_err e)
{
	if (e == SM_OK)
		return SM_EXIT_OK;
	if (x->storing || e == SM_ERR_IO || e == SM_ERR_CANTCREAT || e == SM_ERR_FORMAT || e == SM_ERR_PERM)
		return sm_fail(e, "cannot keep messages in '%s'", x->reader->db.path);
	return sm_net_say(&x->online->client, e);
}
