/* Request signatures: against values computed by another program from sm-protocol(7) alone. */
#include "net/httpsig.h"

#include "tap.h"

#include <string.h>

static struct sm_httpsig_key make_key(uint8_t raw[static 32])
{
	struct sm_httpsig_key k = {.keyid = "aaaaaaaaaaaaaaaaaaaaaaaaaa", .key = raw, .created = 1700000000};
	for (uint8_t i = 0; i < 32; i++)
		raw[i] = i;
	for (uint8_t i = 0; i < SM_HTTPSIG_NONCE; i++)
		k.nonce[i] = i;
	return k;
}

int main(void)
{
	uint8_t raw[32];
	struct sm_httpsig a, b;
	struct sm_httpsig_key k = make_key(raw);
	struct sm_http_request post = {.method = "POST", .path = "/api/v1/messages", .body = "{\"a\":1}", .bodylen = 7};
	struct sm_http_request get = {.method = "GET", .path = "/api/v1/messages", .query = "after=5&limit=10"};

	ok(sm_httpsig_make(&a, &post, "localhost:8080", &k) == SM_OK, "signs a body");
	ok(!strcmp(a.digest, "Content-Digest: sha-256=:AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:"), "content digest");
	ok(!strcmp(a.signature, "Signature: sm=:MD6e8VAQtzTcAA+Nki3Vd3+3GKuj64Rb97NiZnt1wnc=:"), "signature of a post without query");
	ok(!strcmp(a.input, "Signature-Input: sm=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\");created=1700000000;"
	                    "nonce=\"AAECAwQFBgcICQoLDA0ODw\";keyid=\"aaaaaaaaaaaaaaaaaaaaaaaaaa\";alg=\"hmac-sha256\""),
	   "signature input, parameters in order");
	ok(sm_httpsig_make(&b, &get, "example.org", &k) == SM_OK, "signs without a body");
	ok(!strcmp(b.digest, "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"), "digest of nothing");
	ok(!strcmp(b.signature, "Signature: sm=:OiLR5v2KQVnSK+hcyIiGp6pZAEuYIC0m72nX7b8JQX0=:"), "signature of a get with a query");
	raw[0] ^= 1;
	ok(sm_httpsig_make(&b, &get, "example.org", &k) == SM_OK &&
	           strcmp(b.signature, "Signature: sm=:OiLR5v2KQVnSK+hcyIiGp6pZAEuYIC0m72nX7b8JQX0=:") != 0,
	   "another key, another signature");

	ok(sm_http_loopback("localhost") && sm_http_loopback("localhost:8080") && sm_http_loopback("127.9.8.7:1") &&
	           sm_http_loopback("[::1]:80"),
	   "hosts that are this machine");
	ok(!sm_http_loopback("localhost.example.org") && !sm_http_loopback("127.0.0.1.example.org") && !sm_http_loopback("128.0.0.1") &&
	           !sm_http_loopback("[::1]x") && !sm_http_loopback("[::2]:80") && !sm_http_loopback("127"),
	   "hosts that are not");
	struct sm_http h = {0};
	ok(sm_http_open(&h, &(struct sm_server){.url = "http://example.org"}) == SM_ERR_POLICY, "plain http to another machine is refused");
	ok(sm_http_open(&h, &(struct sm_server){.url = "ftp://example.org"}) == SM_ERR_FORMAT, "another scheme is refused");
	ok(sm_http_open(&h, &(struct sm_server){.url = "https://example.org/x"}) == SM_ERR_FORMAT, "a path is refused");
	ok(sm_http_open(&h, &(struct sm_server){.url = "http://user@localhost"}) == SM_ERR_FORMAT, "a user in the url is refused");
	ok(sm_http_open(&h, &(struct sm_server){.url = "http://localhost:80"}) == SM_OK && !strcmp(h.authority, "localhost"),
	   "the default port is not part of the authority");
	sm_http_close(&h);
	ok(sm_http_open(&h, &(struct sm_server){.url = "https://example.org:4430"}) == SM_OK && !strcmp(h.authority, "example.org:4430"),
	   "another port is");
	sm_http_close(&h);
	return tap_done();
}
