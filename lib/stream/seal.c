/* Makes an envelope: the header with its stanzas, then the body, then the signature record. */
#include "stream/seal.h"

#include "base/base64.h"
#include "base/secret.h"
#include "stream/attach.h"
#include "stream/chunk_seal.h"
#include "wire/signature.h"

#include <stdlib.h>
#include <string.h>

/* The plaintext as one stream: fields, content, 0x80, zeros. Read in order by one thread at a time. */
struct plain {
	const struct sm_buf *fields;
	size_t fields_at;
	struct sm_source *in;
	bool content_ended, marked, no_pad;
	uint64_t made, total; /* total is known once the content has ended */
};

struct seal {
	const struct sm_seal *job;
	struct sm_header header;
	struct plain plain;
	const uint8_t *file_key;
	uint8_t salt[SM_CHUNKED_SALT];
	uint8_t context[SM_BODY_CONTEXT];
	struct sm_sink *out;
	struct sm_keep *spool; /* one for each attachment in the header */
};

/* Up to n bytes of plaintext, fewer only at its end. */
static enum sm_err plain_read(void *ctx, const struct sm_pieces *to, size_t n, size_t *got)
{
	static const uint8_t mark = 0x80;
	struct plain *s = ctx;
	size_t at = 0, k;
	enum sm_err e;

	if (s->fields_at < s->fields->len) {
		at = s->fields->len - s->fields_at < n ? s->fields->len - s->fields_at : n;
		sm_pieces_put(to, 0, s->fields->data + s->fields_at, at);
		s->fields_at += at;
	}
	if (!s->content_ended && at < n) {
		if ((e = sm_source_read_pieces(s->in, to, at, n - at, &k)))
			return e;
		s->content_ended = k < n - at;
		at += k;
	}
	s->made += at;
	if (s->content_ended && !s->marked && at < n) {
		sm_pieces_put(to, at++, &mark, 1);
		s->made++;
		s->marked = true;
		s->total = s->no_pad ? s->made : sm_content_total(s->made);
	}
	if (s->marked) {
		k = s->total - s->made < n - at ? (size_t)(s->total - s->made) : n - at;
		sm_pieces_zero(to, at, k);
		s->made += k, at += k;
	}
	*got = at;
	return SM_OK;
}

/* The recipients' lines and stanzas. */
static enum sm_err address_header(struct sm_header *h, const struct sm_seal *job, const uint8_t *file_key)
{
	enum sm_err e = SM_OK;

	h->has_group = job->group != NULL;
	h->nto = job->nto || h->has_group ? job->nto : 1;
	h->to = calloc(h->nto ? h->nto : 1, sizeof *h->to);
	h->stanza = calloc(h->nto ? h->nto : 1, sizeof *h->stanza);
	if (!h->to || !h->stanza)
		return SM_ERR_NOMEM;
	if (job->group) {
		h->group = *job->group;
		h->nstanza = 1;
		return job->stanza(job->ctx, &h->stanza[0], h, 0, file_key);
	}
	if (job->pw) {
		h->nstanza = 1;
		return sm_wrap_passphrase(&h->stanza[0], h, job->pw, job->pwlen, job->pw_t, job->pw_m, file_key, job->rand);
	}
	for (size_t i = 0; !e && i < job->nto; i++) {
		h->to[i] = job->to[i];
		e = job->stanza ? job->stanza(job->ctx, &h->stanza[i], h, i, file_key) : SM_ERR_NOTFOUND;
		if (e == SM_ERR_NOTFOUND)
			e = sm_wrap_public(&h->stanza[i], h, &h->to[i], &job->to_pub[i], file_key, job->rand);
		h->nstanza = i + 1;
	}
	return e;
}

static const struct sm_suite *suite_of(const struct sm_seal *job)
{
	if (job->suite)
		return job->suite;
	if (job->nto)
		return job->to_pub[0].suite;
	return job->signer ? job->signer->pub.suite : &sm_suite_x25519;
}

static void name_envelope(struct sm_header *h, const struct sm_seal *job)
{
	uint8_t id[16];

	h->suite = suite_of(job);
	h->from = job->from;
	h->date = job->date;
	sm_rand_fill(job->rand, id, sizeof id);
	sm_base32_id(h->id, id);
}

/* Seals the attachments, and makes the fields that tell of them. */
static enum sm_err prepare_content(struct seal *s, const struct sm_seal *job, struct sm_buf *out)
{
	struct sm_fields *f;
	enum sm_err e = SM_OK;

	if (!job->nattach)
		return sm_fields_write(out, job->fields);
	if (!(f = calloc(1, sizeof *f)) || !(s->spool = calloc(job->nattach, sizeof *s->spool))) {
		free(f);
		return SM_ERR_NOMEM;
	}
	if (job->fields)
		*f = *job->fields;
	for (; !e && s->header.nattach < job->nattach; s->header.nattach++) {
		size_t i = s->header.nattach;
		sm_keep_init_spool(&s->spool[i]);
		e = sm_attach_seal(&s->header.attach[i], &f->attach[i], &s->spool[i], &job->attach[i], job, s->header.id, (uint32_t)i);
	}
	f->nattach = s->header.nattach;
	if (!e)
		e = sm_fields_write(out, f);
	sm_wipe(f, sizeof *f);
	free(f);
	return e;
}

static enum sm_err write_attachments(const struct seal *s)
{
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < s->header.nattach; i++)
		e = sm_attach_write(&s->spool[i], s->out);
	return e;
}

static enum sm_err write_header(struct seal *s, const struct sm_seal *job)
{
	struct sm_header *h = &s->header;
	struct sm_buf text;
	enum sm_err e;

	sm_buf_init(&text, SM_HEADER_MAX);
	if ((e = address_header(h, job, s->file_key)) || (e = sm_header_write(&text, h)))
		goto out;
	sm_body_context(s->context, h->hh);
	e = sm_sink_write(s->out, text.data, text.len);
out:
	sm_buf_release(&text);
	return e;
}

static enum sm_err write_body(struct seal *s, uint8_t digest[static SM_HASH_LEN])
{
	const struct sm_chunk_seal body = {.key = s->file_key,
	                                   .salt = s->salt,
	                                   .context = s->context,
	                                   .contextlen = sizeof s->context,
	                                   .framed = true,
	                                   .digest = s->job->signer != NULL,
	                                   .threads = s->job->threads ? s->job->threads : s->plain.in->threads,
	                                   .read = plain_read,
	                                   .ctx = &s->plain,
	                                   .out = s->out};

	return sm_chunk_seal(&body, digest);
}

static enum sm_err write_signature(struct seal *s, const uint8_t digest[static SM_HASH_LEN])
{
	uint8_t record[2 + SM_SIGNATURE_MAX] = {0};
	size_t n = 0;
	enum sm_err e;

	if (s->job->signer && (e = sm_signature_make(record + 2, &n, s->job->signer, s->header.hh, digest)))
		return e;
	sm_put_be16(record, (uint16_t)n);
	return sm_sink_write(s->out, record, 2 + n);
}

static enum sm_err check(const struct sm_seal *job)
{
	if (job->nto > SM_TO_MAX || job->nattach > SM_ATTACH_MAX)
		return SM_ERR_LIMIT;
	if (job->signer && !(job->from.has_fp && !memcmp(job->from.fp, job->signer->pub.fp, SM_FP_LEN)))
		return SM_ERR_POLICY;
	if (job->signer && job->signer->pub.suite != suite_of(job))
		return SM_ERR_SUITE;
	for (size_t i = 0; i < job->nto; i++)
		if (job->to_pub[i].suite != suite_of(job))
			return SM_ERR_SUITE;
	if (job->group && !job->stanza)
		return SM_ERR_BUG;
	return (job->nto > 0) + (job->pw != NULL) + (job->group != NULL) == 1 ? SM_OK : SM_ERR_BUG;
}

enum sm_err sm_seal(const struct sm_seal *job, struct sm_source *in, struct sm_sink *out, char id[SM_ID_LEN + 1],
                    struct sm_secret *file_key)
{
	struct seal s = {.job = job, .out = out};
	struct sm_secret key = {0};
	struct sm_buf fields;
	uint8_t digest[SM_HASH_LEN] = {0};
	enum sm_err e;

	sm_buf_init(&fields, 4 + SM_FIELDS_MAX);
	if ((e = check(job)) || (e = sm_secret_alloc(&key, SM_FILE_KEY)))
		goto out;
	name_envelope(&s.header, job);
	if ((e = prepare_content(&s, job, &fields)))
		goto out;
	sm_rand_fill(job->rand, key.data, key.len);
	sm_rand_fill(job->rand, s.salt, sizeof s.salt);
	s.file_key = key.data;
	s.plain = (struct plain){.fields = &fields, .in = in, .no_pad = job->no_pad};
	if ((e = write_header(&s, job)) || (e = write_body(&s, digest)) || (e = write_signature(&s, digest)) ||
	    (e = write_attachments(&s)) || (e = sm_sink_finish(out)))
		goto out;
	if (id)
		memcpy(id, s.header.id, SM_ID_LEN + 1);
	if (file_key) {
		*file_key = key;
		key = (struct sm_secret){0};
	}
out:
	sm_secret_release(&key);
	sm_buf_release(&fields);
	for (size_t i = 0; s.spool && i < s.header.nattach; i++)
		sm_keep_release(&s.spool[i]);
	free(s.spool);
	sm_header_release(&s.header);
	return e;
}
