/* What tools say on stderr: one line each, "TOOL: text\n", in one write(2), everything in it shown by sm_text_show.
 * The tool's name is set once at the start of main; it is the only state here. */
#ifndef SM_CLI_DIAG_H
#define SM_CLI_DIAG_H

#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>

/* First of all in main. argv0: the name is what follows the last slash (borrowed). Also ignores SIGPIPE, so that a write to a reader that
 * went away is SM_ERR_PIPE, and fills descriptors 0 to 2 where they came closed, so that no file gets the number of stdout. quiet drops
 * warnings and notes, verbose shows sm_note. */
void sm_diag_init(const char *argv0);
void sm_diag_level(bool quiet, bool verbose);
const char *sm_diag_tool(void);

/* An error. sm_error_errno adds ": strerror(errno)". */
void sm_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sm_error_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "TOOL: warning: ..." unless quiet; sm_note only with -v. */
void sm_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sm_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Says what went wrong with what, and returns the exit code for e: `return sm_fail(e, "cannot open '%s'", path);`
 * Adds ": No such file or directory" (errno) for the system errors, ": class" for the others. SM_ERR_PIPE says nothing. */
int sm_fail(enum sm_err e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same when the words say it all. */
int sm_fail_plain(enum sm_err e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
