/* The table of calls. */
#include "router.h"

#include "api/api.h"
#include "auth.h"
#include "http_strict.h"
#include "json.h"
#include "server.h"
#include "token.h"
#include "worker.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum need { NOTHING, SIGNATURE, SIGNED_SESSION };

static const struct route {
	enum sm_method method;
	const char *path; /* a * stands for one part, without a slash */
	void (*handler)(struct sm_req *);
	enum need need;
} routes[] = {
        {SM_POST, "/api/v1/messages", sm_api_messages_post, SIGNED_SESSION},
        {SM_GET, "/api/v1/messages", sm_api_messages_get, SIGNED_SESSION},
        {SM_DELETE, "/api/v1/messages", sm_api_messages_delete, SIGNED_SESSION},
        {SM_GET, "/api/v1/stream", sm_api_stream, SIGNED_SESSION},
        {SM_GET, "/api/v1/policy", sm_api_policy, NOTHING},
        {SM_POST, "/api/v1/challenge", sm_api_challenge, NOTHING},
        {SM_POST, "/api/v1/register", sm_api_register, NOTHING},
        {SM_POST, "/api/v1/login", sm_api_login, NOTHING},
        {SM_POST, "/api/v1/refresh", sm_api_refresh, SIGNATURE},
        {SM_POST, "/api/v1/logout", sm_api_logout, SIGNED_SESSION},
        {SM_GET, "/api/v1/sessions", sm_api_sessions_get, SIGNED_SESSION},
        {SM_DELETE, "/api/v1/sessions", sm_api_sessions_delete, SIGNED_SESSION},
        {SM_DELETE, "/api/v1/sessions/*", sm_api_session_delete, SIGNED_SESSION},
        {SM_POST, "/api/v1/enroll", sm_api_enroll, NOTHING},
        {SM_GET, "/api/v1/enroll/*", sm_api_enroll_get, NOTHING},
        {SM_GET, "/api/v1/devices", sm_api_devices_get, SIGNED_SESSION},
        {SM_PUT, "/api/v1/devices", sm_api_devices_put, SIGNED_SESSION},
        {SM_DELETE, "/api/v1/devices/waiting", sm_api_waiting_delete, SIGNED_SESSION},
        {SM_POST, "/api/v1/groups", sm_api_groups_post, SIGNED_SESSION},
        {SM_GET, "/api/v1/groups", sm_api_groups_get, SIGNED_SESSION},
        {SM_PUT, "/api/v1/groups/*", sm_api_group_put, SIGNED_SESSION},
        {SM_GET, "/api/v1/groups/*", sm_api_group_get, SIGNED_SESSION},
        {SM_DELETE, "/api/v1/groups/*", sm_api_group_delete, SIGNED_SESSION},
        {SM_GET, "/api/v1/groups/*/members", sm_api_group_members, SIGNED_SESSION},
        {SM_PUT, "/api/v1/keys/identity", sm_api_identity_put, SIGNED_SESSION},
        {SM_PUT, "/api/v1/keys/signed-prekey", sm_api_spk_put, SIGNED_SESSION},
        {SM_POST, "/api/v1/keys/one-time-prekeys", sm_api_opks_post, SIGNED_SESSION},
        {SM_POST, "/api/v1/keys/bundles", sm_api_bundles_post, SIGNED_SESSION},
        {SM_GET, "/api/v1/keys/count", sm_api_keys_count, SIGNED_SESSION},
        {SM_GET, "/api/v1/keys/*/bundle", sm_api_bundle_get, SIGNED_SESSION},
        {SM_GET, "/api/v1/keys/*", sm_api_keys_get, SIGNED_SESSION},
        {SM_GET, "/api/v1/users", sm_api_users_get, SIGNED_SESSION},
        {SM_GET, "/api/v1/users/*", sm_api_user_get, SIGNED_SESSION},
        {SM_GET, "/healthz", sm_api_healthz, NOTHING},
        {SM_GET, "/readyz", sm_api_readyz, NOTHING},
};

static bool fits(const struct route *r, struct sm_req *req)
{
	size_t before = strcspn(r->path, "*"), n;
	const char *part = req->path + before, *after;

	if (!r->path[before])
		return !strcmp(r->path, req->path);
	if (strncmp(r->path, req->path, before) != 0)
		return false;
	n = strcspn(part, "/");
	after = part + n;
	if (!n || strcmp(after, r->path + before + 1) != 0 || n >= sizeof req->param)
		return false;
	memcpy(req->param, part, n);
	req->param[n] = '\0';
	return true;
}

static void log_request(struct sm_req *req)
{
	const struct sm_config *c = req->worker->server->cfg;
	char rid[20], peer[64] = "-";

	snprintf(rid, sizeof rid, "%llx", (unsigned long long)req->id);
	if (c->log_addresses)
		sm_req_peer(req, peer);
	sm_log(&c->log, SM_LOG_INFO, "request", "rid", rid, "method", req->method_text, "path", req->path, "peer", peer, NULL);
}

static void add_allowed(char *allow, size_t size, enum sm_method m)
{
	const char *name = m == SM_GET ? "GET" : m == SM_POST ? "POST" : m == SM_PUT ? "PUT" : "DELETE";
	size_t n = strlen(allow);

	snprintf(allow + n, size - n, "%s%s", n ? ", " : "", name);
}

static bool ready_for(const struct route *r, struct sm_req *req)
{
	if (atomic_load(&req->worker->server->draining) && r->handler != sm_api_readyz && r->handler != sm_api_healthz) {
		sm_problem(req, 503, "draining", "the server is going down");
		return false;
	}
	if (r->need != NOTHING && !sm_auth(req, r->need == SIGNED_SESSION))
		return false;
	if (!sm_api_query_clear(req)) {
		sm_problem(req, 400, "bad_request", "a query parameter stands there twice, or there are more than 16");
		return false;
	}
	return true;
}

void sm_route(struct sm_req *req)
{
	char allow[64] = "";

	if (req->worker->server->cfg->log_requests)
		log_request(req);
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (!fits(&routes[i], req))
			continue;
		if (routes[i].method == req->method) {
			if (ready_for(&routes[i], req))
				routes[i].handler(req);
			return;
		}
		add_allowed(allow, sizeof allow, routes[i].method);
	}
	if (!allow[0]) {
		sm_problem(req, 404, "not_found", "there is no such call");
		return;
	}
	sm_reply_header(req, "Allow", allow);
	sm_problem(req, 405, "bad_method", "this call has other methods");
}

static bool is_call(const struct sm_head *h, const char *method, const char *path)
{
	size_t n = strlen(path);

	return sm_span_equals(h->method, method) && sm_span_starts(h->target, path) && (h->target.n == n || h->target.p[n] == '?');
}

static uint64_t send_limit(const struct sm_server *s, const struct sm_head *h)
{
	const struct sm_config *c = s->cfg;

	if (sm_span_equals(h->type, "application/sm-batch"))
		return SM_SEND_MAX;
	if (sm_span_equals(h->type, "application/sm-envelope") && c->message_bytes > SM_JSON_BODY_MAX)
		return c->message_bytes;
	return SM_JSON_BODY_MAX;
}

static uint64_t body_limit(const struct sm_server *s, const struct sm_head *h)
{
	if (is_call(h, "POST", "/api/v1/messages"))
		return send_limit(s, h);
	if (is_call(h, "POST", "/api/v1/groups") || (sm_span_equals(h->method, "PUT") && sm_span_starts(h->target, "/api/v1/groups/")))
		return SM_ROSTER_BODY_MAX;
	return is_call(h, "POST", "/api/v1/keys/bundles") ? SM_BUNDLES_BODY_MAX : SM_JSON_BODY_MAX;
}

/* Only that the token was made here: whether it still counts is seen when the request is there. */
static bool has_token(const struct sm_server *s, const struct sm_head *h)
{
	static const char bearer[] = "Bearer ";
	const size_t n = sizeof bearer - 1;
	struct sm_claims c;

	return h->authorization.n > n && !strncasecmp((const char *)h->authorization.p, bearer, n) &&
	       !sm_token_check(&c, &s->keys, (const char *)h->authorization.p + n, h->authorization.n - n);
}

const struct sm_refusal *sm_route_head(void *server, const struct sm_head *h)
{
	static const struct sm_refusal large = {413, "too_large", "the body is larger than this call takes"},
	                               nobody = {401, "unauthenticated", "a body of this size needs an access token"};
	const struct sm_server *s = server;

	if (h->length > body_limit(s, h))
		return &large;
	return h->length > SM_JSON_BODY_MAX && !has_token(s, h) ? &nobody : NULL;
}

void sm_route_refused(struct sm_req *req, const struct sm_refusal *r)
{
	if (req->worker->server->cfg->log_requests)
		log_request(req);
	sm_problem(req, r->status, r->code, r->message);
}
