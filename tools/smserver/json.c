/* JSON in and out: what a request may hold is said by tables in the handlers. */
#include "json.h"

#include "base/base64.h"
#include "server.h"
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_json(const char *type)
{
	static const char want[] = "application/json";

	if (!type || strncasecmp(type, want, sizeof want - 1))
		return false;
	type += sizeof want - 1;
	return *type == '\0' || *type == ';' || *type == ' ';
}

static bool read_bytes(const json_t *v, uint8_t *out, size_t n)
{
	uint8_t raw[512 + 4];
	size_t len = json_string_length(v), got;

	if (n > 512 || len != SM_BASE64_LEN(n) || sm_base64_decode(raw, &got, json_string_value(v), len, false) || got != n)
		return false;
	memcpy(out, raw, n);
	return true;
}

static bool read_text(const json_t *v, char *out, size_t size)
{
	size_t n = json_string_length(v);

	if (n >= size || strlen(json_string_value(v)) != n)
		return false;
	memcpy(out, json_string_value(v), n + 1);
	return true;
}

static bool read_kdf(const json_t *v, struct sm_kdf *k)
{
	const json_t *name = json_object_get(v, "name"), *t = json_object_get(v, "t"), *m = json_object_get(v, "m");

	if (!json_is_object(v) || json_object_size(v) != 3 || !json_is_string(name) || strcmp(json_string_value(name), "argon2id"))
		return false;
	if (!json_is_integer(t) || !json_is_integer(m) || json_integer_value(t) < 1 || json_integer_value(t) > 10 ||
	    json_integer_value(m) < 8 || json_integer_value(m) > 1048576)
		return false;
	k->t = (uint32_t)json_integer_value(t);
	k->m = (uint32_t)json_integer_value(m);
	return true;
}

static bool read_number(const json_t *v, const struct sm_json_member *m)
{
	json_int_t n = json_integer_value(v), most = m->kind == SM_JSON_U32 ? (json_int_t)UINT32_MAX : (json_int_t)1 << 53;

	if (!json_is_integer(v) || n < 0 || n > most)
		return false;
	if (m->kind == SM_JSON_U32)
		*(uint32_t *)m->out = (uint32_t)n;
	else
		*(int64_t *)m->out = n;
	return true;
}

static bool read_copy(const json_t *v, const struct sm_json_member *m)
{
	char *copy = json_string_length(v) < m->size ? malloc(json_string_length(v) + 1) : NULL;

	if (!copy || !read_text(v, copy, m->size)) {
		free(copy);
		return false;
	}
	*(char **)m->out = copy;
	return true;
}

static bool read_list(json_t *v, const struct sm_json_member *m)
{
	if (!json_is_array(v))
		return false;
	*(json_t **)m->out = json_incref(v);
	return true;
}

static bool read_member(json_t *v, const struct sm_json_member *m)
{
	switch (m->kind) {
	case SM_JSON_KDF: return read_kdf(v, m->out);
	case SM_JSON_U32:
	case SM_JSON_TIME: return read_number(v, m);
	case SM_JSON_LIST: return read_list(v, m);
	default: break;
	}
	if (!json_is_string(v))
		return false;
	if (m->kind == SM_JSON_COPY)
		return read_copy(v, m);
	return m->kind == SM_JSON_BYTES ? read_bytes(v, m->out, m->size) : read_text(v, m->out, m->size);
}

static bool read_members(const json_t *o, const struct sm_json_member *m, size_t n, char why[static 128], const char **code)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(o, m[i].name);
		if (!v && m[i].optional)
			continue;
		if (!v || !read_member(v, &m[i])) {
			snprintf(why, 128, "'%s' is %s", m[i].name, v ? "not what it has to be" : "missing");
			if (m[i].code && json_is_string(v))
				*code = m[i].code;
			return false;
		}
		found++;
	}
	snprintf(why, 128, "there is a member that does not belong here");
	return found == json_object_size(o);
}

bool sm_json_object(const json_t *o, const struct sm_json_member *m, size_t n)
{
	char why[128];
	const char *code;

	return json_is_object(o) && read_members(o, m, n, why, &code);
}

bool sm_json_request(struct sm_req *req, const struct sm_json_member *m, size_t n)
{
	return sm_json_request_of(req, m, n, SM_JSON_BODY_MAX);
}

bool sm_json_request_of(struct sm_req *req, const struct sm_json_member *m, size_t n, size_t max)
{
	char why[128] = "the body is not one JSON object without repeated members";
	const char *code = "bad_request";
	json_t *o;
	bool good;

	if (!is_json(sm_req_header(req, "Content-Type", NULL))) {
		sm_problem(req, 415, "bad_type", "Content-Type must be application/json");
		return false;
	}
	if (req->bodylen > max) {
		sm_problem(req, 413, "too_large", "the body is larger than this call takes");
		return false;
	}
	o = json_loadb((const char *)req->body, req->bodylen, JSON_REJECT_DUPLICATES, NULL);
	good = json_is_object(o) && read_members(o, m, n, why, &code);
	json_decref(o);
	if (!good)
		sm_problem(req, 400, code, why);
	return good;
}

void sm_json_reply(struct sm_req *req, int status, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	json_decref(o);
	if (text)
		sm_reply(req, status, "application/json", text, strlen(text));
	else
		sm_problem(req, 500, "internal", "out of memory");
	free(text);
}

json_t *sm_json_b64(const uint8_t *p, size_t n)
{
	char text[SM_BASE64_PADDED_LEN(512) + 1];

	return n > 512 ? NULL : json_stringn(text, sm_base64_encode(text, p, n, false));
}

static void log_problem(struct sm_req *req, int status, const char *code)
{
	const struct sm_config *c = req->worker->server->cfg;
	char rid[20], st[8], peer[64] = "-";

	if (c->log.level > SM_LOG_INFO && status < 500)
		return;
	snprintf(rid, sizeof rid, "%llx", (unsigned long long)req->id);
	snprintf(st, sizeof st, "%d", status);
	if (c->log_addresses)
		sm_req_peer(req, peer);
	sm_log(&c->log, status >= 500 ? SM_LOG_WARN : SM_LOG_INFO, "refused", "rid", rid, "status", st, "code", code, "method",
	       req->method_text, "path", req->path, "peer", peer, NULL);
}

void sm_problem_with(struct sm_req *req, int status, const char *code, const char *message, json_t *extra)
{
	json_t *o = extra ? extra : json_object();
	char *text = NULL, rid[20];

	if (o && !json_object_set_new(o, "error", json_string(code)) && !json_object_set_new(o, "message", json_string(message)))
		text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	log_problem(req, status, code);
	snprintf(rid, sizeof rid, "%llx", (unsigned long long)req->id);
	sm_reply_header(req, "Request-Id", rid);
	if (status == 503 || status == 429)
		sm_reply_header(req, "Retry-After", "1");
	if (status == 401)
		sm_reply_header(req, "WWW-Authenticate", "Bearer");
	sm_reply(req, status, "application/json", text ? text : "", text ? strlen(text) : 0);
	free(text);
}

void sm_problem(struct sm_req *req, int status, const char *code, const char *message)
{
	sm_problem_with(req, status, code, message, NULL);
}

void sm_problem_err(struct sm_req *req, enum sm_err e)
{
	if (e == SM_ERR_LIMIT)
		sm_problem(req, 507, "no_space", "the server's disk is full");
	else if (e == SM_ERR_BUSY)
		sm_problem(req, 503, "busy", "the server has too much to do; try again");
	else if (e == SM_ERR_IO)
		sm_problem(req, 503, "storage_failed", "the server could not write to its disk");
	else
		sm_problem(req, 500, "internal", "something failed inside the server");
}
