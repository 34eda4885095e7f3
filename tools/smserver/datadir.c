/* Opening and locking the data directory. The lock is fcntl's, so it ends with the process however that ends. */
#include "datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum sm_err make_path(const char *dir)
{
	char *path = strdup(dir);
	enum sm_err e = path ? SM_OK : SM_ERR_NOMEM;

	for (char *p = path ? path + 1 : NULL; !e && p; p++) {
		p = strchr(p, '/');
		if (p)
			*p = '\0';
		/* parents as the umask says, which is 077 here */
		if (mkdir(path, 0700) && errno != EEXIST)
			e = SM_ERR_CANTCREAT;
		if (!p)
			break;
		*p = '/';
	}
	free(path);
	return e;
}

static enum sm_err check_mode(int fd, const char *dir, char why[static 512])
{
	struct stat st;

	if (fstat(fd, &st)) {
		snprintf(why, 512, "cannot look at '%.400s': %m", dir);
		return SM_ERR_IO;
	}
	if (st.st_uid == geteuid() && !(st.st_mode & 077))
		return SM_OK;
	snprintf(why, 512, "data directory '%.400s': must belong to the server's user and be closed to others (chmod 700)", dir);
	return SM_ERR_PERM;
}

static enum sm_err take_lock(int dirfd, const char *dir, int *lockfd, char why[static 512])
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		snprintf(why, 512, "cannot open '%.400s/lock': %m", dir);
		return errno == EACCES ? SM_ERR_PERM : SM_ERR_CANTCREAT;
	}
	if (fcntl(fd, F_SETLK, &l) == 0) {
		*lockfd = fd;
		return SM_OK;
	}
	if (fcntl(fd, F_GETLK, &l) || l.l_type == F_UNLCK)
		l.l_pid = 0;
	snprintf(why, 512, "another smserver (process %ld) has the data directory '%.400s'", (long)l.l_pid, dir);
	close(fd);
	return SM_ERR_BUSY;
}

enum sm_err sm_datadir_open(const char *dir, bool create, int *dirfd, int *lockfd, char why[static 512])
{
	enum sm_err e = create ? make_path(dir) : SM_OK;
	int fd = e ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		snprintf(why, 512, "cannot %s data directory '%.400s': %m", e ? "make" : "open", dir);
		return errno == EACCES ? SM_ERR_PERM : create ? SM_ERR_CANTCREAT : SM_ERR_NOINPUT;
	}
	e = check_mode(fd, dir, why);
	if (!e)
		e = take_lock(fd, dir, lockfd, why);
	if (e)
		close(fd);
	else
		*dirfd = fd;
	return e;
}
