/* Opening what is to be read, and refusing to write over it. */
#include "common/input.h"

#include "cli/diag.h"
#include "cli/exit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stdio(const char *path) { return !path || !strcmp(path, "-"); }

enum sm_err sm_input_open(int *fd, const char *path)
{
	struct stat st;
	int f = is_stdio(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (f >= 0 && !fstat(f, &st) && S_ISDIR(st.st_mode)) {
		if (f > 0)
			close(f);
		f = -1;
		errno = EISDIR;
	}
	if (f < 0) {
		sm_error_errno("cannot open '%s'", is_stdio(path) ? "-" : path);
		return SM_ERR_NOINPUT;
	}
	*fd = f;
	return SM_OK;
}

const char *sm_input_name(const char *path) { return is_stdio(path) ? "stdin" : path; }

enum sm_err sm_input_not_output(int fd, const char *output)
{
	int out = is_stdio(output) ? STDOUT_FILENO : open(output, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool same = out >= 0 && sm_same_file(fd, out);

	if (out > STDOUT_FILENO)
		close(out);
	if (!same)
		return SM_OK;
	sm_error("input and output are the same file%s%s%s", is_stdio(output) ? "" : " '", is_stdio(output) ? "" : output,
	         is_stdio(output) ? "" : "'");
	return SM_ERR_CANTCREAT;
}

static unsigned threads(void)
{
	const char *text = getenv("SM_THREADS");

	if (!text || !*text)
		return 0;
	if (text[0] < '1' || text[0] > '8' || text[1]) {
		sm_error("SM_THREADS is a number from 1 to 8, not '%s'", text);
		exit(SM_EXIT_CONFIG);
	}
	return (unsigned)(text[0] - '0');
}

static void show(void *ctx, uint64_t taken) { sm_progress_update(ctx, taken); }

void sm_input_start(struct sm_progress *p, struct sm_source *in, bool off)
{
	struct stat st;
	uint64_t total = in->fd >= 0 && !fstat(in->fd, &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;

	sm_progress_init(p, off, total);
	in->threads = threads();
	in->progress = show;
	in->progress_ctx = p;
}
