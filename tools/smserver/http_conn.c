/* Connections: the register of what is open in a loop, the limit for each address, and the deadlines that evhttp does not
 * have (a request that comes in too slowly). evhttp tells nobody when it drops a connection, so each entry holds a
 * reference to the bufferevent and is reaped once evhttp's callbacks are gone from it. Ending a connection from here is
 * shutdown(2): evhttp then sees the end of the stream and cleans up its own side. */
#include "http_int.h"

#include "base/time.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEADER_MS = 10000, /* for a request to come in, plus its size at BODY_RATE */
	IDLE_MS = 75000,   /* between requests */
	BODY_RATE = 8192,  /* bytes a second */
	REAP_AFTER = 64,   /* new connections */
};

struct sm_peer_count {
	struct sm_peer_count *next;
	struct sm_peer_key key;
	unsigned n;
};

static struct sm_peer_key peer_key(const struct sockaddr_storage *ss)
{
	struct sm_peer_key k = {.family = 0};

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)ss;
		if ((ntohl(in->sin_addr.s_addr) >> 24) != 127)
			k.family = 4, memcpy(k.b, &in->sin_addr, 4);
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)ss;
		if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr))
			k.family = in->sin6_addr.s6_addr[12] == 127 ? 0 : 4, memcpy(k.b, in->sin6_addr.s6_addr + 12, 4);
		else if (!IN6_IS_ADDR_LOOPBACK(&in->sin6_addr))
			k.family = 6, memcpy(k.b, in->sin6_addr.s6_addr, 8);
	}
	return k;
}

static struct sm_peer_count **peer_slot(struct sm_http *h, const struct sm_peer_key *k)
{
	uint32_t x = k->family;
	struct sm_peer_count **p;

	for (size_t i = 0; i < sizeof k->b; i++)
		x = (x ^ k->b[i]) * 16777619U;
	for (p = &h->peers[x % SM_PEERS]; *p; p = &(*p)->next)
		if (!memcmp(&(*p)->key, k, sizeof *k))
			break;
	return p;
}

/* Counts one more; false when the address already has all it may. */
static bool peer_enter(struct sm_http *h, const struct sm_peer_key *k)
{
	bool good = true;

	if (!k->family || !h->per_address)
		return true;
	pthread_mutex_lock(&h->lock);
	struct sm_peer_count **p = peer_slot(h, k);
	if (!*p && (*p = calloc(1, sizeof **p)))
		(*p)->key = *k;
	if (!*p || (*p)->n >= h->per_address)
		good = false;
	else
		(*p)->n++;
	pthread_mutex_unlock(&h->lock);
	return good;
}

static void peer_leave(struct sm_http *h, const struct sm_peer_key *k)
{
	if (!k->family || !h->per_address)
		return;
	pthread_mutex_lock(&h->lock);
	struct sm_peer_count **p = peer_slot(h, k), *gone = *p;
	if (gone && --gone->n == 0) {
		*p = gone->next;
		free(gone);
	}
	pthread_mutex_unlock(&h->lock);
}

static void input_grew(struct evbuffer *buf, const struct evbuffer_cb_info *info, void *arg)
{
	struct sm_conn *c = arg;

	if (!info->n_added || c->gate.moving)
		return;
	if (!c->busy && !c->got)
		c->since = sm_time_mono_ms();
	if (!c->busy)
		c->got += info->n_added;
	sm_gate_added(c, buf, info->n_added);
}

struct bufferevent *sm_conn_new(struct event_base *base, void *arg)
{
	struct sm_loop *l = arg;
	struct sm_conn *c = calloc(1, sizeof *c);
	struct ssl_ctx_st *tls;

	if (!c)
		return NULL;
	pthread_mutex_lock(&l->http->lock);
	tls = sm_tls_ref(l->http->tls);
	pthread_mutex_unlock(&l->http->lock);
	c->bev = tls ? sm_tls_bufferevent(base, tls) : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	sm_tls_free(tls);
	c->gate.hold = evbuffer_new();
	if (!c->bev || !c->gate.hold) {
		if (c->bev)
			bufferevent_free(c->bev);
		sm_gate_release(&c->gate);
		free(c);
		return NULL;
	}
	c->loop = l;
	c->fd = -1;
	c->since = sm_time_mono_ms();
	bufferevent_incref(c->bev);
	evbuffer_add_cb(bufferevent_get_input(c->bev), input_grew, c);
	c->next_fresh = l->fresh;
	l->fresh = c;
	event_active(l->fresh_ev, EV_TIMEOUT, 0);
	return c->bev;
}

static bool evhttp_let_go(const struct sm_conn *c)
{
	bufferevent_data_cb rd, wr;
	bufferevent_event_cb ev = NULL;
	void *arg;

	bufferevent_getcb(c->bev, &rd, &wr, &ev, &arg);
	return ev == NULL;
}

static void conn_free(struct sm_conn *c)
{
	peer_leave(c->loop->http, &c->peer);
	evbuffer_remove_cb(bufferevent_get_input(c->bev), input_grew, c);
	bufferevent_decref(c->bev);
	sm_gate_release(&c->gate);
	free(c);
}

static bool conn_register(struct sm_loop *l, struct sm_conn *c)
{
	if ((size_t)c->fd >= l->nconn) {
		size_t n = ((size_t)c->fd + 256) * 2;
		struct sm_conn **p = realloc(l->conn, n * sizeof *p);
		if (!p)
			return false;
		memset(p + l->nconn, 0, (n - l->nconn) * sizeof *p);
		l->conn = p, l->nconn = n;
	}
	/* Our reference keeps the descriptor open, so a number in the table is never another connection's. */
	l->conn[c->fd] = c;
	return true;
}

static void conn_meet(struct sm_loop *l, struct sm_conn *c)
{
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof ss;
	int one = 1;

	c->fd = bufferevent_getfd(c->bev);
	if (c->fd < 0 || evhttp_let_go(c) || !conn_register(l, c)) {
		if (c->fd >= 0)
			shutdown(c->fd, SHUT_RDWR);
		conn_free(c);
		return;
	}
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (getpeername(c->fd, (struct sockaddr *)&ss, &n))
		return;
	struct sm_peer_key k = peer_key(&ss);
	if (peer_enter(l->http, &k)) {
		c->peer = k;
		return;
	}
	sm_conns_reap(l, false); /* some of those counted may be gone already */
	if (peer_enter(l->http, &k))
		c->peer = k;
	else
		shutdown(c->fd, SHUT_RDWR);
}

void sm_conns_fresh(evutil_socket_t fd, short what, void *arg)
{
	struct sm_loop *l = arg;
	struct sm_conn *c = l->fresh, *next;

	(void)fd, (void)what;
	l->fresh = NULL;
	for (; c; c = next) {
		next = c->next_fresh;
		conn_meet(l, c);
		l->met++;
	}
	if (l->met >= REAP_AFTER) {
		l->met = 0;
		sm_conns_reap(l, false);
	}
}

struct sm_conn *sm_conn_of(struct sm_loop *l, struct evhttp_request *r)
{
	struct evhttp_connection *ec = evhttp_request_get_connection(r);
	int fd = ec ? bufferevent_getfd(evhttp_connection_get_bufferevent(ec)) : -1;

	if (l->fresh)
		sm_conns_fresh(-1, 0, l);
	return fd >= 0 && (size_t)fd < l->nconn ? l->conn[fd] : NULL;
}

static bool overdue(const struct sm_conn *c, int64_t now)
{
	int64_t spent = now - c->since;

	if (c->busy)
		return false;
	if (!c->got && c->served)
		return spent > IDLE_MS;
	return spent > HEADER_MS + (int64_t)(c->got * 1000 / BODY_RATE);
}

void sm_conns_reap(struct sm_loop *l, bool deadlines)
{
	int64_t now = sm_time_mono_ms();

	for (size_t i = 0; i < l->nconn; i++) {
		struct sm_conn *c = l->conn[i];
		if (!c)
			continue;
		if (evhttp_let_go(c)) {
			l->conn[i] = NULL;
			conn_free(c);
		} else if (deadlines && overdue(c, now)) {
			shutdown(c->fd, SHUT_RDWR);
		}
	}
}

bool sm_conns_writing(const struct sm_loop *l)
{
	for (size_t i = 0; i < l->nconn; i++)
		if (l->conn[i] && !evhttp_let_go(l->conn[i]) && evbuffer_get_length(bufferevent_get_output(l->conn[i]->bev)))
			return true;
	return false;
}

void sm_conns_free(struct sm_loop *l)
{
	for (struct sm_conn *c = l->fresh, *next; c; c = next) {
		next = c->next_fresh;
		conn_free(c);
	}
	for (size_t i = 0; i < l->nconn; i++)
		if (l->conn[i])
			conn_free(l->conn[i]);
	free(l->conn);
	l->conn = NULL, l->nconn = 0, l->fresh = NULL;
}
