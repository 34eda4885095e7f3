/* The only file that knows libcurl. Global initialisation brings TLS up only for https: for http to the own machine it would cost more
 * than the request. */
#include "net/http.h"

#include "base/time.h"
#include "wire/address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_SECONDS 10L
#define STALL_SECONDS 30L
#define STREAM_WAIT_MS 1000

/* One request under way: where its answer goes. */
struct exchange {
	CURL *curl;
	struct sm_http_answer *answer;
	const struct sm_http_stream *stream; /* NULL for an ordinary request */
	int64_t heard_ms;
	enum sm_err stopped; /* what a callback returned */
	bool too_large;
};

bool sm_http_loopback(const char *host)
{
	char name[256];
	struct in_addr v4;
	size_t n;
	if (!strncmp(host, "[::1]", 5))
		return host[5] == 0 || host[5] == ':';
	n = strcspn(host, ":");
	if (n >= sizeof(name))
		return false;
	memcpy(name, host, n);
	name[n] = 0;
	if (!strcmp(name, "localhost"))
		return true;
	return inet_pton(AF_INET, name, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* host[:port] without the scheme's own port. */
static void set_authority(struct sm_http *h, const char *host, const char *port)
{
	size_t n = strlen(host), p = strlen(port);
	if (n > p && !strcmp(host + n - p, port))
		n -= p;
	memcpy(h->authority, host, n);
	h->authority[n] = 0;
}

static enum sm_err set_server(struct sm_http *h, const struct sm_server *server)
{
	bool tls = !strncmp(server->url, "https://", 8);
	const char *host = server->url + (tls ? 8 : 7);
	if (!tls && strncmp(server->url, "http://", 7) != 0)
		return SM_ERR_FORMAT;
	if (!sm_host_valid(host, strlen(host)) || strlen(server->url) >= sizeof(h->url) || strlen(host) >= sizeof(h->authority))
		return SM_ERR_FORMAT;
	if (server->cacert && strlen(server->cacert) >= sizeof(h->cacert))
		return SM_ERR_LIMIT;
	if (!tls && !server->insecure_http && !sm_http_loopback(host))
		return SM_ERR_POLICY;
	memcpy(h->url, server->url, strlen(server->url) + 1);
	if (server->cacert)
		memcpy(h->cacert, server->cacert, strlen(server->cacert) + 1);
	set_authority(h, host, tls ? ":443" : ":80");
	return curl_global_init(tls ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING) == CURLE_OK ? SM_OK : SM_ERR_NOMEM;
}

enum sm_err sm_http_open(struct sm_http *h, const struct sm_server *server)
{
	struct sm_http r = {0};
	enum sm_err e = set_server(&r, server);
	if (e == SM_OK && !(r.curl = curl_easy_init()))
		e = SM_ERR_NOMEM;
	if (e == SM_OK)
		*h = r;
	return e;
}

void sm_http_close(struct sm_http *h)
{
	if (h->curl)
		curl_easy_cleanup(h->curl);
	h->curl = NULL;
}

void sm_http_answer_release(struct sm_http_answer *a) { sm_buf_release(&a->body); }

static bool streams(const struct exchange *x)
{
	long status = 0;
	if (!x->stream)
		return false;
	(void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200;
}

static size_t on_body(char *p, size_t one, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	enum sm_err e;
	(void)one; /* always 1 */
	x->heard_ms = sm_time_mono_ms();
	if (streams(x)) {
		e = x->stream->bytes(x->stream->ctx, (const uint8_t *)p, n);
		x->stopped = e;
	} else {
		e = sm_buf_add(&x->answer->body, p, n);
		x->too_large = e != SM_OK;
	}
	return e == SM_OK ? n : 0;
}

/* True when the header line is `name: ...`; *value is then what follows, without white space around it. */
static bool header_is(struct sm_span line, const char *name, char value[static 64])
{
	size_t len = strlen(name), n;
	const char *p = (const char *)line.p;
	if (line.n <= len || strncasecmp(p, name, len) != 0 || p[len] != ':')
		return false;
	p += len + 1;
	n = line.n - len - 1;
	while (n && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n && (p[n - 1] == '\r' || p[n - 1] == '\n' || p[n - 1] == ' '))
		n--;
	if (n > 63)
		return false;
	memcpy(value, p, n);
	value[n] = 0;
	return true;
}

static size_t on_header(char *p, size_t one, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	struct sm_span line = {(const uint8_t *)p, n};
	char value[64];
	(void)one;
	if (header_is(line, "Retry-After", value)) {
		x->answer->retry_after = strtol(value, NULL, 10);
	} else if (header_is(line, "Sm-More", value)) {
		x->answer->more = !strcmp(value, "1");
	} else if (header_is(line, "Date", value)) {
		time_t t = curl_getdate(value, NULL);
		x->answer->date = t > 0 ? (int64_t)t : 0;
	}
	return n;
}

/* Sets what every request shares; the handle was reset before, which keeps the connection. */
static void set_common(struct sm_http *h, struct exchange *x)
{
	CURL *c = h->curl;
	curl_easy_reset(c);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->why);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT, "sm/" SM_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (sm_http_loopback(h->authority))
		(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	if (*h->cacert)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, h->cacert);
	if (!x->stream) {
		(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
		(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	} else {
		(void)curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	}
}

static enum sm_err set_url(struct sm_http *h, const struct sm_http_request *r)
{
	struct sm_buf url;
	const char *text = NULL;
	sm_buf_init(&url, 16384);
	enum sm_err e = sm_buf_addf(&url, "%s%s%s%s", h->url, r->path, r->query ? "?" : "", r->query ? r->query : "");
	if (e == SM_OK)
		text = sm_buf_str(&url);
	if (e == SM_OK && (!text || curl_easy_setopt(h->curl, CURLOPT_URL, text) != CURLE_OK))
		e = SM_ERR_NOMEM;
	sm_buf_release(&url);
	return e;
}

static void set_method(struct sm_http *h, const struct sm_http_request *r)
{
	if (r->body || !strcmp(r->method, "POST")) {
		(void)curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, r->body ? r->body : "");
		(void)curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->bodylen);
	}
	(void)curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, r->method);
}

static enum sm_err append(struct curl_slist **list, const char *line)
{
	struct curl_slist *grown = curl_slist_append(*list, line);
	if (!grown)
		return SM_ERR_NOMEM;
	*list = grown;
	return SM_OK;
}

/* "Expect:" off: a round trip for every large message is more than it saves. */
static enum sm_err set_headers(struct sm_http *h, const struct sm_http_request *r, struct curl_slist **list)
{
	enum sm_err e = append(list, "Expect:");
	for (size_t i = 0; e == SM_OK && i < SM_HTTP_HEADERS && r->header[i]; i++)
		e = append(list, r->header[i]);
	if (e == SM_OK)
		(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, *list);
	return e;
}

/* Did the request get as far as a connection that could carry it? */
static enum sm_err classify(struct sm_http *h, CURLcode rc)
{
	if (!*h->why) {
		size_t n = strlen(curl_easy_strerror(rc));
		n = n < sizeof(h->why) ? n : sizeof(h->why) - 1;
		memcpy(h->why, curl_easy_strerror(rc), n);
		h->why[n] = 0;
	}
	switch (rc) {
	case CURLE_OUT_OF_MEMORY: return SM_ERR_NOMEM;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_UNSUPPORTED_PROTOCOL: return SM_ERR_PROTOCOL;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE: return SM_ERR_BUSY;
	case CURLE_OPERATION_TIMEDOUT: {
		curl_off_t connect = 0;
		(void)curl_easy_getinfo(h->curl, CURLINFO_PRETRANSFER_TIME_T, &connect);
		return connect > 0 ? SM_ERR_BUSY : SM_ERR_NET;
	}
	default: return SM_ERR_NET;
	}
}

static enum sm_err finish(struct sm_http *h, const struct exchange *x, CURLcode rc)
{
	long status = 0;
	enum sm_err e;
	if (x->stopped != SM_OK)
		return x->stopped;
	if (x->too_large)
		return SM_ERR_PROTOCOL;
	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	e = rc == CURLE_OK ? SM_OK : classify(h, rc);
	h->reached |= e == SM_OK || e == SM_ERR_BUSY;
	if (e == SM_OK)
		x->answer->status = status;
	return e;
}

/* Drives one transfer, so that the caller's round can run while nothing comes in. */
static enum sm_err drive(struct exchange *x, CURLM *multi, CURLcode *rc)
{
	int running = 1, left;
	while (running) {
		CURLMsg *msg;
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return SM_ERR_NOMEM;
		while ((msg = curl_multi_info_read(multi, &left)))
			*rc = msg->msg == CURLMSG_DONE ? msg->data.result : *rc;
		if (x->stopped == SM_OK)
			x->stopped = x->stream->round(x->stream->ctx);
		if (x->stopped != SM_OK || !running)
			break;
		if (sm_time_mono_ms() - x->heard_ms > x->stream->silence_ms)
			return SM_ERR_BUSY;
		if (curl_multi_poll(multi, NULL, 0, STREAM_WAIT_MS, NULL) != CURLM_OK)
			return SM_ERR_NOMEM;
	}
	return SM_OK;
}

static enum sm_err run_stream(struct sm_http *h, struct exchange *x, CURLcode *rc)
{
	enum sm_err e = SM_ERR_NOMEM;
	CURLM *multi = curl_multi_init();
	if (multi && curl_multi_add_handle(multi, h->curl) == CURLM_OK) {
		e = drive(x, multi, rc);
		(void)curl_multi_remove_handle(multi, h->curl);
	}
	if (multi)
		(void)curl_multi_cleanup(multi);
	if (e == SM_ERR_BUSY && !*h->why)
		memcpy(h->why, "the server has gone silent", sizeof("the server has gone silent"));
	return e;
}

static enum sm_err exchange(struct sm_http *h, const struct sm_http_request *r, struct exchange *x)
{
	struct curl_slist *list = NULL;
	CURLcode rc = CURLE_OK;
	enum sm_err e;
	sm_buf_init(&x->answer->body, SM_HTTP_ANSWER_MAX);
	h->why[0] = 0;
	x->curl = h->curl;
	x->heard_ms = sm_time_mono_ms();
	set_common(h, x);
	set_method(h, r);
	e = set_url(h, r);
	if (e == SM_OK)
		e = set_headers(h, r, &list);
	if (e == SM_OK && x->stream)
		e = run_stream(h, x, &rc);
	else if (e == SM_OK)
		rc = curl_easy_perform(h->curl);
	if (e == SM_OK)
		e = finish(h, x, rc);
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(list);
	return e;
}

enum sm_err sm_http_request(struct sm_http *h, const struct sm_http_request *r, struct sm_http_answer *a)
{
	struct exchange x = {.answer = a};
	return exchange(h, r, &x);
}

enum sm_err sm_http_stream(struct sm_http *h, const struct sm_http_request *r, struct sm_http_answer *a, const struct sm_http_stream *s)
{
	struct exchange x = {.answer = a, .stream = s};
	return exchange(h, r, &x);
}
