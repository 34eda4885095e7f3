/* The whole of opening, from two sides and in both suites. Raw: the input is the envelope. Crafted: the input is what a hostile writer who
 * holds the keys puts inside right tags: plaintext, an attachment's plaintext, and what stands behind the body. Refused means that nothing
 * came out; opened means that as much came out as was said; what opens from memory opens the same in one thread and in two, and in a file.
 *
 * The first byte: 1 there is an attachment, 2 the input has what stands behind the body, 4 raw, 8 RSA, 16 the
 * plaintext is long: it stands on both sides of filler that makes it more than a block, 32 which is zeros. */
#include "check.h"
#include "rsa_key.h"

#include "base/base64.h"
#include "stream/body.h"
#include "stream/open.h"
#include "stream/resign.h"
#include "wire/digest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIMIT (8u << 20)

#define FILLER (600u << 10)

enum { ATTACHMENT = 1, TAIL = 2, RAW = 4, RSA = 8, LONG = 16, ZEROS = 32 };

/* Made once: reading an RSA key costs more than opening with it. */
static struct sm_identity alice, bob, both; /* both: the RSA one, who writes to herself */

static void make_identities(void)
{
	static const uint8_t alice_seed[32] = {1}, bob_seed[32] = {2};

	if (both.pub.suite)
		return;
	CHECK(!sm_identity_from_seed(&alice, alice_seed) && !sm_identity_from_seed(&bob, bob_seed));
	CHECK(!sm_identity_parse(&both, NULL, (const uint8_t *)rsa_key, sizeof rsa_key - 1));
}

static const struct sm_identity *writer(unsigned flags) { return flags & RSA ? &both : &alice; }

static const struct sm_identity *reader(unsigned flags) { return flags & RSA ? &both : &bob; }

static enum sm_err find_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	const struct sm_identity *known = ctx;

	if (memcmp(known->pub.fp, fp, SM_FP_LEN))
		return SM_ERR_NOTFOUND;
	*pub = known->pub;
	return SM_OK;
}

static void attachments(struct sm_opened *opened)
{
	for (size_t i = 0; i < opened->header.nattach; i++) {
		struct sm_buf b;
		struct sm_sink file;
		sm_buf_init(&b, LIMIT);
		sm_sink_mem(&file, &b, NULL);
		CHECK(!sm_open_attachment(opened, i, &file) && b.len == opened->fields->attach[i].size);
		sm_sink_release(&file);
		sm_buf_release(&b);
	}
}

/* in: set up by the caller, released here. */
static enum sm_err open_once(struct sm_source *in, unsigned flags, unsigned threads, struct sm_buf *out)
{
	struct sm_opened opened = {0};
	struct sm_opener o = {.id = reader(flags), .find_signer = find_signer, .ctx = (void *)(uintptr_t)writer(flags), .threads = threads};
	struct sm_sink sink;
	enum sm_err e;

	sm_sink_mem(&sink, out, NULL);
	e = sm_open_verify(&opened, &o, in);
	CHECK(!out->len);
	if (!e) {
		CHECK(!sm_open_release(&opened, &sink) && out->len == opened.content);
		attachments(&opened);
	}
	sm_sink_release(&sink);
	sm_source_release(in);
	sm_opened_release(&opened);
	return e;
}

static enum sm_err scan(const uint8_t *p, size_t n)
{
	struct sm_scanned s = {0};
	struct sm_source in;
	enum sm_err e;

	sm_source_mem(&in, p, n, true);
	e = sm_scan(&s, &in, NULL, NULL);
	sm_source_release(&in);
	if (!e)
		sm_header_release(&s.header);
	return e;
}

static void same(enum sm_err e, const struct sm_buf *one, enum sm_err f, const struct sm_buf *two)
{
	CHECK(e == f && one->len == two->len && (!one->len || !memcmp(one->data, two->data, one->len)));
}

/* The file's own two passes: the second rechecks what it reads again. */
static enum sm_err open_file(const uint8_t *p, size_t n, unsigned flags, struct sm_buf *out)
{
	struct sm_source in;
	int fd = memfd_create("envelope", MFD_CLOEXEC);
	enum sm_err e;

	CHECK(fd >= 0 && (!n || pwrite(fd, p, n, 0) == (ssize_t)n));
	sm_source_fd(&in, fd, true);
	e = open_once(&in, flags, 1, out);
	close(fd);
	return e;
}

static void open_all_ways(const uint8_t *p, size_t n, unsigned flags)
{
	struct sm_buf one, two, file;
	struct sm_source in;
	enum sm_err e, f;

	sm_buf_init(&one, LIMIT);
	sm_buf_init(&two, LIMIT);
	sm_buf_init(&file, LIMIT);
	sm_source_mem(&in, p, n, true);
	e = open_once(&in, flags, 1, &one);
	sm_source_mem(&in, p, n, true);
	f = open_once(&in, flags, 2, &two);
	same(e, &one, f, &two);
	f = open_file(p, n, flags, &file);
	same(e, &one, f, &file);
	CHECK(e || !scan(p, n)); /* what opens is well formed for those without a key, too */
	sm_buf_release(&one);
	sm_buf_release(&two);
	sm_buf_release(&file);
}

static void chunks(struct sm_buf *out, const uint8_t key[32], const void *context, size_t contextlen, const uint8_t *p, size_t n,
                   bool framed)
{
	uint8_t salt[SM_CHUNKED_SALT] = {2}, chunk[SM_CHUNK_SEALED];
	struct sm_chunked c = {0};

	CHECK(!sm_chunked_seal_init(&c, key, salt, context, contextlen));
	CHECK(!sm_buf_add(out, salt, sizeof salt) && !sm_buf_add(out, c.commitment, sizeof c.commitment));
	for (size_t at = 0, i = 0;; at += SM_CHUNK, i++) {
		size_t k = n - at < SM_CHUNK ? n - at : SM_CHUNK;
		CHECK(!sm_chunked_seal(&c, i, chunk, p + at, k));
		CHECK(!framed || !sm_buf_add_be16(out, (uint16_t)(k + SM_CHUNK_TAG)));
		CHECK(!sm_buf_add(out, chunk, k + SM_CHUNK_TAG));
		if (k < SM_CHUNK)
			break;
	}
	sm_chunked_release(&c);
}

static void add_plaintext(struct sm_buf *b, struct sm_span p, unsigned flags)
{
	uint8_t *filler;

	CHECK(!sm_buf_reserve(b, p.n + FILLER, &filler)); /* also where there is nothing: not NULL */
	CHECK(!sm_buf_add(b, p.p, p.n / 2));
	if (flags & LONG) {
		CHECK(!sm_buf_reserve(b, FILLER, &filler));
		memset(filler, flags & ZEROS ? 0 : 'x', FILLER);
		b->len += FILLER;
	}
	CHECK(!sm_buf_add(b, p.p + p.n / 2, p.n - p.n / 2));
}

/* be16 length of the attachment's plaintext, with ATTACHMENT | that | be16 length of the tail | tail | the body's plaintext */
static void crafted(const uint8_t *p, size_t n, unsigned flags)
{
	static const uint8_t key[32] = {1}, id[16] = {3};
	struct sm_rand_fixed state = {.seed = {9}};
	struct sm_rand rand = sm_rand_from(&state);
	const struct sm_identity *from = writer(flags), *to = reader(flags);
	struct sm_header h = {.suite = to->pub.suite, .date = 1790000000};
	struct sm_attachment_context attach_context;
	struct sm_span rest = {p, n};
	const uint8_t *file = NULL, *tail = NULL;
	uint16_t nfile = 0, ntail = 0;
	uint8_t context[SM_BODY_CONTEXT];
	struct sm_buf blob, env, plain;

	if ((flags & ATTACHMENT && (!sm_span_take_be16(&rest, &nfile) || !sm_span_take(&rest, nfile, &file))) ||
	    !sm_span_take_be16(&rest, &ntail) || !sm_span_take(&rest, ntail, &tail))
		return;
	sm_buf_init(&blob, LIMIT);
	sm_buf_init(&env, LIMIT);
	sm_buf_init(&plain, LIMIT);
	add_plaintext(&plain, rest, flags);
	sm_base32_id(h.id, id);
	h.to = calloc(1, sizeof *h.to), h.nto = 1;
	h.stanza = calloc(1, sizeof *h.stanza), h.nstanza = 1;
	CHECK(h.to && h.stanza);
	h.to[0].has_fp = h.from.has_fp = true;
	memcpy(h.to[0].fp, to->pub.fp, SM_FP_LEN);
	memcpy(h.from.fp, from->pub.fp, SM_FP_LEN);
	if (flags & ATTACHMENT) {
		struct sm_digest d = {0};
		sm_attachment_context(&attach_context, h.id, 0);
		chunks(&blob, key, attach_context.bytes, sizeof attach_context.bytes, file, nfile, false);
		CHECK(!sm_digest_init(&d) && !sm_digest_update(&d, blob.data, blob.len) && !sm_digest_final(&d, h.attach[0].digest));
		sm_digest_release(&d);
		h.attach[0].bytes = blob.len, h.nattach = 1;
	}
	CHECK(!sm_wrap_public(&h.stanza[0], &h, &h.to[0], &to->pub, key, &rand) && !sm_header_write(&env, &h));
	sm_body_context(context, h.hh);
	chunks(&env, key, context, sizeof context, plain.data, plain.len, true);
	if (flags & TAIL)
		CHECK(!sm_buf_add(&env, tail, ntail));
	else
		CHECK(!sm_buf_add_be16(&env, 0));
	if (flags & ATTACHMENT)
		CHECK(!sm_buf_add_be64(&env, blob.len) && !sm_buf_add(&env, blob.data, blob.len));
	open_all_ways(env.data, env.len, flags);
	sm_header_release(&h);
	sm_buf_release(&blob);
	sm_buf_release(&env);
	sm_buf_release(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!n || n > 1u << 17)
		return 0;
	make_identities();
	if (p[0] & RAW)
		open_all_ways(p + 1, n - 1, p[0]);
	else
		crafted(p + 1, n - 1, p[0]);
	return 0;
}
