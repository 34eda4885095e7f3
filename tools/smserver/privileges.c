/* Hardening and dropping privileges. */
#include "privileges.h"

#include "base/secret.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum sm_err sm_privileges_harden(void)
{
	struct rlimit files;

	umask(077);
	signal(SIGPIPE, SIG_IGN);
	/* every connection is a descriptor: take what the hard limit gives */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return sm_secret_harden();
}

enum sm_err sm_privileges_drop(const char *user, const char *data, char why[static 512])
{
	struct passwd *pw;
	struct stat st;

	if (!user[0] || geteuid() != 0)
		return SM_OK;
	pw = getpwnam(user);
	if (!pw) {
		snprintf(why, 512, "user: there is no account '%s' on this machine", user);
		return SM_ERR_CONFIG;
	}
	if (mkdir(data, 0700) == 0 || (stat(data, &st) == 0 && st.st_uid == 0))
		if (chown(data, pw->pw_uid, pw->pw_gid)) {
			snprintf(why, 512, "cannot give '%.300s' to '%s': %m", data, user);
			return SM_ERR_PERM;
		}
	if (setgroups(0, NULL) || setgid(pw->pw_gid) || setuid(pw->pw_uid) || (pw->pw_uid && setuid(0) == 0)) {
		snprintf(why, 512, "cannot become '%s': %m", user);
		return SM_ERR_PERM;
	}
	return sm_secret_harden(); /* changing the user made the process dumpable again */
}
