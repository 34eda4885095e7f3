/* Load for a running smserver, by one thread over many connections.
 *   load URL bench CONNECTIONS SECONDS SENDER[,SENDER]... TO [BYTES]   prints: sent, a second, p50, p99 (µs); the connections
 *                                                            take turns with the senders' sessions
 *   load URL ledger FILE SENDER TO                           sends one after another on 8 connections until the server is gone, and
 *                                                            appends the key of every message answered 201 to FILE
 *   load URL check SENDER FILE...                            the mailbox against the ledgers: every acked key is there once, in order */
#include "client.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

#define CONNECTIONS_MAX 4096

struct conn {
	int fd;
	struct sm_buf out, in;
	size_t written;
	int64_t began; /* µs */
	uint8_t number;
	char key[40];
};

static struct server server;
static struct person sender; /* the first */
/* Each sender with an envelope as a model: the id is filled in for each message. */
static struct model {
	struct person from;
	struct sm_buf envelope;
	size_t id_at;
} model[64];
static size_t nmodel;
static unsigned long sequence;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void add_model(const char *from, const char *to, size_t bytes)
{
	struct model *m = &model[nmodel++];
	const char *const tos[1] = {to};
	char name[64];
	struct person p;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(to, "@"), to);
	person_load(&p, name);
	uint8_t fp[1][32];
	memcpy(fp[0], p.id.pub.fp, 32);
	person_load(&m->from, from);
	sm_buf_init(&m->envelope, 1u << 20);
	make_envelope(&m->envelope, &m->from, tos, (const uint8_t(*)[32])fp, 1, bytes);
	m->id_at = (size_t)(strstr(sm_buf_str(&m->envelope), "\nid ") - (char *)m->envelope.data) + 4;
}

static void add_models(char *names, const char *to, size_t bytes)
{
	for (char *end; names && nmodel < 64; names = end) {
		end = strchr(names, ',');
		if (end)
			*end++ = '\0';
		add_model(names, to, bytes);
	}
	sender = model[0].from;
}

/* Keys grow with time: be48 of milliseconds, a counter, then the connection: what one connection sent must stay in that order. */
static void next_message(struct conn *c)
{
	struct model *m = &model[c->number % nmodel];
	uint8_t raw[16];
	char headers[160];

	sm_rand_fill(&sm_rand_system, raw, 16);
	sm_put_be64(raw, (uint64_t)sm_time_now_ms() << 16);
	sm_put_be32(raw + 6, (uint32_t)++sequence);
	raw[10] = c->number;
	sm_base32_id(c->key, raw);
	memcpy(m->envelope.data + m->id_at, c->key, 26);
	snprintf(headers, sizeof headers, "Content-Type: application/sm-envelope\r\nIdempotency-Key: %s\r\n", c->key);
	sm_buf_clear(&c->out);
	build_request(&c->out, &server, &m->from,
	              &(struct request){.method = "POST",
	                                .target = "/api/v1/messages",
	                                .headers = headers,
	                                .body = m->envelope.data,
	                                .n = m->envelope.len});
	c->written = 0;
	c->began = now_us();
}

static bool push(struct conn *c)
{
	while (c->written < c->out.len) {
		ssize_t n = write(c->fd, c->out.data + c->written, c->out.len - c->written);
		if (n < 0)
			return errno == EAGAIN;
		c->written += (size_t)n;
	}
	return true;
}

/* 0: not all there; -1: the connection is gone; else the status. */
static int pull(struct conn *c)
{
	uint8_t *p;
	char *end;
	int status;

	must(sm_buf_reserve(&c->in, 4096, &p));
	ssize_t n = read(c->fd, p, 4096);
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	c->in.len += (size_t)n;
	end = strstr(sm_buf_str(&c->in), "\r\n\r\n");
	if (!end)
		return 0;
	const char *len = strcasestr((char *)c->in.data, "content-length:");
	size_t head = (size_t)(end - (char *)c->in.data) + 4;
	if (c->in.len < head + (len ? strtoul(len + 15, NULL, 10) : 0))
		return 0;
	if (sscanf((char *)c->in.data, "HTTP/1.1 %d", &status) != 1)
		return -1;
	if (status != 201)
		fprintf(stderr, "%s\n", (char *)c->in.data);
	sm_buf_clear(&c->in);
	return status;
}

static struct conn *connect_all(size_t n, int ep)
{
	struct conn *c = calloc(n, sizeof *c);

	for (size_t i = 0; i < n; i++) {
		c[i].number = (uint8_t)i;
		c[i].fd = server_connect(&server);
		if (c[i].fd < 0)
			die("cannot connect");
		fcntl(c[i].fd, F_SETFL, O_NONBLOCK);
		sm_buf_init(&c[i].out, 1u << 22);
		sm_buf_init(&c[i].in, 1u << 20);
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &c[i]};
		epoll_ctl(ep, EPOLL_CTL_ADD, c[i].fd, &ev);
		next_message(&c[i]);
		if (!push(&c[i]))
			die("cannot write");
	}
	return c;
}

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int bench(size_t n, int64_t seconds)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev[256];
	uint32_t *took = calloc(8u << 20, sizeof *took);
	size_t done = 0;
	struct conn *c = connect_all(n, ep);
	int64_t begin = now_us(), end = begin + seconds * 1000000, now = begin;

	(void)c;
	while (now < end) {
		int got = epoll_wait(ep, ev, 256, 1000);
		now = now_us();
		for (int i = 0; i < got; i++) {
			struct conn *x = ev[i].data.ptr;
			int status = pull(x);
			if (status == 0)
				continue;
			if (status != 201)
				die("answered %d", status);
			took[done++ & ((8u << 20) - 1)] = (uint32_t)(now - x->began);
			next_message(x);
			if (!push(x))
				die("cannot write");
		}
	}
	qsort(took, done, sizeof *took, by_size);
	printf("%zu\t%.0f\t%u\t%u\n", done, (double)done * 1e6 / (double)(now - begin), took[done / 2], took[done * 99 / 100]);
	return 0;
}

static int ledger(const char *path)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev[64];
	FILE *f = fopen(path, "a");

	setvbuf(f, NULL, _IOLBF, 0);
	/* A server that has just started takes nothing of an older session in its first second: this waits for that. */
	(void)ask(&server, &sender, &(struct request){.method = "GET", .target = "/api/v1/sessions"});
	(void)connect_all(8, ep);
	for (;;) {
		int got = epoll_wait(ep, ev, 64, 5000);
		for (int i = 0; i < got; i++) {
			struct conn *x = ev[i].data.ptr;
			int status = pull(x);
			if (status == 201)
				fprintf(f, "%s\n", x->key);
			if (status < 0 || (status && status != 201)) {
				fclose(f);
				return 0;
			}
			if (status == 0)
				continue;
			next_message(x);
			(void)push(x);
		}
		if (got == 0)
			die("the server says nothing");
	}
}

struct seen {
	char key[27];
	unsigned times;
};

static int by_key(const void *a, const void *b) { return memcmp(a, b, 26); }

/* Reads the whole mailbox of the receiver by pages. */
static struct seen *mailbox(size_t *count)
{
	size_t n = 0, cap = 1 << 16;
	struct seen *s = calloc(cap, sizeof *s);
	uint64_t after = 0;

	for (;;) {
		char target[64];
		snprintf(target, sizeof target, "/api/v1/messages?limit=1000&after=%llu", (unsigned long long)after);
		struct answer a = ask(&server, &sender,
		                      &(struct request){.method = "GET", .target = target, .headers = "Accept: application/sm-batch\r\n"});
		struct sm_span p = {a.body.data, a.body.len};
		if (a.status != 200)
			die("fetch answered %d", a.status);
		while (p.n) {
			uint64_t seq, received;
			struct sm_span e;
			if (!sm_span_take_be64(&p, &seq) || !sm_span_take_be64(&p, &received) || !sm_span_take_lp(&p, &e) || seq <= after)
				die("bad page or order at %llu", (unsigned long long)after);
			after = seq;
			if (n == cap)
				s = realloc(s, (cap *= 2) * sizeof *s);
			const char *id = memmem(e.p, e.n, "\nid ", 4);
			memcpy(s[n].key, id + 4, 26);
			s[n].key[26] = '\0';
			s[n++].times = 1;
		}
		const char *more = header_of(&a, "Sm-More");
		bool last = !more || strtoul(more, NULL, 10) == 0;
		sm_buf_release(&a.body);
		if (last)
			break;
	}
	*count = n;
	return s;
}

/* Counts the messages of a connection that stand behind a later one of the same. */
static size_t disordered(const struct seen *s, size_t n)
{
	static uint8_t last[256][16];
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t raw[16];
		must(sm_base32_id_parse(raw, s[i].key, 26));
		wrong += memcmp(raw, last[raw[10]], 10) < 0;
		memcpy(last[raw[10]], raw, 16);
	}
	return wrong;
}

static int check(int argc, char **argv)
{
	size_t n, acked = 0, lost = 0, twice = 0;
	struct seen *s = mailbox(&n);
	char line[64];

	size_t moved = disordered(s, n);
	qsort(s, n, sizeof *s, by_key);
	for (size_t i = 1; i < n; i++)
		twice += !memcmp(s[i].key, s[i - 1].key, 26);
	for (int i = 0; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		while (f && fgets(line, sizeof line, f)) {
			line[strcspn(line, "\n")] = '\0';
			if (strlen(line) != 26)
				continue;
			acked++;
			lost += !bsearch(line, s, n, sizeof *s, by_key);
		}
		if (f)
			fclose(f);
	}
	printf("stored %zu acked %zu lost %zu twice %zu moved %zu\n", n, acked, lost, twice, moved);
	return lost || twice || moved || acked > n;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[2] : "";

	must(sm_secret_harden());
	signal(SIGPIPE, SIG_IGN);
	if (argc < 5)
		die("see the head of load.c");
	server_parse(&server, argv[1]);
	if (!strcmp(verb, "bench") && argc >= 7) {
		add_models(argv[5], argv[6], argc > 7 ? strtoul(argv[7], NULL, 10) : 1024);
		return bench(strtoul(argv[3], NULL, 10), strtol(argv[4], NULL, 10));
	}
	if (!strcmp(verb, "ledger") && argc == 6) {
		add_models(argv[4], argv[5], 512);
		return ledger(argv[3]);
	}
	if (!strcmp(verb, "check")) {
		person_load(&sender, argv[3]);
		return check(argc - 4, argv + 4);
	}
	die("unknown verb '%s'", verb);
}
