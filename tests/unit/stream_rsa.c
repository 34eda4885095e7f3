/* Envelopes of the suite rsa-oaep-pss-aes256gcm through lib/stream: what comes out is what went in, and whatever is changed is refused
 * with its class and without a byte of plaintext. */
#include "stream/open.h"
#include "stream/resign.h"
#include "stream/seal.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define MAX (4u << 20)

static struct sm_identity alice, bob, eve, other; /* other is of the default suite */

static enum sm_err find_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	const struct sm_identity *known[] = {&alice, &other};
	(void)ctx;
	for (size_t i = 0; i < 2; i++)
		if (!memcmp(fp, known[i]->pub.fp, SM_FP_LEN)) {
			*pub = known[i]->pub;
			return SM_OK;
		}
	return SM_ERR_NOTFOUND;
}

static enum sm_err ask(void *ctx, struct sm_buf *pw)
{
	(void)ctx;
	return sm_buf_adds(pw, "secret");
}

static struct sm_party party(const struct sm_identity *id)
{
	struct sm_party p = {.has_fp = true};
	memcpy(p.fp, id->pub.fp, SM_FP_LEN);
	return p;
}

/* job: who signs, who it is to; from and the rest are filled in. */
static enum sm_err seal(struct sm_buf *out, struct sm_seal job, const struct sm_identity *from, const uint8_t *p, size_t n)
{
	struct sm_source in;
	struct sm_sink sink;
	enum sm_err e;

	if (from)
		job.from = party(from);
	job.rand = &sm_rand_system;
	job.date = 1790000000;
	sm_buf_clear(out);
	sm_source_mem(&in, p, n, false);
	sm_sink_mem(&sink, out, NULL);
	e = sm_seal(&job, &in, &sink, NULL, NULL);
	sm_sink_release(&sink);
	sm_source_release(&in);
	return e;
}

static enum sm_err seal_to_bob(struct sm_buf *out, const uint8_t *p, size_t n)
{
	struct sm_party to = party(&bob);
	return seal(out, (struct sm_seal){.to = &to, .to_pub = &bob.pub, .nto = 1, .signer = &alice}, &alice, p, n);
}

static enum sm_err open_as(struct sm_buf *content, enum sm_proof *proof, const struct sm_identity *id, const uint8_t *p, size_t n)
{
	struct sm_opener o = {.id = id, .find_signer = find_signer, .ask = ask, .threads = 1};
	struct sm_opened opened = {0};
	struct sm_source in;
	struct sm_sink sink;
	enum sm_err e;

	sm_buf_clear(content);
	sm_source_mem(&in, p, n, true);
	sm_sink_mem(&sink, content, NULL);
	if (!(e = sm_open_verify(&opened, &o, &in))) {
		*proof = opened.proof;
		e = sm_open_release(&opened, &sink);
	}
	sm_sink_release(&sink);
	sm_opened_release(&opened);
	sm_source_release(&in);
	return e;
}

/* The class that bob finds; SM_ERR_BUG when something came out all the same. */
static enum sm_err class_of(const uint8_t *p, size_t n)
{
	enum sm_proof proof;
	struct sm_buf content;
	enum sm_err e;

	sm_buf_init(&content, MAX);
	e = open_as(&content, &proof, &bob, p, n);
	if (e && content.len)
		e = SM_ERR_BUG;
	sm_buf_release(&content);
	return e;
}

static void test_sizes(void)
{
	static const size_t sizes[] = {0, 1, 251, 252, 16379, 16384, 1048572, 2500000};
	uint8_t *in = malloc(2500000);
	struct sm_buf env, content;
	enum sm_proof proof = SM_PROOF_NONE;
	bool good = true;

	sm_buf_init(&env, MAX);
	sm_buf_init(&content, MAX);
	for (size_t i = 0; i < 2500000; i++)
		in[i] = (uint8_t)(i * 31 + i / 4099);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = sizes[i];
		good &= !seal_to_bob(&env, in, n) && !open_as(&content, &proof, &bob, env.data, env.len) && proof == SM_PROOF_PROVEN &&
		        content.len == n && (!n || !memcmp(content.data, in, n));
		good &= class_of(env.data, env.len - 1) == SM_ERR_PAYLOAD;
	}
	ok(good, "sealed, signed, opened, proven: %zu sizes", sizeof sizes / sizeof *sizes);
	ok(sm_span_starts((struct sm_span){env.data, env.len}, "sm-envelope/1 rsa-oaep-pss-aes256gcm\nfrom - SHA256:"), "its first line");
	ok(open_as(&content, &proof, &eve, env.data, env.len) == SM_ERR_POLICY &&
	           open_as(&content, &proof, &other, env.data, env.len) == SM_ERR_POLICY,
	   "others are no recipients");
	sm_buf_release(&env);
	sm_buf_release(&content);
	free(in);
}

/* Where the header's part that begins with text begins. */
static size_t at(const struct sm_buf *env, const char *text)
{
	const uint8_t *p = memmem(env->data, env->len, text, strlen(text));
	return p ? (size_t)(p - env->data) : 0;
}

static void test_flips(void)
{
	int flips = 0, bad = 0, stanza = 0;
	struct sm_buf env;

	sm_buf_init(&env, MAX);
	bool made = !seal_to_bob(&env, (const uint8_t *)"hello", 5);
	size_t body = at(&env, "-> rsa\n") + 7, end = at(&env, "\n---\n") + 5;
	ok(made && body > 7 && end > body, "an envelope");
	for (size_t i = 0; i < env.len; i++) {
		env.data[i] ^= 1;
		enum sm_err e = class_of(env.data, env.len);
		bool fits = e == SM_ERR_HEADER || e == SM_ERR_SUITE || e == SM_ERR_POLICY || e == SM_ERR_STANZA || e == SM_ERR_COMMITMENT;
		if (i >= body && i < end - 5)
			fits = e == SM_ERR_STANZA || e == SM_ERR_HEADER, stanza += e == SM_ERR_STANZA;
		else if (i >= end)
			fits = e == SM_ERR_PAYLOAD || e == SM_ERR_COMMITMENT || e == SM_ERR_SIGNATURE;
		flips++, bad += !fits;
		env.data[i] ^= 1;
	}
	ok(!bad && stanza > 200, "each of %d bytes flipped, the stanza's in %d places", flips, stanza);
	sm_buf_release(&env);
}

/* Signature records of other sizes than alice's 256 bytes. */
static void test_record(void)
{
	static const size_t sizes[] = {1, 64, 255, 257, 384, 1023, 1024, 1025, 65535};
	static const uint8_t zeros[65535];
	struct sm_buf env;
	int good = 0;

	sm_buf_init(&env, MAX);
	bool made = !seal_to_bob(&env, (const uint8_t *)"hello", 5) && sm_get_be16(env.data + env.len - 258) == 256;
	size_t end = env.len - 258;
	for (size_t i = 0; made && i < sizeof sizes / sizeof *sizes; i++) {
		env.len = end;
		made = !sm_buf_add_be16(&env, (uint16_t)sizes[i]) && !sm_buf_add(&env, zeros, sizes[i]);
		good += class_of(env.data, env.len) == SM_ERR_SIGNATURE;
	}
	ok(made && good == (int)(sizeof sizes / sizeof *sizes), "a signature of another size than the modulus is class signature");
	env.len = end;
	ok(!sm_buf_add_be16(&env, 0) && !class_of(env.data, env.len), "none opens, without proof");
	sm_buf_release(&env);
}

static enum sm_err scan(struct sm_buf *out, const struct sm_buf *env, const struct sm_identity *signer)
{
	struct sm_scanned s = {0};
	struct sm_source in;
	struct sm_sink sink;
	enum sm_err e;

	sm_buf_clear(out);
	sm_source_mem(&in, env->data, env->len, false);
	sm_sink_mem(&sink, out, NULL);
	if (!(e = sm_scan(&s, &in, &sink, signer)))
		e = sm_sink_finish(&sink);
	sm_header_release(&s.header);
	sm_sink_release(&sink);
	sm_source_release(&in);
	return e;
}

static void test_suites_apart(void)
{
	struct sm_party to[2] = {party(&bob), party(&other)};
	struct sm_public pub[2] = {bob.pub, other.pub};
	const uint8_t *text = (const uint8_t *)"hello";
	enum sm_proof proof = SM_PROOF_NONE;
	struct sm_buf env, out;

	sm_buf_init(&env, MAX);
	sm_buf_init(&out, MAX);
	ok(seal(&env, (struct sm_seal){.to = to, .to_pub = pub, .nto = 2}, NULL, text, 5) == SM_ERR_SUITE, "recipients of two suites");
	ok(seal(&env, (struct sm_seal){.to = to, .to_pub = pub, .nto = 1, .signer = &other}, &other, text, 5) == SM_ERR_SUITE,
	   "a signer of another suite");
	ok(seal(&env, (struct sm_seal){.to = to, .to_pub = pub, .nto = 1, .suite = &sm_suite_x25519}, NULL, text, 5) == SM_ERR_SUITE,
	   "another suite than the recipient's");
	/* what another program may have written all the same: `from` names a key of the other suite */
	ok(!seal(&env, (struct sm_seal){.to = to, .to_pub = pub, .nto = 1}, &other, text, 5) && scan(&out, &env, &other) == SM_ERR_POLICY,
	   "is not signed in place by it");
	size_t end = env.len - 2;
	static const uint8_t zeros[256];
	env.len = end;
	ok(!sm_buf_add_be16(&env, 256) && !sm_buf_add(&env, zeros, 256) && class_of(env.data, env.len) == SM_ERR_SIGNATURE,
	   "and a signature under it is wrong");
	ok(!seal(&env, (struct sm_seal){.pw = "secret", .pwlen = 6, .pw_t = 1, .pw_m = 8, .signer = &alice}, &alice, text, 5) &&
	           sm_span_starts((struct sm_span){env.data, env.len}, "sm-envelope/1 rsa-") &&
	           !open_as(&out, &proof, NULL, env.data, env.len) && proof == SM_PROOF_PROVEN,
	   "a passphrase, and alice's signature");
	ok(!seal(&env, (struct sm_seal){.to = to, .to_pub = pub, .nto = 1}, &alice, text, 5) && !scan(&out, &env, &alice) &&
	           out.len == env.len + 256 && !class_of(out.data, out.len),
	   "signed in place");
	sm_buf_release(&env);
	sm_buf_release(&out);
}

int main(void)
{
	if (sm_identity_generate_in(&alice, &sm_suite_rsa, 2048, &sm_rand_system) ||
	    sm_identity_generate_in(&bob, &sm_suite_rsa, 3072, &sm_rand_system) ||
	    sm_identity_generate_in(&eve, &sm_suite_rsa, 2048, &sm_rand_system) || sm_identity_generate(&other, &sm_rand_system))
		return 1;
	test_sizes();
	test_flips();
	test_record();
	test_suites_apart();
	sm_identity_release(&alice);
	sm_identity_release(&bob);
	sm_identity_release(&eve);
	sm_identity_release(&other);
	return tap_done();
}
