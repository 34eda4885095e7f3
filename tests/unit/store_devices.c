/* Device lists in the store: what may replace what, whose a device is, damaged rows, and two processes with two lists. */
#include "store.h"
#include "tap.h"

#include "store/devices.h"

#define ALICE "alice@x"

static struct sm_identity user, second, third, other;

static void must(enum sm_err e)
{
	if (e)
		abort();
}

/* A list of address under u: its own key, and more devices. The text is appended. */
static struct sm_device_list make(struct sm_buf *text, const char *address, const struct sm_identity *u, uint64_t version,
                                  const struct sm_identity *more)
{
	struct sm_device_list l = {.version = version, .date = 1790000000, .n = 1};
	must(sm_address_parse(&l.address, address, strlen(address)));
	memcpy(l.user, u->pub.ed25519, 32);
	l.device[0].number = 1;
	memcpy(l.device[0].pk, u->pub.ed25519, 32);
	if (more) {
		l.n = 2;
		l.device[1].number = 1 + more->pub.fp[0];
		l.device[1].number += l.device[1].number == 1;
		memcpy(l.device[1].pk, more->pub.ed25519, 32);
	}
	must(sm_device_list_sign(text, &l, u));
	must(sm_device_list_parse(&l, (const char *)text->data, text->len));
	return l;
}

static enum sm_err put(struct sm_db *db, const char *address, const struct sm_identity *u, uint64_t version, const struct sm_identity *more,
                       bool *changed)
{
	struct sm_buf text;
	sm_buf_init(&text, SM_DEVICES_TEXT_MAX);
	struct sm_device_list l = make(&text, address, u, version, more);
	enum sm_err e = sm_devices_put(db, &l, (const char *)text.data, text.len, changed);
	sm_buf_release(&text);
	return e;
}

static enum sm_err put_implied(struct sm_db *db, const char *address, const struct sm_identity *u, bool *changed)
{
	struct sm_device_list l;
	struct sm_address a;
	must(sm_address_parse(&a, address, strlen(address)));
	sm_device_list_implied(&l, &a, u->pub.ed25519);
	return sm_devices_put(db, &l, NULL, 0, changed);
}

static void test_follows(struct sm_db *db)
{
	struct sm_device_list l;
	struct sm_address a;
	bool changed = false;
	must(sm_address_parse(&a, ALICE, strlen(ALICE)));
	ok(sm_devices_get(&l, db, ALICE) == SM_ERR_NOTFOUND && !sm_devices_of(&l, db, &a, user.pub.ed25519) && l.version == 0 && l.n == 1 &&
	           l.device[0].number == 1 && !memcmp(l.device[0].fp, user.pub.fp, 32),
	   "never seen: the pin is the one device");
	ok(!put_implied(db, ALICE, &user, &changed) && changed && !sm_devices_get(&l, db, ALICE) && l.version == 0 && l.n == 1 &&
	           !strcmp(l.address.text, ALICE),
	   "an implied list");
	ok(!put_implied(db, ALICE, &user, &changed) && !changed, "the same again");
	ok(!put(db, ALICE, &user, 1, &second, &changed) && changed && !sm_devices_get(&l, db, ALICE) && l.version == 1 && l.n == 2,
	   "a signed one");
	ok(!put(db, ALICE, &user, 1, &second, &changed) && !changed, "the same again");
	changed = true;
	ok(put(db, ALICE, &user, 1, &third, &changed) == SM_ERR_POLICY && changed && !sm_devices_get(&l, db, ALICE) &&
	           sm_device_list_find(&l, second.pub.fp),
	   "not another of the same version");
	ok(put_implied(db, ALICE, &user, NULL) == SM_ERR_POLICY, "nor back to none");
	ok(!put(db, ALICE, &user, 7, &third, NULL) && !sm_devices_get(&l, db, ALICE) && l.version == 7 &&
	           sm_device_list_find(&l, third.pub.fp) && !sm_device_list_find(&l, second.pub.fp),
	   "a later one");
	ok(put(db, ALICE, &user, 6, &second, NULL) == SM_ERR_POLICY, "not an earlier one");
	ok(!sm_devices_of(&l, db, &a, user.pub.ed25519) && l.version == 7 && !sm_devices_of(&l, db, &a, other.pub.ed25519) &&
	           l.version == 0 && !memcmp(l.device[0].fp, other.pub.fp, 32),
	   "it counts under its user key only");
	ok(!put(db, ALICE, &other, 1, NULL, NULL) && !sm_devices_get(&l, db, ALICE) && !memcmp(l.user, other.pub.ed25519, 32) &&
	           l.version == 1,
	   "another user key begins anew");
	ok(!put(db, ALICE, &user, 8, &third, NULL), "and so does the next");
}

static void test_by_fp(struct sm_db *db)
{
	struct sm_device_list l;
	ok(!sm_devices_by_fp(&l, db, third.pub.fp) && !strcmp(l.address.text, ALICE) && !sm_devices_by_fp(&l, db, user.pub.fp),
	   "whose a device is");
	ok(sm_devices_by_fp(&l, db, second.pub.fp) == SM_ERR_NOTFOUND && sm_devices_by_fp(&l, db, other.pub.fp) == SM_ERR_NOTFOUND,
	   "not one that is gone");
	ok(!put(db, "mallory@x", &other, 1, &third, NULL) && sm_devices_by_fp(&l, db, third.pub.fp) == SM_ERR_POLICY &&
	           !sm_devices_by_fp(&l, db, other.pub.fp) && !strcmp(l.address.text, "mallory@x"),
	   "nor one that two claim");
	ok(!put_implied(db, "carol@x", &second, NULL) && !sm_devices_by_fp(&l, db, second.pub.fp) && !strcmp(l.address.text, "carol@x"),
	   "an implied one, too");
}

static void test_damage(struct sm_db *db)
{
	struct sm_device_list l;
	ok(store_run(
	           db,
	           "UPDATE device_list SET text = (SELECT text FROM device_list WHERE address = 'mallory@x') WHERE address = 'alice@x'") &&
	           sm_devices_get(&l, db, ALICE) == SM_ERR_FORMAT,
	   "another's list is a damaged one");
	ok(store_run(db, "UPDATE device_list SET text = replace(text, 'version 1', 'version 2') WHERE address = 'mallory@x'") &&
	           sm_devices_get(&l, db, "mallory@x") == SM_ERR_FORMAT && put(db, "mallory@x", &other, 9, NULL, NULL) == SM_ERR_FORMAT,
	   "and so is one that was changed; nothing takes its place unseen");
	ok(!sm_devices_get(&l, db, "carol@x"), "the others are fine");
}

/* Two lists of one version: whoever comes first wins, for everybody. */
static int race(int i)
{
	struct sm_db db;
	int bad = store_open(&db, "busy") != SM_OK;
	for (uint64_t v = 1; v <= 10 && !bad; v++) {
		enum sm_err e = put(&db, ALICE, &user, v, i & 1 ? &second : &third, NULL);
		bad = e && e != SM_ERR_POLICY;
	}
	sm_db_close(&db);
	return bad;
}

static void test_race(void)
{
	struct sm_db db;
	struct sm_device_list l;
	struct sm_device_list found;
	ok(!store_processes(8, race) && !store_open(&db, "busy") && !sm_devices_get(&l, &db, ALICE) && l.version == 10 && l.n == 2,
	   "eight processes with two lists of each version");
	ok(!sm_devices_by_fp(&found, &db, l.device[1].fp) && store_number(&db, "SELECT count(*) FROM listed_device") == 2,
	   "and the index is of the list that is there");
	sm_db_close(&db);
}

int main(void)
{
	struct sm_db db = {0};
	if (!store_begin(&db))
		return 1;
	must(sm_identity_generate(&user, &sm_rand_system));
	must(sm_identity_generate(&second, &sm_rand_system));
	must(sm_identity_generate(&third, &sm_rand_system));
	must(sm_identity_generate(&other, &sm_rand_system));
	test_follows(&db);
	test_by_fp(&db);
	test_damage(&db);
	sm_db_close(&db);
	test_race();
	sm_identity_release(&user);
	sm_identity_release(&second);
	sm_identity_release(&third);
	sm_identity_release(&other);
	return tap_done();
}
