/* Space kept for bad times: see space.h. */
#include "space.h"

#include "base/path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static bool make(const char *path, const char *dir)
{
	struct statvfs v;
	struct stat st;
	int fd;
	bool made;

	if (stat(path, &st) == 0 && (unsigned long long)st.st_blocks * 512 >= SM_BALLAST)
		return true;
	if (statvfs(dir, &v) || (unsigned long long)v.f_bavail * v.f_frsize < 2ULL * SM_BALLAST)
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	made = posix_fallocate(fd, 0, SM_BALLAST) == 0;
	close(fd);
	if (!made)
		unlink(path);
	return made;
}

bool sm_space_reserve(const char *dir)
{
	char *path = sm_path_join(dir, "ballast");
	bool there = path && make(path, dir);

	free(path);
	return there;
}

void sm_space_release(const char *dir)
{
	char *path = sm_path_join(dir, "ballast");

	if (path)
		unlink(path);
	free(path);
}
