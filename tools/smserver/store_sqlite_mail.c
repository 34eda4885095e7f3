/* Messages: sending, deleting, and the sweep of what is too old. Runs in the writer's transactions. */
#include "store_sqlite.h"

#include "base/time.h"

#include <string.h>

enum { SWEEP_STEP = 64, TIDY_MS = 600000 };

static struct sm_seq *seq_slot(struct sm_store *s, int64_t mailbox)
{
	uint64_t i = (uint64_t)mailbox * UINT64_C(0x9e3779b97f4a7c15) >> 48;

	if (s->nseq > SM_SEQ_SLOTS / 2) { /* forgetting costs the rest of a block of numbers, no more */
		memset(s->seq, 0, SM_SEQ_SLOTS * sizeof *s->seq);
		s->nseq = 0;
	}
	while (s->seq[i].mailbox && s->seq[i].mailbox != mailbox)
		i = (i + 1) % SM_SEQ_SLOTS;
	return &s->seq[i];
}

static enum sm_err seq_load(struct sm_store *s, struct sm_seq *q, int64_t mailbox)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_MAILBOX_GET, "SELECT reserved_seq FROM mailbox WHERE device=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, mailbox);
	e = sm_db_row(st);
	if (e)
		return e == SM_ERR_NOTFOUND ? SM_ERR_BUG : e;
	*q = (struct sm_seq){.mailbox = mailbox, .reserved = (uint64_t)sqlite3_column_int64(st, 0)};
	q->next = q->reserved + 1;
	s->nseq++;
	sm_db_done(st);
	return SM_OK;
}

static enum sm_err seq_next(struct sm_store *s, int64_t mailbox, uint64_t *seq)
{
	struct sm_seq *q = seq_slot(s, mailbox);
	enum sm_err e = q->mailbox ? SM_OK : seq_load(s, q, mailbox);

	if (!e && q->next > q->reserved) {
		sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_MAILBOX_RESERVE, "UPDATE mailbox SET reserved_seq=? WHERE device=?");
		if (!st)
			return SM_ERR_BUG;
		sm_bind_int(st, 1, (int64_t)(q->reserved + SM_SEQ_BLOCK));
		sm_bind_int(st, 2, mailbox);
		e = sm_db_do(st);
		if (!e)
			q->reserved += SM_SEQ_BLOCK;
	}
	if (!e)
		*seq = q->next++;
	return e;
}

static enum sm_err sent_before(struct sm_db *db, size_t place, int64_t account, const char *key, const uint8_t hash[static 32])
{
	sqlite3_stmt *st = sm_db_stmt(db, place, "SELECT hash FROM sent WHERE key=? AND account=?");
	uint8_t h[32];
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, key);
	sm_bind_int(st, 2, account);
	e = sm_db_row(st);
	if (e)
		return e;
	sm_db_blob(st, 0, h, sizeof h);
	sm_db_done(st);
	return memcmp(h, hash, sizeof h) ? SM_ERR_CONFLICT : SM_OK; /* no secret: the sender knows both */
}

enum sm_err sm_reader_sent(struct sm_reader *r, int64_t account, const char *key, const uint8_t hash[static 32])
{
	return sent_before(&r->db, SM_ST_GET_SENT, account, key, hash);
}

/* *fresh false: the key is there already. */
static enum sm_err sent_add(struct sm_store *s, const struct sm_send *m, int64_t now, bool *fresh)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_SENT_ADD,
	                              "INSERT INTO sent(account,key,hash,envelope,at) VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, m->account);
	sm_bind_text(st, 2, m->key);
	sm_bind_blob(st, 3, m->hash, sizeof m->hash);
	sm_bind_text(st, 4, m->id);
	sm_bind_int(st, 5, now);
	e = sm_db_do(st);
	*fresh = !e && sqlite3_changes(s->db.h) > 0;
	return e;
}

static enum sm_err payload_add(struct sm_store *s, const struct sm_send *m, int64_t now, int64_t *payload)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_PAYLOAD_ADD, "INSERT INTO payload(sender,received,body) VALUES(?,?,?)");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, m->account);
	sm_bind_int(st, 2, now);
	sm_bind_blob(st, 3, m->body, m->n);
	e = sm_db_do(st);
	*payload = sqlite3_last_insert_rowid(s->db.h);
	if (e || m->nmailbox < 2)
		return e;
	st = sm_db_stmt(&s->db, SM_ST_REFS_ADD, "INSERT INTO refs(payload,n) VALUES(?,?)");
	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, *payload);
	sm_bind_int(st, 2, (int64_t)m->nmailbox);
	return sm_db_do(st);
}

static enum sm_err delivery_add(struct sm_store *s, int64_t mailbox, int64_t payload, bool shared)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_DELIVERY_ADD, "INSERT INTO delivery(mailbox,seq,payload,shared) VALUES(?,?,?,?)");
	uint64_t seq = 0;
	enum sm_err e = st ? seq_next(s, mailbox, &seq) : SM_ERR_BUG;

	if (e)
		return e;
	sm_bind_int(st, 1, mailbox);
	sm_bind_int(st, 2, (int64_t)seq);
	sm_bind_int(st, 3, payload);
	sm_bind_int(st, 4, shared);
	return sm_db_do(st);
}

enum sm_err sm_store_send(struct sm_store *s, struct sm_send *m, int64_t now)
{
	bool fresh = false;
	int64_t payload = 0;
	enum sm_err e = sent_add(s, m, now, &fresh);

	if (!e && !fresh) {
		e = sent_before(&s->db, SM_ST_SENT_GET, m->account, m->key, m->hash);
		m->outcome = e == SM_ERR_CONFLICT ? SM_KEY_CONFLICT : SM_STORED_BEFORE;
		return e == SM_ERR_CONFLICT ? SM_OK : e;
	}
	if (!e && m->nmailbox)
		e = payload_add(s, m, now, &payload);
	for (size_t i = 0; !e && i < m->nmailbox; i++)
		e = delivery_add(s, m->mailbox[i], payload, m->nmailbox > 1);
	m->outcome = SM_STORED;
	return e == SM_ERR_EXISTS ? SM_ERR_BUG : e;
}

struct pick {
	int64_t id, payload;
	bool shared;
};

static enum sm_err drop(struct sm_store *s, const struct pick *p)
{
	enum sm_err e = sm_db_one(&s->db, SM_ST_DELIVERY_DROP, "DELETE FROM delivery WHERE id=?", p->id);

	if (!e && p->shared) {
		e = sm_db_one(&s->db, SM_ST_REFS_DEC, "UPDATE refs SET n=n-1 WHERE payload=?", p->payload);
		if (!e)
			e = sm_db_one(&s->db, SM_ST_REFS_DROP, "DELETE FROM refs WHERE payload=? AND n<=0", p->payload);
		if (e || sqlite3_changes(s->db.h) == 0)
			return e;
	}
	return e ? e : sm_db_one(&s->db, SM_ST_PAYLOAD_DROP, "DELETE FROM payload WHERE id=?", p->payload);
}

/* Collects rows of (id, payload, shared) and resets st. */
static enum sm_err pick_all(sqlite3_stmt *st, struct pick *p, size_t max, size_t *n)
{
	enum sm_err e = SM_OK;
	size_t got = 0;

	while (got < max && !(e = sm_db_row(st))) {
		p[got].id = sqlite3_column_int64(st, 0);
		p[got].payload = sqlite3_column_int64(st, 1);
		p[got++].shared = sqlite3_column_int64(st, 2) != 0;
	}
	if (!e)
		sm_db_done(st);
	*n = got;
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

static enum sm_err drop_all(struct sm_store *s, const struct pick *p, size_t n)
{
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < n; i++)
		e = drop(s, &p[i]);
	return e;
}

enum sm_err sm_store_delete_upto(struct sm_store *s, int64_t mailbox, uint64_t upto, size_t max, size_t *n)
{
	struct pick p[SWEEP_STEP];
	size_t got = SWEEP_STEP, total = 0;
	enum sm_err e = SM_OK;

	while (!e && got == SWEEP_STEP && total + SWEEP_STEP <= max) {
		sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_PICK_UPTO,
		                              "SELECT id,payload,shared FROM delivery WHERE mailbox=? AND seq<=? ORDER BY seq LIMIT 64");
		if (!st)
			return SM_ERR_BUG;
		sm_bind_int(st, 1, mailbox);
		sm_bind_int(st, 2, upto > INT64_MAX ? INT64_MAX : (int64_t)upto);
		e = pick_all(st, p, SWEEP_STEP, &got);
		if (!e)
			e = drop_all(s, p, got);
		total += got;
	}
	if (!e)
		*n = total;
	return e;
}

enum sm_err sm_store_delete_seqs(struct sm_store *s, int64_t mailbox, const uint64_t *seq, size_t nseq, size_t *n)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_PICK_SEQ, "SELECT id,payload,shared FROM delivery WHERE mailbox=? AND seq=?");
	size_t total = 0;
	enum sm_err e = st ? SM_OK : SM_ERR_BUG;

	for (size_t i = 0; !e && i < nseq; i++) {
		struct pick p;
		size_t got = 0;
		sm_bind_int(st, 1, mailbox);
		sm_bind_int(st, 2, seq[i] > INT64_MAX ? -1 : (int64_t)seq[i]);
		e = pick_all(st, &p, 1, &got);
		if (!e)
			e = drop_all(s, &p, got);
		total += got;
	}
	if (!e)
		*n = total;
	return e;
}

static enum sm_err sweep_deliveries(struct sm_store *s, int64_t older_than, size_t *n)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_PICK_OLD,
	                              "SELECT d.id,d.payload,d.shared FROM (SELECT * FROM delivery ORDER BY id LIMIT 64) AS d"
	                              " JOIN payload AS p ON p.id=d.payload WHERE p.received<?");
	struct pick p[SWEEP_STEP];
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, older_than);
	e = pick_all(st, p, SWEEP_STEP, n);
	return e ? e : drop_all(s, p, *n);
}

/* What lies in the mailboxes of devices that were removed. */
static enum sm_err sweep_dead(struct sm_store *s, size_t *n)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_DEAD_GET, "SELECT mailbox FROM dead LIMIT 1");
	int64_t mailbox;
	enum sm_err e = st ? sm_db_row(st) : SM_ERR_BUG;

	if (e)
		return e == SM_ERR_NOTFOUND ? SM_OK : e;
	mailbox = sqlite3_column_int64(st, 0);
	sm_db_done(st);
	e = sm_store_delete_upto(s, mailbox, INT64_MAX, SWEEP_STEP, n);
	if (!e && *n < SWEEP_STEP)
		e = sm_db_one(&s->db, SM_ST_DEAD_DROP, "DELETE FROM dead WHERE mailbox=?", mailbox);
	*n += 1; /* there may be another */
	return e;
}

/* The statement deletes at most SWEEP_STEP rows that are older. */
static enum sm_err sweep_rows(struct sm_store *s, size_t place, const char *sql, int64_t older_than, size_t *n)
{
	enum sm_err e = sm_db_one(&s->db, place, sql, older_than);

	*n += e ? 0 : (size_t)sqlite3_changes(s->db.h);
	return e;
}

enum sm_err sm_store_sweep(struct sm_store *s, int64_t older_than, int64_t budget_ms, bool *more)
{
	int64_t end = sm_time_mono_ms() + budget_ms, now = sm_time_now();
	size_t n, others;
	enum sm_err e;

	do {
		others = 0;
		e = sweep_deliveries(s, older_than, &n);
		if (!e)
			e = sweep_dead(s, &others);
		if (!e)
			e = sweep_rows(
			        s, SM_ST_SENT_OLD,
			        "DELETE FROM sent WHERE id IN (SELECT id FROM (SELECT id,at FROM sent ORDER BY id LIMIT 64) WHERE at<?)",
			        older_than, &others);
	} while (!e && (n || others) && sm_time_mono_ms() < end);
	*more = n || others;
	if (e || *more || sm_time_mono_ms() < s->tidy_at)
		return e;
	s->tidy_at = sm_time_mono_ms() + TIDY_MS;
	/* Sessions stay a day after their end so that what they signed gets a clear answer; invites go when they lapse. */
	e = sweep_rows(s, SM_ST_SESSIONS_OLD, "DELETE FROM session WHERE sid IN (SELECT sid FROM session WHERE expires<? LIMIT 64)",
	               now - 86400, &others);
	if (!e)
		e = sweep_rows(s, SM_ST_INVITES_OLD,
		               "DELETE FROM invite WHERE hash IN (SELECT hash FROM invite WHERE expires<?1 OR uses<=0 LIMIT 64)", now,
		               &others);
	if (!e)
		e = sweep_rows(s, SM_ST_WAITING_OLD, "DELETE FROM waiting WHERE id IN (SELECT id FROM waiting WHERE expires<=? LIMIT 64)",
		               now, &others);
	return e;
}
