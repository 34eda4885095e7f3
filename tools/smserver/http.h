/* The HTTP side of smserver: event loops, listeners, requests and replies. libevent lives behind this header and nowhere else.
 * One event base a thread; every call on a request, stream or loop is made in that loop's thread, except sm_loop_wake.
 * A request is owned by its handler from the `request` hook until one sm_reply_* call, which frees it. The connection may go
 * away meanwhile; the reply is then dropped. The body stays where it is, and readable from any thread, until the reply. */
#ifndef SM_SMSERVER_HTTP_H
#define SM_SMSERVER_HTTP_H

#include "base/buf.h"
#include "base/log.h"

struct sm_http;
struct sm_loop;
struct sm_session;
struct sm_worker;
struct sm_head;

enum sm_method { SM_GET = 1, SM_POST = 2, SM_PUT = 4, SM_DELETE = 8, SM_OTHER = 16 };

struct sm_req {
	struct sm_loop *loop;
	struct sm_worker *worker; /* what sm_loop_open returned for the loop */
	enum sm_method method;
	const char *method_text;
	const char *path;  /* raw, starts with / */
	const char *query; /* raw, without the ?; NULL when there is none */
	const uint8_t *body;
	size_t bodylen;
	uint64_t id;                /* for the log */
	char param[64];             /* the last part of the path, where the route has one */
	uint8_t digest[32];         /* SHA-256 of the body, set by auth */
	struct sm_session *session; /* set by auth, released with the request */
	void *ctx;                  /* the handler's own, freed with ctx_free (may be NULL) */
	void (*ctx_free)(void *);
	bool last;  /* the connection is closed after the answer */
	void *http; /* http*.c's own */
};

/* An answer that needs nothing but the head of a request. The texts are static. */
struct sm_refusal {
	int status;
	const char *code, *message;
};

struct sm_http_hooks {
	struct sm_worker *(*loop_open)(void *server, struct sm_loop *loop); /* NULL: cannot start */
	/* Before any of the body is taken: NULL to go on. */
	const struct sm_refusal *(*head)(void *server, const struct sm_head *h);
	void (*request)(struct sm_req *req);
	/* Answers with r; the connection is closed after it. The request's own words are not there: it has method and path "-". */
	void (*refused)(struct sm_req *req, const struct sm_refusal *r);
	void (*wake)(struct sm_worker *w); /* after sm_loop_wake */
	void (*tick)(struct sm_worker *w); /* once a second */
	void (*session_release)(struct sm_session *s);
	bool (*tls_on)(void *server);
};

struct sm_http_config {
	const char *const *listen; /* "127.0.0.1:8600", "[::1]:0" */
	size_t nlisten;
	unsigned threads;
	unsigned per_address; /* connections; 0: no limit; loopback has none */
	size_t body_max;
	bool plain_anywhere;            /* plain HTTP on addresses other than loopback */
	const char *tls_cert, *tls_key; /* NULL: plain */
};

/* Binds the listeners; nothing is accepted before sm_http_run. On failure *why (512) says it in one line and the error is
 * SM_ERR_NET (address in use or not ours), SM_ERR_PERM, or SM_ERR_CONFIG. */
SM_CHECKED enum sm_err sm_http_open(struct sm_http **out, const struct sm_http_config *c, char why[static 512]);
/* "http://127.0.0.1:8600" of the first listener, with the port really bound. */
const char *sm_http_url(const struct sm_http *h);
unsigned sm_http_port(const struct sm_http *h);
size_t sm_http_loops(const struct sm_http *h);
/* Starts one thread a loop. hooks and log are borrowed; server is handed to loop_open. */
SM_CHECKED enum sm_err sm_http_run(struct sm_http *h, const struct sm_http_hooks *hooks, void *server, const struct sm_log *log);
/* New certificate and key for new connections; the old ones stay when this fails. */
SM_CHECKED enum sm_err sm_http_reload_tls(struct sm_http *h, const char *cert, const char *key, char why[static 512]);
/* Can these be used together? */
SM_CHECKED enum sm_err sm_http_check_tls(const char *cert, const char *key, char why[static 512]);
/* Stops accepting; open connections stay. Any thread. */
void sm_http_drain(struct sm_http *h);
/* Waits until every reply has been written (at most ms), ends the loops and joins their threads. */
void sm_http_stop(struct sm_http *h, int ms);
void sm_http_free(struct sm_http *h);

/* Any thread: runs the wake hook soon. */
void sm_loop_wake(struct sm_loop *l);

/* The value of a request header; NULL when absent or there more than once (*twice, when not NULL, says which). */
const char *sm_req_header(const struct sm_req *req, const char *name, bool *twice);
/* Numeric address of the peer, for logs. */
void sm_req_peer(const struct sm_req *req, char out[static 64]);
bool sm_req_tls(const struct sm_req *req);

/* Adds a header to the reply to come. */
void sm_reply_header(struct sm_req *req, const char *name, const char *value);
/* Copies n bytes. type NULL: no body. */
void sm_reply(struct sm_req *req, int status, const char *type, const void *p, size_t n);
/* Takes over b's memory and leaves it empty. */
void sm_reply_take(struct sm_req *req, int status, const char *type, struct sm_buf *b);

/* An answer without end (text/event-stream). sm_sse_start consumes req. closed is called once, when the connection went away or
 * after sm_sse_end; the stream is gone then. drained: everything written so far is out. */
struct sm_sse;
struct sm_sse_ops {
	void (*drained)(void *ctx);
	void (*closed)(void *ctx);
};
struct sm_sse *sm_sse_start(struct sm_req *req, const struct sm_sse_ops *ops, void *ctx);
size_t sm_sse_pending(const struct sm_sse *s);
void sm_sse_write(struct sm_sse *s, const void *p, size_t n);
void sm_sse_end(struct sm_sse *s);

#endif
