/* Enrolment: a new device that knows the account's password asks to be put on its list, or brings a list that has it. */
#include "devices.h"
#include "proof.h"

#include "base/base64.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

struct enrolling {
	struct sm_api_op api;
	struct sm_proof proof;
	char identity[128];
	char text[SM_DEVICES_TEXT_MAX + 1]; /* "": no list */
	int64_t account;
	struct sm_public pub;
	struct sm_waiting_row row;
	struct sm_device_list list;
	struct sm_list_change change;
	enum sm_enroll_outcome outcome;
	struct sm_list_row present; /* set: what is there now */
};

static enum sm_err enroll_run(struct sm_op *op, struct sm_store *st)
{
	struct enrolling *x = (struct enrolling *)(void *)op;
	enum sm_err e;

	if (x->text[0])
		sm_accounts_changing(x->api.req->worker->server->accounts);
	e = sm_store_enroll(st, x->account, &x->row, x->text[0] ? &x->change : NULL, &x->outcome);
	return e ? e : sm_store_list(st, x->account, &x->present);
}

static void enroll_committed(struct sm_op *op, struct sm_server *s)
{
	struct enrolling *x = (struct enrolling *)(void *)op;

	if (x->text[0])
		sm_api_list_committed(s, x->proof.user, &x->change);
}

/* The user key, which the answer names: the present one. */
static json_t *user_key(struct sm_req *req, const char *user)
{
	struct sm_account_row a;
	json_t *v = sm_reader_account(req->worker->reader, user, &a) ? NULL : sm_api_identity(a.pk);

	sm_wipe(&a, sizeof a);
	return v;
}

/* What the account's devices are called: whoever signs a list looks at it first. */
static json_t *labels(struct sm_req *req, int64_t account)
{
	struct sm_device_row row[SM_DEVICES_MAX];
	size_t n = 0;
	json_t *list = json_array();

	if (sm_reader_devices(req->worker->reader, account, row, &n))
		n = 0;
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_pack("{s:I,s:s}", "id", (json_int_t)row[i].number, "label", row[i].label));
	return list;
}

static void answer(struct enrolling *x)
{
	struct sm_req *req = x->api.req;

	sm_json_reply(req, x->text[0] ? 201 : 202,
	              json_pack("{s:o,s:s,s:I,s:o,s:o,s:I,s:I,s:o}", "server_signature", sm_json_b64(x->proof.server_signature, 32),
	                        "enrollment", x->row.id, "expires", (json_int_t)x->row.expires, "identity", user_key(req, x->proof.user),
	                        "list", x->present.text[0] ? json_string(x->present.text) : json_null(), "version",
	                        (json_int_t)x->present.version, "next", (json_int_t)x->present.next, "devices", labels(req, x->account)));
}

static void enroll_done(struct sm_op *op)
{
	struct enrolling *x = (struct enrolling *)(void *)op;

	if (!sm_api_committed(&x->api))
		return;
	if (x->outcome == SM_ENROLL_KNOWN)
		sm_problem(x->api.req, 409, "known_device", "this key is one of the account's devices already");
	else if (x->outcome == SM_ENROLL_TOO_MANY)
		sm_problem(x->api.req, 429, "too_many_waiting", "four devices wait to be approved already");
	else if (!x->text[0] || sm_api_list_accepted(x->api.req, &x->change))
		answer(x);
}

/* A list has to bring the device with it. */
static bool list_fits(struct sm_req *req, struct enrolling *x)
{
	if (!sm_api_list_read(req->worker->server, &x->list, x->proof.user, x->text) || !sm_device_list_find(&x->list, x->pub.fp)) {
		sm_api_list_bad(req);
		return false;
	}
	x->change =
	        (struct sm_list_change){.account = x->account, .now = sm_time_now(), .list = &x->list, .text = x->text, .also = &x->row};
	return true;
}

static void enrolling_free(void *p)
{
	sm_wipe(p, sizeof(struct enrolling));
	free(p);
}

static enum sm_err prove(struct sm_req *req, struct enrolling *x)
{
	struct sm_account_row a = {0};
	bool known = sm_proof_account(req, &x->proof, &a);
	enum sm_err e;

	memcpy(x->proof.device, x->pub.fp, 32);
	e = sm_proof_check(req->worker->server, &x->proof, SM_FOR_ENROLL, &a, known, x->pub.ed25519);
	x->account = a.id;
	sm_wipe(&a, sizeof a);
	return e;
}

static bool well_formed(struct sm_req *req, struct enrolling *x)
{
	if (!sm_proof_form(req, &x->proof))
		return false;
	if (sm_public_parse(&x->pub, x->identity, strlen(x->identity)) || x->pub.suite != &sm_suite_x25519)
		sm_problem(req, 400, "bad_identity", "'identity' is not a public identity (sm1...)");
	else if (!sm_api_label_ok(x->row.label))
		sm_problem(req, 400, "bad_request", "'label' is printable ASCII");
	else
		return true;
	return false;
}

static void fill_row(struct enrolling *x)
{
	uint8_t raw[16];

	sm_rand_fill(&sm_rand_system, raw, sizeof raw);
	sm_base32_id(x->row.id, raw);
	memcpy(x->row.pk, x->pub.ed25519, 32);
	x->row.created = sm_time_now();
	x->row.expires = x->row.created + SM_WAITING_SECONDS;
}

void sm_api_enroll(struct sm_req *req)
{
	struct enrolling *x = sm_api_op(req, sizeof *x, enroll_run, enroll_done);
	enum sm_err e;

	if (!x)
		return;
	req->ctx_free = enrolling_free;
	const struct sm_json_member want[] = {
	        SM_PROOF_MEMBERS(&x->proof),
	        {"identity", SM_JSON_TEXT, x->identity, sizeof x->identity, false, "bad_identity"},
	        {"label", SM_JSON_TEXT, x->row.label, sizeof x->row.label, true, NULL},
	        {"list", SM_JSON_TEXT, x->text, sizeof x->text, true, "bad_list"},
	};
	if (!sm_json_request(req, want, sizeof want / sizeof *want) || !well_formed(req, x))
		return;
	e = prove(req, x);
	if (e == SM_ERR_DENIED)
		sm_proof_refuse(req);
	else if (e)
		sm_problem_err(req, e);
	if (e)
		return;
	fill_row(x);
	if (x->text[0] && !list_fits(req, x))
		return;
	x->api.op.committed = enroll_committed;
	x->api.op.weight = 8192;
	sm_api_submit(req, x);
}

void sm_api_enroll_get(struct sm_req *req)
{
	bool approved = false;
	enum sm_err e = strlen(req->param) == SM_ID_LEN ? sm_reader_enrollment(req->worker->reader, req->param, sm_time_now(), &approved)
	                                                : SM_ERR_NOTFOUND;

	if (e == SM_ERR_NOTFOUND)
		sm_problem(req, 404, "no_such_enrollment", "unknown, refused or expired");
	else if (e)
		sm_problem_err(req, e);
	else
		sm_json_reply(req, 200, json_pack("{s:s}", "state", approved ? "approved" : "waiting"));
}
