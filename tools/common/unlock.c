/* The options that every tool has, and the identity behind its passphrase. */
#include "common/unlock.h"

#include "cli/diag.h"
#include "store/keyring.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_MAX 1000000

bool sm_common_opt(struct sm_common *c, const struct sm_opts *o, int code)
{
	switch (code) {
	case 'q': c->quiet = true; break;
	case 'v': c->verbose = true; break;
	case SM_OPT_PROFILE: sm_opt_once(o, &c->profile); break;
	case SM_OPT_PASSPHRASE_FILE: sm_opt_once(o, &c->passphrase.file); break;
	case SM_OPT_PASSPHRASE_FD:
		if (c->passphrase.fd >= 0)
			sm_usage(o, "option --passphrase-fd given twice");
		c->passphrase.fd = (int)sm_opt_number(o, "descriptor", o->arg, 0, FD_MAX);
		break;
	default: return false;
	}
	if (c->passphrase.file && c->passphrase.fd >= 0)
		sm_usage(o, "--passphrase-file and --passphrase-fd exclude each other");
	sm_diag_level(c->quiet, c->verbose);
	return true;
}

/* The default identity's path for messages; NULL when it cannot be told. */
static char *default_path(const char *profile)
{
	char *path = NULL;
	return sm_path(&path, SM_DIR_CONFIG, profile, "identity", 0) == SM_OK ? path : NULL;
}

struct unlocking {
	struct sm_common *c;
	bool said; /* sm_passphrase has told what is wrong */
};

static enum sm_err ask(void *ctx, struct sm_buf *pw, const char *path)
{
	struct unlocking *u = ctx;
	struct sm_buf prompt;
	sm_buf_init(&prompt, 8192);
	enum sm_err e = sm_buf_addf(&prompt, "Passphrase for '%s': ", path);
	const char *text = e ? NULL : sm_buf_str(&prompt);
	e = sm_passphrase(pw, &u->c->passphrase, text ? text : "Passphrase: ", false);
	u->said = e != SM_OK;
	sm_buf_release(&prompt);
	return e;
}

static void say_loose(const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & 077))
		sm_error("identity '%s' may be read by others (mode %04o): chmod 600 it", path, (unsigned)st.st_mode & 07777);
	else if (stat(path, &st) == 0 && st.st_uid != geteuid())
		sm_error("identity '%s' belongs to another user", path);
	else
		sm_error("the profile's directory is open to others: chmod 700 it");
}

void sm_identity_error(enum sm_err e, const char *path, const char *profile)
{
	int saved = errno;
	char *standard = path ? NULL : default_path(profile);
	const char *name = path ? path : standard ? standard : "the profile's identity";
	errno = saved;
	if (e == SM_ERR_NOINPUT && errno == ENOENT && !path)
		sm_error("no identity in '%s': make one with smkeygen", name);
	else if (e == SM_ERR_NOINPUT || e == SM_ERR_IO)
		(void)sm_fail(e, "cannot open identity '%s'", name);
	else if (e == SM_ERR_PERM)
		say_loose(name);
	else if (e == SM_ERR_FORMAT && profile && !standard && !path)
		sm_error("'%s' is not a profile name", profile);
	else if (e == SM_ERR_FORMAT)
		sm_error("'%s' is not a secret key file", name);
	else if (e == SM_ERR_PASSPHRASE)
		sm_error("wrong passphrase for '%s'", name);
	else if (e == SM_ERR_CONFIG)
		sm_error("neither SM_HOME nor HOME is set");
	else
		(void)sm_fail(e, "cannot use identity '%s'", name);
	free(standard);
}

enum sm_err sm_unlock_with(struct sm_identity *id, const char *path, struct sm_common *c, struct sm_buf *text, bool *protected)
{
	struct unlocking u = {.c = c};
	bool reading = text || protected;
	enum sm_err e =
	        reading ? sm_keyring_read(id, text, protected, path, c->profile, ask, &u) : sm_keyring_load(id, path, c->profile, ask, &u);
	if (e && !u.said)
		sm_identity_error(e, path, c->profile);
	return e;
}

enum sm_err sm_unlock(struct sm_identity *id, const char *path, struct sm_common *c) { return sm_unlock_with(id, path, c, NULL, NULL); }

enum sm_err sm_unlock_public(struct sm_public *pub, struct sm_buf *comment, const char *path, struct sm_common *c)
{
	struct unlocking u = {.c = c};
	enum sm_err e = sm_keyring_public(pub, comment, path, c->profile, ask, &u);
	if (e && !u.said)
		sm_identity_error(e, path, c->profile);
	return e;
}
