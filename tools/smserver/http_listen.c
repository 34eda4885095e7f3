/* Listening sockets: addresses as the configuration writes them, one SO_REUSEPORT socket a loop on the same port, and
 * the sentence for an administrator when one cannot be had. */
#include "http_int.h"

#include "wire/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

static enum sm_err resolve(const char *text, struct sockaddr_storage *ss, socklen_t *n, char why[static 512])
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV}, *ai;
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool bracket = len > 2 && text[0] == '[' && text[len - 1] == ']';

	if (bracket)
		text++, len -= 2;
	if (!len || len >= sizeof host || strlen(colon + 1) > 5) {
		snprintf(why, 512, "listen: '%s' is not ADDRESS:PORT", text);
		return SM_ERR_CONFIG;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	hints.ai_family = bracket ? AF_INET6 : AF_INET;
	int rc = getaddrinfo(strcmp(host, "localhost") ? host : "127.0.0.1", colon + 1, &hints, &ai);
	if (rc) {
		snprintf(why, 512, "listen: '%s' is not a numeric ADDRESS:PORT: %s", text, gai_strerror(rc));
		return SM_ERR_CONFIG;
	}
	memcpy(ss, ai->ai_addr, ai->ai_addrlen);
	*n = ai->ai_addrlen;
	freeaddrinfo(ai);
	return SM_OK;
}

/* reuseport false: the kernel then refuses when anybody listens there, us before included. */
static int open_socket(const struct sockaddr_storage *ss, socklen_t n, bool reuseport)
{
	int one = 1, fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (reuseport)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	if (ss->ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, (const struct sockaddr *)ss, n) == 0 && (!reuseport || listen(fd, 4096) == 0))
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static enum sm_err bind_fail(const char *text, char why[static 512])
{
	snprintf(why, 512, "cannot listen on %s: %s", text, strerror(errno));
	return errno == EACCES ? SM_ERR_PERM : SM_ERR_NET;
}

static uint16_t port_of(const struct sockaddr_storage *ss)
{
	return ntohs(ss->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)ss)->sin6_port : ((const struct sockaddr_in *)ss)->sin_port);
}

static void name_url(struct sm_http *h, const char *text, uint16_t port)
{
	int hostlen = (int)(strrchr(text, ':') - text);

	h->port = port;
	snprintf(h->url, sizeof h->url, "%s://%.*s:%u", h->tls ? "https" : "http", hostlen, text, port);
}

static enum sm_err add_listener(struct sm_loop *l, int fd, size_t k)
{
	l->listener[k] = evconnlistener_new(l->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 0, fd);
	if (!l->listener[k]) {
		close(fd);
		return SM_ERR_NOMEM;
	}
	evconnlistener_disable(l->listener[k]); /* until sm_http_run */
	if (!evhttp_bind_listener(l->evhttp, l->listener[k])) {
		evconnlistener_free(l->listener[k]);
		l->listener[k] = NULL;
		return SM_ERR_NOMEM;
	}
	return SM_OK;
}

static enum sm_err listen_one(struct sm_http *h, const struct sm_http_config *c, const char *text, size_t k, char why[static 512])
{
	struct sockaddr_storage ss = {0};
	socklen_t n;
	enum sm_err e = resolve(text, &ss, &n, why);
	int probe;

	if (e)
		return e;
	if (!h->tls && !c->plain_anywhere && !loopback((struct sockaddr *)&ss)) {
		snprintf(why, 512,
		         "listen %s: plain HTTP is for loopback addresses: set tls_cert and tls_key, or plain_http = yes behind a proxy",
		         text);
		return SM_ERR_CONFIG;
	}
	/* SO_REUSEPORT would let a second server of the same user share the port; the probe, which has not asked for it, is refused. */
	probe = open_socket(&ss, n, false);
	if (probe < 0)
		return bind_fail(text, why);
	if (getsockname(probe, (struct sockaddr *)&ss, &n) || close(probe))
		return bind_fail(text, why);
	for (size_t i = 0; i < h->nloop && !e; i++) {
		int fd = open_socket(&ss, n, true);
		if (fd < 0)
			return bind_fail(text, why);
		e = add_listener(&h->loop[i], fd, k);
	}
	if (!e && k == 0)
		name_url(h, text, port_of(&ss));
	return e;
}

enum sm_err sm_listen(struct sm_http *h, const struct sm_http_config *c, char why[static 512])
{
	enum sm_err e = SM_OK;

	for (size_t k = 0; k < c->nlisten && !e; k++, h->nlisten++)
		e = listen_one(h, c, c->listen[k], k, why);
	return e;
}
