/* Whole reads and writes, atomic files, and every way they fail that a test can bring about: a full device, a reader that
 * went away, a size limit, loose permissions, links, directories in the way, signals. */
#include "base/file.h"

#include "scratch.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

static int feed_fd = -1;

static void on_alarm(int sig)
{
	(void)sig;
	if (write(feed_fd, "late", 4) < 0)
		_exit(99);
	close(feed_fd);
}

/* In a moment, while the caller is blocked: an interruption, and only with it the bytes "late" and the end. */
static void feed_later(int fd)
{
	struct sigaction sa = {.sa_handler = on_alarm}; /* no SA_RESTART: the call fails with EINTR */
	const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	feed_fd = fd;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static bool has(const char *path, const char *want)
{
	struct sm_buf b;
	sm_buf_init(&b, 1 << 20);
	enum sm_err e = sm_file_read(path, &b, false);
	bool same = !e && b.len == strlen(want) && (b.len == 0 || memcmp(b.data, want, b.len) == 0);
	sm_buf_release(&b);
	return same;
}

static void make_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) || chmod(path, mode))
		printf("# cannot make %s\n", path);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static bool is_link(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* From here on no file may grow past n bytes; a write past it fails with EFBIG. */
static void limit_files(rlim_t n)
{
	struct rlimit r;
	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = n;
	setrlimit(RLIMIT_FSIZE, &r);
}

static void reading(void)
{
	char p[16];
	size_t got = 99;
	int fds[2];

	ok(pipe(fds) == 0 && write(fds[1], "abcdef", 6) == 6, "a pipe");
	ok(!sm_read_full(fds[0], p, 4, &got) && got == 4 && memcmp(p, "abcd", 4) == 0, "as many as asked for");
	close(fds[1]);
	ok(!sm_read_full(fds[0], p, 16, &got) && got == 2, "fewer at the end");
	ok(!sm_read_full(fds[0], p, 16, &got) && got == 0, "none after it");
	close(fds[0]);
	got = 99;
	ok(sm_read_full(fds[0], p, 1, &got) == SM_ERR_IO && errno == EBADF && got == 99, "a closed descriptor");
	if (pipe(fds) == 0) {
		feed_later(fds[1]);
		ok(!sm_read_full(fds[0], p, 16, &got) && got == 4 && memcmp(p, "late", 4) == 0, "an interrupted read goes on");
		close(fds[0]);
	}
	if (pipe2(fds, O_NONBLOCK) == 0) {
		feed_later(fds[1]);
		ok(!sm_read_full(fds[0], p, 16, &got) && got == 4 && memcmp(p, "late", 4) == 0, "a non-blocking descriptor is waited for");
		close(fds[0]);
	}
	if (pipe(fds) == 0) {
		got = 99;
		ok(write(fds[1], "ab", 2) == 2 && !sm_read_some(fds[0], p, 16, &got) && got == 2,
		   "what there is, without waiting for more");
		feed_later(fds[1]);
		ok(!sm_read_some(fds[0], p, 3, &got) && got == 3, "an interrupted one goes on");
		ok(!sm_read_some(fds[0], p, 16, &got) && got == 1 && !sm_read_some(fds[0], p, 16, &got) && got == 0, "the end");
		close(fds[0]);
		got = 99;
		ok(sm_read_some(fds[0], p, 16, &got) == SM_ERR_IO && errno == EBADF && got == 99, "a closed descriptor");
	}
	make_file(scratch("p"), "0123456789", 0600);
	int fd = open(scratch("p"), O_RDONLY);
	ok(!sm_pread_full(fd, p, 4, 3, &got) && got == 4 && memcmp(p, "3456", 4) == 0, "pread in the middle");
	ok(!sm_pread_full(fd, p, 16, 8, &got) && got == 2 && !sm_pread_full(fd, p, 16, 100, &got) && got == 0, "pread at and past the end");
	close(fd);
	got = 99;
	if (pipe(fds) == 0) {
		ok(sm_pread_full(fds[0], p, 1, 0, &got) == SM_ERR_IO && errno == ESPIPE && got == 99, "pread of a pipe");
		close(fds[0]);
		close(fds[1]);
	}
}

/* A child that reads the pipe to its end and exits 0 if there were n bytes. */
static pid_t count_in_child(int fds[2], size_t n)
{
	pid_t pid = fork();
	if (pid == 0) {
		static char p[4096];
		size_t sum = 0;
		ssize_t r;
		close(fds[1]);
		/* the write end is non-blocking, and with it this end may be */
		fcntl(fds[0], F_SETFL, fcntl(fds[0], F_GETFL) & ~O_NONBLOCK);
		while ((r = read(fds[0], p, sizeof(p))) > 0)
			sum += (size_t)r;
		_exit(r < 0 || sum != n);
	}
	return pid;
}

static void writing(void)
{
	static char big[1 << 20];
	int fds[2], status = -1;

	int full = open("/dev/full", O_WRONLY);
	ok(sm_write_full(full, "x", 1) == SM_ERR_IO && errno == ENOSPC, "a full device");
	ok(!sm_write_full(full, "x", 0), "nothing fits even there");
	close(full);
	if (pipe(fds) == 0) {
		close(fds[0]);
		ok(sm_write_full(fds[1], "x", 1) == SM_ERR_PIPE && errno == EPIPE, "a reader that went away");
		close(fds[1]);
	}
	ok(sm_write_full(-1, "x", 1) == SM_ERR_IO && errno == EBADF, "no descriptor");
	if (pipe2(fds, O_NONBLOCK) == 0) {
		pid_t pid = count_in_child(fds, sizeof(big));
		close(fds[0]);
		ok(!sm_write_full(fds[1], big, sizeof(big)), "a mebibyte through a non-blocking pipe");
		close(fds[1]);
		ok(waitpid(pid, &status, 0) == pid && status == 0, "arrives whole");
	}
}

static void all(void)
{
	struct sm_buf b;

	static char text[200000];
	memset(text, 'z', sizeof(text) - 1);
	make_file(scratch("big"), text, 0600);
	int fd = open(scratch("big"), O_RDONLY);
	sm_buf_init(&b, sizeof(text) + 3);
	ok(!sm_buf_adds(&b, "head") && !sm_read_all(fd, &b) && b.len == sizeof(text) + 3 && memcmp(b.data, "headzz", 6) == 0,
	   "appends up to the maximum exactly");
	lseek(fd, 0, SEEK_SET);
	sm_buf_consume(&b, b.len - 5);
	ok(sm_read_all(fd, &b) == SM_ERR_LIMIT && b.len == 5, "one byte too many leaves the buffer as it was");
	bool wiped = true;
	for (size_t i = 5; i < b.cap; i++)
		wiped = wiped && b.data[i] == 0;
	ok(wiped, "and wiped");
	sm_buf_release(&b);
	close(fd);
	sm_buf_init(&b, 10);
	ok(sm_read_all(fd, &b) == SM_ERR_IO && errno == EBADF && b.len == 0, "a closed descriptor");
	sm_buf_release(&b);
	sm_buf_init(&b, 0);
	fd = open("/dev/null", O_RDONLY);
	ok(!sm_read_all(fd, &b), "nothing into nothing");
	close(fd);
	fd = open("/dev/zero", O_RDONLY);
	ok(sm_read_all(fd, &b) == SM_ERR_LIMIT, "something into nothing");
	close(fd);
	sm_buf_release(&b);
}

static enum sm_err read_secret(const char *path)
{
	struct sm_buf b;
	sm_buf_init(&b, 100);
	enum sm_err e = sm_file_read(path, &b, true);
	if (e && b.len)
		e = SM_ERR_BUG;
	sm_buf_release(&b);
	return e;
}

static void secrets(void)
{
	const char *path = scratch("secret");
	int fds[2], wrong = 0;
	char name[64];

	make_file(path, "s", 0600);
	for (mode_t m = 0; m < 01000; m++) {
		chmod(path, m | 0400);
		wrong += read_secret(path) != ((m & 077) ? SM_ERR_PERM : SM_OK);
	}
	ok(wrong == 0, "a secret file must be closed to group and others, bit for bit");
	chmod(path, 0640);
	ok(symlink("secret", scratch("secret-link")) == 0 && read_secret(scratch("secret-link")) == SM_ERR_PERM, "also through a link");
	ok(has(path, "s"), "as no secret it may be open");
	chmod(path, 0600);
	if (geteuid() == 0 && chown(path, 12345, 12345) == 0)
		ok(read_secret(path) == SM_ERR_PERM, "somebody else's file");
	else
		tap_skip("somebody else's file: only root can make one");
	ok(read_secret("/dev/null") == SM_OK, "a device is accepted");
	if (pipe(fds) == 0) {
		ok(write(fds[1], "s", 1) == 1 && close(fds[1]) == 0, "a pipe");
		snprintf(name, sizeof(name), "/dev/fd/%d", fds[0]);
		ok(read_secret(name) == SM_OK, "an inherited pipe is accepted");
		close(fds[0]);
	}
	if (mkfifo(scratch("fifo"), 0666) == 0 && chmod(scratch("fifo"), 0666) == 0) {
		/* both ends wait for each other in open */
		pid_t pid = fork();
		if (pid == 0) {
			int w = open(scratch("fifo"), O_WRONLY);
			_exit(write(w, "s", 1) != 1);
		}
		ok(read_secret(scratch("fifo")) == SM_OK, "a named pipe is accepted");
		waitpid(pid, NULL, 0);
	}
}

static void whole_files(void)
{
	struct sm_buf b;
	sm_buf_init(&b, 3);
	ok(sm_file_read(scratch("nothing"), &b, false) == SM_ERR_NOINPUT && errno == ENOENT, "no such file");
	ok(sm_file_read(scratch_dir, &b, false) == SM_ERR_NOINPUT && errno == EISDIR, "a directory");
	make_file(scratch("four"), "four", 0600);
	ok(sm_file_read(scratch("four"), &b, false) == SM_ERR_LIMIT && b.len == 0, "too large");
	make_file(scratch("three"), "abc", 0600);
	ok(!sm_file_read(scratch("three"), &b, false) && b.len == 3, "large enough");
	make_file(scratch("none"), "", 0600);
	ok(!sm_file_read(scratch("none"), &b, false) && b.len == 3, "an empty file into a full buffer");
	sm_buf_release(&b);
}

static void replacing(void)
{
	mkdir(scratch("r"), 0755);
	umask(077);
	ok(!sm_file_replace(scratch("r/a"), "one", 3, 0644) && has(scratch("r/a"), "one") && mode_of(scratch("r/a")) == 0644,
	   "a new file, its mode whatever the umask");
	umask(022);
	ok(!sm_file_replace(scratch("r/a"), "two", 3, 0600) && has(scratch("r/a"), "two") && mode_of(scratch("r/a")) == 0600,
	   "replaced, and made private");
	ok(!sm_file_replace(scratch("r/a"), NULL, 0, 0600) && has(scratch("r/a"), ""), "by nothing");
	ok(scratch_count(scratch("r")) == 1, "no temporary name is left");
	ok(symlink("a", scratch("r/link")) == 0 && !sm_file_replace(scratch("r/link"), "via", 3, 0600) && is_link(scratch("r/link")) &&
	           has(scratch("r/a"), "via"),
	   "through a link: the file, not the link");
	ok(symlink("gone", scratch("r/dangling")) == 0 && sm_file_replace(scratch("r/dangling"), "x", 1, 0600) == SM_ERR_CANTCREAT &&
	           errno == ENOENT,
	   "a link to nothing");
	ok(sm_file_replace(scratch("no/such"), "x", 1, 0600) == SM_ERR_CANTCREAT && errno == ENOENT, "no directory");
	mkdir(scratch("r/dir"), 0755);
	ok(sm_file_replace(scratch("r/dir"), "x", 1, 0600) == SM_ERR_CANTCREAT && errno == EISDIR, "a directory in the way");
	ok(scratch_count(scratch("r")) == 4, "and nothing is left of the attempt");
	limit_files(1);
	bool refused = sm_file_replace(scratch("r/a"), "three", 5, 0600) == SM_ERR_IO && errno == EFBIG;
	limit_files(RLIM_INFINITY); /* before the report, which may go to a file too */
	ok(refused, "no room");
	ok(has(scratch("r/a"), "via") && scratch_count(scratch("r")) == 4, "the old file is whole and nothing is left");
	char name[256 + 2] = "r/";
	memset(name + 2, 'n', 255);
	ok(!sm_file_replace(scratch(name), "x", 1, 0600) && has(scratch(name), "x"), "a name of 255 bytes");
	unlink(scratch(name));
	ok(chdir(scratch("r")) == 0 && !sm_file_replace("here", "x", 1, 0600) && has("here", "x") && chdir("/") == 0,
	   "a name without a directory");
}

static void creating(void)
{
	mkdir(scratch("c"), 0755);
	ok(!sm_file_create(scratch("c/a"), "one", 3, 0600) && has(scratch("c/a"), "one") && mode_of(scratch("c/a")) == 0600, "created");
	ok(sm_file_create(scratch("c/a"), "two", 3, 0600) == SM_ERR_EXISTS && has(scratch("c/a"), "one"), "but not twice");
	ok(symlink("gone", scratch("c/l")) == 0 && sm_file_create(scratch("c/l"), "x", 1, 0600) == SM_ERR_EXISTS &&
	           access(scratch("c/gone"), F_OK) < 0,
	   "nor through a link");
	ok(sm_file_create(scratch("c"), "x", 1, 0600) == SM_ERR_EXISTS, "nor over a directory");
	ok(sm_file_create(scratch("no/such"), "x", 1, 0600) == SM_ERR_CANTCREAT && errno == ENOENT, "no directory");
	limit_files(1);
	bool refused = sm_file_create(scratch("c/b"), "three", 5, 0600) == SM_ERR_IO && errno == EFBIG;
	limit_files(RLIM_INFINITY); /* before the report, which may go to a file too */
	ok(refused, "no room");
	ok(scratch_count(scratch("c")) == 2, "nothing is left of the attempts");
}

static void unnamed(void)
{
	struct stat st = {0};
	int fd = -1;

	mkdir(scratch("u"), 0700);
	ok(!sm_file_unnamed(scratch("u"), &fd) && fstat(fd, &st) == 0 && st.st_nlink == 0 && (st.st_mode & 0777) == 0600,
	   "an unnamed file");
	ok((fcntl(fd, F_GETFD) & FD_CLOEXEC) && scratch_count(scratch("u")) == 0, "that no child gets and no name shows");
	ok(!sm_write_full(fd, "x", 1) && lseek(fd, 0, SEEK_SET) == 0, "written");
	char c = 0;
	size_t got = 0;
	ok(!sm_read_full(fd, &c, 1, &got) && got == 1 && c == 'x', "and read");
	close(fd);
	fd = -7;
	ok(sm_file_unnamed(scratch("no-such"), &fd) == SM_ERR_CANTCREAT && errno == ENOENT && fd == -7, "no directory");
	setenv("TMPDIR", scratch("no-such"), 1);
	ok(sm_file_unnamed(NULL, &fd) == SM_ERR_CANTCREAT && fd == -7, "TMPDIR is where it goes");
	unsetenv("TMPDIR");
	ok(!sm_file_unnamed(NULL, &fd) && fd >= 0, "else /tmp");
	close(fd);
}

/* Makes this process live on a file system without unnamed files and hard links, such as the one of a memory stick. */
static bool poor_file_system(void)
{
	struct sock_filter code[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_link
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_link, 5, 0),
#else
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 5, 0),
#endif
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 4, 0),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 2),
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
	        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 2, 0),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { CANNOT = 77 };

static int on_poor_file_system(void)
{
	struct stat st;
	int fd = -1;

	if (!poor_file_system())
		return CANNOT;
	if (open(scratch("poor"), O_TMPFILE | O_RDWR, 0600) >= 0 || link(scratch("poor/x"), scratch("poor/y")) == 0 || errno != EPERM)
		return CANNOT;
	if (sm_file_unnamed(scratch("poor"), &fd) || fstat(fd, &st) || st.st_nlink || (st.st_mode & 0777) != 0600 ||
	    !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
		return 1;
	if (scratch_count(scratch("poor")) != 0)
		return 2;
	if (sm_file_create(scratch("poor/a"), "one", 3, 0600) || !has(scratch("poor/a"), "one"))
		return 3;
	if (sm_file_create(scratch("poor/a"), "two", 3, 0600) != SM_ERR_EXISTS || !has(scratch("poor/a"), "one"))
		return 4;
	return scratch_count(scratch("poor")) == 1 ? 0 : 5;
}

static void poor(void)
{
	int status = -1;

	mkdir(scratch("poor"), 0700);
	pid_t pid = fork();
	if (pid == 0)
		_exit(on_poor_file_system());
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT)
		tap_skip("a file system without unnamed files and hard links: seccomp is not available");
	else
		ok(status == 0, "without unnamed files and hard links the other ways do the same (%d)", status);
}

static void out_new(void)
{
	struct sm_outfile o;
	const char *dir = scratch("o"), *path = scratch("o/a");

	mkdir(dir, 0755);
	umask(027);
	ok(!sm_outfile_open(&o, path, 0) && !sm_write_full(o.fd, "one", 3), "an output");
	ok(access(path, F_OK) < 0 && scratch_count(dir) == 1, "is not there before it is finished");
	ok(!sm_outfile_commit(&o) && has(path, "one") && mode_of(path) == 0640 && scratch_count(dir) == 1,
	   "then it is, as the umask has it");
	ok(o.fd == -1 && !o.path && !o.tmp, "and nothing is held");
	sm_outfile_abandon(&o);
	ok(has(path, "one"), "abandon after commit is harmless");
	ok(!sm_outfile_open(&o, path, 0600) && !sm_write_full(o.fd, "two", 3), "another one");
	sm_outfile_abandon(&o);
	sm_outfile_abandon(&o);
	ok(has(path, "one") && scratch_count(dir) == 1, "abandoned twice: the old file as it was");
	ok(!sm_outfile_open(&o, path, 0600) && !sm_write_full(o.fd, "two", 3) && !sm_outfile_commit(&o) && has(path, "two") &&
	           mode_of(path) == 0600,
	   "with a mode");
	umask(0);
	ok(!sm_outfile_open(&o, path, 0) && !sm_outfile_commit(&o) && has(path, "") && mode_of(path) == 0600,
	   "a private file stays private");
	umask(022);
	o = (struct sm_outfile){.fd = -1};
	sm_outfile_abandon(&o);
	sm_outfile_abandon(NULL);
	ok(o.fd == -1, "abandoning what was never opened");
}

static void out_elsewhere(void)
{
	struct sm_outfile o;
	int fds[2];

	mkdir(scratch("e"), 0755);
	make_file(scratch("e/a"), "old", 0644);
	ok(symlink("a", scratch("e/link")) == 0 && !sm_outfile_open(&o, scratch("e/link"), 0) && !sm_write_full(o.fd, "new", 3) &&
	           !sm_outfile_commit(&o) && is_link(scratch("e/link")) && has(scratch("e/a"), "new"),
	   "through a link: the file, not the link");
	ok(symlink("gone", scratch("e/dangling")) == 0 && sm_outfile_open(&o, scratch("e/dangling"), 0) == SM_ERR_CANTCREAT &&
	           errno == ENOENT,
	   "a link to nothing");
	ok(sm_outfile_open(&o, scratch("e"), 0) == SM_ERR_CANTCREAT && errno == EISDIR, "a directory");
	ok(sm_outfile_open(&o, scratch("no/such"), 0) == SM_ERR_CANTCREAT && errno == ENOENT, "no directory");
	ok(!sm_outfile_create(&o, scratch("e/fresh"), 0) && !sm_write_full(o.fd, "1", 1) && !sm_outfile_commit(&o) &&
	           has(scratch("e/fresh"), "1"),
	   "a new name");
	ok(sm_outfile_create(&o, scratch("e/fresh"), 0) == SM_ERR_EXISTS &&
	           sm_outfile_create(&o, scratch("e/dangling"), 0) == SM_ERR_EXISTS,
	   "is not new twice, nor is a link to nothing");
	ok(!sm_outfile_create(&o, scratch("e/late"), 0) && !sm_file_create(scratch("e/late"), "other", 5, 0600) &&
	           sm_outfile_commit(&o) == SM_ERR_EXISTS && has(scratch("e/late"), "other"),
	   "nor one that somebody else takes meanwhile");
	ok(!sm_outfile_open(&o, "/dev/null", 0600) && !o.tmp && !sm_write_full(o.fd, "x", 1) && !sm_outfile_commit(&o),
	   "a device is written to directly");
	ok(!sm_outfile_open(&o, "/dev/full", 0) && sm_write_full(o.fd, "x", 1) == SM_ERR_IO && errno == ENOSPC, "a full one");
	sm_outfile_abandon(&o);
	struct stat st;
	ok(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode) && stat("/dev/full", &st) == 0 && S_ISCHR(st.st_mode),
	   "devices are still devices");
	if (pipe(fds) == 0) {
		char name[64], p[8];
		size_t got;
		snprintf(name, sizeof(name), "/dev/fd/%d", fds[1]);
		bool good = !sm_outfile_open(&o, name, 0) && !sm_write_full(o.fd, "pipe", 4) && !sm_outfile_commit(&o);
		close(fds[1]);
		ok(good && !sm_read_full(fds[0], p, 8, &got) && got == 4, "an inherited pipe");
		close(fds[0]);
	}
	static const char *const names[] = {NULL, "-", "/dev/stdout"};
	for (int i = 0; i < 3; i++) {
		bool good = !sm_outfile_open(&o, names[i], 0600) && o.fd == 1 && !o.path && !o.tmp;
		sm_outfile_guard(&o);
		good = good && !sm_outfile_commit(&o) && o.fd == -1 && fcntl(1, F_GETFD) >= 0;
		good = good && !sm_outfile_open(&o, names[i], 0);
		sm_outfile_abandon(&o);
		ok(good && fcntl(1, F_GETFD) >= 0, "standard output, which stays open (%d)", i);
	}
	ok(scratch_count(scratch("e")) == 5, "nothing is left");
}

static void out_failing(void)
{
	struct sm_outfile o;
	mkdir(scratch("f"), 0755);
	ok(!sm_outfile_open(&o, scratch("f/a"), 0) && mkdir(scratch("f/a"), 0755) == 0, "a directory that appears under the name");
	ok(sm_outfile_commit(&o) == SM_ERR_CANTCREAT && errno == EISDIR && o.fd == -1 && scratch_count(scratch("f")) == 1,
	   "fails the commit, and nothing is left");
	ok(!sm_outfile_open(&o, scratch("f/b"), 0), "an output");
	close(o.fd);
	ok(sm_outfile_commit(&o) == SM_ERR_IO && errno == EBADF && scratch_count(scratch("f")) == 1,
	   "that cannot be closed is not committed");
	limit_files(2);
	bool refused = !sm_outfile_open(&o, scratch("f/c"), 0) && sm_write_full(o.fd, "three", 5) == SM_ERR_IO && errno == EFBIG;
	limit_files(RLIM_INFINITY);
	ok(refused, "no room");
	sm_outfile_abandon(&o);
	ok(scratch_count(scratch("f")) == 1, "nothing is left");
}

enum when { BEFORE_COMMIT, AFTER_COMMIT, IGNORED };

/* A child that guards an output and gets sig; returns its wait status. */
static int killed_child(int sig, enum when when)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		struct sm_outfile o;
		signal(sig, when == IGNORED ? SIG_IGN : SIG_DFL);
		if (sm_outfile_open(&o, scratch("g/a"), 0) || sm_write_full(o.fd, "x", 1))
			_exit(90);
		sm_outfile_guard(&o);
		if (when == AFTER_COMMIT && sm_outfile_commit(&o))
			_exit(91);
		raise(sig);
		_exit(sm_outfile_commit(&o) ? 92 : 0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void guard(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	mkdir(scratch("g"), 0755);
	for (int i = 0; i < 3; i++) {
		int status = killed_child(signals[i], BEFORE_COMMIT);
		ok(WIFSIGNALED(status) && WTERMSIG(status) == signals[i] && scratch_count(scratch("g")) == 0,
		   "signal %d kills, and the temporary name is gone", signals[i]);
		status = killed_child(signals[i], AFTER_COMMIT);
		ok(WIFSIGNALED(status) && WTERMSIG(status) == signals[i] && has(scratch("g/a"), "x"), "after commit the file stays");
		unlink(scratch("g/a"));
		status = killed_child(signals[i], IGNORED);
		ok(status == 0 && has(scratch("g/a"), "x"), "a signal that is ignored stays so");
		unlink(scratch("g/a"));
	}
}

static void same(void)
{
	make_file(scratch("s1"), "", 0600);
	make_file(scratch("s2"), "", 0600);
	int a = open(scratch("s1"), O_RDONLY), b = open(scratch("s1"), O_RDWR), c = open(scratch("s2"), O_RDONLY);
	int n = open("/dev/null", O_RDONLY), m = open("/dev/null", O_RDONLY);
	ok(sm_same_file(a, b) && sm_same_file(a, a), "the same file");
	ok(!sm_same_file(a, c) && !sm_same_file(n, m) && !sm_same_file(a, n) && !sm_same_file(a, -1),
	   "another file, devices, no descriptor");
	close(a), close(b), close(c), close(n), close(m);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0); /* children must not inherit lines that are not out yet */
	if (!scratch_make())
		return 1;
	reading();
	writing();
	all();
	secrets();
	whole_files();
	replacing();
	creating();
	unnamed();
	poor();
	out_new();
	out_elsewhere();
	out_failing();
	guard();
	same();
	return tap_done();
}
