/* A thread that serves one administrator at a time. The socket is reached through /proc/self/fd, because a path may be longer
 * than a socket address holds. */
#include "control.h"

#include "admin.h"
#include "base/file.h"
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct sm_control {
	struct sm_server *server;
	struct sm_reader *reader;
	int fd, stopfd;
	pthread_t thread;
};

static void address(struct sockaddr_un *a, int dirfd)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/control", dirfd);
}

static int connected(int dirfd)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address(&a, dirfd);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void patience(int fd)
{
	const struct timeval t = {10, 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static bool read_command(int fd, char out[static SM_ADMIN_COMMAND_MAX])
{
	size_t n = 0;

	while (n < SM_ADMIN_COMMAND_MAX - 1) {
		ssize_t got = read(fd, out + n, SM_ADMIN_COMMAND_MAX - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		out[n] = '\0';
		char *end = strchr(out, '\n');
		if (end) {
			*end = '\0';
			return true;
		}
	}
	return false;
}

static void serve(struct sm_control *c, int fd)
{
	char command[SM_ADMIN_COMMAND_MAX], head[32];
	struct sm_buf out;
	enum sm_err e;

	patience(fd);
	if (!read_command(fd, command))
		return;
	sm_buf_init(&out, SM_ADMIN_ANSWER_MAX);
	e = sm_admin_run(c->server, NULL, c->reader, command, &out);
	if (e)
		snprintf(head, sizeof head, "error %d\n", (int)e);
	else
		snprintf(head, sizeof head, "ok\n");
	if (!sm_write_full(fd, head, strlen(head)) && !e)
		(void)!sm_write_full(fd, out.data, out.len);
	sm_buf_release(&out);
}

static void *control_main(void *arg)
{
	struct sm_control *c = arg;
	struct pollfd p[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = c->stopfd, .events = POLLIN}};

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents)
			break;
		int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		serve(c, fd);
		close(fd);
	}
	return NULL;
}

static enum sm_err open_socket(struct sm_control *c, int dirfd)
{
	struct sockaddr_un a;

	address(&a, dirfd);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	c->stopfd = eventfd(0, EFD_CLOEXEC);
	if (c->fd < 0 || c->stopfd < 0)
		return SM_ERR_IO;
	unlinkat(dirfd, "control", 0); /* a dead server's: we hold the lock */
	return bind(c->fd, (struct sockaddr *)&a, sizeof a) || listen(c->fd, 8) ? SM_ERR_IO : SM_OK;
}

static void release(struct sm_control *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->stopfd >= 0)
		close(c->stopfd);
	sm_reader_close(c->reader);
	free(c);
}

enum sm_err sm_control_start(struct sm_control **out, struct sm_server *s, char why[static 512])
{
	struct sm_control *c = calloc(1, sizeof *c);
	enum sm_err e;

	if (!c)
		return SM_ERR_NOMEM;
	c->server = s;
	c->fd = c->stopfd = -1;
	e = sm_reader_open(&c->reader, s->cfg->data);
	if (!e)
		e = open_socket(c, s->dirfd);
	if (!e && pthread_create(&c->thread, NULL, control_main, c))
		e = SM_ERR_NOMEM;
	if (e) {
		snprintf(why, 512, "cannot make the control socket in the data directory: %m");
		release(c);
	} else {
		*out = c;
	}
	return e;
}

void sm_control_stop(struct sm_control *c)
{
	const uint64_t one = 1;

	if (!c)
		return;
	(void)!write(c->stopfd, &one, sizeof one);
	pthread_join(c->thread, NULL);
	unlinkat(c->server->dirfd, "control", 0);
	release(c);
}

enum sm_err sm_control_ask(int dirfd, const char *command, struct sm_buf *out, bool *running)
{
	int fd = connected(dirfd), number = 0;
	struct sm_buf answer;
	enum sm_err e;

	*running = fd >= 0;
	if (fd < 0)
		return SM_OK;
	patience(fd);
	sm_buf_init(&answer, SM_ADMIN_ANSWER_MAX + 64);
	e = sm_write_full(fd, command, strlen(command));
	if (!e)
		e = sm_write_full(fd, "\n", 1);
	if (!e)
		e = sm_read_all(fd, &answer);
	const char *text = e ? NULL : sm_buf_str(&answer);
	if (!e && text && sscanf(text, "error %d", &number) == 1)
		e = number > 0 && number <= SM_ERR_BUG ? (enum sm_err)number : SM_ERR_PROTOCOL;
	else if (!e && text && !strncmp(text, "ok\n", 3))
		e = sm_buf_add(out, answer.data + 3, answer.len - 3);
	else if (!e)
		e = SM_ERR_PROTOCOL;
	sm_buf_release(&answer);
	close(fd);
	return e;
}
