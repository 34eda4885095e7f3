/* Refreshing, listing and ending sessions. */
#include "api.h"

#include "../token.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

struct refreshing {
	struct sm_api_op api;
	char sid[SM_ID_LEN + 1];
	int64_t account;
	uint8_t presented[32], fresh[32];
	uint32_t generation; /* of the token presented */
	int64_t now, expires;
	char next[SM_REFRESH_TEXT];
	bool removed; /* set in run: the device is gone */
};

static enum sm_err revoke_family(struct refreshing *x, struct sm_store *st)
{
	enum sm_err e = sm_store_session_revoke(st, x->account, x->sid);

	x->api.answer = SM_ERR_CHANGED;
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

/* The token presented is the current one or its predecessor, or an older one of ours: then somebody has a copy. A successor
 * that was replaced before it was used (same generation, other bytes) is refused without an alarm: two processes can get there. */
static enum sm_err refresh_run(struct sm_op *op, struct sm_store *st)
{
	struct refreshing *x = (struct refreshing *)(void *)op;
	struct sm_session_row row;
	enum sm_err e = sm_store_session(st, x->sid, &row);

	x->removed = false;
	if (e && e != SM_ERR_NOTFOUND)
		return e;
	if (e || row.revoked || row.expires <= x->now) {
		x->api.answer = SM_ERR_CHANGED;
		x->removed = !e && !row.number;
		return SM_OK;
	}
	if (sm_equal(row.current, x->presented, 32) || sm_equal(row.previous, x->presented, 32)) {
		x->api.answer = SM_OK;
		e = sm_store_session_refresh(st, x->sid, row.generation, x->presented, x->fresh, x->generation + 1, x->now, x->expires);
		return e == SM_ERR_CONFLICT ? SM_ERR_BUG : e;
	}
	if (x->generation < row.generation)
		return revoke_family(x, st);
	x->api.answer = SM_ERR_DENIED;
	return SM_OK;
}

static void refresh_committed(struct sm_op *op, struct sm_server *s)
{
	struct refreshing *x = (struct refreshing *)(void *)op;

	if (x->api.answer == SM_OK)
		sm_sessions_extend(s->sessions, x->sid, x->expires);
	if (x->api.answer != SM_ERR_CHANGED)
		return;
	sm_sessions_revoke(s->sessions, x->account, x->sid, NULL);
	sm_writer_sessions_ended(&s->writer);
}

static void refresh_done(struct sm_op *op)
{
	struct refreshing *x = (struct refreshing *)(void *)op;
	struct sm_req *req = x->api.req;
	char token[SM_TOKEN_MAX];

	if (!sm_api_committed(&x->api))
		return;
	if (x->removed) {
		sm_problem(req, 401, "device_removed", "this device has been removed from the account");
	} else if (x->api.answer == SM_ERR_CHANGED) {
		sm_problem(req, 401, "session_revoked", "the session has ended; log in again");
	} else if (x->api.answer) {
		sm_problem(req, 401, "unauthenticated", "the refresh token is not valid");
	} else if (sm_token_make(token, &req->worker->server->keys, req->session->user, req->session->number, x->sid, x->now)) {
		sm_problem(req, 500, "internal", "something failed inside the server");
	} else {
		sm_json_reply(req, 200,
		              json_pack("{s:s,s:I,s:s,s:I}", "access_token", token, "access_expires",
		                        (json_int_t)(x->now + SM_ACCESS_SECONDS), "refresh_token", x->next, "refresh_expires",
		                        (json_int_t)x->expires));
		sm_wipe(token, sizeof token);
	}
}

static void refreshing_free(void *p)
{
	sm_wipe(p, sizeof(struct refreshing));
	free(p);
}

void sm_api_refresh(struct sm_req *req)
{
	struct sm_server *s = req->worker->server;
	struct refreshing *x = sm_api_op(req, sizeof *x, refresh_run, refresh_done);
	char text[SM_REFRESH_MOST + 1] = "";
	const struct sm_json_member want[] = {{"refresh_token", SM_JSON_TEXT, text, sizeof text, false, NULL}};

	if (!x)
		return;
	req->ctx_free = refreshing_free;
	if (!sm_json_request(req, want, 1))
		return;
	memcpy(x->sid, req->session->sid, sizeof x->sid);
	enum sm_err e = sm_refresh_check(x->presented, &x->generation, &s->keys, x->sid, text);
	sm_wipe(text, sizeof text);
	if (e) {
		sm_problem(req, 401, "unauthenticated", "the refresh token is not valid");
		return;
	}
	x->account = req->session->account;
	x->now = sm_time_now();
	x->expires = x->now + s->cfg->session_expires;
	sm_refresh_make(x->next, x->fresh, &s->keys, x->sid, x->generation + 1);
	x->api.op.committed = refresh_committed;
	sm_api_submit(req, x);
}

struct ending {
	struct sm_api_op api;
	int64_t account;
	char sid[SM_ID_LEN + 1], keep[SM_ID_LEN + 1]; /* sid "": all but keep */
};

static enum sm_err end_run(struct sm_op *op, struct sm_store *st)
{
	struct ending *x = (struct ending *)(void *)op;
	enum sm_err e =
	        x->sid[0] ? sm_store_session_revoke(st, x->account, x->sid) : sm_store_session_revoke_others(st, x->account, x->keep);

	x->api.answer = e;
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

static void end_committed(struct sm_op *op, struct sm_server *s)
{
	struct ending *x = (struct ending *)(void *)op;

	if (x->api.answer)
		return;
	sm_sessions_revoke(s->sessions, x->account, x->sid[0] ? x->sid : NULL, x->sid[0] ? NULL : x->keep);
	sm_writer_sessions_ended(&s->writer);
}

static void end_done(struct sm_op *op)
{
	struct ending *x = (struct ending *)(void *)op;

	if (!sm_api_committed(&x->api))
		return;
	if (x->api.answer)
		sm_problem(x->api.req, 404, "no_such_session", "there is no such session");
	else
		sm_reply(x->api.req, 204, NULL, NULL, 0);
}

static void end_sessions(struct sm_req *req, const char *sid)
{
	struct ending *x = sm_api_op(req, sizeof *x, end_run, end_done);

	if (!x)
		return;
	x->account = req->session->account;
	snprintf(x->sid, sizeof x->sid, "%s", sid);
	memcpy(x->keep, req->session->sid, sizeof x->keep);
	x->api.op.committed = end_committed;
	sm_api_submit(req, x);
}

void sm_api_logout(struct sm_req *req)
{
	if (sm_json_request(req, NULL, 0))
		end_sessions(req, req->session->sid);
}

void sm_api_sessions_delete(struct sm_req *req) { end_sessions(req, ""); }

void sm_api_session_delete(struct sm_req *req)
{
	if (strlen(req->param) == SM_ID_LEN)
		end_sessions(req, req->param);
	else
		sm_problem(req, 404, "no_such_session", "there is no such session");
}

struct listing {
	struct sm_req *req;
	json_t *list;
};

static bool list_one(void *ctx, const struct sm_session_row *row)
{
	struct listing *l = ctx;
	int64_t used = sm_sessions_used(l->req->worker->server->sessions, row->sid);

	(void)json_array_append_new(l->list,
	                            json_pack("{s:s,s:I,s:I,s:I,s:b}", "session", row->sid, "device", (json_int_t)row->number, "created",
	                                      (json_int_t)row->created, "used", (json_int_t)(used > row->used ? used : row->used),
	                                      "current", !strcmp(row->sid, l->req->session->sid)));
	return true;
}

void sm_api_sessions_get(struct sm_req *req)
{
	struct listing l = {.req = req, .list = json_array()};
	enum sm_err e = sm_reader_sessions(req->worker->reader, req->session->account, sm_time_now(), list_one, &l);

	if (e) {
		json_decref(l.list);
		sm_problem_err(req, e);
	} else {
		sm_json_reply(req, 200, json_pack("{s:o}", "sessions", l.list));
	}
}
