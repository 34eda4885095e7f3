/* Rosters: good ones, one fault at a time with a signature that is right, and the rules of the chain, each broken once. */
#include "signed_lines.h"
#include "tap.h"

#include "wire/roster_rules.h"

#include <stdlib.h>
#include <string.h>

#define GROUP "abcdefghijklmnopqrstuvwxya"
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static lines first = {
        ("sm-roster/1 " GROUP),    "epoch 1",         "previous -",           "name ops",       "date 2026-11-20T10:00:00Z",
        "member alice@x $0 admin", "member bob@x $1", "member carol@x:99 $2", "signer alice@x", "---",
};
static lines later = {
        ("sm-roster/1 " GROUP), "epoch 7", ("previous " HEX64), "name ops", "date 2026-11-20T10:00:00Z", "member alice@x $0 admin",
        "signer bob@x",         "---",
};

static enum sm_err parse(struct sm_roster *r, const struct sm_buf *b)
{
	char *p = exact(b);
	enum sm_err e = sm_roster_parse(r, p, b->len);
	free(p);
	return e;
}

static enum sm_err parse_lines(struct sm_roster *r, lines l, unsigned at, const char *instead)
{
	struct sm_buf b;
	sm_buf_init(&b, 1 << 20);
	add_lines(&b, l, at, instead);
	add_signature(&b, "SM-roster-v1", 0);
	enum sm_err e = parse(r, &b);
	sm_buf_release(&b);
	return e;
}

static void takes(const char *name, lines l, unsigned at, const char *instead)
{
	struct sm_roster r;
	enum sm_err e = parse_lines(&r, l, at, instead);
	ok(e == SM_OK, "takes %s (%s)", name, sm_err_text(e));
	if (!e)
		sm_roster_release(&r);
}

static void refuses(const char *name, lines l, unsigned at, const char *instead)
{
	struct sm_roster r;
	enum sm_err e = parse_lines(&r, l, at, instead);
	ok(e == SM_ERR_FORMAT, "refuses %s (%s)", name, sm_err_text(e));
	if (!e)
		sm_roster_release(&r);
}

static void meaning(void)
{
	struct sm_roster r;
	const struct sm_member *m;
	if (!ok(parse_lines(&r, first, 0, NULL) == SM_OK, "a roster"))
		return;
	ok(!strcmp(r.group, GROUP) && r.epoch == 1 && !strcmp(r.name, "ops") && r.date == 1795168800 && r.n == 3, "its head");
	m = sm_roster_find(&r, "carol@x:99");
	ok(m && !m->admin && !memcmp(m->pk, key[2].pub.ed25519, 32), "a member");
	m = sm_roster_find(&r, "alice@x");
	ok(m && m->admin && !sm_roster_find(&r, "alice@y"), "an admin, and nobody");
	ok(!strcmp(r.signer.text, "alice@x") && !sm_roster_verify(&r, key[0].pub.ed25519), "who signed");
	ok(sm_roster_verify(&r, key[1].pub.ed25519) == SM_ERR_SIGNATURE, "and who did not");
	sm_roster_release(&r);
	ok(parse_lines(&r, later, 0, NULL) == SM_OK && r.epoch == 7 && r.previous[1] == 0x23, "a later one, whose signer is no member");
	sm_roster_release(&r);
}

static void head(void)
{
	refuses("another version of the format", first, 1, "sm-roster/2 " GROUP);
	refuses("an id of 25", first, 1, "sm-roster/1 abcdefghijklmnopqrstuvwxy");
	refuses("no first line", first, 1, NULL);
	refuses("epoch 0", first, 2, "epoch 0");
	refuses("epoch 01", first, 2, "epoch 01");
	refuses("an epoch too large", later, 2, "epoch 9223372036854775808");
	takes("the last epoch", later, 2, "epoch 9223372036854775807");
	refuses("no epoch", first, 2, NULL);
	refuses("epoch 1 with a previous", first, 3, "previous " HEX64);
	refuses("epoch 7 without a previous", later, 3, "previous -");
	refuses("a previous in upper case", later, 3, "previous 0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef");
	refuses("a previous too short", later, 3, "previous 0123");
	refuses("previous and epoch the other way around", first, 2, "previous -\nepoch 1");
	refuses("an empty name", first, 4, "name ");
	refuses("a name in upper case", first, 4, "name Ops");
	refuses("a name with a path", first, 4, "name ../ops");
	refuses("a name with an escape", first, 4, "name o\x1b[2J");
	refuses("a name of two words", first, 4, "name ops two");
	refuses("a name of 33", first, 4, "name abcdefghijklmnopqrstuvwxyz0123456");
	takes("a name of 32", first, 4, "name abcdefghijklmnopqrstuvwxyz012345");
	refuses("no date", first, 5, NULL);
	refuses("a date of another zone", first, 5, "date 2026-11-20T10:00:00+01:00");
	refuses("an unknown line", first, 5, "date 2026-11-20T10:00:00Z\ntopic x");
}

static void members(void)
{
	refuses("no member", later, 6, NULL);
	refuses("members out of order", first, 6, "member bob@w $0 admin\nmember alice@x $3");
	refuses("an address twice", first, 7, "member bob@x $1\nmember bob@x $3");
	refuses("a key twice", first, 7, "member bob@x $0");
	refuses("a key twice, far apart", first, 8, "member carol@x:99 $0");
	refuses("another word for an admin", first, 6, "member alice@x $0 owner");
	refuses("two words behind", first, 6, "member alice@x $0 admin admin");
	refuses("a space behind", first, 7, "member bob@x $1 ");
	refuses("no key", first, 7, "member bob@x");
	refuses("a bare name", first, 7, "member bob $1");
	refuses("a key that is damaged", first, 7, "member bob@x $1q");
	refuses("a line between", first, 7, "member bob@x $1\nsigner alice@x");
	refuses("no signer", first, 9, NULL);
	refuses("two signers", first, 9, "signer alice@x\nsigner alice@x");
	refuses("a signer who is no address", first, 9, "signer alice");
	refuses("a signer with a key", first, 9, "signer alice@x $0");
	refuses("a signer before the members", first, 6, "signer alice@x\nmember alice@x $0 admin");
	refuses("no end", first, 10, NULL);
	refuses("the end twice", first, 10, "---\n---");
}

static void signatures(void)
{
	struct sm_roster r;
	struct sm_buf b;
	sm_buf_init(&b, 1 << 20);
	add_lines(&b, first, 0, NULL);
	ok(parse(&r, &b) == SM_ERR_FORMAT, "unsigned");
	add_signature(&b, "SM-roster-v1", 0);
	size_t whole = b.len;
	must(sm_buf_adds(&b, "x\n"));
	ok(parse(&r, &b) == SM_ERR_FORMAT, "a line behind");
	b.len = whole;
	bool good = true;
	for (size_t cut = 0; cut < whole; cut++) {
		b.len = cut;
		good = good && parse(&r, &b) == SM_ERR_FORMAT;
	}
	ok(good, "no beginning of it is a roster");
	b.len = whole;
	uint8_t *name = memmem(b.data, b.len, "ops", 3);
	name[0] = 'a';
	ok(parse(&r, &b) == SM_OK && sm_roster_begins(&r) == SM_ERR_SIGNATURE, "a name that was changed");
	sm_roster_release(&r);
	sm_buf_release(&b);
}

/* n members, n > 9, signed by the first. */
static enum sm_err parse_many(struct sm_roster *r, unsigned n)
{
	struct sm_buf b;
	enum sm_err e;
	sm_buf_init(&b, 1 << 20);
	add_line(&b, "sm-roster/1 " GROUP "\nepoch 1\nprevious -\nname all\ndate 2026-11-20T10:00:00Z");
	for (unsigned i = 0; i < n; i++) {
		uint8_t pk[32] = {(uint8_t)i, (uint8_t)(i >> 8)};
		must(sm_buf_addf(&b, "member m%04u@x ", i));
		must(sm_public_format_ed25519(&b, pk));
		must(sm_buf_adds(&b, i ? "\n" : " admin\n"));
	}
	add_line(&b, "signer m0000@x\n---");
	add_signature(&b, "SM-roster-v1", 0);
	e = parse(r, &b);
	sm_buf_release(&b);
	return e;
}

static void limits(void)
{
	struct sm_roster r;
	ok(parse_many(&r, SM_ROSTER_MAX) == SM_OK && r.n == SM_ROSTER_MAX && sm_roster_find(&r, "m1023@x"), "%d members", SM_ROSTER_MAX);
	sm_roster_release(&r);
	ok(parse_many(&r, SM_ROSTER_MAX + 1) == SM_ERR_FORMAT, "one more");
}

/* --- the chain: alice (admin), bob, carol --- */

static void add_member(struct sm_roster *r, const char *address, int k, bool admin)
{
	struct sm_member m = {.admin = admin};
	must(sm_address_parse(&m.address, address, strlen(address)));
	memcpy(m.pk, key[k].pub.ed25519, 32);
	r->member[r->n++] = m;
}

static struct sm_member *member(struct sm_roster *r, const char *address)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->member[i].address.text, address))
			return &r->member[i];
	abort();
}

static void drop(struct sm_roster *r, const char *address)
{
	struct sm_member *m = member(r, address);
	*m = r->member[--r->n];
}

static void start(struct sm_roster *r)
{
	*r = (struct sm_roster){.group = GROUP, .epoch = 1, .name = "ops", .date = 1795168800};
	if (!(r->member = calloc(SM_ROSTER_MAX, sizeof(*r->member))))
		abort();
	/* not in their order: signing sorts */
	add_member(r, "carol@x:99", 2, false);
	add_member(r, "alice@x", 0, true);
	add_member(r, "bob@x", 1, false);
	must(sm_address_parse(&r->signer, "alice@x", 7));
}

/* Signs as who says and reads it back, as everybody else would get it. */
static void sealed(struct sm_roster *out, struct sm_roster *r, const char *who, int k)
{
	struct sm_buf b;
	sm_buf_init(&b, SM_ROSTER_TEXT_MAX);
	must(sm_address_parse(&r->signer, who, strlen(who)));
	must(sm_roster_sign(&b, r, &key[k]));
	must(parse(out, &b));
	if (memcmp(out->hash, r->hash, 32) != 0 || memcmp(out->sig, r->sig, 64) != 0)
		abort();
	sm_buf_release(&b);
}

typedef void change(struct sm_roster *r);
static void nothing(struct sm_roster *r) { (void)r; }
static void rename_it(struct sm_roster *r) { memcpy(r->name, "dev", 4); }
static void add_dave(struct sm_roster *r) { add_member(r, "dave@x", 3, false); }
static void add_bad(struct sm_roster *r)
{
	add_dave(r);
	memset(member(r, "dave@x")->pk, 0, 32);
	member(r, "dave@x")->pk[0] = 1; /* the neutral element */
}
static void drop_bob(struct sm_roster *r) { drop(r, "bob@x"); }
static void drop_carol(struct sm_roster *r) { drop(r, "carol@x:99"); }
static void drop_both(struct sm_roster *r) { drop_bob(r), drop_carol(r); }
static void drop_and_rename(struct sm_roster *r) { drop_bob(r), rename_it(r); }
static void drop_and_promote(struct sm_roster *r) { drop_bob(r), member(r, "carol@x:99")->admin = true; }
static void swap_bob(struct sm_roster *r) { drop_bob(r), add_dave(r); }
static void promote_bob(struct sm_roster *r) { member(r, "bob@x")->admin = true; }
static void drop_alice(struct sm_roster *r) { drop(r, "alice@x"); }
static void demote_alice(struct sm_roster *r) { member(r, "alice@x")->admin = false; }
static void hand_over(struct sm_roster *r) { demote_alice(r), promote_bob(r); }
static void hand_over_and_go(struct sm_roster *r) { drop_alice(r), promote_bob(r); }
static void new_key(struct sm_roster *r) { memcpy(member(r, "bob@x")->pk, key[5].pub.ed25519, 32); }
static void bob_and_new_key(struct sm_roster *r) { drop_bob(r), memcpy(member(r, "carol@x:99")->pk, key[5].pub.ed25519, 32); }
static void skip_epoch(struct sm_roster *r) { r->epoch++; }
static void same_epoch(struct sm_roster *r) { r->epoch = 2, r->previous[0] ^= 1; }
static void other_group(struct sm_roster *r) { r->group[0] = 'b'; }
static void later_date(struct sm_roster *r) { r->date += 1000; }

static void chain(const char *name, change *what, const char *who, int k, enum sm_err want)
{
	struct sm_roster one, next, r, s;
	start(&one);
	sealed(&r, &one, "alice@x", 0);
	must(sm_roster_next(&next, &r));
	what(&next);
	sealed(&s, &next, who, k);
	enum sm_err e = sm_roster_follows(&r, &s);
	ok(e == want, "%s: %s", name, sm_err_text(e));
	e = sm_roster_follows_known(&r, &s);
	ok(e == (what == add_bad ? SM_OK : want), "%s, and all keys are known to be good: %s", name, sm_err_text(e));
	sm_roster_release(&one);
	sm_roster_release(&next);
	sm_roster_release(&r);
	sm_roster_release(&s);
}

static void rules(void)
{
	chain("the admin changes nothing", nothing, "alice@x", 0, SM_OK);
	chain("the admin changes the date", later_date, "alice@x", 0, SM_OK);
	chain("the admin renames", rename_it, "alice@x", 0, SM_OK);
	chain("the admin adds", add_dave, "alice@x", 0, SM_OK);
	chain("the admin removes", drop_both, "alice@x", 0, SM_OK);
	chain("the admin promotes", promote_bob, "alice@x", 0, SM_OK);
	chain("the admin hands over", hand_over, "alice@x", 0, SM_OK);
	chain("the admin hands over and goes", hand_over_and_go, "alice@x", 0, SM_OK);
	chain("the only admin goes", drop_alice, "alice@x", 0, SM_ERR_POLICY);
	chain("the only admin steps down", demote_alice, "alice@x", 0, SM_ERR_POLICY);
	chain("the admin gives somebody another key", new_key, "alice@x", 0, SM_ERR_POLICY);
	chain("the admin adds a key of small order", add_bad, "alice@x", 0, SM_ERR_POLICY);
	chain("a member leaves", drop_bob, "bob@x", 1, SM_OK);
	chain("another member leaves", drop_carol, "carol@x:99", 2, SM_OK);
	chain("a member leaves, with bob's name and another's key", drop_bob, "bob@x", 2, SM_ERR_SIGNATURE);
	chain("a member removes another", drop_carol, "bob@x", 1, SM_ERR_POLICY);
	chain("a member takes another along", drop_both, "bob@x", 1, SM_ERR_POLICY);
	chain("a member leaves and renames", drop_and_rename, "bob@x", 1, SM_ERR_POLICY);
	chain("a member leaves and promotes", drop_and_promote, "bob@x", 1, SM_ERR_POLICY);
	chain("a member sends somebody instead", swap_bob, "bob@x", 1, SM_ERR_POLICY);
	chain("a member leaves and swaps a key", bob_and_new_key, "bob@x", 1, SM_ERR_POLICY);
	chain("a member changes nothing", nothing, "bob@x", 1, SM_ERR_POLICY);
	chain("a member renames", rename_it, "bob@x", 1, SM_ERR_POLICY);
	chain("a member adds", add_dave, "bob@x", 1, SM_ERR_POLICY);
	chain("a member promotes itself", promote_bob, "bob@x", 1, SM_ERR_POLICY);
	chain("a stranger signs", nothing, "dave@x", 3, SM_ERR_POLICY);
	chain("who is added signs", add_dave, "dave@x", 3, SM_ERR_POLICY);
	chain("an epoch is left out", skip_epoch, "alice@x", 0, SM_ERR_POLICY);
	chain("the epoch before is another", same_epoch, "alice@x", 0, SM_ERR_POLICY);
	chain("another group", other_group, "alice@x", 0, SM_ERR_POLICY);
}

static void begins(const char *name, change *what, const char *who, int k, enum sm_err want)
{
	struct sm_roster one, r;
	start(&one);
	what(&one);
	sealed(&r, &one, who, k);
	enum sm_err e = sm_roster_begins(&r);
	ok(e == want, "%s: %s", name, sm_err_text(e));
	e = sm_roster_begins_known(&r);
	ok(e == (what == add_bad ? SM_OK : want), "%s, and all keys are known to be good: %s", name, sm_err_text(e));
	sm_roster_release(&one);
	sm_roster_release(&r);
}

static void beginnings(void)
{
	begins("a first epoch", nothing, "alice@x", 0, SM_OK);
	begins("signed by a member", nothing, "bob@x", 1, SM_ERR_POLICY);
	begins("signed by a stranger", nothing, "dave@x", 3, SM_ERR_POLICY);
	begins("without an admin", demote_alice, "alice@x", 0, SM_ERR_POLICY);
	begins("with a key of small order", add_bad, "alice@x", 0, SM_ERR_POLICY);
	begins("a second epoch", skip_epoch, "alice@x", 0, SM_ERR_POLICY);
}

/* A later epoch is no earlier one's successor, and not its own. */
static void replay(void)
{
	struct sm_roster one, two, r, s;
	start(&one);
	sealed(&r, &one, "alice@x", 0);
	must(sm_roster_next(&two, &r));
	ok(two.epoch == 2 && !memcmp(two.previous, r.hash, 32) && two.n == 3, "the next epoch to be");
	sealed(&s, &two, "alice@x", 0);
	ok(sm_roster_follows(&s, &r) == SM_ERR_POLICY && sm_roster_follows(&s, &s) == SM_ERR_POLICY, "no way back");
	ok(sm_roster_begins(&s) == SM_ERR_POLICY, "no beginning in the middle");
	sm_roster_release(&one);
	sm_roster_release(&two);
	sm_roster_release(&r);
	sm_roster_release(&s);
}

static void signing(void)
{
	struct sm_roster r;
	struct sm_buf b;
	sm_buf_init(&b, SM_ROSTER_TEXT_MAX);
	start(&r);
	ok(sm_roster_sign(&b, &r, &key[1]) == SM_ERR_POLICY && !b.len, "not with another's key");
	add_member(&r, "bob@x", 4, false);
	ok(sm_roster_sign(&b, &r, &key[0]) == SM_ERR_FORMAT && !b.len, "not with an address twice");
	r.n = 0;
	ok(sm_roster_sign(&b, &r, &key[0]) == SM_ERR_FORMAT && !b.len, "not without members");
	sm_roster_release(&r);
	sm_buf_release(&b);
}

int main(void)
{
	keys_make();
	meaning();
	head();
	members();
	signatures();
	limits();
	rules();
	beginnings();
	replay();
	signing();
	keys_release();
	return tap_done();
}
