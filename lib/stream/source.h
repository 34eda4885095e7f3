/* Bytes coming in: a descriptor, memory or a function; binary or armor, told apart by the first byte that is not white space
 * (sm-format(5), "Armor": `-` begins armor, anything else is binary). Reads are of binary bytes either way. */
#ifndef SM_STREAM_SOURCE_H
#define SM_STREAM_SOURCE_H

#include "stream/pieces.h"
#include "wire/armor.h"

#include <sys/types.h>

struct sm_source {
	int fd; /* borrowed; -1 for memory */
	enum sm_err (*fn)(void *ctx, void *p, size_t n, size_t *got);
	void *fn_ctx;
	struct sm_span mem; /* what is left of the memory */
	bool detect;        /* armor may come; false: bytes as they are */
	bool begun, armored, ended;
	struct sm_armor_reader armor;
	struct sm_buf raw;   /* read, not yet dearmored */
	struct sm_buf ready; /* binary bytes before pos are consumed */
	size_t pos;
	uint64_t consumed; /* binary bytes handed out */
	unsigned threads;  /* may work on it at once; 0: as many as there are cores, at most 8 */
	/* Told after each large read how many bytes of input have come so far; may be NULL. By one thread at a time. */
	void (*progress)(void *ctx, uint64_t taken);
	void *progress_ctx;
	uint64_t taken; /* bytes of the input as it is, armor and all */
};

void sm_source_fd(struct sm_source *s, int fd, bool detect);
void sm_source_mem(struct sm_source *s, const void *p, size_t n, bool detect);
/* Bytes from read: up to n of them, *got 0 at the end. */
void sm_source_fn(struct sm_source *s, enum sm_err (*read)(void *ctx, void *p, size_t n, size_t *got), void *ctx, bool detect);
void sm_source_release(struct sm_source *s);
/* Up to n bytes, fewer only at the end. SM_ERR_ARMOR, SM_ERR_IO. */
SM_CHECKED enum sm_err sm_source_read(struct sm_source *s, void *p, size_t n, size_t *got);
/* The same into places apart (stream/pieces.h), from plaintext offset at on. */
SM_CHECKED enum sm_err sm_source_read_pieces(struct sm_source *s, const struct sm_pieces *to, size_t at, size_t n, size_t *got);
/* Looks ahead: at least want bytes at *p unless the input ends before (*n is what there is). Valid until the next call. */
SM_CHECKED enum sm_err sm_source_peek(struct sm_source *s, size_t want, const uint8_t **p, size_t *n);
/* Drops n bytes that were peeked. */
void sm_source_skip(struct sm_source *s, size_t n);
/* For a source opened without detect, before its first read: does an envelope begin here (`-----BEGIN SM ENVELOPE-----` or
 * `sm-envelope/1 `)? If so, armor is detected from here on; if not, the bytes stay as they are. */
SM_CHECKED enum sm_err sm_source_is_envelope(struct sm_source *s, bool *is);
/* Puts back the last n bytes that were read. */
SM_CHECKED enum sm_err sm_source_unread(struct sm_source *s, const void *p, size_t n);
/* Where in its file the next byte stands, when the input is the binary bytes of a regular file: it can then be read twice. */
bool sm_source_offset(const struct sm_source *s, off_t *at);
/* Reads and drops what is left: SM_ERR_ARMOR when the armor turns out broken further on. */
SM_CHECKED enum sm_err sm_source_drain(struct sm_source *s);

#endif
