/* Groups: rosters come in signed and in order, and go out as they came. What the server checks here it checks for its own sake: a member
 * checks all of it again. */
#include "api.h"

#include "base/time.h"
#include "wire/roster_rules.h"

#include <stdlib.h>
#include <string.h>

struct rostering {
	struct sm_api_op api;
	bool first; /* POST groups */
	bool stale; /* set in run: accounts have changed since the check */
	unsigned long generation;
	char *text;
	struct sm_roster roster;
	int64_t *member;
	struct sm_group_change change;
};

static void rostering_free(void *p)
{
	struct rostering *x = p;

	free(x->text);
	free(x->member);
	sm_roster_release(&x->roster);
	free(x);
}

static void bad_roster(struct sm_req *req, const char *message) { sm_problem(req, 400, "bad_roster", message); }

static void stale_group(struct sm_req *req, uint64_t epoch)
{
	sm_problem_with(req, 409, "stale_group", "the roster does not follow the one that is there",
	                json_pack("{s:I}", "epoch", (json_int_t)epoch));
}

static void no_such_group(struct sm_req *req) { sm_problem(req, 404, "no_such_group", "there is no such group, or not for you"); }

static json_t *epoch_json(const char *group, uint64_t epoch) { return json_pack("{s:s,s:I}", "group", group, "epoch", (json_int_t)epoch); }

static enum sm_err roster_run(struct sm_op *op, struct sm_store *st)
{
	struct rostering *x = (struct rostering *)(void *)op;
	struct sm_accounts *accounts = x->api.req->worker->server->accounts;

	x->stale = sm_accounts_generation(accounts) != x->generation;
	if (x->stale)
		return SM_OK;
	sm_accounts_changing(accounts);
	x->generation = sm_accounts_generation(accounts); /* should this run again after a rollback */
	x->api.answer = sm_store_group_put(st, &x->change);
	return x->api.answer == SM_ERR_NOTFOUND ? SM_OK : x->api.answer;
}

static void roster_committed(struct sm_op *op, struct sm_server *s)
{
	struct rostering *x = (struct rostering *)(void *)op;

	if (!x->stale)
		sm_accounts_changed(s->accounts);
}

/* ---- checking a roster that comes in */

/* The accounts of the members, ascending; what is wrong with one that is not in `before` goes on a list. A new member's key is its
 * account's, so it is a good point as well: the rules need not look at that, which would keep the loop busy for long. */
struct checking {
	struct rostering *x;
	const struct sm_roster *before; /* NULL: there is none */
	json_t *unknown, *wrong;
	size_t n;
};

static enum sm_err check_member(struct checking *c, const struct sm_member *m)
{
	struct sm_req *req = c->x->api.req;
	struct sm_server *s = req->worker->server;
	struct sm_account *a = NULL;
	bool known = c->before && sm_roster_find(c->before, m->address.text);
	enum sm_err e = SM_ERR_NOTFOUND;

	if (!strcmp(m->address.host, s->origin))
		e = sm_accounts_get(s->accounts, req->worker->reader, m->address.name, &a);
	if (e && e != SM_ERR_NOTFOUND)
		return e;
	if (!a || (a->disabled && !known))
		(void)json_array_append_new(c->unknown, json_string(m->address.text));
	else if (!known && !sm_equal(a->identity.pk, m->pk, SM_PK_LEN))
		(void)json_array_append_new(c->wrong, json_string(m->address.text));
	else
		c->x->member[c->n++] = a->id;
	sm_account_release(a);
	return SM_OK;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sets change.member; answers what is wrong and returns false. */
static bool check_members(struct rostering *x, const struct sm_roster *before)
{
	struct sm_req *req = x->api.req;
	struct checking c = {.x = x, .before = before, .unknown = json_array(), .wrong = json_array()};
	enum sm_err e = SM_OK;
	bool good = false;

	free(x->member);
	x->member = calloc(x->roster.n, sizeof *x->member);
	if (!x->member || !c.unknown || !c.wrong)
		e = SM_ERR_NOMEM;
	for (size_t i = 0; i < x->roster.n && !e; i++)
		e = check_member(&c, &x->roster.member[i]);
	if (e)
		sm_problem_err(req, e);
	else if (json_array_size(c.unknown))
		sm_problem_with(req, 404, "no_such_member", "somebody on the roster has no account here",
		                json_pack("{s:O}", "members", c.unknown));
	else if (json_array_size(c.wrong))
		sm_problem_with(req, 409, "member_key", "somebody on the roster has another user key here",
		                json_pack("{s:O}", "members", c.wrong));
	else
		good = true;
	json_decref(c.unknown);
	json_decref(c.wrong);
	if (!good)
		return false;
	qsort(x->member, c.n, sizeof *x->member, by_number);
	x->change.member = x->member;
	x->change.nmember = c.n;
	return true;
}

static void submit(struct rostering *x)
{
	const struct sm_roster *r = &x->roster;
	struct sm_group_change *c = &x->change;

	memcpy(c->row.group, r->group, sizeof c->row.group);
	memcpy(c->row.name, r->name, sizeof c->row.name);
	c->row.epoch = r->epoch;
	memcpy(c->row.hash, r->hash, 32);
	memcpy(c->previous, r->previous, 32);
	c->maker = x->api.req->session->account;
	c->now = sm_time_now();
	c->text = x->text;
	c->n = strlen(x->text);
	x->api.op.weight = 1024 + c->n + c->nmember * 64;
	x->api.op.vital = false;
	sm_api_submit(x->api.req, x);
}

/* Is the signer who is signed in? */
static bool check_signer(struct rostering *x)
{
	char address[SM_ADDRESS_MAX + 1];
	struct sm_req *req = x->api.req;

	sm_api_address(req->worker->server, address, req->session->user);
	if (!strcmp(x->roster.signer.text, address))
		return true;
	sm_problem(req, 403, "wrong_signer", "the roster's signer is not who is signed in");
	return false;
}

/* The text of the roster of one epoch. */
struct one_text {
	uint64_t epoch;
	char *text;
	size_t n;
};

static bool take_text(void *ctx, uint64_t epoch, const char *text, size_t n)
{
	struct one_text *t = ctx;

	if (epoch == t->epoch && (t->text = malloc(n + 1))) {
		memcpy(t->text, text, n);
		t->text[n] = '\0';
		t->n = n;
	}
	return false;
}

static enum sm_err load_text(struct sm_req *req, const struct sm_group_row *row, struct one_text *t)
{
	enum sm_err e = sm_reader_rosters(req->worker->reader, row->id, t->epoch - 1, take_text, t);

	return e || t->text ? e : SM_ERR_NOTFOUND;
}

/* A repeated request gets the answer of the first, also when its maker has left the group by it. */
static bool is_there(struct sm_req *req, const struct sm_group_row *row, const struct rostering *x)
{
	struct one_text t = {.epoch = x->roster.epoch};
	bool same = x->roster.epoch <= row->epoch && !load_text(req, row, &t) && !strcmp(t.text, x->text);

	free(t.text);
	return same;
}

/* A group that has more than the server allows today may still shrink. */
static bool check_size(struct rostering *x, size_t before)
{
	struct sm_req *req = x->api.req;

	if (x->roster.n <= req->worker->server->cfg->group_members || x->roster.n < before)
		return true;
	sm_problem(req, 413, "too_many_members", "a group on this server has fewer members");
	return false;
}

static void check_first(struct rostering *x)
{
	struct sm_req *req = x->api.req;
	struct sm_group_row row;

	x->generation = sm_accounts_generation(req->worker->server->accounts);
	if (!sm_reader_group(req->worker->reader, x->roster.group, &row) && is_there(req, &row, x)) {
		sm_json_reply(req, 200, epoch_json(row.group, row.epoch));
		return;
	}
	if (!check_signer(x) || !check_size(x, 0))
		return;
	if (sm_roster_begins_known(&x->roster))
		bad_roster(req, "that is not a first roster, signed by an admin on it");
	else if (check_members(x, NULL))
		submit(x);
}

static bool check_follows(struct rostering *x, const struct sm_roster *before)
{
	if (!sm_roster_follows_known(before, &x->roster))
		return true;
	bad_roster(x->api.req, "the roster does not follow the last one by the rules, or its signature is wrong");
	return false;
}

static void check_against(struct rostering *x, const struct sm_group_row *row)
{
	struct sm_req *req = x->api.req;
	struct one_text t = {.epoch = row->epoch};
	struct sm_roster before = {0};
	enum sm_err e = load_text(req, row, &t);

	if (!e)
		e = sm_roster_parse(&before, t.text, t.n);
	if (e)
		sm_problem_err(req, SM_ERR_BUG);
	else if (check_size(x, before.n) && check_follows(x, &before) && check_members(x, &before))
		submit(x);
	sm_roster_release(&before);
	free(t.text);
}

static void check_next(struct rostering *x)
{
	struct sm_req *req = x->api.req;
	struct sm_group_row row;
	enum sm_err e;

	x->generation = sm_accounts_generation(req->worker->server->accounts);
	e = sm_reader_group(req->worker->reader, x->roster.group, &row);
	if (!e && is_there(req, &row, x)) {
		sm_json_reply(req, 200, epoch_json(row.group, row.epoch));
		return;
	}
	if (!e)
		e = sm_reader_group_has(req->worker->reader, row.id, req->session->account);
	if (e == SM_ERR_NOTFOUND)
		no_such_group(req);
	else if (e)
		sm_problem_err(req, e);
	else if (x->roster.epoch != row.epoch + 1 || !sm_equal(x->roster.previous, row.hash, 32))
		stale_group(req, row.epoch);
	else if (check_signer(x))
		check_against(x, &row);
}

static void roster_done(struct sm_op *op)
{
	struct rostering *x = (struct rostering *)(void *)op;
	struct sm_req *req = x->api.req;

	if (!sm_api_committed(&x->api))
		return;
	if (x->stale) {
		(x->first ? check_first : check_next)(x);
		return;
	}
	if (x->api.answer) {
		no_such_group(req);
		return;
	}
	switch (x->change.outcome) {
	case SM_GROUP_EXISTS: sm_problem(req, 409, "group_exists", "there is another group with this id"); break;
	case SM_GROUP_TOO_MANY: sm_problem(req, 403, "too_many_groups", "an account may make 1000 groups"); break;
	case SM_GROUP_STORED:
	case SM_GROUP_SAME:
		sm_json_reply(req, x->first && x->change.outcome == SM_GROUP_STORED ? 201 : 200,
		              epoch_json(x->roster.group, x->change.epoch));
		break;
	default: stale_group(req, x->change.epoch);
	}
}

/* NULL: what is wrong has been answered. */
static struct rostering *read_roster(struct sm_req *req, bool first)
{
	struct rostering *x = sm_api_op(req, sizeof *x, roster_run, roster_done);

	if (!x)
		return NULL;
	req->ctx_free = rostering_free;
	x->first = first;
	x->api.op.committed = roster_committed;
	const struct sm_json_member want[] = {{"roster", SM_JSON_COPY, &x->text, SM_ROSTER_TEXT_MAX + 1, false, "bad_roster"}};
	if (!sm_json_request_of(req, want, 1, SM_ROSTER_BODY_MAX))
		return NULL;
	if (sm_roster_parse(&x->roster, x->text, strlen(x->text)))
		bad_roster(req, "that is not a roster");
	else if (first != (x->roster.epoch == 1))
		bad_roster(req, first ? "a group begins with epoch 1" : "epoch 1 comes by POST groups");
	else if (!first && strcmp(req->param, x->roster.group) != 0)
		bad_roster(req, "the roster is another group's");
	else
		return x;
	return NULL;
}

void sm_api_groups_post(struct sm_req *req)
{
	struct rostering *x = read_roster(req, true);

	if (x)
		check_first(x);
}

void sm_api_group_put(struct sm_req *req)
{
	struct rostering *x = read_roster(req, false);

	if (x)
		check_next(x);
}
