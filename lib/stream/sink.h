/* Bytes going out: a descriptor, a buffer or a spool; binary or armored. Writes to a descriptor are large ones (256 KiB). */
#ifndef SM_STREAM_SINK_H
#define SM_STREAM_SINK_H

#include "stream/keep.h"
#include "stream/pieces.h"
#include "wire/armor.h"

struct sm_sink {
	int fd;               /* borrowed; -1 for the others */
	struct sm_buf *mem;   /* borrowed */
	struct sm_keep *keep; /* borrowed */
	bool armored;
	struct sm_armor_writer armor;
	struct sm_buf pending;
	uint64_t total; /* bytes taken in */
};

/* label: SM_ARMOR_ENVELOPE, SM_ARMOR_SIGNATURE, or NULL for binary. */
void sm_sink_fd(struct sm_sink *s, int fd, const char *label);
void sm_sink_mem(struct sm_sink *s, struct sm_buf *b, const char *label);
/* Binary, into a spool made by sm_keep_init_spool. */
void sm_sink_keep(struct sm_sink *s, struct sm_keep *k);
SM_CHECKED enum sm_err sm_sink_write(struct sm_sink *s, const void *p, size_t n);
/* n bytes of plaintext that stand apart (stream/pieces.h), from offset at on. */
SM_CHECKED enum sm_err sm_sink_write_pieces(struct sm_sink *s, const struct sm_pieces *from, size_t at, size_t n);
/* The armor's end, and everything still pending. Always call it before release when the output is to be whole. */
SM_CHECKED enum sm_err sm_sink_finish(struct sm_sink *s);
void sm_sink_release(struct sm_sink *s);

#endif
