/* Files: whole reads and writes, atomic replacement, unnamed temporaries, permission checks.
 * Paths are borrowed; errno is meaningful after SM_ERR_IO, SM_ERR_NOINPUT and SM_ERR_CANTCREAT. EINTR never escapes. */
#ifndef SM_BASE_FILE_H
#define SM_BASE_FILE_H

#include "base/buf.h"

#include <sys/types.h>

/* One read(2) of at most n bytes; *got 0 is the end of the file. */
SM_CHECKED enum sm_err sm_read_some(int fd, void *p, size_t n, size_t *got);
/* Reads until n bytes, end of file or an error; *got is set on SM_OK (less than n only at the end). */
SM_CHECKED enum sm_err sm_read_full(int fd, void *p, size_t n, size_t *got);
/* SM_ERR_PIPE for EPIPE, else SM_ERR_IO. */
SM_CHECKED enum sm_err sm_write_full(int fd, const void *p, size_t n);
SM_CHECKED enum sm_err sm_pread_full(int fd, void *p, size_t n, off_t at, size_t *got);
/* Appends everything that fd still has to b, within b->max (SM_ERR_LIMIT). */
SM_CHECKED enum sm_err sm_read_all(int fd, struct sm_buf *b);
/* Whole file into b: SM_ERR_NOINPUT when it cannot be opened. secret: refuses a file that others may read (SM_ERR_PERM). */
SM_CHECKED enum sm_err sm_file_read(const char *path, struct sm_buf *b, bool secret);
/* Writes a file with a random suffix beside path, fsyncs, renames over path and fsyncs the directory. mode: 0600 for secrets.
 * Where path is a symbolic link, the file it leads to is replaced, not the link. */
SM_CHECKED enum sm_err sm_file_replace(const char *path, const void *p, size_t n, mode_t mode);
/* The same, but never over an existing file (O_EXCL semantics by link): SM_ERR_EXISTS. */
SM_CHECKED enum sm_err sm_file_create(const char *path, const void *p, size_t n, mode_t mode);
/* An unnamed temporary file in dir (NULL: $TMPDIR or /tmp), 0600, O_CLOEXEC; falls back to open+unlink. */
SM_CHECKED enum sm_err sm_file_unnamed(const char *dir, int *fd);

/* An output that appears under its name only when finished: path, or stdout for NULL, "-" and /dev/stdout.
 * Opened late, written to a temporary name, renamed by commit; abandon removes it. A path that exists and is no regular
 * file (a device, a pipe) is written to directly; through a symbolic link the file it leads to is replaced. */
struct sm_outfile {
	int fd;
	char *path, *tmp; /* owned; both NULL for stdout, tmp NULL for what is written to directly */
	bool replaces;    /* path existed: commit syncs before it renames */
	bool exclusive;   /* never over an existing file */
};
/* mode 0 means that of the file replaced, else 0666 less the umask. */
SM_CHECKED enum sm_err sm_outfile_open(struct sm_outfile *o, const char *path, mode_t mode);
/* The same for a name that must be new: SM_ERR_EXISTS, here or at commit, and never through a symbolic link or into a device. */
SM_CHECKED enum sm_err sm_outfile_create(struct sm_outfile *o, const char *path, mode_t mode);
/* On failure nothing is left behind and o is as after abandon. Standard output stays open. */
SM_CHECKED enum sm_err sm_outfile_commit(struct sm_outfile *o);
/* Safe after commit and on a zeroed struct with fd -1. Leaves errno alone. */
void sm_outfile_abandon(struct sm_outfile *o);
/* From now on SIGINT, SIGTERM and SIGHUP remove o's temporary name before the process dies of the signal. One at a time. */
void sm_outfile_guard(struct sm_outfile *o);
/* Gives a pipe room for a megabyte, so that two programs take turns less often; anything else, or a refusal, is left as it is. */
void sm_pipe_widen(int fd);
/* True when both descriptors are the same regular file. */
bool sm_same_file(int a, int b);

#endif
