/* crash.so: a shim for LD_PRELOAD that ends a process, as kill -9 would, just before it does something that others could see.
 * It counts every call that writes to, syncs, truncates, renames or removes a regular file, and every send on an internet socket:
 *
 *   SM_CRASH_AT=K       at the K-th such call (from 1) the process gets SIGKILL before the call is made
 *   SM_CRASH_TORN=1     a write to a file is made by its first half before that
 *   SM_CRASH_COUNT=FILE a process that gets to its end appends how many calls there were, and a newline
 *
 * A test runs its program with K = 1, 2, 3 ... until it ends by itself (no 137), and looks after each run at what is there: it must be as
 * before or as after, and a program run again without the shim must end well. From bats:
 *
 *   for ((k = 1;; k++)); do
 *           restore what there was before
 *           status=0; env LD_PRELOAD="$SM_BIN/tests/crash/crash.so" SM_CRASH_AT="$k" smsend bob <message || status=$?
 *           [[ $status == 137 ]] || break        # 128 + SIGKILL
 *           look
 *   done
 *   [[ $status == 0 && $k -gt 10 ]]              # it did crash, that often
 *
 * LD_PRELOAD is inherited: a shell or bats under it counts too, so it belongs on the command itself. With AddressSanitizer
 * ASAN_OPTIONS=verify_asan_link_order=0 is needed as well. A C test starts itself under the shim (tests/unit/crash.h) and
 * calls sm_crash_arm and sm_crash_calls after a fork instead. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

static atomic_long calls;
static long at; /* 0: never */
static bool torn;

/* Counts from 0 again, and ends this process at call k (0: never), torn when half is true. */
SHOWN void sm_crash_arm(long k, bool half);
/* How many there have been. */
SHOWN long sm_crash_calls(void);

void sm_crash_arm(long k, bool half)
{
	atomic_store(&calls, 0);
	at = k;
	torn = half;
}

long sm_crash_calls(void) { return atomic_load(&calls); }

__attribute__((constructor)) static void start(void)
{
	const char *k = getenv("SM_CRASH_AT"), *half = getenv("SM_CRASH_TORN");
	sm_crash_arm(k ? strtol(k, NULL, 10) : 0, half && *half == '1');
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("SM_CRASH_COUNT");
	long n = sm_crash_calls();
	at = 0;
	FILE *f = path ? fopen(path, "a") : NULL;
	if (!f)
		return;
	(void)fprintf(f, "%ld\n", n);
	(void)fclose(f);
}

static bool is_file(int fd)
{
	struct stat st;
	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

static bool is_internet(int fd)
{
	int domain = 0;
	socklen_t n = sizeof(domain);
	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) && (domain == AF_INET || domain == AF_INET6);
}

/* Is this the call at which it ends? */
static bool due(void) { return atomic_fetch_add(&calls, 1) + 1 == at; }

static void crash(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

static void maybe(bool counts)
{
	if (counts && due())
		crash();
}

/* The function that this one stands in front of, looked up once. */
#define REAL(name)                                                                                                                         \
	static __typeof__(name) *real;                                                                                                     \
	if (!real)                                                                                                                         \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

SHOWN ssize_t write(int fd, const void *p, size_t n)
{
	REAL(write);
	if ((is_file(fd) || is_internet(fd)) && due()) {
		if (torn && n > 1 && is_file(fd))
			(void)!real(fd, p, n / 2);
		crash();
	}
	return real(fd, p, n);
}

SHOWN ssize_t pwrite(int fd, const void *p, size_t n, off_t where)
{
	REAL(pwrite);
	if (is_file(fd) && due()) {
		if (torn && n > 1)
			(void)!real(fd, p, n / 2, where);
		crash();
	}
	return real(fd, p, n, where);
}

SHOWN ssize_t pwrite64(int fd, const void *p, size_t n, off64_t where)
{
	REAL(pwrite64);
	if (is_file(fd) && due()) {
		if (torn && n > 1)
			(void)!real(fd, p, n / 2, where);
		crash();
	}
	return real(fd, p, n, where);
}

SHOWN ssize_t writev(int fd, const struct iovec *v, int n)
{
	REAL(writev);
	maybe(is_file(fd) || is_internet(fd));
	return real(fd, v, n);
}

SHOWN int fsync(int fd)
{
	REAL(fsync);
	maybe(true);
	return real(fd);
}

SHOWN int fdatasync(int fd)
{
	REAL(fdatasync);
	maybe(true);
	return real(fd);
}

SHOWN int ftruncate(int fd, off_t n)
{
	REAL(ftruncate);
	maybe(is_file(fd));
	return real(fd, n);
}

SHOWN int ftruncate64(int fd, off64_t n)
{
	REAL(ftruncate64);
	maybe(is_file(fd));
	return real(fd, n);
}

SHOWN int rename(const char *from, const char *to)
{
	REAL(rename);
	maybe(true);
	return real(from, to);
}

SHOWN int renameat(int a, const char *from, int b, const char *to)
{
	REAL(renameat);
	maybe(true);
	return real(a, from, b, to);
}

SHOWN int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	REAL(renameat2);
	maybe(true);
	return real(a, from, b, to, flags);
}

SHOWN int linkat(int a, const char *from, int b, const char *to, int flags)
{
	REAL(linkat);
	maybe(true);
	return real(a, from, b, to, flags);
}

SHOWN int unlink(const char *path)
{
	REAL(unlink);
	maybe(true);
	return real(path);
}

SHOWN int unlinkat(int dir, const char *path, int flags)
{
	REAL(unlinkat);
	maybe(true);
	return real(dir, path, flags);
}

SHOWN ssize_t send(int fd, const void *p, size_t n, int flags)
{
	REAL(send);
	maybe(is_internet(fd));
	return real(fd, p, n, flags);
}

SHOWN ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t len)
{
	REAL(sendto);
	maybe(is_internet(fd));
	return real(fd, p, n, flags, to, len);
}

SHOWN ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	REAL(sendmsg);
	maybe(is_internet(fd));
	return real(fd, m, flags);
}
