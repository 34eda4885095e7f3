/* Fetching and deleting: the mailbox of the session's device. */
#include "api.h"

#include "base/base64.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 4 << 20, PAGE_MAX = 1000, PAGE_DEFAULT = 100, DELETE_SLICE = 1024 };

struct page {
	struct sm_buf b;
	bool binary;
	size_t n, limit, bytes;
	bool more;
	enum sm_err err;
};

static enum sm_err add_binary(struct sm_buf *b, const struct sm_message_row *m)
{
	enum sm_err e = sm_buf_add_be64(b, m->seq);

	if (!e)
		e = sm_buf_add_be64(b, (uint64_t)m->received);
	if (!e)
		e = sm_buf_add_be32(b, (uint32_t)m->n);
	return e ? e : sm_buf_add(b, m->body, m->n);
}

static enum sm_err add_json(struct sm_buf *b, const struct sm_message_row *m, bool first)
{
	enum sm_err e = sm_buf_addf(b, "%s{\"seq\":%llu,\"received\":%lld,\"envelope\":\"", first ? "" : ",", (unsigned long long)m->seq,
	                            (long long)m->received);

	if (!e)
		e = sm_buf_add_base64(b, m->body, m->n);
	return e ? e : sm_buf_adds(b, "\"}");
}

/* One row more than the page holds is asked for: it says whether there is more. */
static bool add_message(void *ctx, const struct sm_message_row *m)
{
	struct page *p = ctx;

	p->more = p->n == p->limit || (p->n && p->bytes + m->n > PAGE_BYTES);
	if (p->more)
		return false;
	p->err = p->binary ? add_binary(&p->b, m) : add_json(&p->b, m, p->n == 0);
	p->n++;
	p->bytes += m->n;
	return p->err == SM_OK;
}

void sm_api_messages_get(struct sm_req *req)
{
	const char *accept = sm_req_header(req, "Accept", NULL);
	struct page p = {.binary = accept && strstr(accept, "application/sm-batch")};
	uint64_t after, limit;
	enum sm_err e = SM_OK;

	if (!sm_api_query_number(req, "after", 0, 0, INT64_MAX, &after) ||
	    !sm_api_query_number(req, "limit", PAGE_DEFAULT, 1, PAGE_MAX, &limit))
		return;
	p.limit = limit;
	sm_buf_init(&p.b, 16u << 20);
	if (!p.binary)
		e = sm_buf_adds(&p.b, "{\"messages\":[");
	if (!e)
		e = sm_reader_fetch(req->worker->reader, req->session->device, after, p.limit + 1, add_message, &p);
	if (!e)
		e = p.err;
	if (!e && !p.binary)
		e = sm_buf_addf(&p.b, "],\"more\":%s}", p.more ? "true" : "false");
	if (e) {
		sm_buf_release(&p.b);
		sm_problem_err(req, e == SM_ERR_LIMIT ? SM_ERR_BUG : e);
		return;
	}
	if (p.binary)
		sm_reply_header(req, "Sm-More", p.more ? "1" : "0");
	sm_reply_header(req, "Cache-Control", "no-store");
	sm_reply_take(req, 200, p.binary ? "application/sm-batch" : "application/json", &p.b);
}

struct deleting {
	struct sm_api_op api;
	int64_t mailbox;
	uint64_t upto;
	size_t nseq;
	size_t slice; /* deleted by the last run, counted once it is committed */
	unsigned long long n;
	uint64_t seq[];
};

static enum sm_err delete_run(struct sm_op *op, struct sm_store *st)
{
	struct deleting *x = (struct deleting *)(void *)op;
	enum sm_err e;

	if (x->nseq)
		return sm_store_delete_seqs(st, x->mailbox, x->seq, x->nseq, &x->slice);
	/* A million at once would keep everybody else waiting: slices, each in its place in the queue. */
	e = sm_store_delete_upto(st, x->mailbox, x->upto, DELETE_SLICE, &x->slice);
	op->again = !e && x->slice >= DELETE_SLICE;
	return e;
}

static void delete_committed(struct sm_op *op, struct sm_server *s)
{
	struct deleting *x = (struct deleting *)(void *)op;

	(void)s;
	x->n += x->slice;
}

static void delete_done(struct sm_op *op)
{
	struct deleting *x = (struct deleting *)(void *)op;
	char text[64];

	if (!sm_api_committed(&x->api))
		return;
	int n = snprintf(text, sizeof text, "{\"deleted\":%llu}", x->n);
	sm_reply(x->api.req, 200, "application/json", text, (size_t)n);
}

/* "1,2,3": the numbers into seq (may be NULL, to count); 0 when it is not a list of at most PAGE_MAX. */
static size_t read_list(const char *s, uint64_t *seq)
{
	size_t n = 0;

	for (;; s++) {
		char *end;
		if (!isdigit((unsigned char)*s) || n == PAGE_MAX)
			return 0;
		unsigned long long v = strtoull(s, &end, 10);
		if (end - s > 19)
			return 0;
		if (seq)
			seq[n] = v;
		n++;
		s = end;
		if (!*s)
			return n;
		if (*s != ',')
			return 0;
	}
}

static void delete_listed(struct sm_req *req, const char *list)
{
	size_t n = read_list(list, NULL);
	struct deleting *x;

	if (!n) {
		sm_problem(req, 400, "bad_request", "'ids' is a list of 1 to 1000 numbers with commas");
		return;
	}
	x = sm_api_op(req, sizeof *x + n * sizeof x->seq[0], delete_run, delete_done);
	if (!x)
		return;
	x->mailbox = req->session->device;
	x->nseq = read_list(list, x->seq);
	x->api.op.committed = delete_committed;
	sm_api_submit(req, x);
}

static void delete_upto(struct sm_req *req)
{
	uint64_t upto;
	struct deleting *x;

	if (!sm_api_query_number(req, "upto", 0, 0, INT64_MAX, &upto))
		return;
	x = sm_api_op(req, sizeof *x, delete_run, delete_done);
	if (!x)
		return;
	x->mailbox = req->session->device;
	x->upto = upto;
	x->api.op.committed = delete_committed;
	sm_api_submit(req, x);
}

void sm_api_messages_delete(struct sm_req *req)
{
	char list[16384], upto[32];
	bool by_list = sm_api_query(req, "ids", list, sizeof list), by_upto = sm_api_query(req, "upto", upto, sizeof upto);

	if (by_list == by_upto)
		sm_problem(req, 400, "bad_request", "exactly one of 'upto' and 'ids'");
	else if (by_list)
		delete_listed(req, list);
	else
		delete_upto(req);
}
