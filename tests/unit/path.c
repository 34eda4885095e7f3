/* Where files live, whose directories are checked, and what is refused. */
#include "base/path.h"

#include "scratch.h"
#include "tap.h"

#include <errno.h>
#include <sys/stat.h>

static void environment(const char *home, const char *sm_home)
{
	static const char *const others[] = {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"};
	for (int i = 0; i < 4; i++)
		unsetenv(others[i]);
	unsetenv("HOME");
	unsetenv("SM_HOME");
	if (home)
		setenv("HOME", home, 1);
	if (sm_home)
		setenv("SM_HOME", sm_home, 1);
}

static bool gives(enum sm_dir dir, const char *profile, const char *name, const char *want)
{
	char *got = NULL;
	enum sm_err e = sm_path(&got, dir, profile, name, 0);
	bool same = e == SM_OK && strcmp(got, want) == 0;
	if (!same)
		printf("# error %d, got '%s', want '%s'\n", e, got ? got : "", want);
	free(got);
	return same;
}

static enum sm_err fails(enum sm_dir dir, const char *profile, const char *name, int make)
{
	char *got = NULL;
	enum sm_err e = sm_path(&got, dir, profile, name, make);
	if (e && got)
		return SM_ERR_BUG; /* an output set on failure */
	free(got);
	return e;
}

static bool makes(enum sm_dir dir, const char *profile, const char *name)
{
	char *got = NULL;
	if (sm_path(&got, dir, profile, name, 1))
		return false;
	*strrchr(got, '/') = '\0';
	struct stat st;
	bool good = stat(got, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700;
	free(got);
	return good;
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mode & 0777 : 0;
}

static void names(void)
{
	environment("/h", NULL);
	ok(gives(SM_DIR_CONFIG, NULL, "identity", "/h/.config/sm/identity"), "configuration below HOME");
	ok(gives(SM_DIR_DATA, NULL, "sm.db", "/h/.local/share/sm/sm.db"), "data below HOME");
	ok(gives(SM_DIR_STATE, NULL, "session", "/h/.local/state/sm/session"), "state below HOME");
	ok(gives(SM_DIR_RUNTIME, NULL, "x", "/h/.local/state/sm/runtime/x"), "runtime files without a runtime directory");
	ok(gives(SM_DIR_CONFIG, "work", "identity", "/h/.config/sm/profiles/work/identity"), "a profile");
	ok(gives(SM_DIR_CONFIG, NULL, NULL, "/h/.config/sm"), "the directory itself");
	setenv("XDG_CONFIG_HOME", "/c", 1);
	setenv("XDG_DATA_HOME", "/d", 1);
	setenv("XDG_STATE_HOME", "/s", 1);
	setenv("XDG_RUNTIME_DIR", "/r", 1);
	ok(gives(SM_DIR_CONFIG, NULL, "x", "/c/sm/x") && gives(SM_DIR_DATA, NULL, "x", "/d/sm/x") &&
	           gives(SM_DIR_STATE, NULL, "x", "/s/sm/x") && gives(SM_DIR_RUNTIME, "p", "x", "/r/sm/profiles/p/x"),
	   "the XDG directories");
	setenv("XDG_CONFIG_HOME", "relative", 1);
	setenv("XDG_DATA_HOME", "", 1);
	ok(gives(SM_DIR_CONFIG, NULL, "x", "/h/.config/sm/x") && gives(SM_DIR_DATA, NULL, "x", "/h/.local/share/sm/x"),
	   "relative and empty ones do not count");
	setenv("SM_HOME", "/m", 1);
	ok(gives(SM_DIR_CONFIG, NULL, "x", "/m/config/x") && gives(SM_DIR_DATA, NULL, "x", "/m/data/x") &&
	           gives(SM_DIR_STATE, NULL, "x", "/m/state/x") && gives(SM_DIR_RUNTIME, NULL, "x", "/m/runtime/x") &&
	           gives(SM_DIR_DATA, "a", "x", "/m/data/profiles/a/x"),
	   "SM_HOME goes before all of them");
	setenv("SM_HOME", "", 1);
	ok(gives(SM_DIR_STATE, NULL, "x", "/s/sm/x"), "unless it is empty");
	environment(NULL, NULL);
	ok(fails(SM_DIR_CONFIG, NULL, "x", 0) == SM_ERR_CONFIG, "neither SM_HOME nor HOME");
	environment(NULL, "/m");
	ok(gives(SM_DIR_CONFIG, NULL, "x", "/m/config/x"), "SM_HOME alone is enough");
}

static void profiles(void)
{
	static const char *const bad[] = {"", ".", "..", ".x", "a/b", "A", "a b", "é", "a\n", "0123456789abcdef0123456789abcdefx"};
	environment("/h", NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(fails(SM_DIR_DATA, bad[i], "x", 0) == SM_ERR_FORMAT, "refuses profile %zu", i);
	ok(!fails(SM_DIR_DATA, "0123456789abcdef0123456789abcdef", "x", 0) && !fails(SM_DIR_DATA, "a.b_c-d", "x", 0) &&
	           !fails(SM_DIR_DATA, "-", "x", 0),
	   "allows others");
}

static void making(void)
{
	umask(0);
	mkdir(scratch("home"), 0755);
	mkdir(scratch("home/.config"), 0755);
	environment(scratch("home"), NULL);
	ok(!fails(SM_DIR_STATE, NULL, "x", 0) && access(scratch("home/.local"), F_OK) < 0, "nothing is made unless asked");
	ok(makes(SM_DIR_CONFIG, "work", "identity"), "makes a profile's directory");
	ok(mode_of(scratch("home/.config")) == 0755 && mode_of(scratch("home/.config/sm")) == 0700 &&
	           mode_of(scratch("home/.config/sm/profiles")) == 0700,
	   "and those above it, leaving alone what is not ours");
	ok(makes(SM_DIR_DATA, NULL, "sm.db") && mode_of(scratch("home/.local")) == 0700 && makes(SM_DIR_STATE, NULL, "locks/a"),
	   "makes missing bases and nested names");
	ok(makes(SM_DIR_CONFIG, "work", "identity"), "again is fine");
	environment(scratch("home"), scratch("deep/er/sm"));
	ok(makes(SM_DIR_RUNTIME, NULL, "x") && mode_of(scratch("deep/er/sm/runtime")) == 0700, "makes SM_HOME");
	setenv("SM_HOME", scratch("deep/slash/"), 1);
	ok(makes(SM_DIR_CONFIG, NULL, "x") && mode_of(scratch("deep/slash/config")) == 0700, "SM_HOME with a slash at its end");
}

static void loose(void)
{
	mkdir(scratch("loose"), 0755);
	environment(NULL, scratch("loose"));
	ok(makes(SM_DIR_CONFIG, "p", "x"), "SM_HOME itself may be open");
	static const mode_t modes[] = {0750, 0705, 0710, 0701, 0720, 0755, 0777};
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		chmod(scratch("loose/config"), modes[i]);
		ok(fails(SM_DIR_CONFIG, "p", "x", 1) == SM_ERR_PERM && fails(SM_DIR_CONFIG, NULL, "x", 0) == SM_ERR_PERM, "refuses %o",
		   modes[i]);
	}
	chmod(scratch("loose/config"), 0700);
	chmod(scratch("loose/config/profiles/p"), 0711);
	ok(fails(SM_DIR_CONFIG, "p", "x", 0) == SM_ERR_PERM && !fails(SM_DIR_CONFIG, NULL, "x", 0),
	   "a loose profile is no matter to others");
	if (geteuid() == 0) {
		chmod(scratch("loose/config/profiles/p"), 0700);
		if (chown(scratch("loose/config"), 12345, 12345) == 0)
			ok(fails(SM_DIR_CONFIG, NULL, "x", 0) == SM_ERR_PERM, "somebody else's directory");
	} else {
		tap_skip("somebody else's directory: only root can make one");
	}
}

static void failing(void)
{
	FILE *f = fopen(scratch("file"), "w");
	if (f)
		fclose(f);
	environment(NULL, scratch("file"));
	ok(fails(SM_DIR_CONFIG, NULL, "x", 1) == SM_ERR_CANTCREAT && errno == ENOTDIR, "SM_HOME is a file");
	mkdir(scratch("f"), 0700);
	environment(NULL, scratch("f"));
	f = fopen(scratch("f/config"), "w");
	if (f)
		fclose(f);
	ok(fails(SM_DIR_CONFIG, NULL, "x", 1) == SM_ERR_CANTCREAT && errno == ENOTDIR, "our directory is a file");
	environment(NULL, "/proc/sm-cannot-be-made");
	ok(fails(SM_DIR_CONFIG, NULL, "x", 1) == SM_ERR_CANTCREAT, "a place where nothing can be made");
	ok(symlink("nowhere", scratch("f/data")) == 0, "a link");
	environment(NULL, scratch("f"));
	ok(fails(SM_DIR_DATA, NULL, "x", 1) == SM_ERR_CANTCREAT && errno == ENOENT, "our directory is a link to nothing");
	static char lengthy[5000];
	memset(lengthy, 'x', sizeof(lengthy) - 1);
	lengthy[0] = '/';
	environment(NULL, lengthy);
	ok(fails(SM_DIR_DATA, NULL, "x", 0) == SM_ERR_LIMIT, "a path that is too long");
}

static bool joins(const char *dir, const char *name, const char *want)
{
	char *got = sm_path_join(dir, name);
	bool same = got && strcmp(got, want) == 0;
	free(got);
	return same;
}

int main(void)
{
	if (!scratch_make())
		return 1;
	names();
	profiles();
	making();
	loose();
	failing();
	ok(joins("a", "b", "a/b") && joins("a/", "b", "a/b") && joins("/", "b", "/b") && joins("", "b", "b") && joins("a", "", "a/"),
	   "join");
	return tap_done();
}
