/* Pins: first use, changes, acceptance; the account file. */
#include "base/time.h"
#include "store/account.h"
#include "store/contacts.h"

#include "scratch.h"
#include "tap.h"

#include <sys/stat.h>

static struct sm_public make_key(uint8_t fill)
{
	uint8_t seed[32];
	struct sm_identity id = {0};
	struct sm_public pub = {0};
	memset(seed, fill, sizeof(seed));
	if (sm_identity_from_seed(&id, seed) == SM_OK)
		pub = id.pub;
	sm_identity_release(&id);
	return pub;
}

static enum sm_err count_one(void *ctx, const struct sm_contact *c)
{
	(void)c;
	++*(int *)ctx;
	return SM_OK;
}

static void test_pins(struct sm_db *db)
{
	struct sm_public one = make_key(1), two = make_key(2), three = make_key(3);
	struct sm_contact c;
	bool added = false;
	int n = 0;
	ok(sm_contact_get(&c, db, "bob@x") == SM_ERR_NOTFOUND, "nobody at first");
	ok(sm_contact_pin(db, "bob@x", &one, 5, &added) == SM_OK && added, "the first key is pinned");
	ok(sm_contact_pin(db, "bob@x", &one, 6, &added) == SM_OK && !added, "the same again changes nothing");
	ok(sm_contact_get(&c, db, "bob@x") == SM_OK && c.trust == SM_TRUST_UNVERIFIED && c.pinned == 5 && !c.has_seen, "and is found");
	ok(sm_contact_by_fp(&c, db, one.fp) == SM_OK && !strcmp(c.address, "bob@x"), "by its fingerprint too");
	ok(sm_contact_by_fp(&c, db, two.fp) == SM_ERR_NOTFOUND, "another fingerprint is nobody's");
	ok(sm_contact_accept(db, "bob@x", two.fp, 7) == SM_ERR_POLICY, "nothing to accept yet");
	ok(sm_contact_pin(db, "bob@x", &two, 8, &added) == SM_ERR_CHANGED, "another key is refused");
	ok(sm_contact_get(&c, db, "bob@x") == SM_OK && c.trust == SM_TRUST_CHANGED && c.has_seen && !memcmp(c.seen_fp, two.fp, 32) &&
	           !memcmp(c.pub.fp, one.fp, 32),
	   "and noted, with the pin as it was");
	ok(sm_contact_accept(db, "bob@x", three.fp, 9) == SM_ERR_POLICY, "only the key that was seen can be accepted");
	ok(sm_contact_pin(db, "bob@x", &one, 9, NULL) == SM_OK && sm_contact_get(&c, db, "bob@x") == SM_OK &&
	           c.trust == SM_TRUST_UNVERIFIED,
	   "the pinned key seen again: all is well");
	ok(sm_contact_accept(db, "bob@x", two.fp, 9) == SM_ERR_POLICY, "and the other one cannot be accepted any more");
	ok(sm_contact_pin(db, "bob@x", &two, 10, NULL) == SM_ERR_CHANGED && sm_contact_accept(db, "bob@x", two.fp, 11) == SM_OK,
	   "accepted");
	ok(sm_contact_get(&c, db, "bob@x") == SM_OK && !memcmp(c.pub.fp, two.fp, 32) && c.trust == SM_TRUST_UNVERIFIED && c.pinned == 11,
	   "now pinned");
	ok(sm_contact_accept(db, "nobody@x", two.fp, 11) == SM_ERR_NOTFOUND, "nobody to accept for");
	ok(sm_contact_pin(db, "carol@x", &three, 12, NULL) == SM_OK && sm_contact_each(db, count_one, &n) == SM_OK && n == 2,
	   "two contacts");
	ok(sm_contact_remove(db, "carol@x") == SM_OK && sm_contact_remove(db, "carol@x") == SM_ERR_NOTFOUND, "removed once");
}

static bool trusts(struct sm_db *db, const char *address, enum sm_trust trust, const struct sm_public *pub)
{
	struct sm_contact c;
	return sm_contact_get(&c, db, address) == SM_OK && c.trust == trust && !memcmp(c.pub.fp, pub->fp, SM_FP_LEN);
}

static void test_verified(struct sm_db *db)
{
	struct sm_public one = make_key(1), two = make_key(2);
	ok(sm_contact_set_verified(db, "dave@x", one.fp) == SM_ERR_NOTFOUND, "nobody to verify");
	ok(sm_contact_pin(db, "dave@x", &one, 5, NULL) == SM_OK && sm_contact_set_verified(db, "dave@x", two.fp) == SM_ERR_CHANGED &&
	           trusts(db, "dave@x", SM_TRUST_UNVERIFIED, &one),
	   "not another key than the pinned one");
	ok(sm_contact_set_verified(db, "dave@x", one.fp) == SM_OK && trusts(db, "dave@x", SM_TRUST_VERIFIED, &one), "verified");
	ok(sm_contact_set_verified(db, "dave@x", one.fp) == SM_OK && sm_contact_pin(db, "dave@x", &one, 6, NULL) == SM_OK &&
	           trusts(db, "dave@x", SM_TRUST_VERIFIED, &one),
	   "and stays so");
	ok(sm_contact_pin(db, "dave@x", &two, 7, NULL) == SM_ERR_CHANGED && trusts(db, "dave@x", SM_TRUST_CHANGED, &one), "until a change");
	ok(sm_contact_set_verified(db, "dave@x", one.fp) == SM_ERR_CHANGED &&
	           sm_contact_set_verified(db, "dave@x", two.fp) == SM_ERR_CHANGED,
	   "after which neither key can be verified");
	ok(sm_contact_pin(db, "dave@x", &one, 8, NULL) == SM_OK && trusts(db, "dave@x", SM_TRUST_VERIFIED, &one),
	   "the verified key seen again is verified");
	ok(sm_contact_pin(db, "dave@x", &two, 9, NULL) == SM_ERR_CHANGED && sm_contact_accept(db, "dave@x", two.fp, 9) == SM_OK &&
	           trusts(db, "dave@x", SM_TRUST_UNVERIFIED, &two),
	   "an accepted one is not");
	ok(sm_contact_set_verified(db, "dave@x", two.fp) == SM_OK && sm_contact_remove(db, "dave@x") == SM_OK &&
	           sm_contact_pin(db, "dave@x", &two, 10, NULL) == SM_OK && trusts(db, "dave@x", SM_TRUST_UNVERIFIED, &two),
	   "nor one that was removed and came back");
}

static enum sm_err merge(struct sm_db *db, const char *address, const struct sm_public *pub, bool verified, bool *added)
{
	enum sm_err e = sm_db_begin(db);
	if (e == SM_OK)
		e = sm_contact_merge(db, address, pub, verified, 20, added);
	if (e == SM_OK)
		e = sm_db_commit(db);
	else
		sm_db_rollback(db);
	return e;
}

static void test_merge(struct sm_db *db)
{
	struct sm_public one = make_key(1), two = make_key(2);
	bool added = false;
	ok(merge(db, "eve@x", &one, false, &added) == SM_OK && added && trusts(db, "eve@x", SM_TRUST_UNVERIFIED, &one), "a new one");
	ok(merge(db, "eve@x", &one, true, &added) == SM_OK && !added && trusts(db, "eve@x", SM_TRUST_VERIFIED, &one), "now verified");
	ok(merge(db, "eve@x", &one, false, &added) == SM_OK && trusts(db, "eve@x", SM_TRUST_VERIFIED, &one), "which stays");
	ok(merge(db, "eve@x", &two, true, &added) == SM_ERR_CHANGED && trusts(db, "eve@x", SM_TRUST_VERIFIED, &one),
	   "another key is neither taken nor noted");
	ok(sm_contact_pin(db, "eve@x", &two, 21, NULL) == SM_ERR_CHANGED && merge(db, "eve@x", &two, true, &added) == SM_ERR_CHANGED &&
	           merge(db, "eve@x", &one, true, &added) == SM_OK && trusts(db, "eve@x", SM_TRUST_CHANGED, &one),
	   "after a change all stays as it is");
	ok(merge(db, "frank@x", &two, true, &added) == SM_OK && added && trusts(db, "frank@x", SM_TRUST_VERIFIED, &two),
	   "new and verified");
}

static void test_account(void)
{
	struct sm_account a = {.address = "alice@localhost:80", .url = "http://localhost:80", .cacert = "/a dir/x.pem"}, b;
	struct stat st;
	ok(sm_account_load(&b, NULL) == SM_ERR_NOTFOUND, "no account at first");
	ok(sm_account_save(&a, NULL) == SM_OK && sm_account_load(&b, NULL) == SM_OK && !strcmp(a.address, b.address) &&
	           !strcmp(a.url, b.url) && !strcmp(a.cacert, b.cacert) && !b.insecure_http,
	   "what is saved is loaded");
	ok(stat(scratch("config/account"), &st) == 0 && (st.st_mode & 0777) == 0600, "in a private file");
	a.insecure_http = true;
	a.cacert[0] = 0;
	ok(sm_account_save(&a, NULL) == SM_OK && sm_account_load(&b, NULL) == SM_OK && b.insecure_http && !*b.cacert, "replaced");
	memcpy(a.cacert, "/x\ny", 5);
	ok(sm_account_save(&a, NULL) == SM_ERR_FORMAT, "a line end in a path is not written");
	ok(sm_account_load(&b, "other") == SM_ERR_NOTFOUND, "another profile has none");
	FILE *f = fopen(scratch("config/account"), "w");
	ok(f && fputs("address = alice@x\nurl = https://x\nfrob = 1\n", f) >= 0 && fclose(f) == 0 &&
	           sm_account_load(&b, NULL) == SM_ERR_CONFIG,
	   "an unknown key is an error");
}

static void test_open(void)
{
	struct sm_db db = {0};
	struct stat st;
	ok(stat(scratch("data/sm.db"), &st) == 0 && (st.st_mode & 0777) == 0600, "the database is private");
	ok(chmod(scratch("data/sm.db"), 0644) == 0 && sm_db_open(&db, NULL) == SM_ERR_PERM, "one that others may read is refused");
	ok(chmod(scratch("data/sm.db"), 0600) == 0, "private again");
	FILE *f = fopen(scratch("data/sm.db"), "r+");
	ok(f && fputs("garbage garbage garbage", f) >= 0 && fclose(f) == 0 && sm_db_open(&db, NULL) == SM_ERR_FORMAT, "a damaged one too");
}

int main(void)
{
	struct sm_db db = {0};
	if (!scratch_make() || chmod(scratch_dir, 0700) || setenv("SM_HOME", scratch_dir, 1) || sm_secret_harden() != SM_OK)
		return 1;
	ok(sm_db_open(&db, NULL) == SM_OK, "opens and makes the database");
	test_pins(&db);
	test_verified(&db);
	test_merge(&db);
	sm_db_close(&db);
	ok(sm_db_open(&db, NULL) == SM_OK, "opens it again");
	sm_db_close(&db);
	test_account();
	test_open();
	return tap_done();
}
