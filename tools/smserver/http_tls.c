/* TLS for http.c: the certificate, the protocol floor, and bufferevents that speak it. TLS 1.2 and later; everything else
 * is left to OpenSSL's defaults and the machine's own policy. */
#include "http_int.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

static enum sm_err tls_fail(SSL_CTX *ctx, const char *what, const char *path, char why[static 512])
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(why, 512, "%s '%s': %s", what, path, reason ? reason : "unusable");
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return SM_ERR_CONFIG;
}

enum sm_err sm_tls_load(struct ssl_ctx_st **out, const char *cert, const char *key, char why[static 512])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx)
		return SM_ERR_NOMEM;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"smserver", 8);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return tls_fail(ctx, "tls_cert", cert, why);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return tls_fail(ctx, "tls_key", key, why);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return tls_fail(ctx, "tls_key does not fit tls_cert", key, why);
	*out = ctx;
	return SM_OK;
}

struct bufferevent *sm_tls_bufferevent(struct event_base *base, struct ssl_ctx_st *ctx)
{
	SSL *ssl = SSL_new(ctx);
	struct bufferevent *b;

	if (!ssl)
		return NULL;
	b = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (b)
		bufferevent_openssl_set_allow_dirty_shutdown(b, 1);
	else
		SSL_free(ssl);
	return b;
}

struct ssl_ctx_st *sm_tls_ref(struct ssl_ctx_st *ctx)
{
	if (ctx)
		SSL_CTX_up_ref(ctx);
	return ctx;
}

void sm_tls_free(struct ssl_ctx_st *ctx) { SSL_CTX_free(ctx); }
