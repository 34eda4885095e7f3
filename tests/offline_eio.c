/* A disk that fails halfway, for tests/offline_io.bats, which compiles this and preloads it: calls of one kind on files whose path has
 * EIO_PATH in it fail with EIO once EIO_AFTER bytes have gone through them (fsync: at once). EIO_CALL is read, write or fsync. */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic long long passed; /* several threads read and write */

static bool concerned(const char *call, int fd)
{
	const char *want = getenv("EIO_CALL"), *part = getenv("EIO_PATH");
	char link[64], path[4096];
	ssize_t n;

	if (!want || !part || strcmp(want, call))
		return false;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	if (n < 0)
		return false;
	path[n] = 0;
	return strstr(path, part) != NULL;
}

static bool fails(const char *call, int fd)
{
	if (!concerned(call, fd) || passed < strtoll(getenv("EIO_AFTER"), NULL, 10))
		return false;
	errno = EIO;
	return true;
}

static ssize_t count(const char *call, int fd, ssize_t n)
{
	if (n > 0 && concerned(call, fd))
		passed += n;
	return n;
}

#define NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *p, size_t n, off_t at, size_t room);

ssize_t read(int fd, void *p, size_t n) { return fails("read", fd) ? -1 : count("read", fd, NEXT(read)(fd, p, n)); }
ssize_t readv(int fd, const struct iovec *v, int n) { return fails("read", fd) ? -1 : count("read", fd, NEXT(readv)(fd, v, n)); }
ssize_t pread(int fd, void *p, size_t n, off_t at) { return fails("read", fd) ? -1 : count("read", fd, NEXT(pread)(fd, p, n, at)); }
ssize_t pread64(int fd, void *p, size_t n, off_t at) { return pread(fd, p, n, at); }
ssize_t __read_chk(int fd, void *p, size_t n, size_t room) { return n > room ? -1 : read(fd, p, n); }
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room) { return n > room ? -1 : pread(fd, p, n, at); }
ssize_t __pread64_chk(int fd, void *p, size_t n, off_t at, size_t room) { return n > room ? -1 : pread(fd, p, n, at); }
ssize_t write(int fd, const void *p, size_t n) { return fails("write", fd) ? -1 : count("write", fd, NEXT(write)(fd, p, n)); }
ssize_t writev(int fd, const struct iovec *v, int n) { return fails("write", fd) ? -1 : count("write", fd, NEXT(writev)(fd, v, n)); }
int fsync(int fd) { return fails("fsync", fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails("fsync", fd) ? -1 : NEXT(fdatasync)(fd); }
