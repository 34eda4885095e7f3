/* load -u http://HOST:PORT [-c CONNECTIONS] [-a ACCOUNTS] [-t SECONDS | -n COUNT] [-s BYTES] [-r NAME] [-p PREFIX]
 * [-e ENVELOPES]: sends as fast as the
 * server answers. Every connection has one signed POST messages in flight; envelopes are sealed and signed beforehand, so that what is
 * measured is the server, which shares the machine with this program: one thread, one epoll, a handful of system calls a message.
 * Account i sends to account i+1, or all to NAME at the same server. Prints one line; only 2xx count, anything else is an exit of 1. */
#include "client.h"

#include "base/base64.h"
#include "net/keys.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define ANSWER_MAX 8192
#define DRAIN_MS 10000
#define PARAMS_MAX 256
#define HEAD_MAX 4096

struct options {
	const char *url, *prefix, *to;
	size_t connections, accounts, bytes;
	size_t envelopes; /* prepared for each account, used in turn */
	long seconds, count;
};

/* Everything of a request that is known before it is sent: content-digest, length and the envelope itself. */
struct prepared {
	char digest[SM_BASE64_PADDED_LEN(SM_HASH_LEN) + 1];
	struct sm_buf tail; /* from "Content-Digest:" to the end */
};

struct sender {
	const struct bench_user *user;
	struct prepared *ready; /* as many as o->envelopes */
	size_t next;            /* which of ready */
};

struct connection {
	int fd;
	struct sender *sender;
	int64_t start;
	char answer[ANSWER_MAX];
	size_t got;
};

struct load {
	struct bench bench;
	const struct options *o;
	struct sender *sender;
	struct connection *connection;
	int epoll;
	uint8_t pool[8192]; /* of random bytes: one system call for many requests */
	size_t pooled;
	uint32_t *took; /* microseconds */
	size_t sent, started, in_flight, room, refused;
	int64_t begin, end; /* ns; end is when counting stopped */
};

static void prepare(struct prepared *p, const struct bench_user *u, const struct sm_address *to, const struct sm_public *pub,
                    size_t content)
{
	struct sm_buf envelope;
	uint8_t hash[SM_HASH_LEN];
	sm_buf_init(&envelope, 1 << 20);
	bench_seal(&envelope, u, to, pub, content);
	sm_sha256(hash, envelope.data, envelope.len);
	p->digest[sm_base64_encode(p->digest, hash, sizeof(hash), true)] = 0;
	sm_buf_init(&p->tail, 2 << 20);
	bench_need(sm_buf_addf(&p->tail, "Content-Digest: sha-256=:%s:\r\nContent-Length: %zu\r\n\r\n", p->digest, envelope.len), NULL,
	           "tail");
	bench_need(sm_buf_add(&p->tail, envelope.data, envelope.len), NULL, "tail");
	sm_buf_release(&envelope);
}

static void prepare_senders(struct load *l)
{
	struct bench *b = &l->bench;
	struct sm_user_key key = {0};
	struct sm_address to;
	l->sender = bench_alloc(b->users, sizeof(*l->sender));
	if (l->o->to) {
		char text[400];
		(void)snprintf(text, sizeof(text), "%s@%s", l->o->to, b->origin);
		bench_need(sm_address_parse(&to, text, strlen(text)), NULL, text);
		bench_as(b, &b->user[0]);
		bench_need(sm_net_user_key(&key, &b->client, &to), &b->client, text);
	}
	for (size_t i = 0; i < b->users; i++) {
		const struct bench_user *peer = &b->user[(i + 1) % b->users];
		const struct sm_address *address = l->o->to ? &to : &peer->address;
		const struct sm_public *pub = l->o->to ? &key.pub : &peer->id.pub;
		l->sender[i].user = &b->user[i];
		size_t content = bench_content_for(l->sender[i].user, address, pub, l->o->bytes);
		l->sender[i].ready = bench_alloc(l->o->envelopes, sizeof(*l->sender[i].ready));
		for (size_t k = 0; k < l->o->envelopes; k++)
			prepare(&l->sender[i].ready[k], l->sender[i].user, address, pub, content);
	}
}

static void random_bytes(struct load *l, uint8_t *out, size_t n)
{
	if (l->pooled < n) {
		sm_rand_fill(&sm_rand_system, l->pool, sizeof(l->pool));
		l->pooled = sizeof(l->pool);
	}
	l->pooled -= n;
	memcpy(out, l->pool + l->pooled, n);
}

/* The part of the request before the prepared tail, signed (RFC 9421). Keys grow with time: be48 milliseconds, then random bits. */
static size_t write_head(struct load *l, const struct sender *s, const struct prepared *p, char head[static HEAD_MAX])
{
	const struct sm_session *r = &s->user->session;
	char params[PARAMS_MAX], base[1024], nonce[SM_BASE64_PADDED_LEN(16) + 1], mac[SM_BASE64_PADDED_LEN(SM_HASH_LEN) + 1],
	        key[SM_ID_LEN + 1];
	uint8_t raw[16], hash[SM_HASH_LEN];
	int64_t ms = sm_time_now_ms();
	random_bytes(l, raw, sizeof(raw));
	nonce[sm_base64_encode(nonce, raw, sizeof(raw), false)] = 0;
	random_bytes(l, raw, sizeof(raw));
	sm_put_be16(raw, (uint16_t)(ms >> 32));
	sm_put_be32(raw + 2, (uint32_t)ms);
	sm_base32_id(key, raw);
	(void)snprintf(params, sizeof(params),
	               "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\");created=%lld;nonce=\"%s\";keyid=\"%s\";"
	               "alg=\"hmac-sha256\"",
	               (long long)(ms / 1000), nonce, r->sid);
	int n = snprintf(base, sizeof(base),
	                 "\"@method\": POST\n\"@authority\": %s\n\"@path\": " BENCH_API
	                 "messages\n\"@query\": ?\n\"content-digest\": sha-256=:%s:\n\"@signature-params\": %s",
	                 l->bench.client.http.authority, p->digest, params);
	sm_hmac_sha256(hash, r->key, sizeof(r->key), base, (size_t)n);
	mac[sm_base64_encode(mac, hash, sizeof(hash), true)] = 0;
	n = snprintf(head, HEAD_MAX,
	             "POST " BENCH_API
	             "messages HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/sm-envelope\r\n"
	             "Idempotency-Key: %s\r\nSignature-Input: sm=%s\r\nSignature: sm=:%s:\r\n",
	             l->bench.client.http.authority, r->access, key, params, mac);
	if (n < 0 || n >= HEAD_MAX)
		errx(1, "request too long");
	return (size_t)n;
}

/* A request fits a socket's buffer, so waiting here is the rare case of a very large -s. */
static void write_parts(int fd, struct iovec *part, size_t parts)
{
	while (parts) {
		ssize_t w = writev(fd, part, (int)parts);
		if (w < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};
			(void)poll(&p, 1, -1);
			continue;
		}
		if (w < 0)
			err(1, "cannot send");
		for (size_t n = (size_t)w; parts && n >= part->iov_len; part++, parts--)
			n -= part->iov_len, w -= (ssize_t)part->iov_len;
		if (parts) {
			part->iov_base = (char *)part->iov_base + w;
			part->iov_len -= (size_t)w;
		}
	}
}

static void send_next(struct load *l, struct connection *c)
{
	char head[HEAD_MAX];
	const struct prepared *p = &c->sender->ready[c->sender->next++ % l->o->envelopes];
	c->start = bench_now();
	struct iovec part[] = {{head, write_head(l, c->sender, p, head)}, {p->tail.data, p->tail.len}};
	write_parts(c->fd, part, 2);
	c->got = 0;
	l->started++;
	l->in_flight++;
}

/* The bytes of the answer, header and body, once all of them are there; 0 before. */
static size_t answer_length(const struct connection *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n"), *length = strcasestr(c->answer, "\r\nContent-Length:");
	if (!end)
		return 0;
	if (!length || length > end)
		errx(1, "an answer without Content-Length");
	size_t all = (size_t)(end - c->answer) + 4 + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	return c->got >= all ? all : 0;
}

static void count(struct load *l, const struct connection *c, int64_t now)
{
	if (strncmp(c->answer, "HTTP/1.1 2", 10) != 0) {
		if (!l->refused++)
			warnx("refused: %.*s", (int)c->got, c->answer);
		return;
	}
	if (l->sent == l->room) {
		l->room = l->room ? l->room * 2 : 65536;
		if (!(l->took = realloc(l->took, l->room * sizeof(*l->took))))
			errx(1, "out of memory");
	}
	l->took[l->sent++] = (uint32_t)((now - c->start) / 1000);
}

static bool may_send(const struct load *l, int64_t now)
{
	if (l->o->count)
		return l->started < (size_t)l->o->count;
	return now < l->begin + (int64_t)l->o->seconds * 1000000000;
}

/* After the time is over answers are still read, so that nothing is left half done, but not counted. */
static void on_readable(struct load *l, struct connection *c)
{
	ssize_t n = read(c->fd, c->answer + c->got, sizeof(c->answer) - 1 - c->got);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		err(1, "cannot read");
	if (n == 0)
		errx(1, "the server has closed a connection");
	c->got += (size_t)n;
	c->answer[c->got] = 0;
	if (!answer_length(c)) {
		if (c->got == sizeof(c->answer) - 1)
			errx(1, "an answer of more than %d bytes", ANSWER_MAX);
		return;
	}
	int64_t now = bench_now();
	bool more = may_send(l, now);
	if (more || l->o->count) {
		count(l, c, now);
		l->end = now;
	}
	l->in_flight--;
	if (more)
		send_next(l, c);
}

static void connect_all(struct load *l)
{
	l->connection = bench_alloc(l->o->connections, sizeof(*l->connection));
	if ((l->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		err(1, "epoll");
	for (size_t i = 0; i < l->o->connections; i++) {
		struct connection *c = &l->connection[i];
		struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = c}};
		c->fd = bench_connect(&l->bench);
		c->sender = &l->sender[i % l->bench.users];
		if (fcntl(c->fd, F_SETFL, O_NONBLOCK) || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev))
			err(1, "epoll");
	}
}

static void run(struct load *l)
{
	struct epoll_event ev[64];
	l->begin = l->end = bench_now();
	for (size_t i = 0; i < l->o->connections && may_send(l, l->begin); i++)
		send_next(l, &l->connection[i]);
	while (l->in_flight) {
		int n = epoll_wait(l->epoll, ev, 64, DRAIN_MS);
		if (n == 0)
			errx(1, "no answer for %d s", DRAIN_MS / 1000);
		for (int i = 0; i < n; i++)
			on_readable(l, ev[i].data.ptr);
	}
}

static int report(struct load *l)
{
	double seconds = (double)(l->end - l->begin) / 1e9;
	if (!l->sent)
		errx(1, "nothing was accepted");
	qsort(l->took, l->sent, sizeof(*l->took), bench_compare);
	printf("sends %zu seconds %.3f rate %.0f p50_us %u p99_us %u max_us %u bytes %zu refused %zu\n", l->sent, seconds,
	       (double)l->sent / seconds, bench_percentile(l->took, l->sent, 50), bench_percentile(l->took, l->sent, 99),
	       l->took[l->sent - 1], l->o->bytes, l->refused);
	return l->refused ? 1 : 0;
}

static void release(struct load *l)
{
	for (size_t i = 0; i < l->bench.users; i++) {
		for (size_t k = 0; k < l->o->envelopes; k++)
			sm_buf_release(&l->sender[i].ready[k].tail);
		free(l->sender[i].ready);
	}
	for (size_t i = 0; i < l->o->connections; i++)
		(void)close(l->connection[i].fd);
	(void)close(l->epoll);
	free(l->sender);
	free(l->connection);
	free(l->took);
	bench_close(&l->bench);
}

static int usage(void)
{
	(void)fputs("usage: load -u URL [-c CONNECTIONS] [-a ACCOUNTS] [-t SECONDS | -n COUNT] [-s BYTES] [-r NAME] [-p PREFIX]\n          "
	            "  [-e ENVELOPES]\n",
	            stderr);
	return 64;
}

int main(int argc, char **argv)
{
	struct options o = {.prefix = "load", .connections = 64, .bytes = 1024, .seconds = 5, .envelopes = 8};
	struct load l = {.o = &o};
	int c;
	while ((c = getopt(argc, argv, "u:c:a:t:n:s:r:p:e:")) != -1)
		switch (c) {
		case 'u': o.url = optarg; break;
		case 'c': o.connections = (size_t)bench_number(optarg, "-c"); break;
		case 'a': o.accounts = (size_t)bench_number(optarg, "-a"); break;
		case 't': o.seconds = bench_number(optarg, "-t"); break;
		case 'n': o.count = bench_number(optarg, "-n"); break;
		case 's': o.bytes = (size_t)bench_number(optarg, "-s"); break;
		case 'r': o.to = optarg; break;
		case 'p': o.prefix = optarg; break;
		case 'e': o.envelopes = (size_t)bench_number(optarg, "-e"); break;
		default: return usage();
		}
	if (!o.url || optind != argc)
		return usage();
	(void)bench_descriptors();
	bench_open(&l.bench, o.url);
	bench_users(&l.bench, o.prefix, o.accounts ? o.accounts : o.connections);
	prepare_senders(&l);
	connect_all(&l);
	run(&l);
	int status = report(&l);
	release(&l);
	return status;
}
