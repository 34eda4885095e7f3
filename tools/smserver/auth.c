/* Checking a signed request. The order: what can be refused by looking comes first; the nonce is remembered last, and only
 * for a request whose signature is right, so nobody else can use one up. */
#include "auth.h"

#include "base/base64.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "horizon.h"
#include "json.h"
#include "server.h"
#include "session.h"
#include "token.h"
#include "worker.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BASE_MAX = 20480, NONCE_TEXT_MIN = 22, NONCE_TEXT_MAX = 128 };

static const char covered[] = "(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\")";

struct signed_parts {
	const char *params; /* of Signature-Input, after "sm=" */
	const char *digest_text;
	int64_t created;
	char sid[SM_ID_LEN + 1];
	uint8_t nonce[SM_NONCE];
	uint8_t digest[32], mac[32];
};

static bool skip(const char **p, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*p, text, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool read_created(const char **p, int64_t *v)
{
	int64_t n = 0;
	size_t digits = 0;

	for (; isdigit((unsigned char)**p) && digits < 12; (*p)++, digits++)
		n = n * 10 + (**p - '0');
	*v = n;
	return digits > 0;
}

/* Nonces of 16 bytes stand for themselves, longer ones for their hash. */
static bool read_nonce(const char **p, uint8_t out[static SM_NONCE])
{
	const char *end = strchr(*p, '"');
	size_t n = end ? (size_t)(end - *p) : 0, len;
	uint8_t raw[NONCE_TEXT_MAX], hash[32];

	if (n < NONCE_TEXT_MIN || n > NONCE_TEXT_MAX || sm_base64_decode(raw, &len, *p, n, false))
		return false;
	if (len != SM_NONCE)
		sm_sha256(hash, raw, len);
	memcpy(out, len == SM_NONCE ? raw : hash, SM_NONCE);
	*p = end;
	return true;
}

static bool read_input(const char *v, struct signed_parts *s)
{
	if (!v || !skip(&v, "sm="))
		return false;
	s->params = v;
	if (!skip(&v, covered) || !skip(&v, ";created=") || !read_created(&v, &s->created) || !skip(&v, ";nonce=\"") ||
	    !read_nonce(&v, s->nonce) || !skip(&v, "\";keyid=\"") || strlen(v) < SM_ID_LEN)
		return false;
	memcpy(s->sid, v, SM_ID_LEN);
	s->sid[SM_ID_LEN] = '\0';
	v += SM_ID_LEN;
	return !strcmp(v, "\";alg=\"hmac-sha256\"");
}

/* name=:base64 of 32 bytes: */
static bool read_binary(const char *v, const char *name, uint8_t out[static 32])
{
	uint8_t raw[36];
	size_t len;

	if (!v || !skip(&v, name) || !skip(&v, "=:") || strlen(v) != SM_BASE64_PADDED_LEN(32) + 1 || v[SM_BASE64_PADDED_LEN(32)] != ':')
		return false;
	if (sm_base64_decode(raw, &len, v, SM_BASE64_PADDED_LEN(32), true) || len != 32)
		return false;
	memcpy(out, raw, 32);
	return true;
}

static bool read_parts(struct sm_req *req, struct signed_parts *s)
{
	s->digest_text = sm_req_header(req, "Content-Digest", NULL);
	return read_input(sm_req_header(req, "Signature-Input", NULL), s) &&
	       read_binary(sm_req_header(req, "Signature", NULL), "sm", s->mac) && read_binary(s->digest_text, "sha-256", s->digest);
}

/* Host in lower case without the scheme's default port. */
static void authority(struct sm_req *req, char out[static 300])
{
	const char *host = sm_req_header(req, "Host", NULL), *port = sm_req_tls(req) ? ":443" : ":80";
	size_t n = host ? strlen(host) : 0, cut = strlen(port);

	if (n >= 300)
		n = 0;
	if (n > cut && !strcmp(host + n - cut, port))
		n -= cut;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)host[i]);
	out[n] = '\0';
}

static bool mac_fits(struct sm_req *req, const struct signed_parts *s, const uint8_t key[static 32])
{
	char base[BASE_MAX], host[300];
	uint8_t mac[32];
	int n;

	authority(req, host);
	n = snprintf(
	        base, sizeof base,
	        "\"@method\": %s\n\"@authority\": %s\n\"@path\": %s\n\"@query\": ?%s\n\"content-digest\": %s\n\"@signature-params\": %s",
	        req->method_text, host, req->path, req->query ? req->query : "", s->digest_text, s->params);
	if (n < 0 || (size_t)n >= sizeof base)
		return false;
	sm_hmac_sha256(mac, key, 32, base, (size_t)n);
	return sm_equal(mac, s->mac, sizeof mac);
}

enum token_state { TOKEN_GOOD, TOKEN_BAD, TOKEN_EXPIRED };

/* The session's last good token is compared first: verifying the same bytes again would say the same. */
static enum token_state check_token(struct sm_req *req, struct sm_session *s, int64_t now)
{
	const char *v = sm_req_header(req, "Authorization", NULL);
	struct sm_claims c;
	size_t n;
	bool known;
	int64_t expires;

	if (!v || strncasecmp(v, "Bearer ", 7) != 0)
		return TOKEN_BAD;
	v += 7;
	n = strlen(v);
	pthread_mutex_lock(&s->lock);
	known = n && n == s->ntoken && sm_equal(v, s->token, n);
	expires = s->token_expires;
	pthread_mutex_unlock(&s->lock);
	if (known)
		return now < expires ? TOKEN_GOOD : TOKEN_EXPIRED;
	if (sm_token_check(&c, &req->worker->server->keys, v, n) || strcmp(c.sid, s->sid) != 0 || strcmp(c.sub, s->user) != 0)
		return TOKEN_BAD;
	/* A device has another number once its key has become the user key: the session's next token has it. */
	if (now >= c.exp || c.device != s->number)
		return TOKEN_EXPIRED;
	pthread_mutex_lock(&s->lock);
	memcpy(s->token, v, n);
	s->ntoken = n, s->token_expires = c.exp;
	pthread_mutex_unlock(&s->lock);
	return TOKEN_GOOD;
}

static bool refuse(struct sm_req *req, const char *code, const char *message)
{
	sm_problem(req, 401, code, message);
	return false;
}

/* Before the start of the server nonces were remembered by another process: see horizon.h. */
static bool check_horizon(struct sm_req *req, int64_t created, int64_t now)
{
	const struct sm_session *s = req->session;
	int64_t floor = sm_horizon_of(req->worker->server->horizon, s->sid, s->created), wait = floor + 1 - now;
	char text[24];

	if (created > floor)
		return true;
	wait = wait < 1 ? 1 : wait > SM_CLOCK_SLACK ? SM_CLOCK_SLACK : wait;
	snprintf(text, sizeof text, "%" PRId64, wait);
	sm_reply_header(req, "Retry-After", text);
	return refuse(req, "replay_window", "signed before the server started; sign it again");
}

static bool check_clock(struct sm_req *req, int64_t created, int64_t now)
{
	char message[96];
	int64_t off = created - now;

	if (off < -SM_CLOCK_SLACK || off > SM_CLOCK_SLACK) {
		snprintf(message, sizeof message, "the request's clock is %" PRId64 " seconds %s the server's", off < 0 ? -off : off,
		         off < 0 ? "behind" : "ahead of");
		sm_problem_with(req, 401, "clock", message, json_pack("{s:I}", "time", (json_int_t)now));
		return false;
	}
	return check_horizon(req, created, now);
}

static bool use_nonce(struct sm_req *req, struct sm_session *s, const struct signed_parts *parts)
{
	enum sm_err e;

	pthread_mutex_lock(&s->lock);
	e = sm_nonces_use(&s->nonces, parts->nonce, parts->created);
	pthread_mutex_unlock(&s->lock);
	if (e == SM_ERR_EXISTS)
		return refuse(req, "replay", "this request was made before");
	if (e == SM_ERR_LIMIT)
		sm_problem(req, 429, "too_many_requests", "more requests in a minute than one session may make");
	else if (e)
		sm_problem_err(req, e);
	return e == SM_OK;
}

/* Only who holds a token of the session hears why it has ended. */
static bool refuse_ended(struct sm_req *req, const struct sm_session *s)
{
	struct sm_session_row row;

	if (!sm_reader_session(req->worker->reader, s->sid, &row) && !row.number)
		return refuse(req, "device_removed", "this device has been removed from the account");
	return refuse(req, "unauthenticated", "the session has ended");
}

bool sm_auth(struct sm_req *req, bool token)
{
	struct sm_server *srv = req->worker->server;
	struct signed_parts parts;
	int64_t now = sm_time_now();

	if (!read_parts(req, &parts) || sm_sessions_get(srv->sessions, req->worker->reader, parts.sid, &req->session))
		return refuse(req, "unauthenticated", "the request is not signed by a session");
	struct sm_session *s = req->session;
	enum token_state t = token ? check_token(req, s, now) : TOKEN_GOOD;
	if (t == TOKEN_BAD)
		return refuse(req, "unauthenticated", "the token is not the session's own");
	if (token && !sm_session_alive(s, now))
		return refuse_ended(req, s);
	if (t == TOKEN_EXPIRED)
		return refuse(req, "token_expired", "the access token has expired");
	if (!check_clock(req, parts.created, now))
		return false;
	sm_sha256(req->digest, req->body, req->bodylen);
	if (!sm_equal(req->digest, parts.digest, sizeof parts.digest))
		return refuse(req, "unauthenticated", "Content-Digest does not fit the body");
	if (!mac_fits(req, &parts, s->key))
		return refuse(req, "unauthenticated", "the signature does not fit the request");
	if (!use_nonce(req, s, &parts))
		return false;
	if (sm_horizon_accept(srv->horizon, s->sid, parts.created, now)) {
		sm_problem_err(req, SM_ERR_IO);
		return false;
	}
	atomic_store_explicit(&s->used, now, memory_order_relaxed);
	return true;
}
