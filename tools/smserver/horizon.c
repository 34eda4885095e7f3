/* DATA/horizon: be64 T of the last process, then a be64 for each slot. */
#include "horizon.h"

#include "base/buf.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS = 16384, BYTES = (SLOTS + 1) * 8 };

struct sm_horizon {
	int fd;
	int64_t started, floor;
	pthread_mutex_t lock;  /* guards written */
	int64_t before[SLOTS]; /* as the processes before left it */
	int64_t written[SLOTS];
};

static size_t slot(const char *sid)
{
	uint32_t x = 2166136261U;

	for (; *sid; sid++)
		x = (x ^ (uint8_t)*sid) * 16777619U;
	return (x ^ x >> 15) % SLOTS;
}

static enum sm_err put(struct sm_horizon *h, size_t index, int64_t v)
{
	uint8_t raw[8];

	sm_put_be64(raw, (uint64_t)v);
	return pwrite(h->fd, raw, sizeof raw, (off_t)(index * 8)) == sizeof raw ? SM_OK : SM_ERR_IO;
}

/* A time that cannot have come about with the clock as it is now was written before the clock was set back. */
static int64_t possible(const uint8_t *p, int64_t now)
{
	int64_t v = (int64_t)sm_get_be64(p);

	return v > 0 && v <= now + SM_CLOCK_SLACK ? v : 0;
}

static enum sm_err load(struct sm_horizon *h, int64_t now, int64_t uptime)
{
	uint8_t *raw = calloc(1, BYTES);
	ssize_t n = raw ? pread(h->fd, raw, BYTES, 0) : -1;
	int64_t last;

	if (n < 0) {
		free(raw);
		return raw ? SM_ERR_IO : SM_ERR_NOMEM;
	}
	last = possible(raw, now);
	h->started = now > last ? now : last + 1;
	h->floor = h->started;
	if (now - uptime + SM_CLOCK_SLACK > h->floor)
		h->floor = now - uptime + SM_CLOCK_SLACK;
	if (n != BYTES && h->started + SM_CLOCK_SLACK > h->floor) /* nothing is known */
		h->floor = h->started + SM_CLOCK_SLACK;
	for (size_t i = 0; i < SLOTS; i++)
		h->before[i] = h->written[i] = possible(raw + 8 + i * 8, now);
	free(raw);
	return SM_OK;
}

enum sm_err sm_horizon_open(struct sm_horizon **out, int dirfd, int64_t now, int64_t uptime)
{
	struct sm_horizon *h = calloc(1, sizeof *h);
	enum sm_err e;

	if (!h)
		return SM_ERR_NOMEM;
	pthread_mutex_init(&h->lock, NULL);
	h->fd = openat(dirfd, "horizon", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	e = h->fd < 0 ? SM_ERR_IO : load(h, now, uptime);
	if (!e && ftruncate(h->fd, BYTES))
		e = SM_ERR_IO;
	if (!e)
		(void)posix_fallocate(h->fd, 0, BYTES); /* so that a full disk is no trouble later */
	if (!e)
		e = put(h, 0, h->started);
	if (e)
		sm_horizon_close(h);
	else
		*out = h;
	return e;
}

void sm_horizon_close(struct sm_horizon *h)
{
	if (!h)
		return;
	if (h->fd >= 0)
		close(h->fd);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

int64_t sm_horizon_started(const struct sm_horizon *h) { return h->started; }

int64_t sm_horizon_of(const struct sm_horizon *h, const char *sid, int64_t session_created)
{
	int64_t before = h->before[slot(sid)];

	if (session_created > h->started)
		return 0;
	return before > h->floor ? before : h->floor;
}

enum sm_err sm_horizon_accept(struct sm_horizon *h, const char *sid, int64_t created, int64_t now)
{
	size_t i = slot(sid);
	enum sm_err e = SM_OK;

	if (created <= now)
		return SM_OK;
	pthread_mutex_lock(&h->lock);
	if (created > h->written[i]) {
		e = put(h, 1 + i, created);
		if (!e)
			h->written[i] = created;
	}
	pthread_mutex_unlock(&h->lock);
	return e;
}
