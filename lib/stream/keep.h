/* Ciphertext kept for a second pass: in the input file itself where that can be read again, else in memory while it is small, else in an
 * unnamed temporary file. Never plaintext. */
#ifndef SM_STREAM_KEEP_H
#define SM_STREAM_KEEP_H

#include "stream/source.h"

struct sm_keep {
	bool in_file; /* the input's own descriptor, bytes from `at` on: others may change it meanwhile */
	bool discard; /* nothing is kept at all: there will be no second pass */
	int fd;       /* borrowed with in_file; else the spool, -1 while in memory */
	off_t at;
	struct sm_buf mem;
	uint64_t bytes; /* where the next ones go: kept so far, and with in_file skipped ones too */
};

/* Begins at the source's next byte. */
void sm_keep_init(struct sm_keep *k, const struct sm_source *in);
/* Without a source: everything added is spooled. */
void sm_keep_init_spool(struct sm_keep *k);
void sm_keep_release(struct sm_keep *k);
/* The next n bytes, just read from the source. SM_ERR_IO (errno ENOSPC: the temporary directory is full). */
SM_CHECKED enum sm_err sm_keep_add(struct sm_keep *k, const void *p, size_t n);
/* The source's next n bytes have been read but are not wanted again. */
void sm_keep_skip(struct sm_keep *k, size_t n);
/* Bytes from..from+n again; SM_ERR_PAYLOAD when they are gone. Any number of threads. */
SM_CHECKED enum sm_err sm_keep_get(const struct sm_keep *k, uint64_t from, void *p, size_t n);
/* Everything kept, in order. */
struct sm_sink;
SM_CHECKED enum sm_err sm_keep_copy(const struct sm_keep *k, struct sm_sink *out);

#endif
