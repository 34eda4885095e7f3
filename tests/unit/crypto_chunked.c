/* Chunked encryption on the C2SP vectors for Cobblestone-256: salt24 | commitment32 | sealed chunks, without the envelope's framing. */
#include "crypto/chunked.h"

#include "crypto/hash.h"
#include "vectors.h"

#include <zlib.h>

#define HEADER (SM_CHUNKED_SALT + SM_CHUNKED_COMMITMENT)

static struct bytes inflate_all(struct bytes z)
{
	static uint8_t room[8 << 20];
	uLongf n = sizeof room;
	struct bytes b;

	if (uncompress(room, &n, z.p, z.n) != Z_OK)
		abort();
	b = bytes_new(n);
	memcpy(b.p, room, n);
	return b;
}

/* Opens a stream as a reader must: all that verified is in out, and SM_OK only if it ended with a short chunk and nothing more. */
static enum sm_err open_stream(struct bytes ct, struct bytes key, struct bytes ctx, uint8_t *out, size_t *outlen)
{
	struct sm_chunked c;
	enum sm_err e;
	size_t n = 0, at = HEADER;

	*outlen = 0;
	if (key.n != 32)
		return SM_ERR_BUG; /* the type says 32: cannot be asked */
	if (ct.n < HEADER)
		return SM_ERR_PAYLOAD;
	e = sm_chunked_open_init(&c, key.p, ct.p, ctx.p, ctx.n);
	if (e)
		return e;
	if (memcmp(c.commitment, ct.p + SM_CHUNKED_SALT, SM_CHUNKED_COMMITMENT) != 0)
		e = SM_ERR_COMMITMENT;
	for (uint64_t i = 0; !e; i++, at += n) {
		n = ct.n - at < SM_CHUNK_SEALED ? ct.n - at : SM_CHUNK_SEALED;
		e = sm_chunked_open(&c, i, out + *outlen, ct.p + at, n);
		if (e)
			break;
		*outlen += n - SM_CHUNK_TAG;
		if (n < SM_CHUNK_SEALED)
			break;
	}
	sm_chunked_release(&c);
	return e;
}

static bool seal_stream_equals(struct bytes ct, struct bytes key, struct bytes ctx, const uint8_t *msg, size_t n)
{
	uint8_t sealed[SM_CHUNK_SEALED];
	struct sm_chunked c;
	size_t at = HEADER, take;
	bool same;

	if (sm_chunked_seal_init(&c, key.p, ct.p, ctx.p, ctx.n) != SM_OK)
		return false;
	same = memcmp(c.commitment, ct.p + SM_CHUNKED_SALT, SM_CHUNKED_COMMITMENT) == 0;
	for (uint64_t i = 0; same; i++, msg += take, n -= take, at += take + SM_CHUNK_TAG) {
		take = n < SM_CHUNK ? n : SM_CHUNK;
		same = sm_chunked_seal(&c, i, sealed, msg, take) == SM_OK && at + take + SM_CHUNK_TAG <= ct.n &&
		       memcmp(sealed, ct.p + at, take + SM_CHUNK_TAG) == 0;
		if (take < SM_CHUNK)
			break;
	}
	sm_chunked_release(&c);
	return same && at + take + SM_CHUNK_TAG == ct.n;
}

static enum sm_err expected_error(const json_t *test)
{
	struct bytes key = json_hex(test, "key");

	if (key.n != 32)
		return SM_ERR_BUG;
	if (json_has(test, "flags", "HeaderFailure") && !json_has(test, "flags", "Truncation"))
		return SM_ERR_COMMITMENT;
	return SM_ERR_PAYLOAD;
}

static void stream(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes key = json_hex(test, "key"), ctx = json_hex(test, "ctx"), ct = inflate_all(json_hex(test, "ct"));
	struct bytes nonce = json_hex(test, "baseNonce"), want = json_hex(test, "msgSha512"), out = bytes_new(ct.n);
	bool valid = json_is(test, "result", "valid"), good;
	struct sm_chunked c;
	uint8_t sha[64];
	size_t n;
	enum sm_err e = open_stream(ct, key, ctx, out.p, &n);

	(void)group;
	good = e == (valid ? SM_OK : expected_error(test));
	if (want.n) {
		sm_sha512(sha, out.p, n);
		good = good && n == (size_t)json_number(test, "msgLength") && memcmp(sha, want.p, 64) == 0;
	} else {
		good = good && n == 0;
	}
	if (valid)
		good = good && seal_stream_equals(ct, key, ctx, out.p, n);
	if (nonce.n) {
		good = good && sm_chunked_open_init(&c, key.p, ct.p, ctx.p, ctx.n) == SM_OK && memcmp(c.nonce, nonce.p, 12) == 0;
		sm_chunked_release(&c);
	}
	tally(t, test, good);
}

static void misuse(void)
{
	static uint8_t chunk[SM_CHUNK_SEALED + 1], plain[SM_CHUNK + 1];
	const uint8_t key[32] = {1}, salt[SM_CHUNKED_SALT] = {2};
	struct sm_chunked s = {0}, o = {0};

	sm_chunked_release(&s);
	if (!ok(sm_chunked_seal_init(&s, key, salt, "c", 1) == SM_OK && sm_chunked_open_init(&o, key, salt, "c", 1) == SM_OK,
	        "both ends start"))
		return;
	ok(sm_chunked_seal(&s, SM_CHUNKED_MAX - 1, chunk, plain, 5) == SM_OK &&
	           sm_chunked_open(&o, SM_CHUNKED_MAX - 1, plain, chunk, 21) == SM_OK,
	   "the last chunk number there is");
	ok(sm_chunked_seal(&s, SM_CHUNKED_MAX, chunk, plain, 5) == SM_ERR_LIMIT, "one more is refused in sealing");
	ok(sm_chunked_open(&o, SM_CHUNKED_MAX, plain, chunk, 21) == SM_ERR_LIMIT, "and in opening");
	memset(plain, 0xaa, sizeof plain);
	ok(sm_chunked_open(&o, 7, plain, chunk, 21) == SM_ERR_PAYLOAD && !memcmp(plain, "\0\0\0\0\0\xaa", 6),
	   "another number: refused, output wiped");
	ok(sm_chunked_open(&o, 0, plain, chunk, 15) == SM_ERR_PAYLOAD, "shorter than a tag");
	ok(sm_chunked_open(&o, 0, plain, chunk, SM_CHUNK_SEALED + 1) == SM_ERR_PAYLOAD, "longer than a chunk");
	ok(sm_chunked_seal(&s, 0, chunk, plain, SM_CHUNK + 1) == SM_ERR_BUG, "sealing more than a chunk");
	memset(chunk, 3, SM_CHUNK);
	ok(sm_chunked_seal(&s, 3, chunk, chunk, SM_CHUNK) == SM_OK && sm_chunked_open(&o, 3, chunk, chunk, SM_CHUNK_SEALED) == SM_OK &&
	           chunk[0] == 3 && chunk[SM_CHUNK - 1] == 3,
	   "in place, there and back");
	ok(sm_chunked_open(&s, 3, plain, chunk, 21) == SM_ERR_BUG && sm_chunked_seal(&o, 3, chunk, plain, 5) == SM_ERR_BUG,
	   "each end does its own work only");
	sm_chunked_release(&s);
	sm_chunked_release(&o);
	ok(!s.ctx && !o.ctx && s.nonce[0] == 0, "released is empty");
}

int main(void)
{
	wycheproof("c2sp_chunked_encryption_aes_256_gcm.json", stream);
	misuse();
	return tap_done();
}
