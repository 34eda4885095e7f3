/* Scattered reads and gathered writes. Whatever a call does not manage (a signal, a descriptor that is not ready, an error) is left to
 * the plain one over the first piece, which knows what to do or what to call it. */
#include "stream/pieces.h"

#include "base/file.h"

#include <string.h>

void sm_pieces_put(const struct sm_pieces *v, size_t at, const void *p, size_t n)
{
	const uint8_t *from = p;

	while (n) {
		size_t run;
		uint8_t *to = sm_pieces_at(v, at, &run);
		run = run < n ? run : n;
		memcpy(to, from, run);
		from += run, at += run, n -= run;
	}
}

void sm_pieces_zero(const struct sm_pieces *v, size_t at, size_t n)
{
	while (n) {
		size_t run;
		uint8_t *to = sm_pieces_at(v, at, &run);
		run = run < n ? run : n;
		memset(to, 0, run);
		at += run, n -= run;
	}
}

static int vectors(struct iovec iov[static SM_PIECES_MAX], const struct sm_pieces *v, size_t at, size_t n)
{
	int i = 0;

	while (n && i < SM_PIECES_MAX) {
		size_t run;
		uint8_t *p = sm_pieces_at(v, at, &run);
		run = run < n ? run : n;
		iov[i++] = (struct iovec){p, run};
		at += run, n -= run;
	}
	return i;
}

enum sm_err sm_pieces_read(int fd, const struct sm_pieces *v, size_t at, size_t n, size_t *got)
{
	struct iovec iov[SM_PIECES_MAX];
	ssize_t k = readv(fd, iov, vectors(iov, v, at, n));

	if (k < 0)
		return sm_read_some(fd, iov[0].iov_base, iov[0].iov_len, got);
	*got = (size_t)k;
	return SM_OK;
}

enum sm_err sm_pieces_write(int fd, const struct sm_pieces *v, size_t at, size_t n)
{
	struct iovec iov[SM_PIECES_MAX];
	enum sm_err e;

	while (n) {
		ssize_t k = writev(fd, iov, vectors(iov, v, at, n));
		if (k <= 0) {
			if ((e = sm_write_full(fd, iov[0].iov_base, iov[0].iov_len)))
				return e;
			k = (ssize_t)iov[0].iov_len;
		}
		at += (size_t)k, n -= (size_t)k;
	}
	return SM_OK;
}
