/* Terminals: prompts with echo off, passphrase sources, and what may be written to a terminal. */
#include "cli/tty.h"

#include "base/file.h"
#include "base/path.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

bool sm_is_tty(int fd) { return isatty(fd) == 1; }

enum sm_err sm_refuse_binary(int fd, const char *hint)
{
	if (!sm_is_tty(fd))
		return SM_OK;
	sm_error("not writing binary data to a terminal; %s", hint);
	return SM_ERR_IO;
}

enum sm_err sm_put_text(int fd, const void *p, size_t n)
{
	if (!sm_is_tty(fd))
		return sm_write_full(fd, p, n);
	struct sm_buf shown;
	sm_buf_init(&shown, n * 16 + 64);
	enum sm_err e = sm_text_show(&shown, p, n, true);
	if (!e)
		e = sm_write_full(fd, shown.data, shown.len);
	sm_buf_release(&shown);
	return e;
}

/* --- Asking on /dev/tty --- */

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
#define NCAUGHT (sizeof(caught) / sizeof(caught[0]))

static volatile sig_atomic_t arrived;

static void note_signal(int sig) { arrived = sig; }

struct prompt {
	int fd;
	struct termios before;
	struct sigaction old[NCAUGHT];
	sigset_t mask; /* as it was */
};

/* They are noted, so that echo comes back before the signal does its work, and they come in only while read_line waits: one that came
 * just before it would otherwise be followed by a wait for the person to type. SIGTTIN and SIGTTOU stay open: tcsetattr must see them. */
static void catch_signals(struct prompt *p)
{
	struct sigaction sa = {.sa_handler = note_signal};
	sigset_t block;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&block);
	arrived = 0;
	for (size_t i = 0; i < NCAUGHT; i++) {
		sigaction(caught[i], NULL, &p->old[i]);
		if (p->old[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &sa, NULL);
		if (caught[i] != SIGTTIN && caught[i] != SIGTTOU)
			sigaddset(&block, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &block, &p->mask);
}

/* Returns the signal that came, 0 for none. */
static int restore_signals(const struct prompt *p)
{
	sigprocmask(SIG_SETMASK, &p->mask, NULL);
	for (size_t i = 0; i < NCAUGHT; i++)
		sigaction(caught[i], &p->old[i], NULL);
	return arrived;
}

static bool set_echo(struct prompt *p, bool on)
{
	struct termios t = p->before;
	if (!on) {
		t.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		t.c_lflag |= ICANON | ISIG;
	}
	int r;
	while ((r = tcsetattr(p->fd, TCSAFLUSH, &t)) < 0 && errno == EINTR && !arrived)
		;
	return r == 0;
}

/* The next byte of the line. SM_ERR_PASSPHRASE at the end of the input, SM_ERR_IO also when a signal came. */
static enum sm_err read_byte(const struct prompt *p, uint8_t *c)
{
	for (;;) {
		struct pollfd wait = {.fd = p->fd, .events = POLLIN};
		ssize_t n = ppoll(&wait, 1, NULL, &p->mask) < 0 ? -1 : read(p->fd, c, 1);
		if (n >= 0)
			return n ? SM_OK : SM_ERR_PASSPHRASE;
		if (errno != EINTR || arrived)
			return SM_ERR_IO;
	}
}

/* One line without its newline. */
static enum sm_err read_line(const struct prompt *p, struct sm_buf *pw)
{
	for (;;) {
		uint8_t c;
		enum sm_err e = read_byte(p, &c);
		if (e)
			return e;
		if (c == '\n' || c == '\r')
			return SM_OK;
		if (pw->len == SM_PASSPHRASE_MAX)
			return SM_ERR_LIMIT;
		e = sm_buf_add_u8(pw, c);
		if (e)
			return e;
	}
}

static enum sm_err write_prompt(int fd, const char *prompt)
{
	struct sm_buf shown;
	sm_buf_init(&shown, 65536);
	enum sm_err e = sm_text_show(&shown, (const uint8_t *)prompt, strlen(prompt), false);
	if (!e)
		e = sm_write_full(fd, shown.data, shown.len);
	sm_buf_release(&shown);
	return e;
}

/* One try; *sig is the signal that cut it short, 0 for none. */
static enum sm_err ask_once(int fd, const char *prompt, struct sm_buf *pw, int *sig)
{
	struct prompt p = {.fd = fd};
	if (tcgetattr(fd, &p.before) < 0)
		return SM_ERR_IO;
	catch_signals(&p);
	enum sm_err e = SM_ERR_IO;
	if (set_echo(&p, false)) {
		e = write_prompt(fd, prompt);
		if (!e)
			e = read_line(&p, pw);
		set_echo(&p, true);
		if (sm_write_full(fd, "\n", 1) && !e)
			e = SM_ERR_IO;
	}
	*sig = restore_signals(&p);
	return e;
}

/* Stopped and continued (SIGTSTP and its kin): asks again. Anything else the signal's own disposition decides. */
static enum sm_err ask(int fd, const char *prompt, struct sm_buf *pw)
{
	for (;;) {
		int sig = 0;
		sm_buf_clear(pw);
		enum sm_err e = ask_once(fd, prompt, pw, &sig);
		if (!sig)
			return e;
		sm_buf_clear(pw);
		raise(sig);
		if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU) {
			errno = EINTR;
			return SM_ERR_IO;
		}
	}
}

static enum sm_err say_prompt_error(enum sm_err e)
{
	if (e == SM_ERR_PASSPHRASE)
		sm_error("no passphrase given");
	else if (e == SM_ERR_LIMIT)
		sm_error("passphrase longer than %d bytes", SM_PASSPHRASE_MAX);
	else
		(void)sm_fail(e, "cannot ask for the passphrase");
	return e;
}

static enum sm_err ask_again(int fd, const struct sm_buf *first)
{
	struct sm_buf again;
	sm_buf_init(&again, SM_PASSPHRASE_MAX);
	enum sm_err e = ask(fd, "The same again: ", &again);
	if (e) {
		e = say_prompt_error(e);
	} else if (again.len != first->len || !sm_equal(again.data, first->data, first->len)) {
		sm_error("the two passphrases differ");
		e = SM_ERR_PASSPHRASE;
	}
	sm_buf_release(&again);
	return e;
}

static enum sm_err from_terminal(struct sm_buf *pw, const char *prompt, const char *hint, bool confirm)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		sm_error("no passphrase: there is no terminal to ask on; use %s", hint);
		return SM_ERR_PASSPHRASE;
	}
	enum sm_err e = ask(fd, prompt, pw);
	if (e)
		e = say_prompt_error(e);
	else if (confirm && pw->len)
		e = ask_again(fd, pw);
	close(fd);
	return e;
}

/* --- Sources for scripts --- */

/* Everything fd has, less one final newline. One byte more than a passphrase may have is enough to see that it is too long. */
static enum sm_err read_source(int fd, const char *what, struct sm_buf *pw)
{
	uint8_t raw[SM_PASSPHRASE_MAX + 2];
	size_t n = 0;
	enum sm_err e = sm_read_full(fd, raw, sizeof(raw), &n);
	if (e) {
		(void)sm_fail(e, "cannot read the passphrase from %s", what);
		goto out;
	}
	if (n && raw[n - 1] == '\n')
		n--;
	if (n > SM_PASSPHRASE_MAX) {
		sm_error("the passphrase in %s is longer than %d bytes", what, SM_PASSPHRASE_MAX);
		e = SM_ERR_LIMIT;
		goto out;
	}
	e = sm_buf_add(pw, raw, n);
	if (e)
		(void)sm_fail(e, "cannot read the passphrase from %s", what);
out:
	sm_wipe(raw, sizeof(raw));
	return e;
}

/* Only regular files have permissions that say who reads them: a pipe (<(pass show x)) has one writer and one reader. */
static enum sm_err from_file(struct sm_buf *pw, const char *path, bool guarded)
{
	struct sm_buf what;
	struct stat st;
	enum sm_err e = SM_ERR_NOINPUT;
	sm_buf_init(&what, 8192);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		sm_error_errno("cannot open passphrase file '%s'", path);
		goto out;
	}
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) && !guarded) {
		sm_error("passphrase file '%s' may be read by others (mode %04o): chmod 600 it", path, (unsigned)st.st_mode & 07777);
		e = SM_ERR_PERM;
		goto out;
	}
	e = sm_buf_addf(&what, "'%s'", path);
	const char *name = e ? NULL : sm_buf_str(&what);
	e = read_source(fd, name ? name : "the passphrase file", pw);
out:
	if (fd >= 0)
		close(fd);
	sm_buf_release(&what);
	return e;
}

static enum sm_err from_fd(struct sm_buf *pw, struct sm_passphrase_source *src)
{
	char what[32];
	snprintf(what, sizeof(what), "descriptor %d", src->fd);
	if (src->taken) {
		sm_error("no passphrase: %s was read to its end already; use --passphrase-file", what);
		return SM_ERR_PASSPHRASE;
	}
	src->taken = true;
	return read_source(src->fd, what, pw);
}

/* $CREDENTIALS_DIRECTORY/sm-passphrase, malloc'd, when systemd gave this unit one. */
static char *credential(void)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char *path = dir && *dir ? sm_path_join(dir, "sm-passphrase") : NULL;
	if (path && access(path, F_OK) < 0) {
		free(path);
		path = NULL;
	}
	return path;
}

static const char *environment_file(void)
{
	const char *file = getenv("SM_PASSPHRASE_FILE");
	return file && *file ? file : NULL;
}

bool sm_passphrase_scripted(const struct sm_passphrase_source *src)
{
	char *cred = credential();
	bool is = src->file || src->fd >= 0 || environment_file() || cred;
	free(cred);
	return is;
}

static enum sm_err refuse_empty(const struct sm_buf *pw)
{
	if (pw->len)
		return SM_OK;
	sm_error("an empty passphrase protects nothing");
	return SM_ERR_PASSPHRASE;
}

enum sm_err sm_passphrase(struct sm_buf *pw, struct sm_passphrase_source *src, const char *prompt, bool confirm)
{
	char *cred = credential();
	const char *env = environment_file();
	enum sm_err e;
	if (src->file)
		e = from_file(pw, src->file, false);
	else if (src->fd >= 0)
		e = from_fd(pw, src);
	else if (env)
		e = from_file(pw, env, false);
	else if (cred)
		/* systemd guards the directory; where it grants by ACL the group bits are the ACL's mask and mean nothing */
		e = from_file(pw, cred, true);
	else
		e = from_terminal(pw, prompt, src->hint ? src->hint : "--passphrase-file, --passphrase-fd or SM_PASSPHRASE_FILE", confirm);
	if (!e && confirm)
		e = refuse_empty(pw);
	free(cred);
	return e;
}

enum sm_err sm_passphrase_tty(struct sm_buf *pw, const char *prompt, const char *hint, bool confirm)
{
	enum sm_err e = from_terminal(pw, prompt, hint, confirm);
	return !e && confirm ? refuse_empty(pw) : e;
}
