/* Where a profile's files live. A directory is "ours" from the first component below SM_HOME or an XDG base on: those are
 * made 0700 and must stay so; the bases belong to the user and are only made when missing. */
#include "base/path.h"

#include "base/buf.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *below_sm_home, *variable, *below_home, *ours;
} places[] = {
        [SM_DIR_CONFIG] = {"config", "XDG_CONFIG_HOME", "/.config", "sm"},
        [SM_DIR_DATA] = {"data", "XDG_DATA_HOME", "/.local/share", "sm"},
        [SM_DIR_STATE] = {"state", "XDG_STATE_HOME", "/.local/state", "sm"},
        /* without a runtime directory its files are kept with the state, which at least nobody else can read */
        [SM_DIR_RUNTIME] = {"runtime", "XDG_RUNTIME_DIR", "/.local/state", "sm/runtime"},
};

static bool is_profile(const char *s)
{
	size_t n = strlen(s);
	return n >= 1 && n <= 32 && s[0] != '.' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static const char *variable(const char *name)
{
	const char *v = getenv(name);
	return v && *v ? v : NULL;
}

/* Puts the base into b and says what follows it. A relative XDG variable counts as unset, as that specification asks. */
static enum sm_err find_base(struct sm_buf *b, enum sm_dir dir, const char **ours)
{
	const char *v;

	if ((v = variable("SM_HOME"))) {
		*ours = places[dir].below_sm_home;
		return sm_buf_adds(b, v);
	}
	*ours = places[dir].ours;
	if ((v = variable(places[dir].variable)) && v[0] == '/') {
		/* a real runtime directory needs no subdirectory of that name */
		if (dir == SM_DIR_RUNTIME)
			*ours = "sm";
		return sm_buf_adds(b, v);
	}
	if (!(v = variable("HOME")))
		return SM_ERR_CONFIG;
	enum sm_err e = sm_buf_adds(b, v);
	return e ? e : sm_buf_adds(b, places[dir].below_home);
}

/* Makes path if it is missing. ours: it must then be a private directory of this user. */
static enum sm_err check_dir(const char *path, bool ours, bool make)
{
	struct stat st;

	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return SM_ERR_CANTCREAT;
	if (stat(path, &st) < 0)
		return make ? SM_ERR_CANTCREAT : SM_OK; /* missing: whoever opens a file in it will say so */
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return make ? SM_ERR_CANTCREAT : SM_OK;
	}
	if (ours && ((st.st_mode & 077) || (st.st_uid != geteuid() && st.st_uid != 0)))
		return SM_ERR_PERM;
	return SM_OK;
}

/* Every directory on the way to path, the first `base` characters of which are not ours. */
static enum sm_err check_dirs(char *path, size_t base, bool make)
{
	struct stat st;
	enum sm_err e = SM_OK;

	for (char *slash = path; !e && (slash = strchr(slash + 1, '/'));) {
		bool ours = slash > path + base;
		*slash = '\0';
		/* an existing base is left alone even where we could not make it, as on a read-only file system */
		if (ours || (make && stat(path, &st) < 0))
			e = check_dir(path, ours, make);
		*slash = '/';
	}
	return e;
}

enum sm_err sm_path(char **out, enum sm_dir dir, const char *profile, const char *name, int make)
{
	struct sm_buf b;
	const char *ours;

	if (profile && !is_profile(profile))
		return SM_ERR_FORMAT;
	sm_buf_init(&b, PATH_MAX - 1);
	enum sm_err e = find_base(&b, dir, &ours);
	if (e)
		goto out;
	const size_t base = b.len;
	e = sm_buf_addf(&b, "/%s%s%s/%s", ours, profile ? "/profiles/" : "", profile ? profile : "", name ? name : "");
	if (!e && !sm_buf_str(&b))
		e = SM_ERR_NOMEM;
	if (!e)
		e = check_dirs((char *)b.data, base, make != 0);
	if (e)
		goto out;
	char *path = strndup((const char *)b.data, name ? b.len : b.len - 1);
	if (path)
		*out = path;
	else
		e = SM_ERR_NOMEM;
out:
	sm_buf_release(&b);
	return e;
}

char *sm_path_join(const char *dir, const char *name)
{
	size_t d = strlen(dir), n = strlen(name);
	bool slash = d && dir[d - 1] != '/';
	char *path = malloc(d + slash + n + 1);

	if (!path)
		return NULL;
	memcpy(path, dir, d);
	if (slash)
		path[d] = '/';
	memcpy(path + d + slash, name, n + 1);
	return path;
}
