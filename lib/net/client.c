/* One call: sign, send, look at the answer. A session's tokens are shared by every process of the profile, so they are traded for new ones
 * only under the session lock and after reading the file again. */
#include "net/client.h"

#include "base/time.h"
#include "net/httpsig.h"
#include "net/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define REFRESH_MARGIN 30          /* seconds before the access token's end */
#define WAIT_MAX 30                /* seconds that a server may ask for after its start */
#define JSON_MAX ((size_t)1 << 20) /* of a request: a roster is the longest */
#define REFRESH_PATH "/api/v1/refresh"

static void clear_error(struct sm_client *c)
{
	json_decref(c->error.body);
	c->error = (struct sm_api_error){.sent = sm_time_now()};
}

enum sm_err sm_client_open(struct sm_client *c, const struct sm_server *server, const char *profile)
{
	struct sm_client r = {.profile = profile, .rand = &sm_rand_system};
	enum sm_err e = sm_secret_alloc(&r.memory, sizeof(struct sm_session));
	if (e == SM_OK)
		e = sm_http_open(&r.http, server);
	if (e == SM_OK)
		*c = r;
	else
		sm_secret_release(&r.memory);
	return e;
}

void sm_client_close(struct sm_client *c)
{
	json_decref(c->error.body);
	c->error.body = NULL;
	c->session = NULL;
	sm_secret_release(&c->memory);
	sm_http_close(&c->http);
}

enum sm_err sm_client_resume(struct sm_client *c)
{
	struct sm_session *s = (struct sm_session *)(void *)c->memory.data;
	enum sm_err e = sm_session_load(s, c->profile);
	if (e == SM_OK)
		c->session = s;
	return e;
}

static enum sm_err status_error(long status)
{
	switch (status) {
	case 401:
	case 403: return SM_ERR_DENIED;
	case 404: return SM_ERR_NOTFOUND;
	case 409: return SM_ERR_CONFLICT;
	case 413: return SM_ERR_LIMIT;
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
	case 507: return SM_ERR_BUSY;
	default: return SM_ERR_PROTOCOL;
	}
}

/* Turns an answer into an error, unless it is a 2xx. */
static enum sm_err judge(struct sm_client *c, const struct sm_http_answer *a)
{
	struct sm_api_error *x = &c->error;
	if (a->status / 100 == 2)
		return SM_OK;
	x->status = a->status;
	x->retry_after = a->retry_after;
	x->body = sm_json_parse(a->body.data, a->body.len);
	if (x->body) {
		(void)sm_json_text(x->body, "error", x->code, sizeof(x->code));
		(void)sm_json_text(x->body, "message", x->message, sizeof(x->message));
		(void)sm_json_number(x->body, "time", &x->time);
	}
	return status_error(a->status);
}

enum sm_err sm_client_plain(struct sm_client *c, const struct sm_http_request *r, struct sm_http_answer *a)
{
	clear_error(c);
	enum sm_err e = sm_http_request(&c->http, r, a);
	return e == SM_OK ? judge(c, a) : e;
}

static enum sm_err add_header(struct sm_http_request *r, const char *line)
{
	for (size_t i = 0; i < SM_HTTP_HEADERS; i++)
		if (!r->header[i]) {
			r->header[i] = line;
			return SM_OK;
		}
	return SM_ERR_BUG;
}

static enum sm_err sign(struct sm_client *c, struct sm_http_request *r, struct sm_httpsig *sig)
{
	struct sm_httpsig_key k = {.keyid = c->session->sid, .key = c->session->key, .created = sm_time_now()};
	sm_rand_fill(c->rand, k.nonce, sizeof(k.nonce));
	enum sm_err e = sm_httpsig_make(sig, r, c->http.authority, &k);
	if (e == SM_OK)
		e = add_header(r, sig->digest);
	if (e == SM_OK)
		e = add_header(r, sig->input);
	if (e == SM_OK)
		e = add_header(r, sig->signature);
	return e;
}

/* Sends r signed once; s NULL for an ordinary request. bearer: with the access token. */
static enum sm_err signed_once(struct sm_client *c, const struct sm_http_request *r, struct sm_http_answer *a,
                               const struct sm_http_stream *s, bool bearer)
{
	struct sm_http_request signed_r = *r;
	struct sm_httpsig sig;
	char token[SM_TOKEN_MAX + 32];
	clear_error(c);
	enum sm_err e = sign(c, &signed_r, &sig);
	if (e == SM_OK && bearer) {
		(void)snprintf(token, sizeof(token), "Authorization: Bearer %s", c->session->access);
		e = add_header(&signed_r, token);
	}
	if (e == SM_OK)
		e = s ? sm_http_stream(&c->http, &signed_r, a, s) : sm_http_request(&c->http, &signed_r, a);
	if (e == SM_OK)
		e = judge(c, a);
	sm_wipe(token, sizeof(token));
	return e;
}

static bool refused_as(const struct sm_client *c, enum sm_err e, const char *code)
{
	return e == SM_ERR_DENIED && c->error.status == 401 && !strcmp(c->error.code, code);
}

static void wait_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&t, &t))
		;
}

static void forget(struct sm_http_answer *a)
{
	sm_http_answer_release(a);
	*a = (struct sm_http_answer){0};
}

/* Nothing was sent where nobody was reached, so making the call again cannot do anything twice. */
static enum sm_err signed_patiently(struct sm_client *c, const struct sm_http_request *r, struct sm_http_answer *a,
                                    const struct sm_http_stream *s, bool bearer)
{
	enum sm_err e = signed_once(c, r, a, s, bearer);
	for (unsigned i = 0; e == SM_ERR_NET && i < c->patience; i++) {
		wait_ms(100L << (2 * i));
		forget(a);
		e = signed_once(c, r, a, s, bearer);
	}
	return e;
}

/* A server that has just started cannot know which nonces it has seen: what was signed before then it wants signed again. */
static enum sm_err signed_call(struct sm_client *c, const struct sm_http_request *r, struct sm_http_answer *a,
                               const struct sm_http_stream *s, bool bearer)
{
	enum sm_err e = signed_patiently(c, r, a, s, bearer);
	if (!refused_as(c, e, "replay_window") || c->error.retry_after > WAIT_MAX)
		return e;
	wait_ms((c->error.retry_after < 1 ? 1 : c->error.retry_after) * 1000);
	forget(a);
	return signed_once(c, r, a, s, bearer);
}

static enum sm_err take_tokens(struct sm_session *s, const json_t *j)
{
	struct sm_session r = *s;
	bool good = sm_json_text(j, "access_token", r.access, sizeof(r.access)) &&
	            sm_json_text(j, "refresh_token", r.refresh, sizeof(r.refresh)) &&
	            sm_json_number(j, "access_expires", &r.access_expires) && sm_json_number(j, "refresh_expires", &r.refresh_expires);
	if (good)
		*s = r;
	sm_wipe(&r, sizeof(r));
	return good ? SM_OK : SM_ERR_PROTOCOL;
}

/* With the lock held and the session fresh from the file. */
static enum sm_err refresh_locked(struct sm_client *c)
{
	struct sm_http_answer a = {0};
	struct sm_buf body;
	json_t *answer = NULL, *ask = json_pack("{s:s}", "refresh_token", c->session->refresh);
	sm_buf_init(&body, SM_TOKEN_MAX + 64);
	enum sm_err e = ask ? sm_json_write(&body, ask) : SM_ERR_NOMEM;
	struct sm_http_request r = {.method = "POST",
	                            .path = REFRESH_PATH,
	                            .body = body.data,
	                            .bodylen = body.len,
	                            .header = {"Content-Type: application/json"}};
	if (e == SM_OK)
		e = signed_call(c, &r, &a, NULL, false);
	if (e == SM_OK && !(answer = sm_json_parse(a.body.data, a.body.len)))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK)
		e = take_tokens(c->session, answer);
	if (e == SM_OK)
		e = sm_session_save(c->session, c->profile);
	json_decref(answer);
	json_decref(ask);
	sm_buf_release(&body);
	sm_http_answer_release(&a);
	return e;
}

enum sm_err sm_client_refresh(struct sm_client *c)
{
	char before[SM_TOKEN_MAX + 1];
	int lock;
	memcpy(before, c->session->access, sizeof(before));
	enum sm_err e = sm_session_lock(&lock, c->profile);
	if (e != SM_OK)
		goto out;
	e = sm_session_load(c->session, c->profile);
	if (e == SM_ERR_NOTFOUND)
		e = SM_ERR_DENIED; /* logged out meanwhile */
	if (e == SM_OK && !strcmp(before, c->session->access))
		e = refresh_locked(c);
	sm_session_unlock(lock);
out:
	sm_wipe(before, sizeof(before));
	return e;
}

static enum sm_err call(struct sm_client *c, const struct sm_http_request *r, struct sm_http_answer *a, const struct sm_http_stream *s)
{
	enum sm_err e = SM_OK;
	if (c->session->access_expires - REFRESH_MARGIN < sm_time_now())
		e = sm_client_refresh(c);
	if (e == SM_OK)
		e = signed_call(c, r, a, s, true);
	if (!refused_as(c, e, "token_expired"))
		return e;
	sm_http_answer_release(a);
	*a = (struct sm_http_answer){0};
	e = sm_client_refresh(c);
	return e == SM_OK ? signed_call(c, r, a, s, true) : e;
}

enum sm_err sm_client_call(struct sm_client *c, const struct sm_http_request *r, struct sm_http_answer *a) { return call(c, r, a, NULL); }

enum sm_err sm_client_stream(struct sm_client *c, const struct sm_http_request *r, const struct sm_http_stream *s)
{
	struct sm_http_answer a = {0};
	enum sm_err e = call(c, r, &a, s);
	sm_http_answer_release(&a);
	return e;
}

enum sm_err sm_client_json(struct sm_client *c, bool authenticated, const char *method, const char *path, json_t *in, json_t **out)
{
	struct sm_http_request r = {.method = method, .path = path};
	struct sm_http_answer a = {0};
	struct sm_buf body;
	json_t *j = NULL;
	enum sm_err e = SM_OK;
	sm_buf_init(&body, JSON_MAX);
	if (in) {
		e = sm_json_write(&body, in);
		r.body = body.data;
		r.bodylen = body.len;
		r.header[0] = "Content-Type: application/json";
	}
	if (e == SM_OK)
		e = authenticated ? sm_client_call(c, &r, &a) : sm_client_plain(c, &r, &a);
	if (e == SM_OK && out && !(j = sm_json_parse(a.body.data, a.body.len)))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK && out)
		*out = j;
	sm_buf_release(&body);
	sm_http_answer_release(&a);
	return e;
}
