/* Opens an envelope in the order of checks that sm-format(5) fixes, so that a bad one has one class whoever reads it. */
#include "stream/open.h"

#include "base/secret.h"
#include "stream/header_read.h"
#include "stream/open_state.h"
#include "stream/trailer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PASSPHRASE_MAX 4096

static enum sm_err state_new(struct sm_opened *r, const struct sm_opener *o, struct sm_source *in)
{
	struct sm_open_state *s = calloc(1, sizeof *s);
	enum sm_err e;

	if (!(r->state = s))
		return SM_ERR_NOMEM;
	s->in = in;
	s->threads = o->threads;
	s->digest_wanted = r->header.from.has_fp;
	s->file_key = r->file_key.data;
	sm_body_context(s->context, r->header.hh);
	sm_buf_init(&s->fields, 4 + SM_FIELDS_MAX);
	sm_buf_init(&s->tags, SIZE_MAX / 2);
	sm_keep_init(&s->keep, in);
	sm_rand_fill(&sm_rand_system, s->recheck_key, sizeof s->recheck_key);
	if (s->digest_wanted && (e = sm_segmenter_init(&s->segmenter)))
		return e;
	return SM_OK;
}

static void state_free(struct sm_open_state *s)
{
	if (!s)
		return;
	if (s->plain)
		sm_wipe(s->plain, s->nplain);
	free(s->plain);
	sm_buf_release(&s->fields);
	sm_buf_release(&s->tags);
	sm_keep_release(&s->keep);
	sm_segmenter_release(&s->segmenter);
	sm_wipe(s, sizeof *s);
	free(s);
}

/* Recipient, then stanza. */
static enum sm_err find_key(struct sm_opened *r, const struct sm_opener *o)
{
	const struct sm_header *h = &r->header;
	const struct sm_identity *id = o->id;
	struct sm_buf pw;
	int at;
	enum sm_err e;

	if ((e = sm_secret_alloc(&r->file_key, SM_FILE_KEY)))
		return e;
	if (o->file_key) {
		memcpy(r->file_key.data, o->file_key, SM_FILE_KEY);
		return SM_OK;
	}
	if (h->has_group)
		return SM_ERR_POLICY;
	if (h->to[0].has_fp) {
		if (!id && o->unlock && (e = o->unlock(o->ctx, &id)))
			return e;
		if (!id || (at = sm_header_find_to(h, id->pub.fp)) < 0)
			return SM_ERR_POLICY;
		return sm_unwrap_identity(r->file_key.data, h, (size_t)at, id);
	}
	if (!o->ask)
		return SM_ERR_PASSPHRASE;
	sm_buf_init(&pw, PASSPHRASE_MAX);
	if (!(e = o->ask(o->ctx, &pw)))
		e = sm_unwrap_passphrase(r->file_key.data, h, pw.data, pw.len);
	sm_buf_release(&pw);
	return e;
}

static enum sm_err check_commitment(struct sm_open_state *s)
{
	struct sm_chunked c = {0};
	size_t got;
	enum sm_err e;

	if ((e = sm_source_read(s->in, s->head, sizeof s->head, &got)))
		return e;
	if (got < sizeof s->head)
		return SM_ERR_PAYLOAD;
	if (s->keep.in_file)
		s->keep.at += SM_BODY_HEAD;
	if ((e = sm_chunked_open_init(&c, s->file_key, s->head, s->context, sizeof s->context)))
		return e;
	if (!sm_equal(c.commitment, s->head + SM_CHUNKED_SALT, SM_CHUNKED_COMMITMENT))
		e = SM_ERR_COMMITMENT;
	sm_chunked_release(&c);
	return e;
}

/* What the signature says of the sender; see enum sm_proof. */
static enum sm_err check_signature(struct sm_opened *r, const struct sm_opener *o, const uint8_t *sig, size_t n)
{
	const struct sm_header *h = &r->header;
	uint8_t digest[SM_HASH_LEN];
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
	if (memcmp(r->signer.fp, h->from.fp, SM_FP_LEN))
		return SM_ERR_SIGNATURE;
	if ((e = sm_segmenter_digest(&r->state->segmenter, digest)) || (e = sm_signature_verify(&r->signer, h->hh, digest, sig, n)))
		return e;
	r->proof = SM_PROOF_PROVEN;
	return SM_OK;
}

static enum sm_err check_content(struct sm_opened *r)
{
	struct sm_open_state *s = r->state;
	uint64_t l;
	uint32_t fields;
	enum sm_err e;

	if ((e = sm_unpad_final(&s->unpad, &l)))
		return e;
	if (s->fields.len < 4 || (fields = sm_get_be32(s->fields.data)) > SM_FIELDS_MAX || l < 4 + (uint64_t)fields)
		return SM_ERR_PAYLOAD;
	if (!(r->fields = calloc(1, sizeof *r->fields)))
		return SM_ERR_NOMEM;
	if ((e = sm_fields_parse(r->fields, s->fields.data + 4, fields)))
		return e;
	if (r->fields->nattach != r->header.nattach)
		return SM_ERR_PAYLOAD;
	s->from = 4 + (uint64_t)fields;
	s->to = l;
	r->content = s->to - s->from;
	return SM_OK;
}

static enum sm_err verify(struct sm_opened *r, const struct sm_opener *o, struct sm_source *in)
{
	uint8_t sig[UINT16_MAX];
	size_t nsig;
	enum sm_err e;

	if ((e = sm_header_read(&r->header, &r->header_line, in, NULL)) || (e = find_key(r, o)) || (e = state_new(r, o, in)) ||
	    (e = check_commitment(r->state)) || (e = sm_body_verify(r->state)) || (e = sm_record_read(in, sig, &nsig)) ||
	    (e = sm_attachments_read(&r->header, in, NULL)) || (e = check_signature(r, o, sig, nsig)))
		return e;
	if (o->policy && (e = o->policy(o->ctx, &r->header, r->proof)))
		return e;
	return check_content(r);
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
	enum sm_err e;

	r->state->out = out;
	e = sm_body_release(r->state);
	return e ? e : sm_sink_finish(out);
}

void sm_opened_release(struct sm_opened *r)
{
	state_free(r->state);
	sm_header_release(&r->header);
	if (r->fields)
		sm_wipe(r->fields, sizeof *r->fields);
	free(r->fields);
	sm_secret_release(&r->file_key);
	memset(r, 0, sizeof *r);
}
