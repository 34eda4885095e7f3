/* What the test programs of smserver share: a small HTTP/1.1 client over a TCP socket, identities and sessions in a
 * directory, signed requests. Written from sm-protocol(7), apart from the project's own client, so that the two check each other.
 * Every failure ends the program: it is a test. */
#ifndef TEST_SERVER_CLIENT_H
#define TEST_SERVER_CLIENT_H

#include "base/base64.h"
#include "base/file.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/kdf.h"
#include "crypto/pwhash.h"
#include "wire/header.h"
#include "wire/identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
/* A test program that ends after one call does not tidy up. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
#endif

#define UNUSED __attribute__((unused))

#define die(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(2))
#define must(e) must_at((e), #e, __LINE__)
static inline void must_at(enum sm_err e, const char *what, int line)
{
	if (e)
		die("line %d: %s: %s", line, what, sm_err_text(e));
}

struct server {
	char host[64]; /* "127.0.0.1:1234" */
	struct sockaddr_in addr;
};

/* A person's device: "alice", or "alice+2" for another one of the same account. */
struct person {
	char name[33], origin[262];
	char file[64];
	struct sm_identity id;
	char sid[27], token[600], refresh[100];
	uint8_t key[32];
};

struct answer {
	int status;
	char head[8192];
	struct sm_buf body;
};

/* What one request is made of; zero means the honest value. */
struct request {
	const char *method, *target; /* path?query */
	const char *headers;         /* more of them, each with CRLF */
	const uint8_t *body;
	size_t n;
	int64_t created;
	const char *nonce, *token, *digest, *signature, *keyid;
	bool no_token, unsigned_;
};

UNUSED static void server_parse(struct server *s, const char *url)
{
	unsigned port;
	char ip[32];

	if (sscanf(url, "http://%31[0-9.]:%u", ip, &port) != 2)
		die("not a plain numeric URL: %s", url);
	snprintf(s->host, sizeof s->host, "%s:%u", ip, port);
	s->addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	inet_pton(AF_INET, ip, &s->addr.sin_addr);
}

UNUSED static int server_connect(const struct server *s)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&s->addr, sizeof s->addr)) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* The address that an envelope carries: derived from the base of Signature, RFC 9421 section 2.5. */
static inline void sign_request(struct sm_buf *out, const struct server *s, const struct person *p, const struct request *r)
{
	static const char covered[] = "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\")";
	char digest[80], mac64[64], nonce[40], params[400], base[8192];
	uint8_t hash[32], mac[32], raw[16];
	const char *mark = strchr(r->target, '?');
	int n;

	sm_sha256(hash, r->body, r->n);
	n = snprintf(digest, sizeof digest, "sha-256=:");
	n += (int)sm_base64_encode(digest + n, hash, 32, true);
	snprintf(digest + n, sizeof digest - (size_t)n, ":");
	sm_rand_fill(&sm_rand_system, raw, sizeof raw);
	nonce[sm_base64_encode(nonce, raw, sizeof raw, false)] = '\0';
	snprintf(params, sizeof params, "%s;created=%lld;nonce=\"%s\";keyid=\"%s\";alg=\"hmac-sha256\"", covered,
	         (long long)(r->created ? r->created : sm_time_now()), r->nonce ? r->nonce : nonce, r->keyid ? r->keyid : p->sid);
	n = snprintf(
	        base, sizeof base,
	        "\"@method\": %s\n\"@authority\": %s\n\"@path\": %.*s\n\"@query\": %s\n\"content-digest\": %s\n\"@signature-params\": %s",
	        r->method, s->host, (int)strcspn(r->target, "?"), r->target, mark ? mark : "?", r->digest ? r->digest : digest, params);
	sm_hmac_sha256(mac, p->key, 32, base, (size_t)n);
	mac64[sm_base64_encode(mac64, mac, 32, true)] = '\0';
	if (!r->no_token)
		must(sm_buf_addf(out, "Authorization: Bearer %s\r\n", r->token ? r->token : p->token));
	must(sm_buf_addf(out, "Content-Digest: %s\r\nSignature-Input: sm=%s\r\nSignature: sm=:%s:\r\n", r->digest ? r->digest : digest,
	                 params, r->signature ? r->signature : mac64));
}

/* Head and body, ready to be written. p NULL: not signed. */
UNUSED static void build_request(struct sm_buf *out, const struct server *s, const struct person *p, const struct request *r)
{
	must(sm_buf_addf(out, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %zu\r\n%s", r->method, r->target, s->host, r->n,
	                 r->headers ? r->headers : ""));
	if (p && !r->unsigned_)
		sign_request(out, s, p, r);
	must(sm_buf_adds(out, "\r\n"));
	must(sm_buf_add(out, r->body, r->n));
}

static inline bool read_head(int fd, struct answer *a, struct sm_buf *in, size_t *head)
{
	char *end;

	for (;;) {
		uint8_t *p;
		const char *text = sm_buf_str(in);
		end = text ? strstr((char *)in->data, "\r\n\r\n") : NULL;
		if (end)
			break;
		must(sm_buf_reserve(in, 65536, &p));
		ssize_t n = read(fd, p, 65536);
		if (n <= 0)
			return false;
		in->len += (size_t)n;
	}
	*head = (size_t)(end - (char *)in->data) + 4;
	if (*head >= sizeof a->head || sscanf((char *)in->data, "HTTP/1.1 %d", &a->status) != 1)
		die("no HTTP answer");
	memcpy(a->head, in->data, *head);
	a->head[*head] = '\0';
	return true;
}

/* The value of a header of the answer, or NULL; points behind the name. */
UNUSED static const char *header_of(const struct answer *a, const char *name)
{
	for (const char *p = strstr(a->head, "\r\n"); p; p = strstr(p + 2, "\r\n"))
		if (!strncasecmp(p + 2, name, strlen(name)) && p[2 + strlen(name)] == ':')
			return p + 3 + strlen(name) + 1;
	return NULL;
}

/* False when the connection ended before a whole answer. */
UNUSED static bool read_answer(int fd, struct answer *a)
{
	struct sm_buf in;
	size_t head, want;
	const char *len;

	sm_buf_init(&in, 64u << 20);
	if (!read_head(fd, a, &in, &head)) {
		sm_buf_release(&in);
		return false;
	}
	len = header_of(a, "Content-Length");
	want = a->status == 204 || !len ? 0 : (size_t)strtoul(len, NULL, 10);
	while (in.len - head < want) {
		uint8_t *p;
		must(sm_buf_reserve(&in, 65536, &p));
		ssize_t n = read(fd, p, 65536);
		if (n <= 0) {
			sm_buf_release(&in);
			return false;
		}
		in.len += (size_t)n;
	}
	sm_buf_init(&a->body, 64u << 20);
	must(sm_buf_add(&a->body, in.data + head, in.len - head));
	sm_buf_release(&in);
	return true;
}

/* One request on a connection of its own. */
static inline struct answer ask_once(const struct server *s, const struct person *p, const struct request *r)
{
	struct answer a = {0};
	struct sm_buf out;
	int fd = server_connect(s);

	if (fd < 0)
		die("cannot connect to %s", s->host);
	sm_buf_init(&out, 64u << 20);
	build_request(&out, s, p, r);
	(void)!sm_write_full(fd, out.data, out.len);
	if (!read_answer(fd, &a))
		die("no answer");
	sm_buf_release(&out);
	close(fd);
	return a;
}

/* The same, signed again when the server has just started and asks for that; unless the time of signing is the caller's wish. */
UNUSED static struct answer ask(const struct server *s, const struct person *p, const struct request *r)
{
	struct answer a = ask_once(s, p, r);

	while (p && !r->created && a.status == 401 && a.body.len && strstr((const char *)sm_buf_str(&a.body), "\"replay_window\"")) {
		struct timespec t = {.tv_sec = strtol(header_of(&a, "Retry-After"), NULL, 10)};
		sm_buf_release(&a.body);
		nanosleep(&t, NULL);
		a = ask_once(s, p, r);
	}
	return a;
}

UNUSED static json_t *json_of(struct answer *a)
{
	json_t *o = json_loadb((const char *)a->body.data, a->body.len, JSON_REJECT_DUPLICATES, NULL);

	if (!o)
		die("status %d without JSON", a->status);
	return o;
}

UNUSED static struct answer ask_json(const struct server *s, const struct person *p, const char *method, const char *target, json_t *o,
                                     bool no_token)
{
	char *text = json_dumps(o, JSON_COMPACT);
	struct request r = {.method = method,
	                    .target = target,
	                    .headers = "Content-Type: application/json\r\n",
	                    .body = (const uint8_t *)text,
	                    .n = strlen(text),
	                    .no_token = no_token};
	struct answer a = ask(s, p, &r);

	json_decref(o);
	free(text);
	return a;
}

UNUSED static json_t *b64(const uint8_t *p, size_t n)
{
	char text[400];

	return json_stringn(text, sm_base64_encode(text, p, n, false));
}

UNUSED static void unb64(const json_t *v, uint8_t *out, size_t n)
{
	uint8_t raw[400];
	size_t got;

	if (!v || sm_base64_decode(raw, &got, json_string_value(v), json_string_length(v), false) || got != n)
		die("not base64 of %zu bytes", n);
	memcpy(out, raw, n);
}

/* DIR/NAME.key holds the seed, DIR/NAME.session four lines. */
UNUSED static void person_path(char out[512], const char *name, const char *what)
{
	const char *dir = getenv("CLIENTS");

	snprintf(out, 512, "%s/%s.%s", dir ? dir : ".", name, what);
}

UNUSED static void person_save(const struct person *p)
{
	char path[512], text[2048], key[65];

	person_path(path, p->file, "session");
	sm_hex(key, p->key, 32);
	snprintf(text, sizeof text, "%s\n%s\n%s\n%s\n%s\n", p->origin, p->sid, key, p->token, p->refresh);
	must(sm_file_replace(path, text, strlen(text), 0600));
}

UNUSED static void person_load(struct person *p, const char *name)
{
	char path[512], key[80] = "";
	struct sm_buf b;

	*p = (struct person){0};
	snprintf(p->name, sizeof p->name, "%.*s", (int)strcspn(name, "+"), name);
	snprintf(p->file, sizeof p->file, "%s", name);
	person_path(path, name, "key");
	sm_buf_init(&b, 65536);
	if (access(path, F_OK)) {
		uint8_t seed[32];
		sm_rand_fill(&sm_rand_system, seed, 32);
		must(sm_file_replace(path, seed, 32, 0600));
	}
	must(sm_file_read(path, &b, true));
	must(sm_identity_from_seed(&p->id, b.data));
	sm_buf_clear(&b);
	person_path(path, name, "session");
	if (!access(path, F_OK)) {
		must(sm_file_read(path, &b, true));
		if (sscanf(sm_buf_str(&b), "%261s %26s %64s %599s %99s", p->origin, p->sid, key, p->token, p->refresh) != 5)
			die("bad session file");
		must(sm_hex_parse(p->key, 32, key, 64));
	}
	sm_buf_release(&b);
}

UNUSED static void signed_bytes(struct sm_buf *b, const char *purpose, const char *origin, const char *user, const uint8_t fp[32],
                                const uint8_t nonce[32], int64_t expires)
{
	must(sm_buf_add(b, "SM-AUTH-v1", 11));
	must(sm_buf_add_lp(b, purpose, strlen(purpose)));
	must(sm_buf_add_lp(b, origin, strlen(origin)));
	must(sm_buf_add_lp(b, user, strlen(user)));
	must(sm_buf_add(b, fp, 32));
	must(sm_buf_add(b, nonce, 32));
	must(sm_buf_add_be64(b, (uint64_t)expires));
}

struct challenge {
	uint8_t cnonce[32], nonce[32], salt[16];
	uint32_t t, m;
	int64_t expires;
};

UNUSED static char *origin_of(const struct server *s)
{
	struct answer a = ask(s, NULL, &(struct request){.method = "GET", .target = "/api/v1/policy"});
	json_t *o = json_of(&a);
	char *origin = strdup(json_string_value(json_object_get(o, "origin")));

	json_decref(o);
	return origin;
}

/* Status of the answer; *c set when 200. */
UNUSED static struct answer get_challenge(const struct server *s, const char *purpose, const char *origin, const char *user,
                                          const uint8_t fp[32], struct challenge *c)
{
	struct answer a;

	sm_rand_fill(&sm_rand_system, c->cnonce, 32);
	a = ask_json(s, NULL, "POST", "/api/v1/challenge",
	             json_pack("{s:s,s:s,s:s,s:o,s:o}", "purpose", purpose, "origin", origin, "user", user, "device", b64(fp, 32), "cnonce",
	                       b64(c->cnonce, 32)),
	             false);
	if (a.status != 200)
		return a;
	json_t *o = json_of(&a), *k = json_object_get(o, "kdf");
	unb64(json_object_get(o, "nonce"), c->nonce, 32);
	unb64(json_object_get(o, "salt"), c->salt, 16);
	c->expires = json_integer_value(json_object_get(o, "expires"));
	c->t = (uint32_t)json_integer_value(json_object_get(k, "t"));
	c->m = (uint32_t)json_integer_value(json_object_get(k, "m"));
	json_decref(o);
	return a;
}

UNUSED static void auth_key(uint8_t out[32], const char *password, const struct challenge *c)
{
	uint8_t raw[32];

	must(sm_argon2id(raw, password, strlen(password), c->salt, c->t, c->m));
	must(sm_hkdf_sha256(out, 32, NULL, 0, raw, 32, "SM-AUTH-key-v1", 14));
}

/* How a registration or login is to be wrong. */
struct faults {
	const char *origin, *invite, *label, *identity, *replay; /* replay: use the challenge twice */
	bool bad_signature, bad_salt, wrong_purpose, bad_proof, other_device, extra_member;
};

UNUSED static struct answer do_register(const struct server *s, const struct person *p, const char *password, const struct faults *f)
{
	char *origin = f->origin ? strdup(f->origin) : origin_of(s);
	struct challenge c;
	struct answer a = get_challenge(s, f->wrong_purpose ? "login" : "register", origin, p->name, p->id.pub.fp, &c);
	uint8_t key[32], client[32], stored[32], server_key[32], sig[64];
	struct sm_buf b, line;

	if (a.status != 200)
		return a;
	auth_key(key, password, &c);
	sm_hmac_sha256(client, key, 32, "Client Key", 10);
	sm_sha256(stored, client, 32);
	sm_hmac_sha256(server_key, key, 32, "Server Key", 10);
	sm_buf_init(&b, 4096);
	sm_buf_init(&line, 4096);
	signed_bytes(&b, f->wrong_purpose ? "login" : "register", origin, p->name, p->id.pub.fp, c.nonce, c.expires);
	must(sm_sign(sig, b.data, b.len, p->id.secret.data));
	sig[0] ^= f->bad_signature;
	c.salt[0] ^= f->bad_salt;
	must(sm_public_format(&line, &p->id.pub));
	json_t *o = json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:{s:s,s:i,s:i}}", "origin", origin, "user", p->name, "identity",
	                      f->identity ? f->identity : sm_buf_str(&line), "nonce", b64(c.nonce, 32), "signature", b64(sig, 64),
	                      "stored_key", b64(stored, 32), "server_key", b64(server_key, 32), "salt", b64(c.salt, 16), "kdf", "name",
	                      "argon2id", "t", (int)c.t, "m", (int)c.m);
	if (f->invite)
		json_object_set_new(o, "invite", json_string(f->invite));
	if (f->label)
		json_object_set_new(o, "label", json_string(f->label));
	if (f->extra_member)
		json_object_set_new(o, "surprise", json_true());
	if (f->replay)
		(void)ask_json(s, NULL, "POST", "/api/v1/register", json_deep_copy(o), false);
	a = ask_json(s, NULL, "POST", "/api/v1/register", o, false);
	sm_buf_release(&b);
	sm_buf_release(&line);
	free(origin);
	return a;
}

static inline void proof_of(uint8_t proof[32], uint8_t server_signature[32], const char *origin, const char *user, const uint8_t fp[32],
                            const char *password, const struct challenge *c)
{
	uint8_t key[32], client[32], stored[32], server_key[32], mac[32];
	struct sm_buf b;

	auth_key(key, password, c);
	sm_hmac_sha256(client, key, 32, "Client Key", 10);
	sm_sha256(stored, client, 32);
	sm_hmac_sha256(server_key, key, 32, "Server Key", 10);
	sm_buf_init(&b, 4096);
	must(sm_buf_add(&b, "SM-SCRAM-v1", 12));
	must(sm_buf_add_lp(&b, origin, strlen(origin)));
	must(sm_buf_add_lp(&b, user, strlen(user)));
	must(sm_buf_add(&b, fp, 32));
	must(sm_buf_add(&b, c->cnonce, 32));
	must(sm_buf_add(&b, c->nonce, 32));
	must(sm_buf_add(&b, c->salt, 16));
	must(sm_buf_add_be32(&b, c->t));
	must(sm_buf_add_be32(&b, c->m));
	must(sm_buf_add_be64(&b, (uint64_t)c->expires));
	sm_hmac_sha256(mac, stored, 32, b.data, b.len);
	for (int i = 0; i < 32; i++)
		proof[i] = client[i] ^ mac[i];
	sm_hmac_sha256(server_signature, server_key, 32, b.data, b.len);
	sm_buf_release(&b);
}

static inline void take_session(struct person *p, json_t *o, const uint8_t server_signature[32])
{
	uint8_t sig[32], enc[32], ct[48], sk[32];
	struct sm_buf info;

	unb64(json_object_get(o, "server_signature"), sig, 32);
	if (memcmp(sig, server_signature, 32) != 0)
		die("the server did not prove that it knows the password");
	snprintf(p->sid, sizeof p->sid, "%s", json_string_value(json_object_get(o, "session")));
	snprintf(p->token, sizeof p->token, "%s", json_string_value(json_object_get(o, "access_token")));
	snprintf(p->refresh, sizeof p->refresh, "%s", json_string_value(json_object_get(o, "refresh_token")));
	unb64(json_object_get(json_object_get(o, "session_key"), "enc"), enc, 32);
	unb64(json_object_get(json_object_get(o, "session_key"), "ct"), ct, 48);
	sm_buf_init(&info, 1024);
	must(sm_buf_add(&info, "SM-SESSION-v1", 14));
	must(sm_buf_add_lp(&info, p->origin, strlen(p->origin)));
	must(sm_buf_add_lp(&info, p->name, strlen(p->name)));
	must(sm_buf_add(&info, p->sid, 26));
	sm_seed_to_x25519(sk, p->id.secret.data);
	must(sm_hpke_open(p->key, enc, sk, info.data, info.len, NULL, 0, ct, 48));
	sm_buf_release(&info);
}

/* list: the text of a device list, or NULL. */
UNUSED static struct answer do_enroll(const struct server *s, struct person *p, const char *password, const char *list,
                                      const struct faults *f)
{
	char *origin = f->origin ? strdup(f->origin) : origin_of(s);
	struct challenge c;
	uint8_t proof[32], server_signature[32], sig[64];
	struct answer a;
	struct sm_buf b, line;

	snprintf(p->origin, sizeof p->origin, "%s", origin);
	a = get_challenge(s, f->wrong_purpose ? "login" : "enroll", origin, p->name, p->id.pub.fp, &c);
	if (a.status != 200)
		return a;
	proof_of(proof, server_signature, origin, p->name, p->id.pub.fp, password, &c);
	proof[0] ^= f->bad_proof;
	sm_buf_init(&b, 4096);
	sm_buf_init(&line, 4096);
	signed_bytes(&b, f->wrong_purpose ? "login" : "enroll", origin, p->name, p->id.pub.fp, c.nonce, c.expires);
	must(sm_sign(sig, b.data, b.len, p->id.secret.data));
	sig[0] ^= f->bad_signature;
	must(sm_public_format(&line, &p->id.pub));
	json_t *o = json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o}", "origin", origin, "user", p->name, "identity", sm_buf_str(&line), "nonce",
	                      b64(c.nonce, 32), "cnonce", b64(c.cnonce, 32), "proof", b64(proof, 32), "signature", b64(sig, 64));
	if (f->label)
		json_object_set_new(o, "label", json_string(f->label));
	if (list)
		json_object_set_new(o, "list", json_string(list));
	if (f->replay)
		(void)ask_json(s, NULL, "POST", "/api/v1/enroll", json_deep_copy(o), false);
	a = ask_json(s, NULL, "POST", "/api/v1/enroll", o, false);
	if (a.status == 202 || a.status == 201) {
		json_t *r = json_of(&a);
		uint8_t theirs[32];
		unb64(json_object_get(r, "server_signature"), theirs, 32);
		if (memcmp(theirs, server_signature, 32) != 0)
			die("the server did not prove that it knows the password");
		json_decref(r);
	}
	sm_buf_release(&b);
	sm_buf_release(&line);
	free(origin);
	return a;
}

UNUSED static struct answer do_login(const struct server *s, struct person *p, const char *password, const struct faults *f)
{
	char *origin = f->origin ? strdup(f->origin) : origin_of(s);
	struct challenge c;
	uint8_t proof[32], server_signature[32], sig[64], fp[32];
	struct answer a;
	struct sm_buf b;

	memcpy(fp, p->id.pub.fp, 32);
	fp[0] ^= f->other_device;
	snprintf(p->origin, sizeof p->origin, "%s", origin);
	a = get_challenge(s, f->wrong_purpose ? "register" : "login", origin, p->name, fp, &c);
	if (a.status != 200)
		return a;
	proof_of(proof, server_signature, origin, p->name, fp, password, &c);
	proof[0] ^= f->bad_proof;
	sm_buf_init(&b, 4096);
	signed_bytes(&b, "login", origin, p->name, fp, c.nonce, c.expires);
	must(sm_sign(sig, b.data, b.len, p->id.secret.data));
	sig[0] ^= f->bad_signature;
	json_t *o = json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "origin", origin, "user", p->name, "device", b64(fp, 32), "nonce",
	                      b64(c.nonce, 32), "cnonce", b64(c.cnonce, 32), "proof", b64(proof, 32), "signature", b64(sig, 64));
	if (f->replay)
		(void)ask_json(s, NULL, "POST", "/api/v1/login", json_deep_copy(o), false);
	a = ask_json(s, NULL, "POST", "/api/v1/login", o, false);
	if (a.status == 200) {
		json_t *r = json_of(&a);
		take_session(p, r, server_signature);
		json_decref(r);
	}
	sm_buf_release(&b);
	free(origin);
	return a;
}

static inline void make_sender(struct sm_header *h, const struct person *from)
{
	char address[SM_ADDRESS_MAX + 1];
	uint8_t raw[16];

	snprintf(address, sizeof address, "%s@%s", from->name, from->origin);
	must(sm_address_parse(&h->from.address, address, strlen(address)));
	h->from.has_fp = true;
	memcpy(h->from.fp, from->id.pub.fp, 32);
	sm_rand_fill(&sm_rand_system, raw, 16);
	sm_base32_id(h->id, raw);
}

static inline void finish_envelope(struct sm_buf *out, struct sm_header *h, size_t body)
{
	uint8_t *p;

	must(sm_header_write(out, h));
	must(sm_buf_reserve(out, body, &p));
	sm_rand_fill(&sm_rand_system, p, body);
	out->len += body;
	sm_header_release(h);
}

/* An envelope whose header is true and whose body is noise: the server looks no further. */
UNUSED static void make_envelope(struct sm_buf *out, const struct person *from, const char *const *to, const uint8_t (*fp)[32], size_t nto,
                                 size_t body)
{
	struct sm_header h = {.suite = &sm_suite_x25519, .date = sm_time_now(), .nto = nto, .nstanza = nto};

	make_sender(&h, from);
	h.to = calloc(nto, sizeof *h.to);
	h.stanza = calloc(nto, sizeof *h.stanza);
	for (size_t i = 0; i < nto; i++) {
		must(sm_address_parse(&h.to[i].address, to[i], strlen(to[i])));
		h.to[i].has_fp = true;
		memcpy(h.to[i].fp, fp[i], 32);
		h.stanza[i].type = SM_STANZA_HPKE;
		sm_rand_fill(&sm_rand_system, h.stanza[i].enc, 32);
		h.stanza[i].body = calloc(1, h.stanza[i].bodylen = 48);
		sm_rand_fill(&sm_rand_system, h.stanza[i].body, 48);
	}
	finish_envelope(out, &h, body);
}

/* The same for a group: one stanza of a sender key. */
UNUSED static void make_group_envelope(struct sm_buf *out, const struct person *from, const char *group, uint64_t epoch,
                                       const uint8_t roster[32], size_t body)
{
	struct sm_header h = {.suite = &sm_suite_x25519, .date = sm_time_now(), .has_group = true, .nstanza = 1};

	make_sender(&h, from);
	snprintf(h.group.id, sizeof h.group.id, "%s", group);
	h.group.epoch = epoch;
	memcpy(h.group.roster, roster, 32);
	h.stanza = calloc(1, sizeof *h.stanza);
	h.stanza->type = SM_STANZA_SENDERKEY;
	h.stanza->senderkey.device = 1;
	memcpy(h.stanza->senderkey.chain, h.id, sizeof h.id);
	h.stanza->body = calloc(1, h.stanza->bodylen = 80);
	sm_rand_fill(&sm_rand_system, h.stanza->body, 80);
	finish_envelope(out, &h, body);
}

#endif
