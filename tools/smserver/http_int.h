/* What http.c, http_conn.c, http_listen.c, http_req.c and http_tls.c share. Only they include libevent. */
#ifndef SM_SMSERVER_HTTP_INT_H
#define SM_SMSERVER_HTTP_INT_H

#include "http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

struct ssl_ctx_st;

#define SM_LISTEN_MAX 8
#define SM_PEERS 4096 /* buckets of the per-address counts */

/* An address as connections are counted: IPv4, or the /64 of IPv6. */
struct sm_peer_key {
	uint8_t b[8];
	uint8_t family; /* 0: not counted */
};

/* What stands between a connection's bytes and evhttp: only whole heads that sm_head_read takes, and the bodies they announce, go
 * in. evhttp then has nothing to interpret, and where it would differ from others it never gets to. */
struct sm_gate {
	struct evbuffer *hold; /* a head that is not complete */
	size_t scanned;        /* of it */
	uint64_t body;         /* bytes of the body that are still to come */
	unsigned inside;       /* requests let in and not yet dispatched */
	bool shut;             /* what comes now is dropped: the request let in last is the connection's last */
	bool moving;           /* the input changes by our own hand */
	const struct sm_refusal *refusal;
	struct sm_refusal malformed; /* what refusal points to, where the fault is in the head itself */
};

/* One connection. bev carries a reference of ours, so that the entry can outlive evhttp's interest and be reaped by
 * sm_conns_reap: evhttp has let go of it when its event callback is gone. */
struct sm_conn {
	struct sm_loop *loop;
	struct bufferevent *bev;
	struct sm_conn *next_fresh;
	int fd; /* -1 until known */
	int64_t since;
	uint64_t got; /* bytes of the request that is coming in */
	bool busy;    /* a request is being handled or answered */
	bool served;  /* has had one */
	struct sm_peer_key peer;
	struct sm_gate gate;
};

struct sm_loop {
	struct sm_http *http;
	struct sm_worker *worker;
	struct event_base *base;
	struct evhttp *evhttp;
	struct evconnlistener *listener[SM_LISTEN_MAX];
	struct event *wake, *ticker, *fresh_ev;
	struct sm_conn *fresh;
	struct sm_conn **conn; /* by descriptor */
	size_t nconn;
	unsigned met;    /* connections since the last reaping */
	uint64_t big;    /* bytes of bodies since memory was last given back */
	int64_t trimmed; /* monotonic ms */
	unsigned index;
	uint64_t requests;
	size_t open_requests; /* handed out, not yet replied to */
	bool deaf;            /* listeners paused: out of descriptors */
	bool draining;
	int64_t stop_at; /* monotonic ms; 0: not stopping */
	int wakefd;
	pthread_t thread;
	bool running;
};

struct sm_http {
	struct sm_loop *loop;
	size_t nloop;
	char url[320];
	unsigned port;
	size_t nlisten;
	size_t body_max;
	unsigned per_address;
	const struct sm_http_hooks *hooks;
	const struct sm_log *log;
	void *server;
	atomic_bool draining;
	atomic_int stopping;  /* ms to wait, 0: not yet */
	pthread_mutex_t lock; /* guards tls and peers */
	struct ssl_ctx_st *tls;
	struct sm_peer_count *peers[SM_PEERS];
};

/* http_listen.c */
SM_CHECKED enum sm_err sm_listen(struct sm_http *h, const struct sm_http_config *c, char why[static 512]);
/* http_conn.c */
struct bufferevent *sm_conn_new(struct event_base *base, void *loop); /* evhttp's bevcb */
struct sm_conn *sm_conn_of(struct sm_loop *l, struct evhttp_request *r);
void sm_conns_fresh(evutil_socket_t fd, short what, void *loop);
/* Forgets the connections that are closed, and ends those that take too long to send a request. */
void sm_conns_reap(struct sm_loop *l, bool deadlines);
/* True while something answered has not been written. */
bool sm_conns_writing(const struct sm_loop *l);
void sm_conns_free(struct sm_loop *l);
/* http_gate.c: n bytes have been added to the connection's input, in the input's own callback. */
void sm_gate_added(struct sm_conn *c, struct evbuffer *in, size_t n);
size_t sm_gate_held(const struct sm_gate *g);
/* A request reaches the handlers: what it is refused with, or NULL. */
const struct sm_refusal *sm_gate_pass(struct sm_gate *g);
void sm_gate_release(struct sm_gate *g);
/* http_req.c: evhttp's general callback. */
void sm_req_dispatch(struct evhttp_request *r, void *loop);
/* http_tls.c */
SM_CHECKED enum sm_err sm_tls_load(struct ssl_ctx_st **out, const char *cert, const char *key, char why[static 512]);
struct bufferevent *sm_tls_bufferevent(struct event_base *base, struct ssl_ctx_st *ctx);
struct ssl_ctx_st *sm_tls_ref(struct ssl_ctx_st *ctx);
void sm_tls_free(struct ssl_ctx_st *ctx);

#endif
