/* lib/stream: what comes out is what went in, at every limit and for every number of threads; and whatever is changed, cut or added is
 * refused with its class and without a byte of plaintext. */
#include "base/base64.h"
#include "base/file.h"
#include "base/secret.h"
#include "stream/body.h"
#include "stream/filedigest.h"
#include "stream/open.h"
#include "stream/resign.h"
#include "stream/seal.h"
#include "tap.h"
#include "wire/digest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX (64u << 20)

static struct sm_identity alice, bob, eve;
static bool alice_known = true;

static enum sm_err find_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	(void)ctx;
	if (!alice_known || memcmp(fp, alice.pub.fp, SM_FP_LEN))
		return SM_ERR_NOTFOUND;
	*pub = alice.pub;
	return SM_OK;
}

static struct sm_party party(const struct sm_identity *id)
{
	struct sm_party p = {.has_fp = true};
	memcpy(p.fp, id->pub.fp, SM_FP_LEN);
	return p;
}

struct make {
	bool sign, anonymous, armored, no_pad, passphrase;
	unsigned threads;
};

static enum sm_err make(struct sm_buf *out, const uint8_t *p, size_t n, struct make m)
{
	struct sm_rand_fixed state = {.seed = {7}};
	struct sm_rand rand = sm_rand_from(&state);
	struct sm_party to = party(&bob);
	struct sm_seal job = {
	        .to = &to, .to_pub = &bob.pub, .nto = 1, .date = 1790000000, .rand = &rand, .no_pad = m.no_pad, .threads = m.threads};
	struct sm_source in;
	struct sm_sink sink;
	enum sm_err e;

	if (!m.anonymous)
		job.from = party(&alice);
	if (m.sign)
		job.signer = &alice;
	if (m.passphrase)
		job.to = NULL, job.nto = 0, job.pw = "secret", job.pwlen = 6, job.pw_t = 1, job.pw_m = 8;
	sm_buf_clear(out);
	sm_source_mem(&in, p, n, false);
	sm_sink_mem(&sink, out, m.armored ? SM_ARMOR_ENVELOPE : NULL);
	e = sm_seal(&job, &in, &sink, NULL, NULL);
	sm_sink_release(&sink);
	sm_source_release(&in);
	return e;
}

struct result {
	enum sm_err err;
	enum sm_proof proof;
	struct sm_buf content;
};

static enum sm_err ask(void *ctx, struct sm_buf *pw) { return sm_buf_adds(pw, ctx ? ctx : "secret"); }

static struct result open_source(struct sm_source *in, const struct sm_identity *id, unsigned threads, const char *pw)
{
	struct sm_opener o = {.id = id, .find_signer = find_signer, .ask = ask, .threads = threads, .ctx = (void *)(uintptr_t)pw};
	struct sm_opened opened = {0};
	struct result r = {0};
	struct sm_sink sink;

	sm_buf_init(&r.content, MAX);
	sm_sink_mem(&sink, &r.content, NULL);
	r.err = sm_open_verify(&opened, &o, in);
	r.proof = opened.proof;
	if (!r.err)
		r.err = sm_open_release(&opened, &sink);
	sm_sink_release(&sink);
	sm_opened_release(&opened);
	return r;
}

static struct result open_mem(const uint8_t *p, size_t n, const struct sm_identity *id)
{
	struct sm_source in;

	sm_source_mem(&in, p, n, true);
	struct result r = open_source(&in, id, 1, NULL);
	sm_source_release(&in);
	return r;
}

static enum sm_err class_of(const uint8_t *p, size_t n)
{
	struct result r = open_mem(p, n, &bob);
	enum sm_err e = r.err;

	if (e && r.content.len)
		e = SM_ERR_BUG; /* refused, and yet something came out */
	sm_buf_release(&r.content);
	return e;
}

static void test_sizes(void)
{
	static const size_t sizes[] = {0,     1,       200,     251,     252,     16379,   16380,   16383,   16384,
	                               16385, 1048570, 1048571, 1048572, 1048576, 1048577, 2097147, 2097152, 5000000};
	uint8_t *in = malloc(5000000);
	struct sm_buf env;
	bool good = true, armored_good = true, early_end = true;

	sm_buf_init(&env, MAX);
	for (size_t i = 0; i < 5000000; i++)
		in[i] = (uint8_t)(i * 31 + i / 4099);
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		for (unsigned threads = 1; threads <= 8; threads *= 2) {
			size_t n = sizes[s];
			struct make m = {.sign = true, .no_pad = threads == 2, .threads = threads};
			good &= !make(&env, in, n, m);
			struct result r = open_mem(env.data, env.len, &bob);
			good &= !r.err && r.proof == SM_PROOF_PROVEN && r.content.len == n && (!n || !memcmp(r.content.data, in, n));
			sm_buf_release(&r.content);
			early_end &= class_of(env.data, env.len - 1) == SM_ERR_PAYLOAD;
			if (threads != 4)
				continue;
			m.armored = true;
			good &= !make(&env, in, n, m);
			r = open_mem(env.data, env.len, &bob);
			armored_good &= !r.err && r.content.len == n && (!n || !memcmp(r.content.data, in, n));
			sm_buf_release(&r.content);
		}
	}
	ok(good, "sealed and opened: %zu sizes, 1 2 4 8 threads, padded and not", sizeof sizes / sizeof *sizes);
	ok(armored_good, "the same through armor");
	ok(early_end, "each of them cut by one byte is class payload");
	sm_buf_release(&env);
	free(in);
}

/* What any number of threads makes under the same randomness is the same. */
static void test_threads_agree(void)
{
	struct sm_buf a, b;
	uint8_t *in = calloc(1, 3000000);
	bool same = true;

	sm_buf_init(&a, MAX), sm_buf_init(&b, MAX);
	same &= !make(&a, in, 3000000, (struct make){.sign = true, .threads = 1});
	for (unsigned t = 2; t <= 8; t++)
		same &= !make(&b, in, 3000000, (struct make){.sign = true, .threads = t}) && a.len == b.len &&
		        !memcmp(a.data, b.data, a.len);
	ok(same, "1 to 8 threads make the same bytes");
	sm_buf_release(&a), sm_buf_release(&b);
	free(in);
}

static void test_flips(void)
{
	struct sm_buf env;
	size_t header = 0, commitment = 0, payload = 0, signature = 0, other = 0;

	sm_buf_init(&env, MAX);
	ok(!make(&env, (const uint8_t *)"attack at dawn", 14, (struct make){.sign = true}) && !sm_header_find(&header, env.data, env.len),
	   "an envelope to flip bits of: %zu bytes, header %zu", env.len, header);
	for (size_t i = 0; i < env.len * 8; i++) {
		env.data[i / 8] ^= (uint8_t)(1 << i % 8);
		enum sm_err e = class_of(env.data, env.len);
		env.data[i / 8] ^= (uint8_t)(1 << i % 8);
		size_t at = i / 8;
		if (!e || e == SM_ERR_BUG) {
			ok(false, "bit %zu of byte %zu flipped: %s", i % 8, at, sm_err_text(e));
			goto out;
		}
		if (at < header) /* any class up to the commitment, which holds the whole header */
			other += e == SM_ERR_HEADER || e == SM_ERR_SUITE || e == SM_ERR_POLICY || e == SM_ERR_STANZA ||
			         e == SM_ERR_COMMITMENT;
		else if (at < header + SM_BODY_HEAD)
			commitment += e == SM_ERR_COMMITMENT;
		else if (at < env.len - 66)
			payload += e == SM_ERR_PAYLOAD;
		else if (at >= env.len - 64)
			signature += e == SM_ERR_SIGNATURE;
	}
	ok(other == header * 8, "every bit of the header: header, suite, policy, stanza or commitment");
	ok(commitment == SM_BODY_HEAD * 8, "every bit of salt and commitment: commitment");
	ok(payload == (env.len - 66 - header - SM_BODY_HEAD) * 8, "every bit of length, chunk and tag: payload");
	ok(signature == 64 * 8, "every bit of the signature: signature");
out:
	sm_buf_release(&env);
}

static void test_cuts(void)
{
	struct sm_buf env;
	size_t header = 0, wrong = 0;

	sm_buf_init(&env, MAX);
	ok(!make(&env, (const uint8_t *)"x", 1, (struct make){.sign = true}) && !sm_header_find(&header, env.data, env.len),
	   "an envelope to cut");
	for (size_t n = 0; n < env.len; n++)
		wrong += class_of(env.data, n) != (n < header ? SM_ERR_HEADER : SM_ERR_PAYLOAD);
	ok(!wrong, "cut after each of %zu bytes: header before ---, payload after", env.len);
	ok(!sm_buf_add_u8(&env, 0) && class_of(env.data, env.len) == SM_ERR_PAYLOAD, "one byte more: payload");
	sm_buf_release(&env);
}

static void test_armor_first(void)
{
	struct sm_buf env;

	sm_buf_init(&env, MAX);
	ok(!make(&env, (const uint8_t *)"x", 1, (struct make){.sign = true, .armored = true}), "armored");
	size_t n = env.len;
	ok(class_of(env.data, n - 5) == SM_ERR_ARMOR, "without its END: armor");
	env.data[60] = '\n';
	ok(class_of(env.data, n) == SM_ERR_ARMOR, "a short line in the middle: armor");
	ok(!make(&env, (const uint8_t *)"x", 1, (struct make){.sign = true, .armored = true}), "again");
	env.data[30] ^= 1; /* the header's first line is wrong now, but the armor's end is missing too */
	ok(class_of(env.data, n) == SM_ERR_HEADER && class_of(env.data, n - 5) == SM_ERR_ARMOR, "armor comes before header");
	sm_buf_release(&env);
}

static enum sm_err scan(struct sm_buf *out, const uint8_t *p, size_t n, const struct sm_identity *signer)
{
	struct sm_scanned s = {0};
	struct sm_source in;
	struct sm_sink sink;
	enum sm_err e;

	if (out)
		sm_buf_clear(out), sm_sink_mem(&sink, out, NULL);
	sm_source_mem(&in, p, n, true);
	e = sm_scan(&s, &in, out ? &sink : NULL, signer);
	if (out && !e)
		e = sm_sink_finish(&sink);
	if (out)
		sm_sink_release(&sink);
	sm_source_release(&in);
	sm_header_release(&s.header);
	return e;
}

static void test_sender(void)
{
	struct sm_buf env, two;
	struct result r;

	sm_buf_init(&env, MAX), sm_buf_init(&two, MAX);
	ok(!make(&env, (const uint8_t *)"x", 1, (struct make){0}), "unsigned");
	r = open_mem(env.data, env.len, &bob);
	ok(!r.err && r.proof == SM_PROOF_NONE, "opens, sender not proven");
	sm_buf_release(&r.content);
	ok(!scan(&two, env.data, env.len, &alice), "signed in place");
	r = open_mem(two.data, two.len, &bob);
	ok(!r.err && r.proof == SM_PROOF_PROVEN, "proven then");
	sm_buf_release(&r.content);
	alice_known = false;
	r = open_mem(two.data, two.len, &bob);
	ok(!r.err && r.proof == SM_PROOF_UNKNOWN, "by a key that is no contact: not proven");
	sm_buf_release(&r.content);
	alice_known = true;
	ok(scan(&two, env.data, env.len, &eve) == SM_ERR_POLICY && !two.len, "somebody else may not sign it, and nothing is written");
	r = open_mem(env.data, env.len, &eve);
	ok(r.err == SM_ERR_POLICY && !r.content.len, "not a recipient: policy");
	sm_buf_release(&r.content);

	/* records of other sizes: the two length bytes stand at the end of an unsigned envelope */
	uint8_t zeros[65] = {0};
	env.data[env.len - 1] = 63;
	ok(!sm_buf_add(&env, zeros, 63) && class_of(env.data, env.len) == SM_ERR_SIGNATURE, "63 bytes of signature: signature");
	env.data[env.len - 64] = 65;
	ok(class_of(env.data, env.len) == SM_ERR_PAYLOAD, "65 announced, 63 there: payload");
	ok(!make(&env, (const uint8_t *)"x", 1, (struct make){.anonymous = true}), "anonymous");
	env.data[env.len - 1] = 64;
	ok(!sm_buf_add(&env, zeros, 64) && class_of(env.data, env.len) == SM_ERR_SIGNATURE, "an anonymous one with a signature: signature");
	ok(scan(NULL, env.data, env.len, NULL) == SM_ERR_SIGNATURE, "also for who only scans");
	sm_buf_release(&env), sm_buf_release(&two);
}

static void test_passphrase(void)
{
	struct sm_buf env;
	struct sm_source in;

	sm_buf_init(&env, MAX);
	ok(!make(&env, (const uint8_t *)"x", 1, (struct make){.passphrase = true}), "under a passphrase");
	sm_source_mem(&in, env.data, env.len, true);
	struct result r = open_source(&in, NULL, 1, NULL);
	ok(!r.err && r.content.len == 1, "opens with it");
	sm_buf_release(&r.content);
	sm_source_release(&in);
	sm_source_mem(&in, env.data, env.len, true);
	r = open_source(&in, NULL, 1, "Secret");
	ok(r.err == SM_ERR_PASSPHRASE && !r.content.len, "and not with another");
	sm_buf_release(&r.content);
	sm_source_release(&in);
	sm_buf_release(&env);
}

static int temp_with(const struct sm_buf *b)
{
	int fd = -1;
	if (sm_file_unnamed(NULL, &fd) || sm_write_full(fd, b->data, b->len) || lseek(fd, 0, SEEK_SET))
		return -1;
	return fd;
}

/* The file changes between the two passes, by somebody who knows the key: the same plaintext offsets, other bytes, right tags. */
static void test_changed_between(void)
{
	struct sm_opener o = {.id = &bob, .find_signer = find_signer};
	struct sm_opened opened = {0};
	struct sm_buf one, two, content;
	struct sm_source in;
	struct sm_sink sink;
	uint8_t *bytes = calloc(1, 3000000);
	enum sm_err e;

	sm_buf_init(&one, MAX), sm_buf_init(&two, MAX), sm_buf_init(&content, MAX);
	ok(!make(&one, bytes, 3000000, (struct make){.sign = true}), "an envelope in a file");
	memset(bytes, 1, 3000000);
	ok(!make(&two, bytes, 3000000, (struct make){.sign = true}) && one.len == two.len, "another under the same keys");
	int fd = temp_with(&one);
	sm_source_fd(&in, fd, true);
	e = sm_open_verify(&opened, &o, &in);
	ok(!e && opened.proof == SM_PROOF_PROVEN, "the first verifies");
	ok(pwrite(fd, two.data, two.len, 0) == (ssize_t)two.len, "the file is changed");
	sm_sink_mem(&sink, &content, NULL);
	ok(sm_open_release(&opened, &sink) == SM_ERR_PAYLOAD && !content.len, "the second pass refuses it before any byte");
	sm_sink_release(&sink);
	sm_opened_release(&opened);
	sm_source_release(&in);
	ok(!ftruncate(fd, (off_t)one.len / 2) && lseek(fd, 0, SEEK_SET) == 0, "cut");
	sm_source_fd(&in, fd, true);
	struct result r = open_source(&in, &bob, 0, NULL);
	ok(r.err == SM_ERR_PAYLOAD && !r.content.len, "a cut file: payload");
	sm_buf_release(&r.content);
	sm_source_release(&in);
	close(fd);
	free(bytes);
	sm_buf_release(&one), sm_buf_release(&two), sm_buf_release(&content);
}

static void test_file_and_pipe(void)
{
	struct sm_buf env;
	struct sm_source in;
	uint8_t *bytes = malloc(7000000);
	bool good = true;

	memset(bytes, 0x80, 7000000); /* content that looks like padding marks */
	sm_buf_init(&env, MAX);
	for (int armored = 0; armored < 2; armored++) {
		good &= !make(&env, bytes, 7000000, (struct make){.sign = true, .armored = armored});
		int fd = temp_with(&env);
		sm_source_fd(&in, fd, true);
		struct result r = open_source(&in, &bob, 0, NULL);
		good &= !r.err && r.content.len == 7000000 && !memcmp(r.content.data, bytes, 7000000);
		sm_buf_release(&r.content);
		sm_source_release(&in);
		close(fd);
	}
	ok(good, "from a file, and spooled from an armored one");
	memset(bytes, 0, 7000000);
	good = !make(&env, bytes, 7000000, (struct make){.no_pad = true});
	struct result r = open_mem(env.data, env.len, &bob);
	ok(good && !r.err && r.content.len == 7000000, "content of zeros is not padding");
	sm_buf_release(&r.content);
	free(bytes);
	sm_buf_release(&env);
}

/* ---- envelopes that a faulty or hostile writer with the right key makes */

static enum sm_err craft(struct sm_buf *out, const uint8_t *plain, size_t n, const char *cut)
{
	struct sm_rand_fixed state = {.seed = {9}};
	struct sm_rand rand = sm_rand_from(&state);
	struct sm_header h = {.suite = &sm_suite_x25519, .from = party(&alice), .date = 1790000000};
	uint8_t key[32] = {1}, salt[24] = {2}, context[SM_BODY_CONTEXT], chunk[SM_CHUNK_SEALED], id[16] = {3};
	struct sm_chunked c = {0};
	enum sm_err e;

	sm_buf_clear(out);
	sm_base32_id(h.id, id);
	h.to = calloc(1, sizeof *h.to), h.nto = 1;
	h.stanza = calloc(1, sizeof *h.stanza), h.nstanza = 1;
	h.to[0] = party(&bob);
	if ((e = sm_wrap_public(&h.stanza[0], &h, &h.to[0], &bob.pub, key, &rand)) || (e = sm_header_write(out, &h)))
		return e;
	sm_body_context(context, h.hh);
	if ((e = sm_chunked_seal_init(&c, key, salt, context, sizeof context)) || (e = sm_buf_add(out, salt, sizeof salt)) ||
	    (e = sm_buf_add(out, c.commitment, sizeof c.commitment)))
		return e;
	size_t first = out->len;
	for (size_t at = 0, i = 0;; at += SM_CHUNK, i++) {
		size_t k = n - at < SM_CHUNK ? n - at : SM_CHUNK;
		if ((e = sm_chunked_seal(&c, i, chunk, plain + at, k)) || (e = sm_buf_add_be16(out, (uint16_t)(k + 16))) ||
		    (e = sm_buf_add(out, chunk, k + 16)))
			return e;
		if (k < SM_CHUNK)
			break;
	}
	if (!strcmp(cut, "swap")) { /* the first two full chunks change places */
		uint8_t *t = malloc(SM_FRAME);
		memcpy(t, out->data + first, SM_FRAME);
		memcpy(out->data + first, out->data + first + SM_FRAME, SM_FRAME);
		memcpy(out->data + first + SM_FRAME, t, SM_FRAME);
		free(t);
	} else if (!strcmp(cut, "drop")) { /* the first chunk is left out */
		memmove(out->data + first, out->data + first + SM_FRAME, out->len - first - SM_FRAME);
		out->len -= SM_FRAME;
	} else if (!strcmp(cut, "long")) { /* a chunk that says it is longer than any */
		sm_put_be16(out->data + first, SM_CHUNK_SEALED + 1);
	} else if (!strcmp(cut, "tiny")) {
		sm_put_be16(out->data + first, 15);
	}
	sm_chunked_release(&c);
	sm_header_release(&h);
	return sm_buf_add_be16(out, 0);
}

static enum sm_err crafted(const uint8_t *plain, size_t n, const char *cut)
{
	struct sm_buf b;
	sm_buf_init(&b, MAX);
	enum sm_err e = craft(&b, plain, n, cut);
	e = e ? SM_ERR_BUG : class_of(b.data, b.len);
	sm_buf_release(&b);
	return e;
}

static enum sm_err crafted_fields(const char *fields)
{
	uint8_t plain[256] = {0};
	size_t n = strlen(fields);

	sm_put_be32(plain, (uint32_t)n);
	memcpy(plain + 4, fields, n);
	plain[4 + n] = 0x80;
	return crafted(plain, sizeof plain, "");
}

static void test_hostile(void)
{
	uint8_t *p = calloc(1, 65536);

	p[4] = 0x80;
	ok(crafted(p, 256, "") == SM_OK, "the smallest content");
	ok(crafted(p, 5, "") == SM_OK, "the same without padding");
	ok(crafted(p, 255, "") == SM_ERR_PAYLOAD && crafted(p, 257, "") == SM_ERR_PAYLOAD && crafted(p, 6, "") == SM_ERR_PAYLOAD,
	   "any other total");
	ok(crafted(p, 4, "") == SM_ERR_PAYLOAD && crafted(p, 0, "") == SM_ERR_PAYLOAD, "no mark, or nothing at all");
	p[200] = 1;
	ok(crafted(p, 256, "") == SM_ERR_PAYLOAD, "padding that is not zero");
	p[200] = 0;
	p[3] = 1;
	ok(crafted(p, 256, "") == SM_ERR_PAYLOAD, "fields beyond the mark");
	p[0] = 0xff;
	ok(crafted(p, 256, "") == SM_ERR_PAYLOAD, "fields beyond everything");
	ok(crafted_fields("name report.txt\nsubject hi\n") == SM_OK, "fields");
	ok(crafted_fields("name ../x\n") == SM_ERR_PAYLOAD, "a path for a name");
	ok(crafted_fields("colour red\n") == SM_ERR_PAYLOAD, "an unknown field");
	ok(crafted_fields("subject a\nsubject b\n") == SM_ERR_PAYLOAD, "a field twice");
	ok(crafted_fields("subject a") == SM_ERR_PAYLOAD, "a field without its end");
	memset(p, 0, 65536);
	p[4 + 32764] = 0x80;
	ok(crafted(p, 32768, "") == SM_ERR_PAYLOAD, "a mark past the end");
	memset(p, 'a', 40960);
	memset(p, 0, 4);
	p[40959] = 0x80;
	ok(crafted(p, 40960, "") == SM_OK, "several chunks");
	ok(crafted(p, 40960, "swap") == SM_ERR_PAYLOAD, "two of them swapped");
	ok(crafted(p, 40960, "drop") == SM_ERR_PAYLOAD, "one left out");
	ok(crafted(p, 40960, "long") == SM_ERR_PAYLOAD && crafted(p, 40960, "tiny") == SM_ERR_PAYLOAD, "lengths that no chunk has");
	free(p);
}

/* ---- attachments */

static const size_t attach_sizes[] = {0, 1, 9, 16383, 16384, 16385, 1048576, 3000000};
#define ATTACHMENTS (sizeof attach_sizes / sizeof *attach_sizes)

static enum sm_err make_with(struct sm_buf *out, const uint8_t *bytes, size_t count, bool no_pad)
{
	struct sm_rand_fixed state = {.seed = {8}};
	struct sm_rand rand = sm_rand_from(&state);
	struct sm_party to = party(&bob);
	struct sm_seal_attachment files[ATTACHMENTS];
	struct sm_source in, sources[ATTACHMENTS];
	struct sm_sink sink;
	struct sm_seal job = {.from = party(&alice), .to = &to, .to_pub = &bob.pub, .nto = 1, .signer = &alice, .date = 1790000000};
	enum sm_err e;

	job.rand = &rand, job.no_pad = no_pad, job.attach = files, job.nattach = count;
	for (size_t i = 0; i < count; i++) {
		sm_source_mem(&sources[i], bytes, attach_sizes[i], false);
		files[i] = (struct sm_seal_attachment){&sources[i], i ? "b.bin" : "a b.txt", "application/octet-stream"};
	}
	sm_buf_clear(out);
	sm_source_mem(&in, (const uint8_t *)"see attached", 12, false);
	sm_sink_mem(&sink, out, NULL);
	e = sm_seal(&job, &in, &sink, NULL, NULL);
	sm_sink_release(&sink);
	sm_source_release(&in);
	for (size_t i = 0; i < count; i++)
		sm_source_release(&sources[i]);
	return e;
}

static bool opens_with(struct sm_source *in, const uint8_t *bytes, size_t count)
{
	struct sm_opener o = {.id = &bob, .find_signer = find_signer};
	struct sm_opened opened = {0};
	struct sm_buf b;
	bool good = !sm_open_verify(&opened, &o, in) && opened.proof == SM_PROOF_PROVEN && opened.header.nattach == count;

	sm_buf_init(&b, MAX);
	for (size_t i = 0; good && i < count; i++) {
		struct sm_sink sink;
		sm_buf_clear(&b);
		sm_sink_mem(&sink, &b, NULL);
		good = !sm_open_attachment(&opened, i, &sink) && b.len == attach_sizes[i] && (!b.len || !memcmp(b.data, bytes, b.len)) &&
		       opened.fields->attach[i].size == b.len && !strcmp(opened.fields->attach[i].name, i ? "b.bin" : "a b.txt");
		sm_sink_release(&sink);
	}
	sm_buf_release(&b);
	sm_opened_release(&opened);
	return good;
}

static void test_attachments(void)
{
	struct sm_buf env;
	struct sm_source in;
	uint8_t *bytes = malloc(3000000);
	bool good = true;

	for (size_t i = 0; i < 3000000; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 257);
	sm_buf_init(&env, MAX);
	for (int no_pad = 0; no_pad < 2; no_pad++) {
		good &= !make_with(&env, bytes, ATTACHMENTS, no_pad);
		sm_source_mem(&in, env.data, env.len, true);
		good &= opens_with(&in, bytes, ATTACHMENTS);
		sm_source_release(&in);
		int fd = temp_with(&env);
		sm_source_fd(&in, fd, true);
		good &= opens_with(&in, bytes, ATTACHMENTS);
		sm_source_release(&in);
		close(fd);
	}
	ok(good, "%zu attachments of every size, spooled and from a file, padded and not", ATTACHMENTS);

	/* three small ones: any bit of any blob, a blob more, one less, two swapped */
	ok(!make_with(&env, bytes, 3, false), "three");
	size_t wrong = 0, blobs = 3 * (8 + 72) + 1 + 9; /* PADMÉ(9) = 10 */
	blobs += 1;
	for (size_t i = env.len - blobs; i < env.len; i++) {
		env.data[i] ^= 0x10;
		wrong += class_of(env.data, env.len) != SM_ERR_PAYLOAD;
		env.data[i] ^= 0x10;
	}
	ok(!wrong, "a bit in each byte of lengths and blobs: payload");
	wrong = 0;
	for (size_t n = env.len - blobs; n < env.len; n++)
		wrong += class_of(env.data, n) != SM_ERR_PAYLOAD;
	ok(!wrong, "cut at each byte of them: payload");
	ok(class_of(env.data, env.len) == SM_OK, "and whole it opens");
	size_t last = 8 + 72 + 10, middle = 8 + 73;
	uint8_t *swap = malloc(middle);
	memcpy(swap, env.data + env.len - last - middle, middle);
	memmove(env.data + env.len - last - middle, env.data + env.len - last, last);
	memcpy(env.data + env.len - middle, swap, middle);
	ok(class_of(env.data, env.len) == SM_ERR_PAYLOAD, "two swapped: payload");
	free(swap);
	ok(!make_with(&env, bytes, 3, false) && class_of(env.data, env.len - last) == SM_ERR_PAYLOAD, "one missing: payload");
	ok(!sm_buf_reserve(&env, last, &(uint8_t *){NULL}), "room");
	memcpy(env.data + env.len, env.data + env.len - last, last);
	env.len += last;
	ok(class_of(env.data, env.len) == SM_ERR_PAYLOAD, "one more: payload");
	sm_buf_release(&env);
	free(bytes);
}

static void test_file_digest(void)
{
	static const size_t sizes[] = {0, 1, SM_SEGMENT - 1, SM_SEGMENT, SM_SEGMENT + 1, 3 * SM_SEGMENT, 5000000};
	uint8_t *p = calloc(1, 5000000), a[32], b[32];
	bool good = true;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct sm_digest d = {0};
		struct sm_source in;
		p[0] = (uint8_t)i;
		sm_source_mem(&in, p, sizes[i], false);
		good &= !sm_stream_digest(a, &in) && !sm_digest_init(&d) && !sm_digest_update(&d, p, sizes[i]) && !sm_digest_final(&d, b) &&
		        !memcmp(a, b, 32);
		sm_digest_release(&d);
		sm_source_release(&in);
	}
	ok(good, "the digest by threads is the digest");
	free(p);
}

int main(void)
{
	static const uint8_t a[32] = {1}, b[32] = {2}, e[32] = {3};

	if (sm_identity_from_seed(&alice, a) || sm_identity_from_seed(&bob, b) || sm_identity_from_seed(&eve, e))
		return 1;
	test_sizes();
	test_threads_agree();
	test_flips();
	test_cuts();
	test_armor_first();
	test_sender();
	test_passphrase();
	test_changed_between();
	test_file_and_pipe();
	test_hostile();
	test_attachments();
	test_file_digest();
	sm_identity_release(&alice);
	sm_identity_release(&bob);
	sm_identity_release(&eve);
	return tap_done();
}
