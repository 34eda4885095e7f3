/* What a group's members may see of it, and its end. */
#include "api.h"

#include "../groups.h"
#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 2 << 20, TRIES = 4 };

static void no_such_group(struct sm_req *req) { sm_problem(req, 404, "no_such_group", "there is no such group, or not for you"); }

/* What a look-up said: true, or the problem has been answered. */
static bool found(struct sm_req *req, enum sm_err e)
{
	if (e == SM_ERR_NOTFOUND)
		no_such_group(req);
	else if (e)
		sm_problem_err(req, e);
	return e == SM_OK;
}

static bool list_group(void *ctx, const struct sm_group_row *row)
{
	(void)json_array_append_new(ctx,
	                            json_pack("{s:s,s:I,s:s}", "group", row->group, "epoch", (json_int_t)row->epoch, "name", row->name));
	return true;
}

void sm_api_groups_get(struct sm_req *req)
{
	json_t *list = json_array();
	enum sm_err e = sm_reader_groups(req->worker->reader, req->session->account, list_group, list);

	if (e) {
		json_decref(list);
		sm_problem_err(req, e);
	} else {
		sm_json_reply(req, 200, json_pack("{s:o}", "groups", list));
	}
}

struct page {
	json_t *rosters;
	size_t bytes;
	bool more;
};

static bool add_roster(void *ctx, uint64_t epoch, const char *text, size_t n)
{
	struct page *p = ctx;

	(void)epoch;
	if (p->bytes && p->bytes + n > PAGE_BYTES) {
		p->more = true;
		return false;
	}
	p->bytes += n;
	(void)json_array_append_new(p->rosters, json_stringn(text, n));
	return true;
}

/* All of it from one moment. */
static enum sm_err read_page(struct sm_req *req, uint64_t after, struct sm_group_row *row, struct page *p)
{
	struct sm_reader *r = req->worker->reader;
	enum sm_err e = sm_reader_begin(r);

	if (!e)
		e = sm_reader_group(r, req->param, row);
	if (!e)
		e = sm_reader_group_has(r, row->id, req->session->account);
	if (!e)
		e = sm_reader_rosters(r, row->id, after, add_roster, p);
	sm_reader_end(r);
	return e;
}

void sm_api_group_get(struct sm_req *req)
{
	struct page p = {0};
	struct sm_group_row row;
	uint64_t after;

	if (!sm_api_query_number(req, "after", 0, 0, INT64_MAX, &after))
		return;
	p.rosters = json_array();
	if (found(req, read_page(req, after, &row, &p)))
		sm_json_reply(req, 200,
		              json_pack("{s:s,s:I,s:O,s:b}", "group", row.group, "epoch", (json_int_t)row.epoch, "rosters", p.rosters,
		                        "more", p.more));
	json_decref(p.rosters);
}

static json_t *member_json(const struct sm_server *s, const struct sm_account *a)
{
	char address[SM_ADDRESS_MAX + 1];

	sm_api_address(s, address, a->name);
	return json_pack("{s:s,s:s,s:o,s:o}", "user", a->name, "address", address, "identity", sm_api_identity(a->identity.pk), "list",
	                 sm_api_list(a));
}

static json_t *members_json(const struct sm_server *s, const struct sm_group_people *p, const uint8_t devices[static 32])
{
	json_t *list = json_array();
	char hex[65];

	sm_hex(hex, devices, 32);
	for (size_t i = 0; i < p->n; i++)
		(void)json_array_append_new(list, member_json(s, p->account[i]));
	return json_pack("{s:s,s:I,s:s,s:o}", "group", p->row.group, "epoch", (json_int_t)p->row.epoch, "devices", hex, "members", list);
}

static bool among(const struct sm_group_people *p, int64_t account)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->account[i]->id == account)
			return true;
	return false;
}

/* Devices may change while they are read: then once more. */
static enum sm_err load_people(struct sm_req *req, struct sm_group_people *p)
{
	struct sm_accounts *accounts = req->worker->server->accounts;
	enum sm_err e = SM_OK;

	for (int i = 0; i < TRIES && !e; i++) {
		e = sm_group_people_load(p, accounts, req->worker->reader, req->param);
		if (!e && p->generation == sm_accounts_generation(accounts))
			break;
	}
	return e;
}

void sm_api_group_members(struct sm_req *req)
{
	struct sm_group_people p = {0};
	uint8_t devices[32];
	enum sm_err e = load_people(req, &p);

	if (!e && !among(&p, req->session->account))
		e = SM_ERR_NOTFOUND;
	if (!e)
		e = sm_group_people_devices(&p, devices);
	if (found(req, e))
		sm_json_reply(req, 200, members_json(req->worker->server, &p, devices));
	sm_group_people_release(&p);
}

struct group_ending {
	struct sm_api_op api;
	enum sm_group_outcome outcome;
};

static enum sm_err end_run(struct sm_op *op, struct sm_store *st)
{
	struct group_ending *x = (struct group_ending *)(void *)op;
	struct sm_req *req = x->api.req;

	sm_accounts_changing(req->worker->server->accounts);
	x->api.answer = sm_store_group_end(st, req->param, req->session->account, &x->outcome);
	return x->api.answer == SM_ERR_NOTFOUND ? SM_OK : x->api.answer;
}

static void end_committed(struct sm_op *op, struct sm_server *s)
{
	(void)op;
	sm_accounts_changed(s->accounts);
}

static void end_done(struct sm_op *op)
{
	struct group_ending *x = (struct group_ending *)(void *)op;

	if (!sm_api_committed(&x->api))
		return;
	if (x->api.answer)
		no_such_group(x->api.req);
	else if (x->outcome == SM_GROUP_NOT_ALONE)
		sm_problem(x->api.req, 409, "members_left", "only the last member can end a group");
	else
		sm_reply(x->api.req, 204, NULL, NULL, 0);
}

void sm_api_group_delete(struct sm_req *req)
{
	struct group_ending *x = sm_api_op(req, sizeof *x, end_run, end_done);

	if (!x)
		return;
	x->api.op.committed = end_committed;
	sm_api_submit(req, x);
}
