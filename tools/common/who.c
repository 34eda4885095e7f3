/* WHO: names to keys. Only the contacts are asked here; a name that is none yet is looked up by another program, smcontact, so that
 * the ones that hold keys and plaintext never open a connection. */
#include "common/who.h"

#include "base/path.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "store/account.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static enum sm_err load_account(struct sm_account *account, const char *profile)
{
	enum sm_err e = sm_account_load(account, profile);
	if (e == SM_ERR_FORMAT && profile)
		sm_error("'%s' is not a profile name", profile);
	else if (e && e != SM_ERR_NOTFOUND)
		(void)sm_fail(e, "cannot read the profile's account");
	return e;
}

enum sm_err sm_who_self(struct sm_address *self, const char *profile)
{
	struct sm_account account;
	enum sm_err e = load_account(&account, profile);
	if (e == SM_ERR_NOTFOUND) {
		*self = (struct sm_address){0};
		return SM_OK;
	}
	if (e)
		return e;
	e = sm_address_parse(self, account.address, strlen(account.address));
	if (e)
		sm_error("the profile's account is damaged: '%s' is not an address", account.address);
	return e;
}

enum sm_err sm_who_address(struct sm_address *a, const char *who, const char *profile)
{
	struct sm_address self;
	char full[SM_ADDRESS_MAX + 1];
	size_t n = strlen(who);
	if (sm_address_parse(a, who, n) == SM_OK)
		return SM_OK;
	if (!sm_name_valid(who, n)) {
		sm_error("'%s' is neither a key (sm1..., sm-rsa ...), nor a name, nor an address (name@host)", who);
		return SM_ERR_FORMAT;
	}
	enum sm_err e = sm_who_self(&self, profile);
	if (e)
		return e;
	if (!*self.text) {
		sm_error("'%s' needs its host (%s@host): this profile has no account whose server could be meant", who, who);
		return SM_ERR_CONFIG;
	}
	int len = snprintf(full, sizeof(full), "%s@%s", who, self.host);
	if (len < 0 || (size_t)len >= sizeof(full))
		return SM_ERR_FORMAT;
	return sm_address_parse(a, full, (size_t)len);
}

/* --- smcontact as a child --- */

/* smcontact beside the running program; false when there is none. */
static bool beside_us(char path[static PATH_MAX])
{
	static const char name[] = "smcontact";
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (n < 0)
		return false;
	path[n] = 0;
	char *slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + sizeof(name) > PATH_MAX)
		return false;
	memcpy(slash + 1, name, sizeof(name));
	return access(path, X_OK) == 0;
}

/* Reads nothing of our input and writes nothing into our output; what it says on stderr is for the same person. Returns an errno. */
static int start(pid_t *pid, char *const argv[])
{
	char path[PATH_MAX];
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int r = posix_spawn_file_actions_init(&files);
	if (r)
		return r;
	if ((r = posix_spawnattr_init(&attr))) {
		posix_spawn_file_actions_destroy(&files);
		return r;
	}
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	r = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!r)
		r = posix_spawnattr_setsigdefault(&attr, &defaults);
	if (!r)
		r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	if (!r && beside_us(path))
		r = posix_spawn(pid, path, &files, &attr, argv, environ);
	else if (!r)
		r = posix_spawnp(pid, "smcontact", &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r;
}

static enum sm_err status_error(int code)
{
	switch (code) {
	case SM_EXIT_OK: return SM_OK;
	case SM_EXIT_NOINPUT:
	case SM_EXIT_NORECIPIENT: return SM_ERR_NOTFOUND;
	case SM_EXIT_REFUSED: return SM_ERR_CHANGED;
	case SM_EXIT_UNAVAILABLE: return SM_ERR_NET;
	case SM_EXIT_TEMP: return SM_ERR_BUSY;
	case SM_EXIT_PROTOCOL: return SM_ERR_PROTOCOL;
	case SM_EXIT_CONFIG: return SM_ERR_CONFIG;
	case SM_EXIT_DATA:
	case SM_EXIT_USAGE: return SM_ERR_FORMAT;
	case SM_EXIT_CANTCREAT: return SM_ERR_CANTCREAT;
	case SM_EXIT_IO: return SM_ERR_IO;
	default: return SM_ERR_BUG;
	}
}

/* SM_OK when smcontact says that it has pinned address; otherwise it, or we, have said why. */
static enum sm_err run_smcontact(const char *address, const char *profile)
{
	/* the children's argv is char * by history; nothing writes to it */
	char *plain[] = {(char *)"smcontact", (char *)"add", (char *)"--", (char *)address, NULL};
	char *with[] = {(char *)"smcontact", (char *)"add", (char *)"--profile", (char *)profile, (char *)"--", (char *)address, NULL};
	pid_t pid;
	int status;
	int r = start(&pid, profile ? with : plain);
	if (r) {
		sm_error("'%s' is no contact, and smcontact, which would look it up, cannot be run: %s", address, strerror(r));
		return SM_ERR_NOTFOUND;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return SM_ERR_BUG;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		sm_error("'%s' is no contact, and smcontact, which would look it up, cannot be run", address);
		return SM_ERR_NOTFOUND;
	}
	if (WIFEXITED(status))
		return status_error(WEXITSTATUS(status));
	sm_error("smcontact died of signal %d", WTERMSIG(status));
	return SM_ERR_BUG;
}

/* --- Resolving --- */

static enum sm_err from_key(struct sm_who *w, const char *who)
{
	struct sm_who got = {0};
	bool found; /* always: an empty line or a comment does not look like a key */
	enum sm_err e = sm_public_parse_line(&got.pub, &found, NULL, (struct sm_span){(const uint8_t *)who, strlen(who)});
	if (e) {
		(void)(e == SM_ERR_FORMAT ? sm_fail_plain(e, "'%s' is not a valid public key", who) : sm_fail(e, "'%s'", who));
		return e;
	}
	*w = got;
	return SM_OK;
}

static enum sm_err say_changed(const struct sm_contact *c)
{
	char fp[SM_FP_TEXT_LEN + 1] = "FINGERPRINT";
	if (c->has_seen)
		sm_fp_format(fp, c->seen_fp);
	sm_error("the key of %s has changed: once you know that the new one is theirs, run 'smcontact accept %s %s'", c->address,
	         c->address, fp);
	return SM_ERR_CHANGED;
}

bool sm_who_have_store(const char *profile)
{
	char *path;
	bool have = !sm_path(&path, SM_DIR_DATA, profile, "sm.db", 0);
	if (have) {
		have = !access(path, F_OK);
		free(path);
	}
	return have;
}

/* The devices that speak for a user key; one of another suite has none, and speaks for itself. */
static enum sm_err devices_of(struct sm_device_list *l, struct sm_db *db, const struct sm_address *address, const struct sm_public *user)
{
	l->n = 0;
	return user->suite == &sm_suite_x25519 ? sm_devices_of(l, db, address, user->ed25519) : SM_OK;
}

/* w->address -> key and devices. SM_ERR_NOTFOUND is left for the caller to put into words. */
static enum sm_err find_contact(struct sm_who *w, const char *profile)
{
	struct sm_db db = {0};
	struct sm_contact c;
	enum sm_err e = sm_db_open(&db, profile);
	if (!e)
		e = sm_contact_get(&c, &db, w->address.text);
	if (!e)
		e = devices_of(&w->list, &db, &w->address, &c.pub);
	if (e && e != SM_ERR_NOTFOUND)
		(void)sm_fail(e, "cannot look up '%s' in the contacts", w->address.text);
	sm_db_close(&db);
	if (!e && c.trust == SM_TRUST_CHANGED)
		return say_changed(&c);
	if (!e)
		w->pub = c.pub;
	return e;
}

/* Longer than any name: what begins like a key is one. */
static bool looks_like_key(const char *who)
{
	size_t n = strcspn(who, " "); /* a comment may follow, as `smkeygen -y` prints it */
	return !strncmp(who, "sm-rsa", 6) || (!strncmp(who, "sm1", 3) && n > SM_NAME_MAX && !memchr(who, '@', n));
}

enum sm_err sm_who_resolve(struct sm_who *w, const char *who, const char *profile, bool lookup)
{
	struct sm_who got = {.contact = true};
	if (looks_like_key(who))
		return from_key(w, who);
	enum sm_err e = sm_who_address(&got.address, who, profile);
	if (e)
		return e;
	e = find_contact(&got, profile);
	if (e == SM_ERR_NOTFOUND && lookup) {
		e = run_smcontact(got.address.text, profile);
		if (e)
			return e;
		e = find_contact(&got, profile);
	}
	if (e == SM_ERR_NOTFOUND)
		sm_error("'%s' is no contact", got.address.text);
	if (!e)
		*w = got;
	return e;
}

size_t sm_who_keys(const struct sm_who *w) { return w->list.n ? w->list.n : 1; }

enum sm_err sm_who_key(struct sm_party *party, struct sm_public *pub, const struct sm_who *w, size_t i)
{
	struct sm_public p = w->pub;
	enum sm_err e = w->list.n ? sm_public_from_ed25519(&p, w->list.device[i].pk) : SM_OK;
	if (e)
		return e;
	party->address = w->address;
	party->has_fp = true;
	memcpy(party->fp, p.fp, SM_FP_LEN);
	*pub = p;
	return SM_OK;
}

enum sm_err sm_who_find(struct sm_public *pub, const struct sm_who *w, const uint8_t fp[static SM_FP_LEN])
{
	const struct sm_listed_device *d = sm_device_list_find(&w->list, fp);
	if (d)
		return sm_public_from_ed25519(pub, d->pk);
	if (w->list.n || memcmp(w->pub.fp, fp, SM_FP_LEN) != 0)
		return SM_ERR_NOTFOUND;
	*pub = w->pub;
	return SM_OK;
}

/* --- The own account --- */

/* The list that counts for self, where there is one; SM_ERR_NOTFOUND. */
static enum sm_err stored_own(struct sm_device_list *l, const struct sm_address *self, const struct sm_public *own, const char *profile)
{
	struct sm_db db = {0};
	struct sm_contact c;
	enum sm_err e = sm_db_open(&db, profile);
	if (!e && (e = sm_contact_get(&c, &db, self->text)) == SM_ERR_NOTFOUND) {
		c.pub = *own;
		e = SM_OK;
	}
	if (!e)
		e = devices_of(l, &db, self, &c.pub);
	sm_db_close(&db);
	return !e && !l->version ? SM_ERR_NOTFOUND : e;
}

enum sm_err sm_who_own_devices(struct sm_device_list *l, const struct sm_address *self, const struct sm_public *own, const char *profile)
{
	struct sm_device_list got;
	bool x25519 = own->suite == &sm_suite_x25519;
	enum sm_err e = SM_ERR_NOTFOUND;
	if (*self->text && x25519 && sm_who_have_store(profile))
		e = stored_own(&got, self, own, profile);
	if (e == SM_ERR_NOTFOUND) {
		l->n = 0;
		if (x25519)
			sm_device_list_implied(l, self, own->ed25519);
		return SM_OK;
	}
	if (e) {
		(void)sm_fail(e, "cannot look up the devices of %s", self->text);
		return e;
	}
	if (!sm_device_list_find(&got, own->fp)) {
		sm_error("this device has been removed from %s", self->text);
		return SM_ERR_DENIED;
	}
	*l = got;
	return SM_OK;
}
