/* The signature base of RFC 9421 section 2.5, for exactly the components and parameters that sm-protocol(7) fixes. */
#include "net/httpsig.h"

#include "base/base64.h"
#include "base/secret.h"
#include "crypto/hash.h"

#include <stdio.h>

#define BASE_MAX 16384

/* out has room for 45 bytes. */
static void padded(char *out, const uint8_t hash[static SM_HASH_LEN]) { out[sm_base64_encode(out, hash, SM_HASH_LEN, true)] = 0; }

static enum sm_err make_base(struct sm_buf *b, const struct sm_http_request *r, const char *authority, const char *digest,
                             const char *params)
{
	return sm_buf_addf(b,
	                   "\"@method\": %s\n\"@authority\": %s\n\"@path\": %s\n\"@query\": ?%s\n\"content-digest\": sha-256=:%s:\n"
	                   "\"@signature-params\": %s",
	                   r->method, authority, r->path, r->query ? r->query : "", digest, params);
}

enum sm_err sm_httpsig_make(struct sm_httpsig *s, const struct sm_http_request *r, const char *authority, const struct sm_httpsig_key *k)
{
	uint8_t hash[SM_HASH_LEN];
	char digest[SM_BASE64_PADDED_LEN(SM_HASH_LEN) + 1], mac[SM_BASE64_PADDED_LEN(SM_HASH_LEN) + 1];
	char nonce[SM_BASE64_PADDED_LEN(SM_HTTPSIG_NONCE) + 1], params[384];
	struct sm_buf base;
	sm_buf_init(&base, BASE_MAX);
	sm_sha256(hash, r->body ? r->body : "", r->body ? r->bodylen : 0);
	padded(digest, hash);
	nonce[sm_base64_encode(nonce, k->nonce, SM_HTTPSIG_NONCE, false)] = 0;
	(void)snprintf(params, sizeof(params),
	               "(\"@method\" \"@authority\" \"@path\" \"@query\" "
	               "\"content-digest\");created=%lld;nonce=\"%s\";keyid=\"%s\";alg=\"hmac-sha256\"",
	               (long long)k->created, nonce, k->keyid);
	enum sm_err e = make_base(&base, r, authority, digest, params);
	if (e == SM_OK) {
		sm_hmac_sha256(hash, k->key, 32, base.data, base.len);
		padded(mac, hash);
		(void)snprintf(s->digest, sizeof(s->digest), "Content-Digest: sha-256=:%s:", digest);
		(void)snprintf(s->input, sizeof(s->input), "Signature-Input: sm=%s", params);
		(void)snprintf(s->signature, sizeof(s->signature), "Signature: sm=:%s:", mac);
	}
	sm_wipe(hash, sizeof(hash));
	sm_buf_release(&base);
	return e;
}
