/* An account's devices: the signed list of them, and those that wait to be put on it. */
#include "devices.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

static json_t *device_json(const struct sm_device_row *d, bool current)
{
	uint8_t fp[SM_FP_LEN];

	sm_sha256(fp, d->pk, sizeof d->pk);
	return json_pack("{s:I,s:o,s:o,s:s,s:I,s:b}", "id", (json_int_t)d->number, "identity", sm_api_identity(d->pk), "fingerprint",
	                 sm_api_fingerprint(fp), "label", d->label, "created", (json_int_t)d->created, "current", current);
}

static json_t *waiting_json(const struct sm_waiting_row *w)
{
	uint8_t fp[SM_FP_LEN];

	sm_sha256(fp, w->pk, sizeof w->pk);
	return json_pack("{s:o,s:o,s:s,s:I,s:I}", "identity", sm_api_identity(w->pk), "fingerprint", sm_api_fingerprint(fp), "label",
	                 w->label, "created", (json_int_t)w->created, "expires", (json_int_t)w->expires);
}

/* All of it from one moment. */
struct view {
	struct sm_account_row account;
	struct sm_list_row list;
	struct sm_device_row device[SM_DEVICES_MAX];
	struct sm_waiting_row waiting[SM_WAITING_MAX];
	size_t ndevice, nwaiting;
};

static enum sm_err look(struct sm_req *req, struct view *v)
{
	struct sm_reader *r = req->worker->reader;
	int64_t account = req->session->account;
	enum sm_err e = sm_reader_begin(r);

	if (!e)
		e = sm_reader_account(r, req->session->user, &v->account);
	if (!e)
		e = sm_reader_list(r, account, &v->list);
	if (!e)
		e = sm_reader_devices(r, account, v->device, &v->ndevice);
	if (!e)
		e = sm_reader_waiting(r, account, sm_time_now(), v->waiting, &v->nwaiting);
	sm_reader_end(r);
	return e;
}

void sm_api_devices_get(struct sm_req *req)
{
	struct view v = {0};
	json_t *devices, *waiting;
	enum sm_err e = look(req, &v);

	if (e) {
		sm_problem_err(req, e);
		return;
	}
	devices = json_array();
	waiting = json_array();
	for (size_t i = 0; i < v.ndevice; i++)
		(void)json_array_append_new(devices, device_json(&v.device[i], v.device[i].id == req->session->device));
	for (size_t i = 0; i < v.nwaiting; i++)
		(void)json_array_append_new(waiting, waiting_json(&v.waiting[i]));
	sm_json_reply(req, 200,
	              json_pack("{s:o,s:I,s:I,s:o,s:o,s:o}", "list", v.list.text[0] ? json_string(v.list.text) : json_null(), "version",
	                        (json_int_t)v.list.version, "next", (json_int_t)v.list.next, "user", sm_api_identity(v.account.pk),
	                        "devices", devices, "waiting", waiting));
	sm_wipe(&v.account, sizeof v.account);
}

bool sm_api_list_read(const struct sm_server *s, struct sm_device_list *l, const char *user, const char *text)
{
	char address[SM_ADDRESS_MAX + 1];

	sm_api_address(s, address, user);
	return !sm_device_list_parse(l, text, strlen(text)) && !strcmp(l->address.text, address);
}

bool sm_api_list_accepted(struct sm_req *req, const struct sm_list_change *c)
{
	if (c->outcome == SM_LIST_STORED || c->outcome == SM_LIST_SAME)
		return true;
	if (c->outcome == SM_LIST_STALE)
		sm_problem_with(req, 409, "stale_list", "the list's version does not follow the one that is there",
		                json_pack("{s:I}", "version", (json_int_t)c->version));
	else if (c->outcome == SM_LIST_NOT_WAITING)
		sm_problem(req, 409, "not_waiting", "a device that is new on the list does not wait to be enrolled");
	else
		sm_api_list_bad(req);
	return false;
}

void sm_api_list_bad(struct sm_req *req)
{
	sm_problem(req, 400, "bad_list", "that is not a device list of this account, signed by its user key, that can follow the one here");
}

void sm_api_list_committed(struct sm_server *s, const char *user, const struct sm_list_change *c)
{
	sm_accounts_drop(s->accounts, user);
	for (size_t i = 0; i < c->ngone; i++)
		sm_sessions_revoke_device(s->sessions, c->gone[i]);
	if (c->ngone)
		sm_writer_sessions_ended(&s->writer);
}

struct listing {
	struct sm_api_op api;
	struct sm_list_change change;
	struct sm_device_list list;
	char user[SM_NAME_MAX + 1];
	char text[SM_DEVICES_TEXT_MAX + 1];
};

static enum sm_err list_run(struct sm_op *op, struct sm_store *st)
{
	struct listing *x = (struct listing *)(void *)op;

	sm_accounts_changing(x->api.req->worker->server->accounts);
	return sm_store_list_put(st, &x->change);
}

static void list_committed(struct sm_op *op, struct sm_server *s)
{
	struct listing *x = (struct listing *)(void *)op;

	sm_api_list_committed(s, x->user, &x->change);
}

static void list_done(struct sm_op *op)
{
	struct listing *x = (struct listing *)(void *)op;

	if (sm_api_committed(&x->api) && sm_api_list_accepted(x->api.req, &x->change))
		sm_api_devices_get(x->api.req);
}

void sm_api_devices_put(struct sm_req *req)
{
	struct listing *x = sm_api_op(req, sizeof *x, list_run, list_done);

	if (!x)
		return;
	const struct sm_json_member want[] = {{"list", SM_JSON_TEXT, x->text, sizeof x->text, false, "bad_list"}};
	if (!sm_json_request(req, want, 1))
		return;
	memcpy(x->user, req->session->user, sizeof x->user);
	if (!sm_api_list_read(req->worker->server, &x->list, x->user, x->text)) {
		sm_api_list_bad(req);
		return;
	}
	x->change = (struct sm_list_change){.account = req->session->account, .now = sm_time_now(), .list = &x->list, .text = x->text};
	x->api.op.committed = list_committed;
	x->api.op.weight = 8192;
	sm_api_submit(req, x);
}

static enum sm_err forget_run(struct sm_op *op, struct sm_store *st)
{
	struct sm_api_op *x = (struct sm_api_op *)(void *)op;

	return sm_store_waiting_forget(st, x->req->session->account);
}

static void forget_done(struct sm_op *op)
{
	struct sm_api_op *x = (struct sm_api_op *)(void *)op;

	if (sm_api_committed(x))
		sm_reply(x->req, 204, NULL, NULL, 0);
}

void sm_api_waiting_delete(struct sm_req *req)
{
	struct sm_api_op *x = sm_api_op(req, sizeof *x, forget_run, forget_done);

	if (x)
		sm_api_submit(req, x);
}
