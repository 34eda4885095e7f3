/* Opens an envelope in the order of checks that sm-format(5) fixes, so that a bad one has one class whoever reads it. */
#include "stream/open.h"

#include "base/secret.h"
#include "stream/chunk_open.h"
#include "stream/early.h"
#include "stream/file_key.h"
#include "stream/header_read.h"
#include "stream/trailer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An attachment's plaintext, as it is opened: what comes after its real size must be zero. */
struct attachment {
	struct sm_chunk_open stream;
	struct sm_attachment_context context;
	uint64_t size, total;
	bool dirty_pad;
};

struct sm_open_state {
	uint8_t context[SM_BODY_CONTEXT];
	struct sm_keep keep;
	struct sm_chunk_open body;
	struct sm_buf fields; /* be32 length | fields, as far as the first block has them */
	struct sm_unpad unpad;
	uint64_t from, to; /* the content within the plaintext */
	struct attachment *attach;
	size_t nattach;
	struct sm_early early;
};

static enum sm_err look_body(void *ctx, size_t unseen, const uint8_t *p, size_t n)
{
	struct sm_open_state *s = ctx;
	size_t room = 4 + SM_FIELDS_MAX - s->fields.len;
	enum sm_err e;

	s->unpad.total += unseen;
	sm_unpad_update(&s->unpad, p, n);
	if (unseen)
		return SM_OK;
	if (room && (e = sm_buf_add(&s->fields, p, n < room ? n : room)))
		return e;
	return s->early.out ? sm_early_write(&s->early, p, n) : SM_OK;
}

static enum sm_err look_attachment(void *ctx, size_t unseen, const uint8_t *p, size_t n)
{
	struct attachment *a = ctx;
	a->total += unseen;
	size_t skip = a->total >= a->size ? 0 : a->size - a->total < n ? (size_t)(a->size - a->total) : n;

	a->total += n;
	a->dirty_pad |= n > skip && !sm_is_zero(p + skip, n - skip);
	return SM_OK;
}

static enum sm_err state_new(struct sm_opened *r, const struct sm_opener *o, struct sm_source *in)
{
	struct sm_open_state *s = calloc(1, sizeof *s);

	if (!(r->state = s))
		return SM_ERR_NOMEM;
	sm_buf_init(&s->fields, 4 + SM_FIELDS_MAX);
	sm_body_context(s->context, r->header.hh);
	sm_keep_init(&s->keep, in);
	s->early.out = o->early;
	s->keep.discard = o->early != NULL;
	sm_chunk_open_init(&s->body);
	memcpy(s->body.key, r->file_key.data, sizeof s->body.key);
	s->body.context = s->context;
	s->body.contextlen = sizeof s->context;
	s->body.framed = true;
	s->body.digest_wanted = r->header.from.has_fp;
	s->body.threads = o->threads ? o->threads : in->threads;
	s->body.keep = &s->keep;
	s->body.look = look_body;
	s->body.show_until = 4 + SM_FIELDS_MAX;
	s->body.show_from = o->early ? 0 : UINT64_MAX;
	s->body.ctx = s;
	s->attach = r->header.nattach ? calloc(r->header.nattach, sizeof *s->attach) : NULL;
	return r->header.nattach && !s->attach ? SM_ERR_NOMEM : SM_OK;
}

static void state_free(struct sm_open_state *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nattach; i++)
		sm_chunk_open_release(&s->attach[i].stream);
	free(s->attach);
	sm_chunk_open_release(&s->body);
	sm_buf_release(&s->fields);
	sm_keep_release(&s->keep);
	sm_wipe(s, sizeof *s);
	free(s);
}

/* The fields, as the first block has them; they are only believed once check_content has come to them in its turn. */
static enum sm_err parse_fields(struct sm_opened *r)
{
	const struct sm_buf *b = &r->state->fields;
	uint32_t n;

	if (!(r->fields = calloc(1, sizeof *r->fields)))
		return SM_ERR_NOMEM;
	if (b->len < 4 || (n = sm_get_be32(b->data)) > SM_FIELDS_MAX || n > b->len - 4)
		return SM_ERR_PAYLOAD;
	return sm_fields_parse(r->fields, b->data + 4, n);
}

/* be64 length | blob, held against the header's line. Whether it opens is asked later. */
static enum sm_err read_attachment(struct sm_opened *r, const struct sm_opener *o, struct sm_source *in, size_t i)
{
	const struct sm_attach_line *line = &r->header.attach[i];
	const struct sm_attach_field *field = &r->fields->attach[i];
	struct sm_open_state *s = r->state;
	struct attachment *a = &s->attach[s->nattach++];
	uint8_t length[8];
	size_t got;
	enum sm_err e;

	sm_chunk_open_init(&a->stream);
	memcpy(a->stream.key, field->key, sizeof a->stream.key);
	sm_attachment_context(&a->context, r->header.id, (uint32_t)i);
	a->size = field->size;
	a->stream.context = a->context.bytes;
	a->stream.contextlen = sizeof a->context.bytes;
	a->stream.digest_wanted = true;
	a->stream.threads = o->threads ? o->threads : in->threads;
	a->stream.keep = &s->keep;
	a->stream.look = look_attachment;
	a->stream.show_from = a->size;
	a->stream.ctx = a;
	if ((e = sm_source_read(in, length, sizeof length, &got)))
		return e;
	if (got < sizeof length || sm_get_be64(length) != line->bytes)
		return SM_ERR_PAYLOAD;
	sm_keep_skip(&s->keep, sizeof length);
	if ((e = sm_chunk_open_blob(&a->stream, in, line->bytes)))
		return e;
	return memcmp(a->stream.digest, line->digest, sizeof line->digest) ? SM_ERR_PAYLOAD : SM_OK;
}

static enum sm_err read_attachments(struct sm_opened *r, const struct sm_opener *o, struct sm_source *in, enum sm_err *fields)
{
	uint8_t more;
	size_t got;
	enum sm_err e = *fields = parse_fields(r);

	if (e == SM_ERR_NOMEM)
		return e;
	e = SM_OK;
	for (size_t i = 0; !e && i < r->header.nattach; i++)
		e = read_attachment(r, o, in, i);
	if (e || (e = sm_source_read(in, &more, 1, &got)))
		return e;
	return got ? SM_ERR_PAYLOAD : SM_OK;
}

/* What the signature says of the sender; see enum sm_proof. */
static enum sm_err check_signature(struct sm_opened *r, const struct sm_opener *o, const uint8_t *sig, size_t n)
{
	const struct sm_header *h = &r->header;
	enum sm_err e;

	if (!n)
		return SM_OK;
	if (!h->from.has_fp || !sm_signature_size_ok(h->suite, n))
		return SM_ERR_SIGNATURE;
	e = o->find_signer ? o->find_signer(o->ctx, &r->signer, h->from.fp) : SM_ERR_NOTFOUND;
	if (e == SM_ERR_NOTFOUND) {
		r->proof = SM_PROOF_UNKNOWN;
		return SM_OK;
	}
	if (e)
		return e;
	if (r->signer.suite != h->suite || memcmp(r->signer.fp, h->from.fp, SM_FP_LEN))
		return SM_ERR_SIGNATURE;
	if ((e = sm_signature_verify(&r->signer, h->hh, r->state->body.digest, sig, n)))
		return e;
	r->proof = SM_PROOF_PROVEN;
	return SM_OK;
}

static bool attachment_good(const struct attachment *a)
{
	return !a->stream.bad && !a->dirty_pad && (a->total == a->size || a->total == sm_padme(a->size));
}

static enum sm_err check_content(struct sm_opened *r)
{
	struct sm_open_state *s = r->state;
	uint64_t l, fields;
	enum sm_err e;

	if ((e = sm_unpad_final(&s->unpad, &l)))
		return e;
	fields = 4 + (uint64_t)sm_get_be32(s->fields.data);
	if (l < fields || r->fields->nattach != r->header.nattach)
		return SM_ERR_PAYLOAD;
	for (size_t i = 0; i < s->nattach; i++)
		if (!attachment_good(&s->attach[i]))
			return SM_ERR_PAYLOAD;
	s->from = fields;
	s->to = l;
	r->content = s->to - s->from;
	return SM_OK;
}

static enum sm_err read_signature(struct sm_open_state *s, struct sm_source *in, uint8_t sig[static UINT16_MAX], size_t *n)
{
	enum sm_err e = sm_record_read(in, sig, n);

	if (!e)
		sm_keep_skip(&s->keep, 2 + *n);
	return e;
}

static enum sm_err verify(struct sm_opened *r, const struct sm_opener *o, struct sm_source *in)
{
	uint8_t sig[UINT16_MAX];
	size_t nsig;
	enum sm_err e, fields;

	if ((e = sm_header_read(&r->header, &r->header_line, in, NULL)) || (e = sm_file_key(&r->file_key, &r->header, o)) ||
	    (e = state_new(r, o, in)) || (e = sm_chunk_open_head(&r->state->body, in)) || (e = sm_chunk_open_frames(&r->state->body, in)) ||
	    (e = read_signature(r->state, in, sig, &nsig)) || (e = read_attachments(r, o, in, &fields)) ||
	    (e = check_signature(r, o, sig, nsig)))
		return e;
	if (o->policy && (e = o->policy(o->ctx, &r->header, r->proof)))
		return e;
	return fields ? fields : check_content(r);
}

enum sm_err sm_open_verify(struct sm_opened *r, const struct sm_opener *o, struct sm_source *in)
{
	enum sm_err e = verify(r, o, in);
	int saved = errno;

	/* Armor comes first in the order: one that is broken further on says so, whatever was wrong before it. */
	if (e && e != SM_ERR_ARMOR && in->armored && sm_source_drain(in) == SM_ERR_ARMOR)
		e = SM_ERR_ARMOR;
	errno = saved;
	return e;
}

enum sm_err sm_open_release(struct sm_opened *r, struct sm_sink *out)
{
	struct sm_open_state *s = r->state;
	enum sm_err e = s->early.out ? SM_OK : sm_chunk_open_release_plain(&s->body, out, s->from, s->to);

	return e ? e : sm_sink_finish(out);
}

enum sm_err sm_open_attachment(struct sm_opened *r, size_t i, struct sm_sink *out)
{
	struct attachment *a = &r->state->attach[i];
	enum sm_err e = sm_chunk_open_release_plain(&a->stream, out, 0, a->size);

	return e ? e : sm_sink_finish(out);
}

void sm_opened_release(struct sm_opened *r)
{
	state_free(r->state);
	sm_header_release(&r->header);
	if (r->fields)
		sm_fields_release(r->fields);
	free(r->fields);
	sm_secret_release(&r->file_key);
	memset(r, 0, sizeof *r);
}
