/* smserver's log: logfmt (ts= level= msg= key=value ...) or JSON lines on a descriptor, one write(2) a line.
 * The only printing code in lib; tools use cli/diag. Values are escaped; nothing remote gets through raw. */
#ifndef SM_BASE_LOG_H
#define SM_BASE_LOG_H

#include <stdbool.h>

enum sm_log_level { SM_LOG_DEBUG, SM_LOG_INFO, SM_LOG_WARN, SM_LOG_ERROR };

struct sm_log {
	int fd;
	enum sm_log_level level;
	bool json;
};

/* pairs: alternating key and value strings, ended by NULL: sm_log(l, SM_LOG_INFO, "ready", "listen", addr, NULL). */
void sm_log(const struct sm_log *l, enum sm_log_level level, const char *msg, ...) __attribute__((sentinel));

#endif
