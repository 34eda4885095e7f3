/* Yes or no. The terminal stays as it is: its own line editing and Ctrl-C do. */
#include "common/confirm.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The whole line is taken, so that the rest of it is not typed into whatever comes next. */
static char first_of_line(int fd)
{
	char c, first = 0;
	ssize_t n;
	while ((n = read(fd, &c, 1)) == 1 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		if (c == '\n')
			return first ? first : '\n';
		first = first ? first : c;
	}
	return 0;
}

bool sm_confirm(const char *question)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	char c = sm_write_full(fd, question, strlen(question)) ? 0 : first_of_line(fd);
	(void)close(fd);
	return c == 'y' || c == 'Y';
}
