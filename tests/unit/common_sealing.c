/* Sealing into the outbox: targets, what is made once and rolled back whole, bundles that are missing or of low order, and the digest that
 * tells a repetition from another message. */
#include "session.h"
#include "store.h"
#include "tap.h"

#include "common/sealing.h"
#include "stream/open.h"

static struct device alice, bob;
static struct sm_self self;

static struct sm_listed_device listed(const struct device *d)
{
	struct sm_listed_device l = {.number = d->end.device};
	memcpy(l.pk, d->end.pk, sizeof(l.pk));
	memcpy(l.fp, d->id.pub.fp, sizeof(l.fp));
	return l;
}

static struct sm_device_list list_of(const struct device *d)
{
	struct sm_device_list l = {.address = d->end.address, .n = 1};
	memcpy(l.user, d->end.pk, sizeof(l.user));
	l.device[0] = listed(d);
	return l;
}

static void test_targets(void)
{
	struct sm_targets t = {0};
	struct sm_device_list a = list_of(&alice), b = list_of(&bob), many = b;
	ok(!sm_targets_add(&t, &b, &self, true) && t.n == 1 && !t.v[0].hpke && t.v[0].party.has_fp &&
	           !strcmp(t.v[0].party.address.text, bob.end.address.text),
	   "a device of somebody");
	ok(!sm_targets_add(&t, &b, &self, true) && t.n == 1, "is there once");
	ok(!sm_targets_add(&t, &a, &self, false) && t.n == 1, "this device is no target");
	ok(!sm_targets_add(&t, &a, &self, true) && t.n == 2 && t.v[1].hpke, "unless asked for, and then without a session");
	ok(!sm_targets_add(&t, &a, &self, true) && t.n == 2, "once");
	enum sm_err e = SM_OK;
	for (unsigned i = 0; !e && i < SM_TO_MAX; i++) {
		many.device[0].number = i + 2;
		sm_put_be32(many.device[0].pk, i + 1);
		e = sm_targets_add(&t, &many, &self, false);
	}
	ok(e == SM_ERR_LIMIT && t.n == SM_TO_MAX + 1, "1024 at most");
	sm_targets_release(&t);
}

static const char text[] = "what is said";

static struct sm_sealing sealing(struct sm_db *db, const struct sm_targets *to)
{
	return (struct sm_sealing){.self = &self,
	                           .db = db,
	                           .to = to,
	                           .fields = {.type = "text/plain"},
	                           .content = {(const uint8_t *)text, sizeof(text)},
	                           .now = NOW,
	                           .rand = &sm_rand_system};
}

static struct sm_outbox_row row(const char *k)
{
	struct sm_outbox_row r = {0};
	(void)snprintf(r.key, sizeof(r.key), "%s", k);
	return r;
}

/* In a transaction of its own, as a tool does it. */
static enum sm_err make(struct sm_outbox_row *r, struct sm_sealing *s, size_t *missing)
{
	enum sm_err e = sm_db_begin(s->db);
	if (e)
		return e;
	e = sm_sealing_make(r, s, missing);
	if (!e)
		return sm_db_commit(s->db);
	sm_db_rollback(s->db);
	return e;
}

static int64_t pairs(struct sm_db *db) { return store_number(db, "SELECT count(*) FROM pair"); }
static int64_t rows(struct sm_db *db) { return store_number(db, "SELECT count(*) FROM outbox"); }

/* The header of the envelope under key k. */
static bool header(struct sm_header *h, struct sm_db *db, const char *k)
{
	struct sm_outbox_row r;
	struct sm_buf b;
	size_t n;
	unsigned line;
	sm_buf_init(&b, 1 << 20);
	bool is = !sm_outbox_get(&r, &b, db, self.key, self.end.address.text, k) && !sm_header_find(&n, b.data, b.len) &&
	          !sm_header_parse(h, &line, b.data, n) && !strcmp(h->id, r.id) && r.state == SM_OUTBOX_PENDING && r.created == NOW;
	sm_buf_release(&b);
	return is;
}

static void test_make(struct sm_db *db)
{
	struct sm_targets t = {0};
	struct sm_device_list a = list_of(&alice), b = list_of(&bob);
	struct sm_bundle low = bob.bundle;
	struct sm_header h = {0};
	struct sm_outbox_row r = row("first");
	size_t at = 99;
	MUST(sm_targets_add(&t, &a, &self, true));
	MUST(sm_targets_add(&t, &b, &self, false));
	struct sm_sealing s = sealing(db, &t);
	ok(make(&r, &s, &at) == SM_ERR_NOTFOUND && at == 1 && !pairs(db) && !rows(db) && !*r.id, "no session, and no bundle");
	memset(low.spk.key, 0, sizeof(low.spk.key));
	s.bundle = &low, s.nbundle = 1;
	ok(make(&r, &s, &at) == SM_ERR_SIGNATURE && at == 1 && !pairs(db) && !rows(db), "a bundle of low order is nobody's");
	low = bob.bundle;
	low.end.device++;
	at = 99;
	ok(make(&r, &s, &at) == SM_ERR_NOTFOUND && at == 1 && !pairs(db), "nor is another device's of use");
	s.bundle = &bob.bundle;
	ok(!make(&r, &s, &at) && pairs(db) == 1 && rows(db) == 1, "a session is begun");
	ok(header(&h, db, "first") && h.nto == 2 && h.stanza[0].type == SM_STANZA_HPKE && h.stanza[1].type == SM_STANZA_RATCHET &&
	           h.stanza[1].ratchet.x3dh && sm_get_be32(h.stanza[1].ratchet.header + 36) == 0,
	   "without one to this device, with x3dh to the other");
	sm_header_release(&h);
	struct sm_outbox_row again = row("first");
	ok(make(&again, &s, &at) == SM_ERR_EXISTS && rows(db) == 1, "one envelope under a key");
	s.nbundle = 0;
	r = row("second");
	ok(!make(&r, &s, &at) && pairs(db) == 1 && header(&h, db, "second") && sm_get_be32(h.stanza[1].ratchet.header + 36) == 1,
	   "the session goes on where the last commit left it");
	sm_header_release(&h);
	sm_targets_release(&t);
}

static bool differs(const struct sm_sealing *s, const char *const *who, size_t n, const uint8_t *from)
{
	uint8_t d[32];
	MUST(sm_sealing_digest(d, s, who, n));
	return memcmp(d, from, sizeof(d)) != 0;
}

static void test_digest(struct sm_db *db)
{
	static const char *const who[] = {"bob@example.org", "carol@example.org"},
	                         *const other[] = {"carol@example.org", "bob@example.org"},
	                         *const twice[] = {"bob@example.org", "carol@example.org", "bob@example.org"};
	static const char *const joined[] = {"bob@example.orgcarol@example.org"};
	struct sm_source in;
	struct sm_seal_attachment file = {.in = &in, .name = "a", .type = "text/plain"};
	struct sm_group_line group = {.id = "aaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct sm_sealing s = sealing(db, NULL), x = s;
	uint8_t d[32];
	MUST(sm_sealing_digest(d, &s, who, 2));
	ok(!differs(&s, who, 2, d) && !differs(&s, other, 2, d) && !differs(&s, twice, 3, d), "the same people in any order");
	ok(differs(&s, who, 1, d) && differs(&s, joined, 1, d), "not others");
	x.content.n--;
	ok(differs(&x, who, 2, d), "not another text");
	x = s, x.fields.subject = "s";
	ok(differs(&x, who, 2, d), "not with a subject");
	x = s, x.no_signature = true;
	ok(differs(&x, who, 2, d), "not unsigned");
	x = s, x.fields.type = NULL, x.fields.name = "text/plain";
	ok(differs(&x, who, 2, d), "not with a value in another field");
	x = s, x.group = &group;
	ok(differs(&x, who, 2, d), "not to a group");
	x = s, x.attach = &file, x.nattach = 1;
	sm_source_mem(&in, "one", 3, false);
	ok(differs(&x, who, 2, d), "not with an attachment");
	MUST(sm_sealing_digest(d, &x, who, 2));
	ok(!differs(&x, who, 2, d), "nor is its source used up");
	sm_source_mem(&in, "two", 3, false);
	ok(differs(&x, who, 2, d), "nor with another one of that name");
	sm_source_release(&in);
}

int main(void)
{
	struct sm_db db;
	if (!store_begin(&db))
		return 1;
	device_init(&alice, "alice@example.org", 1, &sm_rand_system);
	device_init(&bob, "bob@example.org", 1, &sm_rand_system);
	MUST(sm_self_load(&self, &alice.id, &db, &alice.end.address, 1));
	ok(self.holds_user && self.own.n == 1 && !self.own.version && !memcmp(self.user, alice.end.pk, SM_PK_LEN), "one device alone");
	test_targets();
	test_make(&db);
	test_digest(&db);
	sm_self_release(&self);
	device_release(&alice);
	device_release(&bob);
	sm_db_close(&db);
	return tap_done();
}
