/* Everything about identities that is text: public lines, secret key files, fingerprints, addresses, bech32. Each has one spelling, so
 * what is taken is printed the same. */
#include "check.h"

#include "base/base64.h"
#include "wire/address.h"
#include "wire/identity.h"

#include <string.h>

#define MAX (1u << 16)

static void public_line(const uint8_t *p, size_t n)
{
	struct sm_public pub, again;
	struct sm_span comment = {NULL, 0};
	struct sm_buf b;
	bool found = false;

	if (sm_public_parse_line(&pub, &found, &comment, (struct sm_span){p, n}) || !found)
		return;
	sm_buf_init(&b, MAX);
	CHECK(!sm_public_format(&b, &pub) && b.len <= n && !memcmp(b.data, p, b.len));
	CHECK(comment.n <= SM_COMMENT_MAX && (b.len == n || b.len + 1 + comment.n == n));
	CHECK(!sm_public_parse(&again, (const char *)b.data, b.len) && !memcmp(&pub, &again, sizeof pub));
	sm_buf_release(&b);
}

static void secret_file(const uint8_t *p, size_t n)
{
	char text[SM_COMMENT_MAX + 1] = "";
	struct sm_identity id, again;
	struct sm_span comment = {NULL, 0}, other;
	struct sm_buf b;

	if (sm_identity_parse(&id, &comment, p, n))
		return;
	CHECK(comment.n <= SM_COMMENT_MAX);
	if (comment.n)
		memcpy(text, comment.p, comment.n);
	sm_buf_init(&b, MAX);
	CHECK(!sm_identity_format(&b, &id, text, 0) && !sm_identity_parse(&again, &other, b.data, b.len));
	CHECK(id.secret.len == again.secret.len && !memcmp(id.secret.data, again.secret.data, id.secret.len));
	CHECK(other.n == comment.n && (!comment.n || !memcmp(other.p, comment.p, comment.n)));
	sm_identity_release(&again);
	sm_identity_release(&id);
	sm_buf_release(&b);
}

static void small_texts(const char *s, size_t n)
{
	char out[SM_FP_TEXT_LEN + 1];
	struct sm_address a;
	uint8_t fp[SM_FP_LEN];

	if (!sm_fp_parse(fp, s, n)) {
		sm_fp_format(out, fp);
		CHECK(n == SM_FP_TEXT_LEN && !memcmp(out, s, n));
	}
	if (!sm_address_parse(&a, s, n)) {
		CHECK(strlen(a.text) == n && !memcmp(a.text, s, n) && sm_name_valid(a.name, strlen(a.name)));
		CHECK(strlen(a.name) + 1 + strlen(a.host) == n && sm_host_valid(a.host, strlen(a.host)));
	}
}

/* The input as a key: refused, or there and back. */
static void raw(const uint8_t *p, size_t n)
{
	uint8_t out[64];
	struct sm_public pub;
	struct sm_buf b;
	size_t len = n < 64 ? n : 64;

	sm_buf_init(&b, MAX);
	CHECK(!sm_bech32_encode(&b, "sm", p, len, n & 1) && !sm_bech32_decode(out, len, "sm", (const char *)b.data, b.len, n & 1));
	CHECK(!len || !memcmp(out, p, len));
	sm_buf_clear(&b);
	if (n >= SM_PK_LEN && !sm_public_from_ed25519(&pub, p)) {
		CHECK(!sm_public_format(&b, &pub));
		public_line(b.data, b.len);
	}
	sm_buf_release(&b);
}

/* The input as what the text of an RSA identity encodes. */
static void rsa(const uint8_t *p, size_t n)
{
	struct sm_public pub;
	struct sm_buf b;

	sm_buf_init(&b, MAX);
	CHECK(!sm_buf_adds(&b, "sm-rsa ") && !sm_buf_add_base64(&b, p, n));
	if (!sm_public_parse(&pub, (const char *)b.data, b.len)) {
		CHECK(pub.keylen == n && !memcmp(pub.key, p, n) && b.len <= SM_PUBLIC_TEXT_MAX);
		public_line(b.data, b.len);
	}
	sm_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n > 1u << 14)
		return 0;
	public_line(p, n);
	secret_file(p, n);
	small_texts((const char *)p, n);
	raw(p, n);
	rsa(p, n);
	return 0;
}
