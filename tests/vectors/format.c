/* The test vectors of sm-format(5): prints the appendix of the man page as mdoc, made by lib with fixed randomness and taken apart again
 * step by step. tests/vectors.bats holds the page against it. */
#include "show.h"

#include "crypto/hpke_schedule.h"
#include "crypto/pwhash.h"
#include "crypto/x25519.h"
#include "stream/body.h"
#include "stream/resign.h"
#include "stream/seal.h"
#include "wire/digest.h"
#include "wire/signature.h"

#define DATE 1790000000

static void show_identity(const char *who, struct sm_identity *id, uint8_t first)
{
	uint8_t seed[32], sk[32];
	struct sm_buf line;

	for (size_t i = 0; i < 32; i++)
		seed[i] = (uint8_t)(first + i);
	MUST(sm_identity_from_seed(id, seed));
	sm_seed_to_x25519(sk, seed);
	sm_buf_init(&line, 4096);
	MUST(sm_public_format(&line, &id->pub));
	printf("%s\n", who);
	hex("seed", seed, 32);
	hex("Ed25519 key", id->pub.ed25519, 32);
	printf("%-15s %.*s\n", "identity", (int)line.len, (const char *)line.data);
	sm_buf_clear(&line);
	MUST(sm_bech32_encode(&line, "sm-secret-key-", seed, 32, true));
	printf("%-15s %.*s\n", "secret key", (int)line.len, (const char *)line.data);
	hex("fingerprint", id->pub.fp, 32);
	hex("X25519 secret", sk, 32);
	hex("X25519 key", id->pub.x25519, 32);
	sm_buf_release(&line);
}

static void show_header(const uint8_t *env, size_t n, size_t *len, struct sm_header *h)
{
	unsigned line;

	MUST(sm_header_find(len, env, n) || sm_header_parse(h, &line, env, *len));
	text((const char *)env, *len);
	end();
	begin("and with that");
	hex("hh", h->hh, 32);
}

static void show_armor(const char *label, const struct sm_buf *raw)
{
	struct sm_buf b;

	sm_buf_init(&b, 1 << 16);
	MUST(sm_armor_encode(&b, label, raw->data, raw->len));
	text((const char *)b.data, b.len);
	sm_buf_release(&b);
}

static void show_hpke(const struct sm_header *h, const struct sm_identity *bob, const uint8_t ikm[32])
{
	uint8_t sk[32], pk[32], dh[32];
	struct sm_hpke_keys k;
	struct sm_buf info;

	sm_buf_init(&info, 4096);
	MUST(sm_wrap_info(&info, h, &h->to[0]) || sm_hpke_derive(sk, pk, ikm, 32) || sm_x25519(dh, sk, bob->pub.x25519));
	MUST(memcmp(pk, h->stanza[0].enc, 32));
	MUST(sm_hpke_schedule(&k, dh, pk, bob->pub.x25519, info.data, info.len));
	hex("ephemeral ikm", ikm, 32);
	hex("ephemeral sk", sk, 32);
	hex("enc", pk, 32);
	hex("DH", dh, 32);
	hex("wrap info", info.data, info.len);
	hex("HPKE key", k.key, 32);
	hex("HPKE nonce", k.nonce, 12);
	hex("sealed", h->stanza[0].body, h->stanza[0].bodylen);
	sm_buf_release(&info);
}

/* One chunk, taken apart. framed: be16 length in front. */
static void show_stream(const uint8_t *p, const uint8_t key[32], const void *context, size_t n, size_t sealed, bool framed)
{
	struct sm_chunked c = {0};
	uint8_t plain[SM_CHUNK], nonce[12];

	MUST(sm_chunked_open_init(&c, key, p, context, n) || sm_chunked_open(&c, 0, plain, p + SM_BODY_HEAD + (framed ? 2 : 0), sealed));
	memcpy(nonce, c.nonce, 12);
	hex("salt", p, SM_CHUNKED_SALT);
	hex("context", context, n);
	hex("key", c.key, 32);
	hex("base nonce", nonce, 12);
	hex("commitment", c.commitment, 32);
	hex("plaintext", plain, sealed - SM_CHUNK_TAG);
	if (framed)
		hex("length", p + SM_BODY_HEAD, 2);
	hex("chunk", p + SM_BODY_HEAD + (framed ? 2 : 0), sealed);
	sm_chunked_release(&c);
}

static void show_digest(const char *name, const uint8_t *p, size_t n)
{
	struct sm_digest d = {0};
	uint8_t digest[32];

	MUST(sm_digest_init(&d) || sm_digest_update(&d, p, n) || sm_digest_final(&d, digest));
	hex("segment 0", d.segments.data, 32);
	hex(name, digest, 32);
	sm_digest_release(&d);
}

static void show_signature(const struct sm_suite *suite, const uint8_t *fp, const uint8_t *hh, const uint8_t *digest, const uint8_t *sig,
                           size_t n)
{
	struct sm_buf b;

	sm_buf_init(&b, 4096);
	MUST(sm_signed_bytes(&b, suite, fp, hh, digest));
	hex("signed bytes", b.data, b.len);
	hex("signature", sig, n);
	sm_buf_release(&b);
}

static void seal(struct sm_buf *out, const struct sm_seal *job, const char *content)
{
	struct sm_source in;
	struct sm_sink sink;

	sm_source_mem(&in, content, strlen(content), false);
	sm_sink_mem(&sink, out, NULL);
	MUST(sm_seal(job, &in, &sink, NULL, NULL));
	sm_sink_release(&sink);
	sm_source_release(&in);
}

static struct sm_scanned scan(const struct sm_buf *env)
{
	struct sm_scanned s = {0};
	struct sm_source in;

	sm_source_mem(&in, env->data, env->len, true);
	MUST(sm_scan(&s, &in, NULL, NULL));
	sm_source_release(&in);
	return s;
}

static void signed_envelope(const struct sm_identity *alice, const struct sm_identity *bob)
{
	const struct sm_fields fields = {.subject = "greeting"};
	struct counting c = {.next = 0x40};
	const struct sm_rand rand = {count, &c};
	struct sm_source file;
	struct sm_seal_attachment attach = {&file, "a.txt", "text/plain"};
	struct sm_party to = {.has_fp = true};
	struct sm_seal job = {.to = &to, .to_pub = &bob->pub, .nto = 1, .signer = alice, .attach = &attach, .nattach = 1, .date = DATE};
	struct sm_header h = {0};
	struct sm_attachment_context context;
	struct sm_buf env;
	uint8_t body_context[SM_BODY_CONTEXT];
	size_t len;

	sm_buf_init(&env, 1 << 16);
	sm_source_mem(&file, "abc", 3, false);
	job.rand = &rand, job.fields = &fields, job.from.has_fp = true, job.threads = 1;
	memcpy(job.from.fp, alice->pub.fp, 32), memcpy(to.fp, bob->pub.fp, 32);
	seal(&env, &job, "hello\n");
	/* drawn: id 16, attachment key 32, its salt 24, file key 32, body salt 24, ephemeral ikm 32 */
	MUST(c.n != 160);
	struct sm_scanned s = scan(&env);
	begin("The envelope from alice to bob, signed, with the subject\n.Ql greeting ,\nthe content\n.Ql hello\nand a newline, and the "
	      "attachment\n"
	      ".Pa a.txt\nof 3 bytes,\n.Ql abc .\nRandom bytes are drawn as 40 41 42 ..., in this order: id, attachment key, its salt, "
	      "file key,\n"
	      "body salt, ephemeral ikm.\nThe header:");
	show_header(env.data, env.len, &len, &h);
	hex("id", c.drawn, 16);
	hex("file key", c.drawn + 72, 32);
	end();
	begin("The hpke stanza:");
	show_hpke(&h, bob, c.drawn + 128);
	end();
	begin("The body:");
	sm_body_context(body_context, h.hh);
	const uint8_t *body = env.data + len;
	size_t sealed = sm_get_be16(body + SM_BODY_HEAD);
	show_stream(body, c.drawn + 72, body_context, sizeof body_context, sealed, true);
	show_digest("body digest", body, SM_BODY_HEAD + 2 + sealed);
	show_signature(h.suite, alice->pub.fp, h.hh, s.digest, s.sig, s.siglen);
	end();
	begin("The attachment; its plaintext of 3 bytes is padded to 3:");
	sm_attachment_context(&context, h.id, 0);
	hex("key", c.drawn + 16, 32);
	const uint8_t *blob = body + SM_BODY_HEAD + 2 + sealed + 2 + s.siglen + 8;
	size_t nblob = (size_t)(env.data + env.len - blob);
	show_stream(blob, c.drawn + 16, context.bytes, sizeof context.bytes, nblob - SM_BODY_HEAD, false);
	show_digest("digest", blob, nblob);
	end();
	begin("All of it:");
	show_armor(SM_ARMOR_ENVELOPE, &env);
	end();
	sm_header_release(&h);
	sm_header_release(&s.header);
	sm_source_release(&file);
	sm_buf_release(&env);
}

static void passphrase_envelope(void)
{
	struct counting c = {.next = 0x40};
	const struct sm_rand rand = {count, &c};
	struct sm_seal job = {.pw = "correct horse", .pwlen = 13, .pw_t = 1, .pw_m = 8, .date = DATE, .rand = &rand, .threads = 1};
	struct sm_header h = {0};
	struct sm_buf env, info;
	uint8_t key[32];
	size_t len;

	sm_buf_init(&env, 1 << 16);
	sm_buf_init(&info, 4096);
	seal(&env, &job, "hello\n");
	/* drawn: id 16, file key 32, body salt 24, stanza salt 16 */
	MUST(c.n != 88);
	begin("An anonymous, unsigned envelope under the passphrase\n.Ql correct horse ,\nwith t = 1 and m = 8.\nDrawn: id, file key, body "
	      "salt,\n"
	      "stanza salt.\nThe header:");
	show_header(env.data, env.len, &len, &h);
	MUST(sm_argon2id(key, job.pw, job.pwlen, h.stanza[0].pw.salt, 1, 8) || sm_wrap_info(&info, &h, &h.to[0]));
	hex("file key", c.drawn + 16, 32);
	hex("stanza salt", h.stanza[0].pw.salt, 16);
	hex("Argon2id key", key, 32);
	hex("wrap info", info.data, info.len);
	hex("sealed", h.stanza[0].body, h.stanza[0].bodylen);
	end();
	begin("All of it:");
	show_armor(SM_ARMOR_ENVELOPE, &env);
	end();
	sm_header_release(&h);
	sm_buf_release(&info);
	sm_buf_release(&env);
}

static void detached_signature(const struct sm_identity *alice)
{
	struct sm_detached d = {.suite = alice->pub.suite, .ns = "file", .date = DATE, .comment = "release 1.0"};
	struct sm_digest digest = {0};
	struct sm_buf raw;
	uint8_t sum[32];

	sm_buf_init(&raw, 1 << 16);
	d.signer.has_fp = true;
	memcpy(d.signer.fp, alice->pub.fp, 32);
	MUST(sm_detached_write_header(&raw, &d));
	begin("A detached signature by alice of a file that holds\n.Ql hello\nand a newline:");
	text((const char *)raw.data, raw.len);
	end();
	MUST(sm_digest_init(&digest) || sm_digest_update(&digest, "hello\n", 6) || sm_digest_final(&digest, sum));
	MUST(sm_signature_make(d.sig, &d.siglen, alice, d.hh, sum));
	begin("with");
	hex("hh", d.hh, 32);
	hex("digest", sum, 32);
	show_signature(d.suite, d.signer.fp, d.hh, sum, d.sig, d.siglen);
	MUST(sm_buf_add_be16(&raw, (uint16_t)d.siglen) || sm_buf_add(&raw, d.sig, d.siglen));
	show_armor(SM_ARMOR_SIGNATURE, &raw);
	end();
	sm_digest_release(&digest);
	sm_buf_release(&raw);
}

int main(void)
{
	struct sm_identity alice = {0}, bob = {0};

	begin("Two identities, whose seeds are the bytes 00 to 1f and 20 to 3f:");
	show_identity("alice", &alice, 0x00);
	show_identity("bob", &bob, 0x20);
	end();
	signed_envelope(&alice, &bob);
	passphrase_envelope();
	detached_signature(&alice);
	sm_identity_release(&alice);
	sm_identity_release(&bob);
	return 0;
}
