/* What tools say on stderr. A line is built whole, shown through sm_text_show and written by one write(2), so lines of several
 * processes on one terminal do not mix and nothing remote gets through raw. */
#include "cli/diag.h"

#include "base/buf.h"
#include "base/text.h"
#include "cli/exit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

static struct {
	const char *tool;
	bool quiet, verbose;
} diag = {.tool = "sm"};

/* Descriptors 0 to 2 that came closed are opened the wrong way round: a key file must not become "stdout" by getting its number, and
 * using them still fails with EBADF. */
static void fill_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			_exit(SM_EXIT_IO);
}

void sm_diag_init(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	if (argv0 && *argv0)
		diag.tool = slash ? slash + 1 : argv0;
	fill_standard_fds();
	signal(SIGPIPE, SIG_IGN);
}

void sm_diag_level(bool quiet, bool verbose)
{
	diag.quiet = quiet;
	diag.verbose = verbose;
}

const char *sm_diag_tool(void) { return diag.tool; }

/* tail: NULL, or what follows ": " at the end. */
static void say(const char *kind, const char *tail, const char *fmt, va_list ap)
{
	int saved = errno;
	char text[LINE_MAX_BYTES];
	struct sm_buf line;
	sm_buf_init(&line, 16 * LINE_MAX_BYTES);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	bool good = !sm_text_show(&line, (const uint8_t *)diag.tool, strlen(diag.tool), false) && !sm_buf_addf(&line, ": %s", kind) &&
	            !sm_text_show(&line, (const uint8_t *)text, len, false) && (!tail || !sm_buf_addf(&line, ": %s", tail)) &&
	            !sm_buf_add_u8(&line, '\n');
	/* Nobody is left to tell when stderr itself fails. */
	if (good && write(STDERR_FILENO, line.data, line.len) < 0)
		good = false;
	sm_buf_release(&line);
	errno = saved;
}

void sm_error(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("", NULL, fmt, ap);
	va_end(ap);
}

void sm_error_errno(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("", strerror(errno), fmt, ap);
	va_end(ap);
}

void sm_warning(const char *fmt, ...)
{
	if (diag.quiet)
		return;
	va_list ap;
	va_start(ap, fmt);
	say("warning: ", NULL, fmt, ap);
	va_end(ap);
}

void sm_note(const char *fmt, ...)
{
	if (!diag.verbose)
		return;
	va_list ap;
	va_start(ap, fmt);
	say("", NULL, fmt, ap);
	va_end(ap);
}

static const char *reason(enum sm_err e)
{
	bool system = e == SM_ERR_IO || e == SM_ERR_NOINPUT || e == SM_ERR_CANTCREAT;
	return system && errno ? strerror(errno) : sm_err_text(e);
}

int sm_fail(enum sm_err e, const char *fmt, ...)
{
	if (e != SM_ERR_PIPE) {
		va_list ap;
		va_start(ap, fmt);
		say("", reason(e), fmt, ap);
		va_end(ap);
	}
	return sm_exit_code(e);
}

int sm_fail_plain(enum sm_err e, const char *fmt, ...)
{
	if (e != SM_ERR_PIPE) {
		va_list ap;
		va_start(ap, fmt);
		say("", NULL, fmt, ap);
		va_end(ap);
	}
	return sm_exit_code(e);
}
