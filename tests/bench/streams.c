/* streams idle -u http://HOST:PORT -n STREAMS -P PID: opens so many event streams and prints by how many KiB the resident memory of process
 * PID has grown once all of them are running. `streams latency -u URL -n STREAMS [-k ROUNDS] [-q RATE]`: one stream for each of so many
 * accounts, then ROUNDS times a message to every one of them, RATE a second, and for each round one line: how long from the answer to a
 * send (its commit is then known) until the event has arrived, and how long from the send itself. */
#include "client.h"

#include "net/httpsig.h"
#include "net/mailbox.h"
#include "net/sse.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#define IDLE_ACCOUNTS 100
#define OPEN_AT_ONCE 64
#define WAIT_MS 30000
#define HEADER_MAX 4096
#define CONTENT 512

struct options {
	const char *url, *prefix;
	size_t streams, rounds, rate;
	long pid;
};

/* How an answer's body comes: as it is, or in chunks (RFC 9112 section 7.1). */
struct chunks {
	bool chunked, in_size;
	uint64_t left;
	char size[20];
	size_t n;
};

struct stream {
	int fd;
	bool running; /* the header and the first comment have come */
	char header[HEADER_MAX];
	size_t got;
	struct chunks chunks;
	struct sm_sse sse;
	/* The send this stream waits for, on the monotonic clock in ns; written by the sending thread (sent, answered) and the reader. */
	_Atomic int64_t sent, answered, arrived;
};

struct streams {
	struct bench bench;
	const struct options *o;
	struct stream *stream;
	int epoll;
	size_t running;
	atomic_size_t events;
	atomic_bool over;
};

static void ask(struct streams *x, struct stream *s, const struct bench_user *u)
{
	const struct sm_session *r = &u->session;
	const char *authority = x->bench.client.http.authority;
	struct sm_http_request request = {.method = "GET", .path = BENCH_API "stream"};
	struct sm_httpsig_key k = {.keyid = r->sid, .key = r->key, .created = sm_time_now()};
	struct sm_httpsig sig;
	struct sm_buf b;
	sm_buf_init(&b, 16384);
	sm_rand_fill(&sm_rand_system, k.nonce, sizeof(k.nonce));
	bench_need(sm_httpsig_make(&sig, &request, authority, &k), NULL, "signature");
	bench_need(sm_buf_addf(&b,
	                       "GET " BENCH_API "stream HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\nAuthorization: Bearer %s\r\n"
	                       "%s\r\n%s\r\n%s\r\n\r\n",
	                       authority, r->access, sig.digest, sig.input, sig.signature),
	           NULL, "request");
	bench_write(s->fd, (const char *)b.data, b.len);
	sm_buf_release(&b);
}

static enum sm_err on_event(void *ctx, const char *event, struct sm_span data)
{
	struct stream *s = ctx;
	(void)data;
	if (!strcmp(event, "message"))
		atomic_store(&s->arrived, bench_now());
	return SM_OK;
}

static void open_stream(struct streams *x, struct stream *s, const struct bench_user *u)
{
	struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = s}};
	s->fd = bench_connect(&x->bench);
	sm_sse_init(&s->sse, on_event, s);
	ask(x, s, u);
	if (fcntl(s->fd, F_SETFL, O_NONBLOCK) || epoll_ctl(x->epoll, EPOLL_CTL_ADD, s->fd, &ev))
		err(1, "epoll");
}

static void feed(struct streams *x, struct stream *s, const char *p, size_t n)
{
	int64_t before = atomic_load(&s->arrived);
	bench_need(sm_sse_feed(&s->sse, (const uint8_t *)p, n), NULL, "event stream");
	if (atomic_load(&s->arrived) != before)
		atomic_fetch_add(&x->events, 1);
}

/* One byte of a chunk's frame: CR LF after the one before, the size in hex, CR LF. */
static void frame_byte(struct chunks *c, char byte)
{
	if (byte == '\n' && c->n) {
		c->size[c->n] = 0;
		c->left = strtoull(c->size, NULL, 16);
		c->n = 0;
		if (!c->left)
			errx(1, "the server has ended a stream");
	} else if (isxdigit((unsigned char)byte) && c->n < sizeof(c->size) - 1)
		c->size[c->n++] = byte;
	else if (byte != '\r' && byte != '\n')
		errx(1, "malformed chunk");
}

static void body(struct streams *x, struct stream *s, const char *p, size_t n)
{
	if (!s->chunks.chunked) {
		feed(x, s, p, n);
		return;
	}
	while (n) {
		size_t take = s->chunks.left < n ? (size_t)s->chunks.left : n;
		if (!take) {
			frame_byte(&s->chunks, *p);
			take = 1;
		} else {
			feed(x, s, p, take);
			s->chunks.left -= take;
		}
		p += take;
		n -= take;
	}
}

/* The start of the answer, up to the comment that says the stream is there. */
static void start(struct streams *x, struct stream *s)
{
	ssize_t n = read(s->fd, s->header + s->got, sizeof(s->header) - 1 - s->got);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		errx(1, "the server has closed a stream that was starting");
	s->got += (size_t)n;
	s->header[s->got] = 0;
	const char *end = strstr(s->header, "\r\n\r\n"), *first = end ? strstr(end, ": sm\n") : NULL;
	if (strncmp(s->header, "HTTP/1.1 200", strlen("HTTP/1.1 200") < s->got ? strlen("HTTP/1.1 200") : s->got) != 0)
		errx(1, "stream refused: %s", s->header);
	if (!first && s->got < sizeof(s->header) - 1)
		return;
	if (!first)
		errx(1, "a stream that does not begin with a comment");
	const char *coding = strcasestr(s->header, "\r\nTransfer-Encoding:");
	s->chunks.chunked = coding && coding < end;
	s->running = true;
	x->running++;
	body(x, s, end + 4, s->got - (size_t)(end + 4 - s->header));
}

static void on_readable(struct streams *x, struct stream *s)
{
	char b[16384];
	if (!s->running) {
		start(x, s);
		return;
	}
	ssize_t n = read(s->fd, b, sizeof(b));
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		errx(1, "the server has closed a stream");
	body(x, s, b, (size_t)n);
}

/* False when nothing happened for ms. */
static bool turn(struct streams *x, int ms)
{
	struct epoll_event ev[256];
	int n = epoll_wait(x->epoll, ev, 256, ms);
	for (int i = 0; i < n; i++)
		on_readable(x, ev[i].data.ptr);
	return n > 0;
}

static void open_all(struct streams *x)
{
	x->stream = bench_alloc(x->o->streams, sizeof(*x->stream));
	if ((x->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		err(1, "epoll");
	for (size_t i = 0; i < x->o->streams; i++) {
		open_stream(x, &x->stream[i], &x->bench.user[i % x->bench.users]);
		while (i + 1 - x->running >= OPEN_AT_ONCE)
			if (!turn(x, WAIT_MS))
				errx(1, "%zu streams run, the next does not start", x->running);
	}
	while (x->running < x->o->streams)
		if (!turn(x, WAIT_MS))
			errx(1, "%zu of %zu streams run", x->running, x->o->streams);
}

static long resident(long pid)
{
	char path[64], line[256];
	long kib = -1;
	(void)snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		err(1, "cannot open '%s'", path);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmRSS:", 6))
			kib = strtol(line + 6, NULL, 10);
	(void)fclose(f);
	if (kib < 0)
		errx(1, "no VmRSS in '%s'", path);
	return kib;
}

static int idle(struct streams *x)
{
	size_t accounts = x->o->streams < IDLE_ACCOUNTS ? x->o->streams : IDLE_ACCOUNTS;
	bench_users(&x->bench, x->o->prefix, accounts);
	long before = resident(x->o->pid);
	open_all(x);
	/* A second of quiet: what the server does after the last start is part of it, and a stream it closes is seen. */
	while (turn(x, 1000))
		;
	printf("streams %zu before_kib %ld growth_kib %ld\n", x->running, before, resident(x->o->pid) - before);
	return 0;
}

static void *reader(void *ctx)
{
	struct streams *x = ctx;
	while (!atomic_load(&x->over))
		(void)turn(x, 100);
	return NULL;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void send_to(struct streams *x, struct stream *s, const struct sm_buf *envelope)
{
	char key[SM_ID_LEN + 1];
	struct sm_sent sent;
	sm_key_make(key, sm_time_now_ms(), &sm_rand_system);
	atomic_store(&s->sent, bench_now());
	bench_need(sm_net_send(&sent, &x->bench.client, key, NULL, envelope->data, envelope->len), &x->bench.client, "send");
	atomic_store(&s->answered, bench_now());
}

/* Every stream gets its message; one that is late does not hold up the next. */
static void send_round(struct streams *x, const struct sm_buf *envelope)
{
	int64_t begin = bench_now();
	size_t target = atomic_load(&x->events) + x->o->streams;
	for (size_t i = 0; i < x->o->streams; i++) {
		sleep_until(begin + (int64_t)i * 1000000000 / (int64_t)x->o->rate);
		send_to(x, &x->stream[i], &envelope[i]);
	}
	for (int64_t until = bench_now() + (int64_t)WAIT_MS * 1000000; atomic_load(&x->events) < target; sleep_until(bench_now() + 1000000))
		if (bench_now() > until)
			errx(1, "%zu messages have not arrived", target - atomic_load(&x->events));
}

static void report_round(const struct streams *x)
{
	size_t n = x->o->streams;
	uint32_t *commit = bench_alloc(n, sizeof(*commit)), *send = bench_alloc(n, sizeof(*send));
	for (size_t i = 0; i < n; i++) {
		const struct stream *s = &x->stream[i];
		int64_t late = s->arrived - s->answered;
		commit[i] = late > 0 ? (uint32_t)(late / 1000) : 0;
		send[i] = (uint32_t)((s->arrived - s->sent) / 1000);
	}
	qsort(commit, n, sizeof(*commit), bench_compare);
	qsort(send, n, sizeof(*send), bench_compare);
	printf("streams %zu commit_p50_us %u commit_p99_us %u send_p50_us %u send_p99_us %u\n", n, bench_percentile(commit, n, 50),
	       bench_percentile(commit, n, 99), bench_percentile(send, n, 50), bench_percentile(send, n, 99));
	free(commit);
	free(send);
}

static int latency(struct streams *x)
{
	struct sm_buf *envelope = bench_alloc(x->o->streams, sizeof(*envelope));
	pthread_t thread;
	bench_users(&x->bench, x->o->prefix, x->o->streams);
	for (size_t i = 0; i < x->o->streams; i++) {
		struct bench_user *to = &x->bench.user[i];
		sm_buf_init(&envelope[i], 1 << 20);
		bench_seal(&envelope[i], &x->bench.user[0], &to->address, &to->id.pub, CONTENT);
	}
	open_all(x);
	bench_as(&x->bench, &x->bench.user[0]);
	if (pthread_create(&thread, NULL, reader, x))
		errx(1, "cannot start a thread");
	for (size_t i = 0; i < x->o->rounds; i++) {
		send_round(x, envelope);
		report_round(x);
	}
	atomic_store(&x->over, true);
	(void)pthread_join(thread, NULL);
	for (size_t i = 0; i < x->o->streams; i++)
		sm_buf_release(&envelope[i]);
	free(envelope);
	return 0;
}

static void release(struct streams *x)
{
	for (size_t i = 0; i < x->o->streams; i++) {
		(void)close(x->stream[i].fd);
		sm_sse_release(&x->stream[i].sse);
	}
	(void)close(x->epoll);
	free(x->stream);
	bench_close(&x->bench);
}

static int usage(void)
{
	(void)fputs("usage: streams idle -u URL -n STREAMS -P PID | latency -u URL -n STREAMS [-k ROUNDS] [-q RATE] [-p PREFIX]\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	struct options o = {.prefix = "stream", .rounds = 1, .rate = 500};
	struct streams x = {.o = &o};
	const char *verb = argc > 1 ? argv[1] : "";
	int c;
	optind = 2;
	while (argc > 1 && (c = getopt(argc, argv, "u:n:P:k:q:p:")) != -1)
		switch (c) {
		case 'u': o.url = optarg; break;
		case 'n': o.streams = (size_t)bench_number(optarg, "-n"); break;
		case 'P': o.pid = bench_number(optarg, "-P"); break;
		case 'k': o.rounds = (size_t)bench_number(optarg, "-k"); break;
		case 'q': o.rate = (size_t)bench_number(optarg, "-q"); break;
		case 'p': o.prefix = optarg; break;
		default: return usage();
		}
	bool is_idle = !strcmp(verb, "idle");
	if ((!is_idle && strcmp(verb, "latency") != 0) || !o.url || !o.streams || (is_idle && !o.pid) || optind != argc)
		return usage();
	if (bench_descriptors() < o.streams + 32)
		errx(1, "the limit on open files allows fewer than %zu streams", o.streams);
	bench_open(&x.bench, o.url);
	int status = is_idle ? idle(&x) : latency(&x);
	release(&x);
	return status;
}
