/* Spooling: memory first, so that small messages touch no disk. */
#include "stream/keep.h"

#include "base/file.h"
#include "stream/sink.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_MEMORY (4u << 20)
#define PIECE (256u << 10)

void sm_keep_init_spool(struct sm_keep *k)
{
	memset(k, 0, sizeof *k);
	k->fd = -1;
	sm_buf_init(&k->mem, IN_MEMORY);
}

void sm_keep_init(struct sm_keep *k, const struct sm_source *in)
{
	sm_keep_init_spool(k);
	if (sm_source_offset(in, &k->at)) {
		k->in_file = true;
		k->fd = in->fd;
	}
}

void sm_keep_release(struct sm_keep *k)
{
	if (!k->in_file && k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	sm_buf_release(&k->mem);
}

enum sm_err sm_keep_add(struct sm_keep *k, const void *p, size_t n)
{
	enum sm_err e;

	k->bytes += n;
	if (k->in_file || k->discard)
		return SM_OK;
	if (k->fd < 0 && k->mem.len + n <= IN_MEMORY)
		return sm_buf_add(&k->mem, p, n);
	if (k->fd < 0) {
		if ((e = sm_file_unnamed(NULL, &k->fd)) || (e = sm_write_full(k->fd, k->mem.data, k->mem.len)))
			return e;
		sm_buf_release(&k->mem);
	}
	return sm_write_full(k->fd, p, n);
}

void sm_keep_skip(struct sm_keep *k, size_t n) { k->bytes += k->in_file ? n : 0; }

enum sm_err sm_keep_get(const struct sm_keep *k, uint64_t from, void *p, size_t n)
{
	size_t got;
	enum sm_err e;

	if (k->discard)
		return SM_ERR_BUG;
	if (from > k->bytes || n > k->bytes - from)
		return SM_ERR_PAYLOAD;
	if (k->fd < 0) {
		memcpy(p, k->mem.data + from, n);
		return SM_OK;
	}
	if ((e = sm_pread_full(k->fd, p, n, k->at + (off_t)from, &got)))
		return e;
	return got == n ? SM_OK : SM_ERR_PAYLOAD;
}

enum sm_err sm_keep_copy(const struct sm_keep *k, struct sm_sink *out)
{
	uint8_t *piece = malloc(PIECE);
	enum sm_err e = piece ? SM_OK : SM_ERR_NOMEM;

	for (uint64_t at = 0; !e && at < k->bytes;) {
		size_t n = k->bytes - at < PIECE ? (size_t)(k->bytes - at) : PIECE;
		if (!(e = sm_keep_get(k, at, piece, n)))
			e = sm_sink_write(out, piece, n);
		at += n;
	}
	free(piece);
	return e;
}
