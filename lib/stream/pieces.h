/* Plaintext where it stands on the wire: pieces of a fixed size at a fixed distance. Content is read straight into the places where it is
 * then sealed, and written from where it was opened, so that a block needs no second buffer. Offsets count plaintext bytes. */
#ifndef SM_STREAM_PIECES_H
#define SM_STREAM_PIECES_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct sm_pieces {
	uint8_t *p; /* borrowed */
	size_t size, stride;
};

/* Most pieces that one system call is given. */
#define SM_PIECES_MAX 64

/* Where byte `at` stands, and how many follow it there without a gap. */
static inline uint8_t *sm_pieces_at(const struct sm_pieces *v, size_t at, size_t *run)
{
	*run = v->size - at % v->size;
	return v->p + at / v->size * v->stride + at % v->size;
}

void sm_pieces_put(const struct sm_pieces *v, size_t at, const void *p, size_t n);
void sm_pieces_zero(const struct sm_pieces *v, size_t at, size_t n);
/* One read(2) of at most n bytes; *got 0 is the end of the file. As sm_read_some. */
SM_CHECKED enum sm_err sm_pieces_read(int fd, const struct sm_pieces *v, size_t at, size_t n, size_t *got);
/* As sm_write_full. */
SM_CHECKED enum sm_err sm_pieces_write(int fd, const struct sm_pieces *v, size_t at, size_t n);

#endif
