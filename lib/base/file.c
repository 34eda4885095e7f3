/* Files. What is replaced is written beside its name first, and a name never points at half a file. */
#include "base/file.h"

#include "base/path.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP 65536
#define SUFFIX_CHARS 6
#define TEMP_TRIES 100

/* After a failed call: may it be tried again? A descriptor that somebody left non-blocking is waited for. */
static bool try_again(int fd, short events)
{
	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	struct pollfd p = {.fd = fd, .events = events};
	return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

enum sm_err sm_read_some(int fd, void *p, size_t n, size_t *got)
{
	ssize_t k;

	do
		k = read(fd, p, n);
	while (k < 0 && try_again(fd, POLLIN));
	if (k < 0)
		return SM_ERR_IO;
	*got = (size_t)k;
	return SM_OK;
}

enum sm_err sm_read_full(int fd, void *p, size_t n, size_t *got)
{
	size_t at = 0;

	while (at < n) {
		ssize_t r = read(fd, (uint8_t *)p + at, n - at);
		if (r < 0 && !try_again(fd, POLLIN))
			return SM_ERR_IO;
		if (r == 0)
			break;
		if (r > 0)
			at += (size_t)r;
	}
	*got = at;
	return SM_OK;
}

enum sm_err sm_write_full(int fd, const void *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t w = write(fd, (const uint8_t *)p + at, n - at);
		if (w < 0 && !try_again(fd, POLLOUT))
			return errno == EPIPE ? SM_ERR_PIPE : SM_ERR_IO;
		if (w > 0)
			at += (size_t)w;
	}
	return SM_OK;
}

enum sm_err sm_pread_full(int fd, void *p, size_t n, off_t from, size_t *got)
{
	size_t at = 0;

	while (at < n) {
		ssize_t r = pread(fd, (uint8_t *)p + at, n - at, from + (off_t)at);
		if (r < 0 && errno != EINTR)
			return SM_ERR_IO;
		if (r == 0)
			break;
		if (r > 0)
			at += (size_t)r;
	}
	*got = at;
	return SM_OK;
}

/* With b full: is there anything more? */
static enum sm_err expect_end(int fd)
{
	uint8_t more;
	size_t got;

	enum sm_err e = sm_read_full(fd, &more, 1, &got);
	sm_wipe(&more, 1);
	return e ? e : got ? SM_ERR_LIMIT : SM_OK;
}

enum sm_err sm_read_all(int fd, struct sm_buf *b)
{
	const size_t before = b->len;
	size_t want, got;
	uint8_t *where;
	enum sm_err e;

	do {
		want = b->max - b->len;
		if (want == 0) {
			e = expect_end(fd);
			break;
		}
		if (want > READ_STEP)
			want = READ_STEP;
		e = sm_buf_reserve(b, want, &where);
		if (e)
			break;
		e = sm_read_full(fd, where, want, &got);
		if (!e)
			b->len += got;
	} while (!e && got == want);
	if (e && b->len > before) {
		sm_wipe(b->data + before, b->len - before);
		b->len = before;
	}
	return e;
}

/* Pipes, sockets and terminals hold no secret for others to read later; a file may. */
static enum sm_err check_private(const struct stat *st)
{
	if (S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode) || S_ISCHR(st->st_mode))
		return SM_OK;
	if ((st->st_mode & 077) || (st->st_uid != geteuid() && st->st_uid != 0))
		return SM_ERR_PERM;
	return SM_OK;
}

static void close_keeping_errno(int fd)
{
	const int saved = errno;
	close(fd);
	errno = saved;
}

enum sm_err sm_file_read(const char *path, struct sm_buf *b, bool secret)
{
	struct stat st;
	enum sm_err e = SM_ERR_NOINPUT;

	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return SM_ERR_NOINPUT;
	if (fstat(fd, &st) < 0)
		goto out;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		goto out;
	}
	e = secret ? check_private(&st) : SM_OK;
	if (!e)
		e = sm_read_all(fd, b);
out:
	close_keeping_errno(fd);
	return e;
}

/* Six characters that nobody guesses in time; enough for O_EXCL to do the rest. */
static enum sm_err random_suffix(char out[static SUFFIX_CHARS + 1])
{
	uint8_t r[SUFFIX_CHARS];

	while (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		if (errno != EINTR)
			return SM_ERR_IO;
	for (int i = 0; i < SUFFIX_CHARS; i++)
		out[i] = "abcdefghijklmnopqrstuvwxyz234567"[r[i] & 31];
	out[SUFFIX_CHARS] = '\0';
	return SM_OK;
}

/* The characters of path before its temporary suffix: fewer than all where its last part is nearly as long as a name can be. */
static size_t stem_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t dir = slash ? (size_t)(slash - path) + 1 : 0, n = strlen(path);

	return n - dir > NAME_MAX - 1 - SUFFIX_CHARS ? dir + NAME_MAX - 1 - SUFFIX_CHARS : n;
}

/* Creates path.SUFFIX, a random one, fills *tmp (owned) and *fd. mode 0: as the umask has it. */
static enum sm_err open_temp(const char *path, mode_t mode, char **tmp, int *fd)
{
	const size_t stem = stem_length(path);
	char *name = malloc(stem + 1 + SUFFIX_CHARS + 1);
	enum sm_err e = SM_ERR_CANTCREAT;

	if (!name)
		return SM_ERR_NOMEM;
	memcpy(name, path, stem);
	name[stem] = '.';
	for (int i = 0; i < TEMP_TRIES; i++) {
		if ((e = random_suffix(name + stem + 1)))
			break;
		int f = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode ? mode & 0700 : 0666);
		e = SM_ERR_CANTCREAT;
		if (f < 0 && errno != EEXIST && errno != EINTR)
			break;
		if (f < 0)
			continue;
		if (mode && fchmod(f, mode) < 0) {
			unlink(name);
			close_keeping_errno(f);
			break;
		}
		*tmp = name;
		*fd = f;
		return SM_OK;
	}
	free(name);
	return e;
}

static enum sm_err sync_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!dir)
		return SM_ERR_NOMEM;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return errno == EACCES ? SM_OK : SM_ERR_IO; /* a drop box one may write to but not read cannot be synced */
	/* file systems without such a thing say EINVAL */
	enum sm_err e = fsync(fd) < 0 && errno != EINVAL ? SM_ERR_IO : SM_OK;
	close_keeping_errno(fd);
	return e;
}

/* Gives tmp the name path unless that exists. */
static enum sm_err link_new(const char *tmp, const char *path)
{
	if (link(tmp, path) == 0) {
		unlink(tmp);
		return SM_OK;
	}
	/* no hard links here: the other way to never overwrite */
	if ((errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) &&
	    renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return SM_OK;
	return errno == EEXIST ? SM_ERR_EXISTS : SM_ERR_CANTCREAT;
}

static enum sm_err rename_over(const char *tmp, const char *path) { return rename(tmp, path) < 0 ? SM_ERR_CANTCREAT : SM_OK; }

/* Writes a temporary beside path and lets `place` give it the name. */
static enum sm_err write_beside(const char *path, const void *p, size_t n, mode_t mode, enum sm_err (*place)(const char *, const char *))
{
	char *tmp;
	int fd;

	enum sm_err e = open_temp(path, mode, &tmp, &fd);
	if (e)
		return e;
	e = sm_write_full(fd, p, n);
	if (!e && fsync(fd) < 0)
		e = SM_ERR_IO;
	if (e)
		close_keeping_errno(fd);
	else if (close(fd) < 0)
		e = SM_ERR_IO;
	if (!e)
		e = place(tmp, path);
	if (e) {
		const int saved = errno;
		unlink(tmp);
		errno = saved;
	} else {
		e = sync_dir_of(path);
	}
	free(tmp);
	return e;
}

/* Where a link leads, so that it is the file that is replaced and not the link; a copy of path where it is none.
 * A link to nothing is SM_ERR_CANTCREAT (ENOENT). */
static enum sm_err resolve(const char *path, char **out)
{
	struct stat st;
	char *real;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		real = realpath(path, NULL);
		if (!real)
			return errno == ENOMEM ? SM_ERR_NOMEM : SM_ERR_CANTCREAT;
	} else {
		real = strdup(path);
		if (!real)
			return SM_ERR_NOMEM;
	}
	*out = real;
	return SM_OK;
}

enum sm_err sm_file_replace(const char *path, const void *p, size_t n, mode_t mode)
{
	char *real;

	enum sm_err e = resolve(path, &real);
	if (e)
		return e;
	e = write_beside(real, p, n, mode, rename_over);
	free(real);
	return e;
}

enum sm_err sm_file_create(const char *path, const void *p, size_t n, mode_t mode) { return write_beside(path, p, n, mode, link_new); }

enum sm_err sm_file_unnamed(const char *dir, int *fd)
{
	if (!dir || !*dir)
		dir = getenv("TMPDIR");
	if (!dir || !*dir)
		dir = "/tmp";
	int f = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f >= 0) {
		*fd = f;
		return SM_OK;
	}
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return SM_ERR_CANTCREAT;
	char *name = sm_path_join(dir, "sm"), *tmp;
	if (!name)
		return SM_ERR_NOMEM;
	enum sm_err e = open_temp(name, 0600, &tmp, &f);
	free(name);
	if (e)
		return e;
	unlink(tmp);
	free(tmp);
	*fd = f;
	return SM_OK;
}

/* What already has the name is no file: a device, a pipe. It is written to as it is. */
static enum sm_err open_direct(struct sm_outfile *o, const char *path, mode_t type)
{
	if (S_ISDIR(type)) {
		errno = EISDIR;
		return SM_ERR_CANTCREAT;
	}
	char *name = strdup(path);
	if (!name)
		return SM_ERR_NOMEM;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		free(name);
		return SM_ERR_CANTCREAT;
	}
	*o = (struct sm_outfile){.fd = fd, .path = name};
	return SM_OK;
}

enum sm_err sm_outfile_open(struct sm_outfile *o, const char *path, mode_t mode)
{
	struct stat st;
	char *real, *tmp;
	int fd;

	if (!path || strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0) {
		*o = (struct sm_outfile){.fd = STDOUT_FILENO};
		return SM_OK;
	}
	bool exists = stat(path, &st) == 0;
	if (exists && !S_ISREG(st.st_mode))
		return open_direct(o, path, st.st_mode);
	enum sm_err e = resolve(path, &real);
	if (e)
		return e;
	/* a private file stays private when it is written anew */
	if (exists && mode == 0)
		mode = st.st_mode & 0777;
	e = open_temp(real, mode, &tmp, &fd);
	if (e) {
		free(real);
		return e;
	}
	*o = (struct sm_outfile){.fd = fd, .path = real, .tmp = tmp, .replaces = exists};
	return SM_OK;
}

enum sm_err sm_outfile_create(struct sm_outfile *o, const char *path, mode_t mode)
{
	struct stat st;
	char *name, *tmp;
	int fd;

	if (lstat(path, &st) == 0)
		return SM_ERR_EXISTS;
	name = strdup(path);
	if (!name)
		return SM_ERR_NOMEM;
	enum sm_err e = open_temp(name, mode, &tmp, &fd);
	if (e) {
		free(name);
		return e;
	}
	*o = (struct sm_outfile){.fd = fd, .path = name, .tmp = tmp, .exclusive = true};
	return SM_OK;
}

/* What the handler removes. An atomic pointer, as the handler may run at any moment. */
static const char *_Atomic guarded;

static void on_signal(int sig)
{
	const char *name = guarded;
	if (name)
		unlink(name);
	raise(sig); /* SA_RESETHAND: kills as soon as we return */
}

void sm_outfile_guard(struct sm_outfile *o)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old;

	if (!o->tmp)
		return;
	guarded = o->tmp;
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		/* what nohup or a shell ignores for us stays ignored */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

static void forget(struct sm_outfile *o)
{
	const char *mine = o->tmp;
	if (mine)
		atomic_compare_exchange_strong(&guarded, &mine, NULL);
	free(o->tmp);
	free(o->path);
	*o = (struct sm_outfile){.fd = -1};
}

enum sm_err sm_outfile_commit(struct sm_outfile *o)
{
	enum sm_err e = SM_OK;

	if (!o->path) {
		forget(o);
		return SM_OK;
	}
	/* a new file lost in a crash is a file never written; an old one must not be lost for the sake of a new */
	if (o->replaces && fsync(o->fd) < 0)
		e = SM_ERR_IO;
	if (!e) {
		int fd = o->fd;
		o->fd = -1;
		if (close(fd) < 0)
			e = SM_ERR_IO;
	}
	if (!e && o->tmp)
		e = o->exclusive ? link_new(o->tmp, o->path) : rename_over(o->tmp, o->path);
	if (e) {
		sm_outfile_abandon(o);
		return e;
	}
	if (o->replaces)
		e = sync_dir_of(o->path);
	forget(o);
	return e;
}

void sm_outfile_abandon(struct sm_outfile *o)
{
	const int saved = errno;

	if (!o)
		return;
	if (o->tmp)
		unlink(o->tmp);
	if (o->path && o->fd >= 0)
		close(o->fd);
	forget(o);
	errno = saved;
}

void sm_pipe_widen(int fd) { (void)fcntl(fd, F_SETPIPE_SZ, 1 << 20); }

bool sm_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && S_ISREG(x.st_mode) && S_ISREG(y.st_mode) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}
