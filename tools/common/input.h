/* The file operand of a tool. */
#ifndef SM_COMMON_INPUT_H
#define SM_COMMON_INPUT_H

#include "base/file.h"
#include "cli/progress.h"
#include "stream/source.h"

/* Opens path for reading, or takes stdin for NULL and "-". Says what is wrong ("cannot open 'x': No such file or directory"). A directory
 * is refused here rather than at the first read. The caller closes *fd when it is > 0. */
SM_CHECKED enum sm_err sm_input_open(int *fd, const char *path);
/* What messages call it: 'FILE' or stdin. */
const char *sm_input_name(const char *path);
/* Says so and returns SM_ERR_CANTCREAT when the output path (NULL, "-": stdout) is the file that fd reads. */
SM_CHECKED enum sm_err sm_input_not_output(int fd, const char *output);
/* Shows on a terminal how far in has been read (cli/progress.h): off is --no-progress or -q. p lives until sm_progress_end.
 * Also sets how many threads work on it, where $SM_THREADS says; anything but 1 to 8 there is refused: exit 78. */
void sm_input_start(struct sm_progress *p, struct sm_source *in, bool off);

#endif
