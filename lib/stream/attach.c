/* Attachments are sealed first, because the header holds their digests. */
#include "stream/attach.h"

#include "base/secret.h"
#include "stream/chunk_seal.h"

#include <string.h>

/* The file, then zeros. */
struct padded {
	struct sm_source *in;
	bool ended, no_pad;
	uint64_t size, made, total;
};

static enum sm_err padded_read(void *ctx, const struct sm_pieces *to, size_t n, size_t *got)
{
	struct padded *s = ctx;
	size_t at = 0, k;
	enum sm_err e;

	if (!s->ended) {
		if ((e = sm_source_read_pieces(s->in, to, 0, n, &at)))
			return e;
		s->made += at;
		if (at < n) {
			s->ended = true;
			s->size = s->made;
			s->total = s->no_pad ? s->size : sm_padme(s->size);
		}
	}
	if (s->ended) {
		k = s->total - s->made < n - at ? (size_t)(s->total - s->made) : n - at;
		sm_pieces_zero(to, at, k);
		s->made += k, at += k;
	}
	*got = at;
	return SM_OK;
}

enum sm_err sm_attach_seal(struct sm_attach_line *line, struct sm_attach_field *field, struct sm_keep *spool,
                           const struct sm_seal_attachment *file, const struct sm_seal *job, const char id[static SM_ID_LEN], uint32_t i)
{
	struct padded plain = {.in = file->in, .no_pad = job->no_pad};
	struct sm_attachment_context context;
	uint8_t salt[SM_CHUNKED_SALT];
	struct sm_sink out;
	enum sm_err e;

	field->name = file->name;
	field->type = file->type;
	sm_rand_fill(job->rand, field->key, sizeof field->key);
	sm_rand_fill(job->rand, salt, sizeof salt);
	sm_attachment_context(&context, id, i);
	sm_sink_keep(&out, spool);
	const struct sm_chunk_seal stream = {.key = field->key,
	                                     .salt = salt,
	                                     .context = context.bytes,
	                                     .contextlen = sizeof context.bytes,
	                                     .digest = true,
	                                     .threads = job->threads ? job->threads : file->in->threads,
	                                     .read = padded_read,
	                                     .ctx = &plain,
	                                     .out = &out};
	if (!(e = sm_chunk_seal(&stream, line->digest)) && !(e = sm_sink_finish(&out))) {
		line->bytes = spool->bytes;
		field->size = plain.size;
	}
	sm_sink_release(&out);
	return e;
}

enum sm_err sm_attach_write(const struct sm_keep *spool, struct sm_sink *out)
{
	uint8_t length[8];
	enum sm_err e;

	sm_put_be64(length, spool->bytes);
	return (e = sm_sink_write(out, length, sizeof length)) ? e : sm_keep_copy(spool, out);
}
