/* The whole of opening, from two sides. Raw: the input is the envelope. Crafted: the input is what a hostile writer who holds the keys puts
 * inside right tags: plaintext, an attachment's plaintext, and what stands behind the body. Refused means that nothing came out; opened
 * means that as much came out as was said; and what opens from memory opens the same in one thread and in two. */
#include "check.h"

#include "base/base64.h"
#include "stream/body.h"
#include "stream/open.h"
#include "stream/resign.h"
#include "wire/digest.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT (8u << 20)

static const uint8_t alice_seed[32] = {1}, bob_seed[32] = {2};

static enum sm_err find_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	struct sm_identity alice = {0};
	CHECK(!sm_identity_from_seed(&alice, alice_seed));
	bool hers = !memcmp(alice.pub.fp, fp, SM_FP_LEN);
	(void)ctx;
	if (hers)
		*pub = alice.pub;
	sm_identity_release(&alice);
	return hers ? SM_OK : SM_ERR_NOTFOUND;
}

static enum sm_err open_once(const uint8_t *p, size_t n, unsigned threads, struct sm_buf *out)
{
	struct sm_identity bob = {0};
	struct sm_opened opened = {0};
	struct sm_source in;
	struct sm_sink sink;
	enum sm_err e;

	CHECK(!sm_identity_from_seed(&bob, bob_seed));
	struct sm_opener o = {.id = &bob, .find_signer = find_signer, .threads = threads};
	sm_source_mem(&in, p, n, true);
	sm_sink_mem(&sink, out, NULL);
	e = sm_open_verify(&opened, &o, &in);
	CHECK(!out->len);
	if (!e) {
		CHECK(!sm_open_release(&opened, &sink) && out->len == opened.content);
		for (size_t i = 0; i < opened.header.nattach; i++) {
			struct sm_buf b;
			struct sm_sink file;
			sm_buf_init(&b, LIMIT);
			sm_sink_mem(&file, &b, NULL);
			CHECK(!sm_open_attachment(&opened, i, &file) && b.len == opened.fields->attach[i].size);
			sm_sink_release(&file);
			sm_buf_release(&b);
		}
	}
	sm_sink_release(&sink);
	sm_source_release(&in);
	sm_opened_release(&opened);
	sm_identity_release(&bob);
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

static void open_both(const uint8_t *p, size_t n)
{
	struct sm_buf one, two;
	enum sm_err e, f;

	sm_buf_init(&one, LIMIT);
	sm_buf_init(&two, LIMIT);
	e = open_once(p, n, 1, &one);
	f = open_once(p, n, 2, &two);
	CHECK(e == f && one.len == two.len && (!one.len || !memcmp(one.data, two.data, one.len)));
	CHECK(e || !scan(p, n)); /* what opens is well formed for those without a key, too */
	sm_buf_release(&one);
	sm_buf_release(&two);
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

/* be16 length of the attachment's plaintext, if flags & 1 | that | be16 length of the tail | tail | the body's plaintext */
static void crafted(const uint8_t *p, size_t n, unsigned flags)
{
	static const uint8_t key[32] = {1}, id[16] = {3};
	struct sm_rand_fixed state = {.seed = {9}};
	struct sm_rand rand = sm_rand_from(&state);
	struct sm_identity alice = {0}, bob = {0};
	struct sm_header h = {.suite = &sm_suite_x25519, .date = 1790000000};
	struct sm_attachment_context attach_context;
	struct sm_span rest = {p, n};
	const uint8_t *file = NULL, *tail = NULL;
	uint16_t nfile = 0, ntail = 0;
	uint8_t context[SM_BODY_CONTEXT];
	struct sm_buf blob, env;

	if ((flags & 1 && (!sm_span_take_be16(&rest, &nfile) || !sm_span_take(&rest, nfile, &file))) || !sm_span_take_be16(&rest, &ntail) ||
	    !sm_span_take(&rest, ntail, &tail))
		return;
	sm_buf_init(&blob, LIMIT);
	sm_buf_init(&env, LIMIT);
	CHECK(!sm_identity_from_seed(&alice, alice_seed) && !sm_identity_from_seed(&bob, bob_seed));
	sm_base32_id(h.id, id);
	h.to = calloc(1, sizeof *h.to), h.nto = 1;
	h.stanza = calloc(1, sizeof *h.stanza), h.nstanza = 1;
	CHECK(h.to && h.stanza);
	h.to[0].has_fp = h.from.has_fp = true;
	memcpy(h.to[0].fp, bob.pub.fp, SM_FP_LEN);
	memcpy(h.from.fp, alice.pub.fp, SM_FP_LEN);
	if (flags & 1) {
		struct sm_digest d = {0};
		sm_attachment_context(&attach_context, h.id, 0);
		chunks(&blob, key, attach_context.bytes, sizeof attach_context.bytes, file, nfile, false);
		CHECK(!sm_digest_init(&d) && !sm_digest_update(&d, blob.data, blob.len) && !sm_digest_final(&d, h.attach[0].digest));
		sm_digest_release(&d);
		h.attach[0].bytes = blob.len, h.nattach = 1;
	}
	CHECK(!sm_wrap_public(&h.stanza[0], &h, &h.to[0], &bob.pub, key, &rand) && !sm_header_write(&env, &h));
	sm_body_context(context, h.hh);
	chunks(&env, key, context, sizeof context, rest.p, rest.n, true);
	if (flags & 2)
		CHECK(!sm_buf_add(&env, tail, ntail));
	else
		CHECK(!sm_buf_add_be16(&env, 0));
	if (flags & 1)
		CHECK(!sm_buf_add_be64(&env, blob.len) && !sm_buf_add(&env, blob.data, blob.len));
	open_both(env.data, env.len);
	sm_header_release(&h);
	sm_identity_release(&alice);
	sm_identity_release(&bob);
	sm_buf_release(&blob);
	sm_buf_release(&env);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!n || n > 1u << 17)
		return 0;
	if (p[0] & 4)
		open_both(p + 1, n - 1);
	else
		crafted(p + 1, n - 1, p[0] & 3);
	return 0;
}
