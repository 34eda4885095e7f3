/* One HTTP connection to one server, over libcurl: requests with bounded answers, and a streaming request. The handle is reused, so
 * the connection is. Redirects are never followed; only http and https are spoken; a host that is this machine never goes through a proxy.
 */
#ifndef SM_NET_HTTP_H
#define SM_NET_HTTP_H

#include "base/buf.h"

#define SM_HTTP_HEADERS 8       /* extra headers in a request */
#define SM_HTTP_HEADER_MAX 4096 /* one of them */
#define SM_HTTP_ANSWER_MAX ((size_t)64 << 20)

struct sm_server {
	const char *url;    /* scheme://host[:port] in lower case; borrowed */
	const char *cacert; /* PEM file instead of the system's; NULL or "" for none; borrowed */
	bool insecure_http; /* allow http to a host that is not loopback */
};

struct sm_http {
	void *curl;
	char url[512];
	char authority[300]; /* what @authority covers: no default port */
	char cacert[4096];
	char why[256]; /* after SM_ERR_NET and SM_ERR_BUSY: what libcurl says */
	bool reached;  /* some request of this handle got as far as a connection */
};

struct sm_http_request {
	const char *method; /* "GET" */
	const char *path;   /* "/api/v1/messages" */
	const char *query;  /* without "?"; NULL for none */
	const void *body;   /* NULL for none */
	size_t bodylen;
	const char *header[SM_HTTP_HEADERS]; /* "Name: value", NULL-ended unless full */
};

struct sm_http_answer {
	long status;
	struct sm_buf body;
	long retry_after; /* seconds; 0 when not said */
	int64_t date;     /* the Date header; 0 when missing or odd */
	bool more;        /* Sm-More: 1 */
};

/* Is host[:port] this machine: localhost, 127.0.0.0/8, [::1]? */
bool sm_http_loopback(const char *host);
/* SM_ERR_FORMAT: url is not scheme://host[:port]. SM_ERR_POLICY: plain http to another host without insecure_http. */
SM_CHECKED enum sm_err sm_http_open(struct sm_http *h, const struct sm_server *server);
void sm_http_close(struct sm_http *h);
/* Any status is SM_OK. SM_ERR_NET: no connection was made (name, refused, TLS); SM_ERR_BUSY: it broke, the request may have been
 * handled; SM_ERR_PROTOCOL: an answer larger than SM_HTTP_ANSWER_MAX or not HTTP. a: zeroed before; sm_http_answer_release after in every
 * case. */
SM_CHECKED enum sm_err sm_http_request(struct sm_http *h, const struct sm_http_request *r, struct sm_http_answer *a);
void sm_http_answer_release(struct sm_http_answer *a);

/* What a streaming request calls. Any error they return ends it and is returned. */
struct sm_http_stream {
	enum sm_err (*bytes)(void *ctx, const uint8_t *p, size_t n); /* body bytes as they come; no request on this handle inside */
	enum sm_err (*round)(void *ctx);                             /* after each wait, at least once a second */
	void *ctx;
	int64_t silence_ms; /* dead after this long without a byte: SM_ERR_BUSY */
};
/* Like sm_http_request, but a 200's body goes to s; SM_OK when the server ends it. Other answers arrive in a as usual. */
SM_CHECKED enum sm_err sm_http_stream(struct sm_http *h, const struct sm_http_request *r, struct sm_http_answer *a,
                                      const struct sm_http_stream *s);

#endif
