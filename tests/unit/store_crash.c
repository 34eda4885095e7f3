/* A process is killed at each of its writes and syncs in turn, whole and torn: what is there afterwards is as before or as after, and the
 * database opens. For what sending, receiving and making prekeys commit at once, and for making the database itself. */
#include "crash.h"
#include "scratch.h"
#include "session.h"
#include "tap.h"

#include "base/path.h"
#include "base/secret.h"
#include "store/inbox.h"
#include "store/outbox.h"
#include "store/prekeys.h"
#include "store/sessions.h"

#include <sys/stat.h>

#define CALLS_MAX 400
#define ME "alice@x"

static const uint8_t key[32] = {1};
static struct device alice, bob;
static struct sm_stanza first; /* alice's first to bob, with his prekeys */

/* What a store holds of what is done below. */
struct seen {
	uint32_t ns, nr;
	bool pair, outbox, inbox, first, opk;
	size_t unsent;
	uint32_t highest;
};

static struct sm_outbox_row letter(void)
{
	struct sm_outbox_row row = {.key = "key-1", .created = NOW};
	memset(row.id, 'a', SM_ID_LEN);
	return row;
}

static struct sm_inbox_new message(const struct sm_inbox_meta *meta)
{
	return (struct sm_inbox_new){.account = ME, .seq = 1, .envelope = {(const uint8_t *)"envelope", 8}, .meta = meta};
}

static void look_at_pair(struct seen *s, struct sm_db *db, const uint8_t *peer)
{
	struct sm_pair p;
	s->pair = !sm_pair_latest(&p, db, key, peer);
	if (!s->pair)
		return;
	s->ns = p.ratchet.ns;
	s->nr = p.ratchet.nr;
	sm_pair_release(&p);
}

/* False: it does not open, or cannot be read. */
static bool look(struct seen *s, const char *profile)
{
	static struct sm_own_prekey unsent[100];
	struct sm_db db;
	struct sm_outbox_row row;
	struct sm_own_prekey p;
	struct sm_inbox_meta meta = {0};
	struct sm_inbox_new m = message(&meta);
	*s = (struct seen){0};
	if (sm_db_open(&db, profile))
		return false;
	look_at_pair(s, &db, bob.end.pk);
	if (!s->pair)
		look_at_pair(s, &db, alice.end.pk);
	s->outbox = !sm_outbox_get(&row, NULL, &db, key, ME, "key-1");
	bool good = !sm_inbox_has(&s->inbox, &db, &m) && !sm_first_seen(&s->first, &db, alice.end.pk, first.ratchet.eka) &&
	            !sm_prekeys_unsent(unsent, 100, &s->unsent, &db, key);
	s->opk = !sm_prekey_get(&p, &db, key, 1);
	if (s->unsent)
		s->highest = unsent[s->unsent - 1].id;
	sm_db_close(&db);
	return good;
}

/* --- What is done, each in one commit --- */

static enum sm_err send_locked(struct sm_db *db)
{
	struct sm_pair p;
	struct sm_stanza s;
	uint8_t file_key[32] = {7};
	struct sm_outbox_row row = letter();
	MUST(sm_pair_latest(&p, db, key, bob.end.pk) || sm_pair_seal(&p, &s, 1, file_key, &sm_rand_system));
	enum sm_err e = sm_pair_put(db, key, &p, false, &sm_rand_system);
	if (!e)
		e = sm_outbox_add(db, key, ME, &row, (struct sm_span){s.body, s.bodylen}, &sm_rand_system);
	free(s.body);
	sm_pair_release(&p);
	return e;
}

static enum sm_err receive_locked(struct sm_db *db)
{
	struct sm_own_prekey spk, opk;
	struct sm_pair p;
	struct sm_inbox_meta meta = {0};
	struct sm_inbox_new m = message(&meta);
	int64_t n;
	MUST(sm_signed_prekey_get(&spk, db, key, first.ratchet.spk) || sm_prekey_get(&opk, db, key, first.ratchet.opk));
	MUST(sm_pair_accept(&p, &bob.id, &bob.end, &alice.end, &first, spk.sk, opk.sk) ||
	     sm_pair_open(&p, meta.file_key, &first, NOW, &sm_rand_system));
	enum sm_err e = sm_pair_put(db, key, &p, true, &sm_rand_system);
	if (!e)
		e = sm_prekey_drop(db, opk.id);
	if (!e)
		e = sm_first_remember(db, p.peer, p.eka, spk.id, NOW);
	if (!e)
		e = sm_inbox_add(&n, db, key, &m, &sm_rand_system);
	sm_pair_release(&p);
	return e;
}

static enum sm_err make_locked(struct sm_db *db)
{
	static struct sm_own_prekey made[100];
	return sm_prekeys_make(made, 100, db, key, NOW, &sm_rand_system);
}

struct doing {
	const char *profile;
	enum sm_err (*locked)(struct sm_db *db);
};

static int do_it(void *ctx)
{
	const struct doing *d = ctx;
	struct sm_db db;
	if (sm_db_open(&db, d->profile) || sm_db_begin(&db) || d->locked(&db) || sm_db_commit(&db))
		return 1;
	sm_db_close(&db);
	return 0;
}

/* --- Before --- */

static void seed_prekeys(struct sm_db *db)
{
	struct sm_own_prekey spk, opk;
	MUST(sm_signed_prekey_make(&spk, db, key, NOW, &sm_rand_system) || sm_prekeys_make(&opk, 1, db, key, NOW, &sm_rand_system));
	MUST(sm_prekeys_sent(db, 1) || opk.id != 1);
	bob.bundle.spk.id = spk.id;
	bob.bundle.opk_id = opk.id;
	memcpy(bob.bundle.spk.key, spk.pk, 32);
	memcpy(bob.bundle.opk, opk.pk, 32);
	MUST(sm_signed_prekey_sign(&bob.bundle.spk, bob.end.device, &bob.id));
}

static void seed(void)
{
	struct sm_db db;
	struct sm_pair p;
	uint8_t file_key[32] = {3};
	device_init(&alice, ME, 1, &sm_rand_system);
	device_init(&bob, "bob@x", 1, &sm_rand_system);
	MUST(sm_db_open(&db, "bob"));
	seed_prekeys(&db);
	sm_db_close(&db);
	MUST(sm_pair_start(&p, &alice.id, &alice.end, &bob.bundle, &sm_rand_system) ||
	     sm_pair_seal(&p, &first, 1, file_key, &sm_rand_system) || sm_db_open(&db, "alice") ||
	     sm_pair_put(&db, key, &p, false, &sm_rand_system));
	sm_pair_release(&p);
	sm_db_close(&db);
}

static char *data_path(const char *profile, const char *name)
{
	char *path;
	MUST(sm_path(&path, SM_DIR_DATA, profile, name, 1));
	return path;
}

static bool copy(const char *from, const char *to)
{
	char buf[65536];
	FILE *in = fopen(from, "r"), *out = in ? fopen(to, "w") : NULL;
	size_t n;
	bool good = out != NULL;
	while (good && (n = fread(buf, 1, sizeof(buf), in)) > 0)
		good = fwrite(buf, 1, n, out) == n;
	if (in)
		(void)fclose(in);
	return out && !fclose(out) && good;
}

/* The profile anew, with the database of another (NULL: with none). */
static void restore(const char *profile, const char *from)
{
	char *journal = data_path(profile, "sm.db-journal"), *path = data_path(profile, "sm.db"), *source;
	(void)unlink(journal);
	(void)unlink(path);
	if (from) {
		source = data_path(from, "sm.db");
		MUST(!copy(source, path) || chmod(path, 0600));
		free(source);
	}
	free(journal);
	free(path);
}

/* --- At every call --- */

static bool same(const struct seen *a, const struct seen *b)
{
	return a->ns == b->ns && a->nr == b->nr && a->pair == b->pair && a->outbox == b->outbox && a->inbox == b->inbox &&
	       a->first == b->first && a->opk == b->opk && a->unsent == b->unsent && a->highest == b->highest;
}

static void at_every_call(const char *name, const char *from, enum sm_err (*locked)(struct sm_db *db), bool half)
{
	struct doing d = {.profile = "work", .locked = locked};
	struct seen before, after, s;
	long k, befores = 0, afters = 0, between = 0;
	int ended = 1;
	restore("work", from);
	MUST(!look(&before, "work") || do_it(&d) || !look(&after, "work"));
	ok(!same(&before, &after), "%s changes something", name);
	for (k = 1; ended == 1 && k < CALLS_MAX; k++) {
		restore("work", from);
		ended = crash_run(do_it, &d, k, half);
		if (!look(&s, "work") || ended < 0)
			between++;
		else if (same(&s, &before))
			befores++;
		else if (same(&s, &after))
			afters++;
		else
			between++;
		if (ended == 0 && !same(&s, &after))
			between++;
	}
	ok(ended == 0 && !between && befores > 3 && afters > 1,
	   "%s, killed at each of %ld calls%s: %ld times as before, %ld times as after", name, k - 2, half ? ", torn" : "", befores,
	   afters);
}

static enum sm_err nothing(struct sm_db *db)
{
	(void)db;
	return SM_OK;
}

/* Making the database: it can be made again from whatever is left. */
static void creation(void)
{
	struct doing d = {.profile = "work", .locked = nothing};
	struct seen s;
	long k;
	int ended = 1, bad = 0;
	for (k = 1; ended == 1 && k < CALLS_MAX; k++) {
		restore("work", NULL);
		ended = crash_run(do_it, &d, k, k & 1);
		bad += !look(&s, "work") || s.pair || s.outbox || s.inbox;
	}
	ok(ended == 0 && !bad && k > 10, "a database is made, killed at each of %ld calls, and opens", k - 2);
}

/* How many syncs there are is what sending costs. */
static void syncs(void)
{
	struct sm_db db;
	struct sm_outbox_row row;
	restore("work", "alice");
	MUST(sm_db_open(&db, "work") || sm_db_begin(&db) || send_locked(&db));
	crash_arm(0, false);
	MUST(sm_db_commit(&db));
	long commit = crash_calls();
	MUST(sm_outbox_get(&row, NULL, &db, key, ME, "key-1"));
	crash_arm(0, false);
	MUST(sm_outbox_sent(&db, row.n));
	printf("# calls that write or sync: %ld for the commit before it is sent, %ld to say that it was\n", commit, crash_calls());
	sm_db_close(&db);
}

int main(int argc, char **argv)
{
	(void)argc;
	if (!crash_begin(argv)) {
		tap_skip("no crash.so beside this program");
		return tap_done();
	}
	if (!scratch_make() || chmod(scratch_dir, 0700) || setenv("SM_HOME", scratch_dir, 1) || sm_secret_harden() != SM_OK)
		return 1;
	seed();
	creation();
	for (int half = 0; half < 2; half++) {
		at_every_call("sending", "alice", send_locked, half);
		at_every_call("receiving", "bob", receive_locked, half);
		at_every_call("making prekeys", "bob", make_locked, half);
	}
	syncs();
	free(first.body);
	device_release(&alice);
	device_release(&bob);
	return tap_done();
}
