/* The rules of what goes to and comes from a terminal. */
#ifndef SM_CLI_TTY_H
#define SM_CLI_TTY_H

#include "base/buf.h"

/* Where a tool's passphrase comes from, in this order: --passphrase-file, --passphrase-fd, $SM_PASSPHRASE_FILE,
 * $CREDENTIALS_DIRECTORY/sm-passphrase, /dev/tty. A passphrase is its bytes without one final newline. */
struct sm_passphrase_source {
	const char *file; /* --passphrase-file */
	int fd;           /* --passphrase-fd, or -1 */
	bool taken;       /* the fd can be read only once; set by the first read */
	const char *hint; /* what to use where there is no terminal ("-N or --passphrase-file"); NULL: the ways above */
};

/* prompt: "Passphrase for alice: ". confirm: a new passphrase: ask twice when asking on a terminal, and refuse an empty one.
 * Says what is wrong itself, whatever the error. SM_ERR_PASSPHRASE when there is no terminal and no source (exit 77), SM_ERR_PERM for a
 * regular file that others may read (77), SM_ERR_NOINPUT, SM_ERR_LIMIT over SM_PASSPHRASE_MAX bytes. pw: caller inits and releases. */
#define SM_PASSPHRASE_MAX 4096
SM_CHECKED enum sm_err sm_passphrase(struct sm_buf *pw, struct sm_passphrase_source *src, const char *prompt, bool confirm);
/* From the terminal alone: for a new passphrase while the sources above hold the old one, or another secret. hint: what else to use. */
SM_CHECKED enum sm_err sm_passphrase_tty(struct sm_buf *pw, const char *prompt, const char *hint, bool confirm);
/* True when one of the sources other than the terminal is there. */
bool sm_passphrase_scripted(const struct sm_passphrase_source *src);
/* stdout or stderr is a terminal. */
bool sm_is_tty(int fd);
/* Refuses binary to a terminal: says so and returns SM_ERR_IO when fd is a terminal. */
SM_CHECKED enum sm_err sm_refuse_binary(int fd, const char *hint);
/* Writes text that came from elsewhere: as it is when fd is no terminal, through sm_text_show (lines kept) when it is one. */
SM_CHECKED enum sm_err sm_put_text(int fd, const void *p, size_t n);

#endif
