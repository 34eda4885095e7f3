/* What load.c and streams.c share: accounts by the thousand in memory, logged in by the real protocol (sm-protocol(7)), envelopes for them,
 * and sockets. lib/net keeps one account in one profile and refuses a cheap password hash; a benchmark wants neither, so the steps of
 * registering and logging in stand here once more, over lib/net's cryptography. Everything fails by ending the program. */
#ifndef SM_BENCH_CLIENT_H
#define SM_BENCH_CLIENT_H

#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/kdf.h"
#include "crypto/pwhash.h"
#include "net/account.h"
#include "net/json.h"
#include "stream/seal.h"

#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BENCH_PASSWORD "Correct-h0rse!bench"
#define BENCH_API "/api/v1/"

struct bench_user {
	struct sm_identity id;
	struct sm_address address;
	struct sm_session session;
};

struct bench {
	struct sm_client client; /* for everything that is not measured */
	char origin[300];
	struct bench_user *user; /* owned */
	size_t users;
	struct addrinfo *where; /* owned */
};

static inline void bench_need(enum sm_err e, const struct sm_client *c, const char *what)
{
	if (e == SM_OK)
		return;
	if (c && c->error.status)
		errx(1, "%s: %ld %s: %s", what, c->error.status, c->error.code, c->error.message);
	errx(1, "%s: %s", what, sm_err_text(e));
}

static inline void *bench_alloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);
	if (!p)
		errx(1, "out of memory");
	return p;
}

static inline long bench_number(const char *text, const char *what)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1)
		errx(64, "%s: '%s' is not a positive number", what, text);
	return n;
}

/* Nanoseconds on the monotonic clock. */
static inline int64_t bench_now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int bench_compare(const void *a, const void *b)
{
	uint32_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* v is sorted; n > 0. The nearest-rank percentile: the smallest value that p per cent of all do not exceed. */
static inline uint32_t bench_percentile(const uint32_t *v, size_t n, unsigned p)
{
	size_t rank = (n * p + 99) / 100;
	return v[rank ? rank - 1 : 0];
}

/* As many descriptors as the system lets us have; returns how many. */
static inline size_t bench_descriptors(void)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l))
		err(1, "getrlimit");
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l))
		err(1, "setrlimit");
	return (size_t)l.rlim_cur;
}

/* url: http://HOST:PORT. */
static inline void bench_open(struct bench *b, const char *url)
{
	struct sm_server server = {.url = url};
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	json_t *policy = NULL;
	char host[256];
	const char *colon = strrchr(url, ':');
	memset(b, 0, sizeof(*b));
	if (strncmp(url, "http://", 7) != 0 || !colon || colon < url + 8 || (size_t)(colon - url - 7) >= sizeof(host))
		errx(64, "'%s' is not http://HOST:PORT", url);
	memcpy(host, url + 7, (size_t)(colon - url - 7));
	host[colon - url - 7] = 0;
	if (getaddrinfo(host, colon + 1, &hints, &b->where))
		errx(1, "cannot find '%s'", host);
	bench_need(sm_client_open(&b->client, &server, NULL), NULL, "client");
	bench_need(sm_client_json(&b->client, false, "GET", BENCH_API "policy", NULL, &policy), &b->client, "policy");
	if (!sm_json_text(policy, "origin", b->origin, sizeof(b->origin)))
		errx(1, "policy without an origin");
	json_decref(policy);
}

static inline void bench_close(struct bench *b)
{
	b->client.session = NULL;
	for (size_t i = 0; i < b->users; i++) {
		sm_identity_release(&b->user[i].id);
		sm_wipe(&b->user[i].session, sizeof(b->user[i].session));
	}
	free(b->user);
	freeaddrinfo(b->where);
	sm_client_close(&b->client);
}

static inline int bench_connect(const struct bench *b)
{
	int one = 1, fd = socket(b->where->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, b->where->ai_addr, b->where->ai_addrlen))
		err(1, "cannot connect");
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "setsockopt");
	return fd;
}

static inline void bench_challenge(struct bench *b, const struct bench_user *u, const char *purpose, struct sm_scram *s)
{
	json_t *j = NULL, *ask;
	int64_t t, m;
	memset(s, 0, sizeof(*s));
	s->origin = b->origin;
	s->user = u->address.name;
	memcpy(s->device, u->id.pub.fp, SM_FP_LEN);
	sm_rand_fill(&sm_rand_system, s->cnonce, sizeof(s->cnonce));
	ask = json_pack("{s:s, s:s, s:s, s:o, s:o}", "purpose", purpose, "origin", s->origin, "user", s->user, "device",
	                sm_json_base64(s->device, SM_FP_LEN), "cnonce", sm_json_base64(s->cnonce, sizeof(s->cnonce)));
	bench_need(sm_client_json(&b->client, false, "POST", BENCH_API "challenge", ask, &j), &b->client, "challenge");
	const json_t *kdf = json_object_get(j, "kdf");
	if (!sm_json_bytes(j, "nonce", s->nonce, sizeof(s->nonce)) || !sm_json_bytes(j, "salt", s->salt, sizeof(s->salt)) ||
	    !sm_json_number(j, "expires", &s->expires) || !sm_json_number(kdf, "t", &t) || !sm_json_number(kdf, "m", &m))
		errx(1, "malformed challenge");
	s->kdf = (struct sm_kdf){(uint32_t)t, (uint32_t)m};
	json_decref(ask);
	json_decref(j);
}

/* sm_scram_auth_key without its lower bound: the benchmark's server asks for the cheapest hash there is. */
static inline void bench_auth_key(uint8_t key[static 32], const struct sm_scram *s)
{
	uint8_t hash[32];
	bench_need(sm_argon2id(hash, BENCH_PASSWORD, strlen(BENCH_PASSWORD), s->salt, s->kdf.t, s->kdf.m), NULL, "argon2id");
	bench_need(sm_hkdf_sha256(key, 32, NULL, 0, hash, sizeof(hash), "SM-AUTH-key-v1", strlen("SM-AUTH-key-v1")), NULL, "hkdf");
}

/* An account that is there already, from an earlier run, is as good. */
static inline void bench_register(struct bench *b, const struct bench_user *u)
{
	struct sm_scram s;
	struct sm_buf identity;
	uint8_t key[32], sig[SM_SIG_LEN], stored[32], server[32];
	sm_buf_init(&identity, SM_PUBLIC_LINE_MAX);
	bench_challenge(b, u, "register", &s);
	bench_auth_key(key, &s);
	sm_scram_verifier(stored, server, key);
	bench_need(sm_scram_device_signature(sig, "register", &s, &u->id), NULL, "signature");
	bench_need(sm_public_format(&identity, &u->id.pub), NULL, "identity");
	json_t *ask = json_pack("{s:s, s:s, s:s%, s:o, s:o, s:o, s:o, s:o, s:{s:s, s:i, s:i}}", "origin", s.origin, "user", s.user,
	                        "identity", identity.data, identity.len, "nonce", sm_json_base64(s.nonce, sizeof(s.nonce)), "signature",
	                        sm_json_base64(sig, sizeof(sig)), "stored_key", sm_json_base64(stored, sizeof(stored)), "server_key",
	                        sm_json_base64(server, sizeof(server)), "salt", sm_json_base64(s.salt, sizeof(s.salt)), "kdf", "name",
	                        "argon2id", "t", (int)s.kdf.t, "m", (int)s.kdf.m);
	enum sm_err e = sm_client_json(&b->client, false, "POST", BENCH_API "register", ask, NULL);
	if (strcmp(b->client.error.code, "name_taken") != 0)
		bench_need(e, &b->client, "register");
	json_decref(ask);
	sm_buf_release(&identity);
}

static inline void bench_session_key(struct sm_session *r, const json_t *j, const struct sm_scram *s, const struct bench_user *u)
{
	uint8_t enc[SM_HPKE_ENC], ct[sizeof(r->key) + SM_HPKE_TAG], sk[32];
	struct sm_buf info;
	sm_buf_init(&info, 1024);
	if (!sm_json_bytes(j, "enc", enc, sizeof(enc)) || !sm_json_bytes(j, "ct", ct, sizeof(ct)))
		errx(1, "malformed session key");
	bench_need(sm_buf_add(&info, "SM-SESSION-v1", sizeof("SM-SESSION-v1")), NULL, "info");
	bench_need(sm_buf_add_lp(&info, s->origin, strlen(s->origin)), NULL, "info");
	bench_need(sm_buf_add_lp(&info, s->user, strlen(s->user)), NULL, "info");
	bench_need(sm_buf_add(&info, r->sid, SM_ID_LEN), NULL, "info");
	sm_seed_to_x25519(sk, u->id.secret.data);
	bench_need(sm_hpke_open(r->key, enc, sk, info.data, info.len, NULL, 0, ct, sizeof(ct)), NULL, "session key");
	sm_wipe(sk, sizeof(sk));
	sm_buf_release(&info);
}

static inline void bench_login(struct bench *b, struct bench_user *u)
{
	struct sm_scram s;
	struct sm_session *r = &u->session;
	uint8_t key[32], proof[32], expected[32], sig[SM_SIG_LEN];
	json_t *j = NULL;
	bench_challenge(b, u, "login", &s);
	bench_auth_key(key, &s);
	bench_need(sm_scram_proof(proof, expected, &s, key), NULL, "proof");
	bench_need(sm_scram_device_signature(sig, "login", &s, &u->id), NULL, "signature");
	json_t *ask = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "origin", s.origin, "user", s.user, "device",
	                        sm_json_base64(s.device, SM_FP_LEN), "nonce", sm_json_base64(s.nonce, sizeof(s.nonce)), "cnonce",
	                        sm_json_base64(s.cnonce, sizeof(s.cnonce)), "proof", sm_json_base64(proof, sizeof(proof)), "signature",
	                        sm_json_base64(sig, sizeof(sig)));
	bench_need(sm_client_json(&b->client, false, "POST", BENCH_API "login", ask, &j), &b->client, "login");
	memcpy(r->address, u->address.text, strlen(u->address.text) + 1);
	if (!sm_json_text(j, "session", r->sid, sizeof(r->sid)) || !sm_json_text(j, "access_token", r->access, sizeof(r->access)) ||
	    !sm_json_number(j, "access_expires", &r->access_expires))
		errx(1, "malformed login");
	bench_session_key(r, json_object_get(j, "session_key"), &s, u);
	json_decref(ask);
	json_decref(j);
}

/* n accounts PREFIX0, PREFIX1, ..., registered unless they are, and logged in. Their keys are made from their names, so that a later run
 * finds its accounts again: these protect nothing. */
static inline void bench_users(struct bench *b, const char *prefix, size_t n)
{
	b->user = bench_alloc(n, sizeof(*b->user));
	b->users = n;
	for (size_t i = 0; i < n; i++) {
		struct bench_user *u = &b->user[i];
		char text[400];
		uint8_t seed[32];
		(void)snprintf(text, sizeof(text), "%s%zu@%s", prefix, i, b->origin);
		bench_need(sm_address_parse(&u->address, text, strlen(text)), NULL, text);
		sm_sha256(seed, text, strlen(text));
		bench_need(sm_identity_from_seed(&u->id, seed), NULL, "identity");
		bench_register(b, u);
		bench_login(b, u);
	}
}

/* Makes the client act for u. */
static inline void bench_as(struct bench *b, struct bench_user *u) { b->client.session = &u->session; }

static inline struct sm_party bench_party(const struct sm_address *a, const struct sm_public *pub)
{
	struct sm_party p = {.address = *a, .has_fp = true};
	memcpy(p.fp, pub->fp, SM_FP_LEN);
	return p;
}

/* Appends a signed envelope from u to one recipient, with n bytes of content. */
static inline void bench_seal(struct sm_buf *out, const struct bench_user *u, const struct sm_address *to, const struct sm_public *pub,
                              size_t n)
{
	struct sm_party party = bench_party(to, pub);
	struct sm_seal job = {.from = bench_party(&u->address, &u->id.pub),
	                      .to = &party,
	                      .to_pub = pub,
	                      .nto = 1,
	                      .signer = &u->id,
	                      .no_pad = true,
	                      .date = sm_time_now(),
	                      .rand = &sm_rand_system,
	                      .threads = 1};
	struct sm_source in;
	struct sm_sink sink;
	uint8_t *text = bench_alloc(n, 1);
	memset(text, 'x', n);
	sm_source_mem(&in, text, n, false);
	sm_sink_mem(&sink, out, NULL);
	bench_need(sm_seal(&job, &in, &sink, NULL, NULL), NULL, "seal");
	sm_sink_release(&sink);
	sm_source_release(&in);
	free(text);
}

/* How much content makes an envelope from u of `size` bytes: 0 when even the empty one is larger. */
static inline size_t bench_content_for(const struct bench_user *u, const struct sm_address *to, const struct sm_public *pub, size_t size)
{
	struct sm_buf b;
	sm_buf_init(&b, 1 << 20);
	bench_seal(&b, u, to, pub, 0);
	size_t empty = b.len;
	sm_buf_release(&b);
	return size > empty ? size - empty : 0;
}

static inline void bench_write(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			err(1, "write");
		p += w;
		n -= (size_t)w;
	}
}

#endif
