/* Finds the short last chunk from the file's end, the padding from there, the fields from the front, and then the chunks in between. */
#include "stream/range.h"

#include "base/file.h"
#include "base/secret.h"
#include "stream/body.h"
#include "stream/file_key.h"
#include "stream/header_read.h"
#include "wire/signature.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct ranged {
	int fd;
	uint64_t frames_at, body_end; /* file offsets: the first frame, and where the signature record may end */
	struct sm_header header;
	struct sm_secret key;
	struct sm_chunked chunked;
	uint64_t last;       /* index of the short chunk */
	size_t last_sealed;  /* its size */
	uint64_t total, end; /* plaintext bytes; one past the last that is not zero */
	uint8_t sealed[SM_CHUNK_SEALED], plain[SM_CHUNK];
};

static enum sm_err get(const struct ranged *s, uint64_t at, void *p, size_t n)
{
	size_t got;
	enum sm_err e = sm_pread_full(s->fd, p, n, (off_t)at, &got);

	return e ? e : got == n ? SM_OK : SM_ERR_PAYLOAD;
}

static enum sm_err get_be16(const struct ranged *s, uint64_t at, uint16_t *v)
{
	uint8_t b[2];
	enum sm_err e = get(s, at, b, sizeof b);

	if (!e)
		*v = sm_get_be16(b);
	return e;
}

/* Chunk i into s->plain. */
static enum sm_err open_chunk(struct ranged *s, uint64_t i, size_t *n)
{
	size_t sealed = i == s->last ? s->last_sealed : SM_CHUNK_SEALED;
	uint16_t length;
	enum sm_err e;

	if ((e = get_be16(s, s->frames_at + i * SM_FRAME, &length)))
		return e;
	if (length != sealed)
		return SM_ERR_PAYLOAD;
	if ((e = get(s, s->frames_at + i * SM_FRAME + 2, s->sealed, sealed)) ||
	    (e = sm_chunked_open(&s->chunked, i, s->plain, s->sealed, sealed)))
		return e;
	*n = sealed - SM_CHUNK_TAG;
	return SM_OK;
}

/* Would a signature of n bytes leave frames that end in a short chunk, and does that chunk open? */
static bool ends_with(struct ranged *s, size_t n)
{
	uint64_t frames;
	size_t rest, plain;
	uint16_t record;

	if (s->body_end < s->frames_at + 2 + n)
		return false;
	frames = s->body_end - 2 - n - s->frames_at;
	rest = (size_t)(frames % SM_FRAME);
	if (rest < 2 + SM_CHUNK_TAG || get_be16(s, s->frames_at + frames, &record) || record != n)
		return false;
	s->last = frames / SM_FRAME;
	s->last_sealed = rest - 2;
	return !open_chunk(s, s->last, &plain);
}

static enum sm_err find_last(struct ranged *s)
{
	if (ends_with(s, 0))
		return SM_OK;
	for (size_t n = s->header.suite->sig_min; n <= s->header.suite->sig_max; n++)
		if (ends_with(s, n))
			return SM_OK;
	return SM_ERR_PAYLOAD;
}

/* Backwards over the zeros to the mark. */
static enum sm_err find_end(struct ranged *s, uint64_t *l)
{
	struct sm_unpad u = {0};
	size_t n = 0;
	uint64_t i = s->last + 1;
	enum sm_err e;

	s->total = s->last * SM_CHUNK + s->last_sealed - SM_CHUNK_TAG;
	while (i-- > 0) {
		if ((e = open_chunk(s, i, &n)))
			return e;
		if (!sm_is_zero(s->plain, n))
			break;
		if (!i)
			return SM_ERR_PAYLOAD;
	}
	u.total = i * SM_CHUNK;
	sm_unpad_update(&u, s->plain, n);
	u.total = s->total;
	return sm_unpad_final(&u, l);
}

/* Where the content starts. The fields are at most 64 KiB: within the first five chunks. */
static enum sm_err find_start(struct ranged *s, uint64_t l, uint64_t *start)
{
	struct sm_fields fields = {0};
	struct sm_buf b;
	size_t n;
	uint64_t i = 0;
	enum sm_err e = SM_OK;

	sm_buf_init(&b, 6 * SM_CHUNK);
	do {
		if ((e = open_chunk(s, i++, &n)) || (e = sm_buf_add(&b, s->plain, n)))
			goto out;
		*start = b.len < 4 ? UINT64_MAX : 4 + (uint64_t)sm_get_be32(b.data);
	} while (i <= s->last && b.len < *start && *start <= 4 + SM_FIELDS_MAX);
	e = SM_ERR_PAYLOAD;
	if (*start > l || *start > b.len || *start > 4 + SM_FIELDS_MAX)
		goto out;
	e = sm_fields_parse(&fields, b.data + 4, (size_t)*start - 4);
out:
	sm_fields_release(&fields);
	sm_buf_release(&b);
	return e;
}

/* Plaintext bytes from..to - 1. Nothing of them leaves before all tags are right: one pass to check, one to write. */
static enum sm_err put(struct ranged *s, uint64_t from, uint64_t to, struct sm_sink *out)
{
	enum sm_err e = SM_OK;
	size_t n;

	for (uint64_t i = from / SM_CHUNK; !e && i * SM_CHUNK < to; i++) {
		uint64_t at = i * SM_CHUNK, a = from > at ? from - at : 0;
		if ((e = open_chunk(s, i, &n)) || !out)
			continue;
		uint64_t z = to - at < n ? to - at : n;
		e = sm_sink_write(out, s->plain + a, (size_t)(z - a));
	}
	return e;
}

static enum sm_err start(struct ranged *s, struct sm_range *r, const struct sm_opener *o, struct sm_source *in)
{
	uint8_t head[SM_BODY_HEAD], context[SM_BODY_CONTEXT];
	struct stat st;
	off_t at;
	enum sm_err e;

	if ((e = sm_header_read(&s->header, &r->header_line, in, NULL)))
		return e;
	if (in->armored)
		return SM_ERR_ARMOR;
	if (!sm_source_offset(in, &at) || fstat(in->fd, &st)) {
		errno = ESPIPE;
		return SM_ERR_IO;
	}
	s->fd = in->fd;
	s->frames_at = (uint64_t)at + SM_BODY_HEAD;
	s->body_end = (uint64_t)st.st_size;
	for (size_t i = 0; i < s->header.nattach; i++) {
		if (s->body_end < 8 || s->header.attach[i].bytes > s->body_end - 8)
			return SM_ERR_PAYLOAD;
		s->body_end -= 8 + s->header.attach[i].bytes;
	}
	sm_body_context(context, s->header.hh);
	if ((e = sm_file_key(&s->key, &s->header, o)) || (e = get(s, (uint64_t)at, head, sizeof head)) ||
	    (e = sm_chunked_open_init(&s->chunked, s->key.data, head, context, sizeof context)))
		return e;
	return sm_equal(s->chunked.commitment, head + SM_CHUNKED_SALT, SM_CHUNKED_COMMITMENT) ? SM_OK : SM_ERR_COMMITMENT;
}

enum sm_err sm_open_range(struct sm_range *r, const struct sm_opener *o, struct sm_source *in, struct sm_sink *out)
{
	struct ranged *s = calloc(1, sizeof *s);
	uint64_t l, first, to;
	enum sm_err e;

	if (!s)
		return SM_ERR_NOMEM;
	if ((e = start(s, r, o, in)) || (e = find_last(s)) || (e = find_end(s, &l)) || (e = find_start(s, l, &first)))
		goto out;
	r->content = l - first;
	e = SM_ERR_NOTFOUND;
	if (r->from >= r->content || r->to < r->from)
		goto out;
	to = r->to >= r->content ? l : first + r->to + 1;
	if (!(e = put(s, first + r->from, to, NULL)) && !(e = put(s, first + r->from, to, out)))
		e = sm_sink_finish(out);
out:
	sm_header_release(&s->header);
	sm_secret_release(&s->key);
	sm_chunked_release(&s->chunked);
	sm_wipe(s, sizeof *s);
	free(s);
	return e;
}
