/* The event loops of smserver: one event base and one thread each, listeners with SO_REUSEPORT so that the kernel spreads
 * the connections, and an eventfd by which other threads wake a loop. evhttp parses; http_req.c hands requests over. */
#include "http_int.h"

#include "base/time.h"
#include "http_strict.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { HEADER_MAX = 2 * SM_HEAD_MAX, STALL_SECONDS = 60, STOP_POLL_MS = 5, TRIM_BYTES = 8 << 20, TRIM_MS = 5000 };

static void quiet(int severity, const char *msg) { (void)severity, (void)msg; }

static void begin_stop(struct sm_loop *l)
{
	const struct timeval often = {0, STOP_POLL_MS * 1000};
	int ms = atomic_load(&l->http->stopping);

	for (size_t k = 0; k < l->http->nlisten; k++)
		evconnlistener_disable(l->listener[k]);
	if (!ms || l->stop_at)
		return;
	l->stop_at = sm_time_mono_ms() + ms;
	event_add(l->ticker, &often);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct sm_loop *l = arg;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof n);
	if (atomic_load(&l->http->draining))
		begin_stop(l);
	l->http->hooks->wake(l->worker);
}

/* Large bodies come in small pieces, and the allocator keeps those: many at once would be kept for good. */
static void give_back_memory(struct sm_loop *l)
{
	int64_t now = sm_time_mono_ms();

	if (l->big < TRIM_BYTES || now - l->trimmed < TRIM_MS)
		return;
	l->big = 0;
	l->trimmed = now;
	(void)malloc_trim(0);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct sm_loop *l = arg;

	(void)fd, (void)what;
	if (atomic_load(&l->http->draining))
		begin_stop(l);
	else if (l->deaf)
		for (size_t k = 0; k < l->http->nlisten; k++)
			evconnlistener_enable(l->listener[k]);
	l->deaf = false;
	l->http->hooks->tick(l->worker);
	sm_conns_reap(l, !l->stop_at);
	give_back_memory(l);
	if (l->stop_at && ((!l->open_requests && !sm_conns_writing(l)) || sm_time_mono_ms() >= l->stop_at))
		event_base_loopbreak(l->base);
}

/* Out of descriptors: without a pause the loop would spin on a connection it cannot accept. */
static void accept_failed(struct evconnlistener *lev, void *arg)
{
	struct sm_loop *l = arg;

	(void)lev;
	sm_log(l->http->log, SM_LOG_WARN, "cannot accept", "error", strerror(errno), NULL);
	for (size_t k = 0; k < l->http->nlisten; k++)
		evconnlistener_disable(l->listener[k]);
	l->deaf = true;
}

/* Changes of interest are handed to the kernel once a turn of the loop, not one by one. */
static struct event_base *new_base(void)
{
	struct event_config *c = event_config_new();
	struct event_base *b;

	if (!c)
		return NULL;
	event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	b = event_base_new_with_config(c);
	event_config_free(c);
	return b;
}

static enum sm_err loop_open(struct sm_http *h, struct sm_loop *l, unsigned index)
{
	const struct timeval second = {1, 0};

	l->http = h;
	l->index = index;
	l->base = new_base();
	l->evhttp = l->base ? evhttp_new(l->base) : NULL;
	l->wakefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!l->evhttp || l->wakefd < 0)
		return SM_ERR_NOMEM;
	l->wake = event_new(l->base, l->wakefd, EV_READ | EV_PERSIST, on_wake, l);
	l->ticker = event_new(l->base, -1, EV_PERSIST, on_tick, l);
	l->fresh_ev = event_new(l->base, -1, 0, sm_conns_fresh, l);
	if (!l->wake || !l->ticker || !l->fresh_ev || event_add(l->wake, NULL) || event_add(l->ticker, &second))
		return SM_ERR_NOMEM;
	evhttp_set_allowed_methods(l->evhttp, 0x1ff);
	evhttp_set_default_content_type(l->evhttp, NULL);
	evhttp_set_max_headers_size(l->evhttp, HEADER_MAX);
	evhttp_set_max_body_size(l->evhttp, (ev_ssize_t)h->body_max);
	evhttp_set_timeout(l->evhttp, STALL_SECONDS);
	evhttp_set_bevcb(l->evhttp, sm_conn_new, l);
	evhttp_set_gencb(l->evhttp, sm_req_dispatch, l);
	return SM_OK;
}

enum sm_err sm_http_open(struct sm_http **out, const struct sm_http_config *c, char why[static 512])
{
	struct sm_http *h = calloc(1, sizeof *h);
	enum sm_err e = SM_OK;

	snprintf(why, 512, "out of memory");
	if (!h)
		return SM_ERR_NOMEM;
	event_set_log_callback(quiet);
	pthread_mutex_init(&h->lock, NULL);
	h->body_max = c->body_max;
	h->per_address = c->per_address;
	h->loop = calloc(c->threads, sizeof *h->loop);
	if (!h->loop)
		e = SM_ERR_NOMEM;
	if (!e && c->tls_cert)
		e = sm_tls_load(&h->tls, c->tls_cert, c->tls_key, why);
	for (; !e && h->nloop < c->threads; h->nloop++)
		e = loop_open(h, &h->loop[h->nloop], (unsigned)h->nloop);
	if (!e)
		e = sm_listen(h, c, why);
	if (e)
		sm_http_free(h);
	else
		*out = h;
	return e;
}

const char *sm_http_url(const struct sm_http *h) { return h->url; }
unsigned sm_http_port(const struct sm_http *h) { return h->port; }
size_t sm_http_loops(const struct sm_http *h) { return h->nloop; }

static void *loop_main(void *arg)
{
	struct sm_loop *l = arg;

	event_base_dispatch(l->base);
	return NULL;
}

enum sm_err sm_http_run(struct sm_http *h, const struct sm_http_hooks *hooks, void *server, const struct sm_log *log)
{
	h->hooks = hooks, h->server = server, h->log = log;
	for (size_t i = 0; i < h->nloop; i++) {
		h->loop[i].worker = hooks->loop_open(server, &h->loop[i]);
		if (!h->loop[i].worker)
			return SM_ERR_IO;
	}
	for (size_t i = 0; i < h->nloop; i++) {
		struct sm_loop *l = &h->loop[i];
		for (size_t k = 0; k < h->nlisten; k++) {
			evconnlistener_set_error_cb(l->listener[k], accept_failed);
			evconnlistener_enable(l->listener[k]);
		}
		if (pthread_create(&l->thread, NULL, loop_main, l))
			return SM_ERR_NOMEM;
		l->running = true;
	}
	return SM_OK;
}

enum sm_err sm_http_reload_tls(struct sm_http *h, const char *cert, const char *key, char why[static 512])
{
	struct ssl_ctx_st *fresh, *old;
	enum sm_err e = sm_tls_load(&fresh, cert, key, why);

	if (e)
		return e;
	pthread_mutex_lock(&h->lock);
	old = h->tls;
	h->tls = fresh;
	pthread_mutex_unlock(&h->lock);
	sm_tls_free(old);
	return SM_OK;
}

enum sm_err sm_http_check_tls(const char *cert, const char *key, char why[static 512])
{
	struct ssl_ctx_st *tls = NULL;
	enum sm_err e = sm_tls_load(&tls, cert, key, why);

	if (!e)
		sm_tls_free(tls);
	return e;
}

void sm_loop_wake(struct sm_loop *l)
{
	const uint64_t one = 1;

	(void)!write(l->wakefd, &one, sizeof one);
}

void sm_http_drain(struct sm_http *h)
{
	atomic_store(&h->draining, true);
	for (size_t i = 0; i < h->nloop; i++)
		sm_loop_wake(&h->loop[i]);
}

void sm_http_stop(struct sm_http *h, int ms)
{
	atomic_store(&h->stopping, ms);
	sm_http_drain(h);
	for (size_t i = 0; i < h->nloop; i++)
		if (h->loop[i].running)
			pthread_join(h->loop[i].thread, NULL);
}

static void loop_free(struct sm_loop *l)
{
	if (l->evhttp)
		evhttp_free(l->evhttp); /* its listeners too */
	sm_conns_free(l);
	if (l->wake)
		event_free(l->wake);
	if (l->ticker)
		event_free(l->ticker);
	if (l->fresh_ev)
		event_free(l->fresh_ev);
	if (l->base)
		event_base_free(l->base);
	if (l->wakefd >= 0)
		close(l->wakefd);
}

void sm_http_free(struct sm_http *h)
{
	if (!h)
		return;
	for (size_t i = 0; h->loop && i < h->nloop; i++)
		loop_free(&h->loop[i]);
	sm_tls_free(h->tls);
	pthread_mutex_destroy(&h->lock);
	free(h->loop);
	free(h);
}
