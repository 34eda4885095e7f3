/* Administration. An account is made by its owner, who alone has the key: `user add` makes an invitation for one name. */
#include "admin.h"

#include "accounts.h"
#include "base/base64.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/rand.h"
#include "server.h"
#include "session.h"

#include <stdio.h>
#include <string.h>

struct admin_op {
	struct sm_op op;
	enum { ADD_INVITE, ENABLE, DISABLE } what;
	uint8_t hash[32];
	const char *name; /* NULL: for anybody */
	uint32_t uses;
	int64_t expires;
	int64_t account;
	enum sm_err answer;
};

static enum sm_err admin_run(struct sm_op *op, struct sm_store *st)
{
	struct admin_op *x = (struct admin_op *)(void *)op;

	if (x->what == ADD_INVITE)
		x->answer = sm_store_invite_add(st, x->hash, x->name, x->uses, x->expires);
	else
		x->answer = sm_store_account_enable(st, x->name, x->what == ENABLE);
	return x->answer == SM_ERR_NOTFOUND ? SM_OK : x->answer;
}

static void admin_committed(struct sm_op *op, struct sm_server *s)
{
	struct admin_op *x = (struct admin_op *)(void *)op;

	if (x->what == ADD_INVITE || x->answer)
		return;
	sm_accounts_drop(s->accounts, x->name);
	if (x->what == ENABLE)
		return;
	sm_sessions_revoke(s->sessions, x->account, NULL, NULL);
	sm_writer_sessions_ended(&s->writer);
}

static enum sm_err apply(struct sm_server *s, struct sm_store *store, struct admin_op *x)
{
	enum sm_err e;

	x->op.run = admin_run;
	x->op.committed = admin_committed;
	x->op.vital = true;
	if (s) {
		e = sm_writer_wait(&s->writer, &x->op);
		return e ? e : x->answer;
	}
	e = sm_store_begin(store);
	if (!e)
		e = admin_run(&x->op, store);
	if (!e)
		e = sm_store_commit(store);
	if (e)
		sm_store_rollback(store);
	return e ? e : x->answer;
}

static enum sm_err make_invite(struct sm_server *s, struct sm_store *store, const char *name, uint32_t uses, int64_t seconds,
                               struct sm_buf *out)
{
	struct admin_op x = {.what = ADD_INVITE, .name = name, .uses = uses, .expires = sm_time_now() + seconds};
	uint8_t raw[16];
	char code[27];
	enum sm_err e;

	sm_rand_fill(&sm_rand_system, raw, sizeof raw);
	sm_base32_id(code, raw);
	code[20] = '\0'; /* 100 bits are plenty, and shorter to type */
	sm_sha256(x.hash, code, strlen(code));
	e = apply(s, store, &x);
	return e ? e : sm_buf_addf(out, "%s\n", code);
}

static enum sm_err user_add(struct sm_server *s, struct sm_store *store, struct sm_reader *r, const char *name, int64_t seconds,
                            struct sm_buf *out)
{
	struct sm_account_row row;
	enum sm_err e;

	if (!sm_name_valid(name, strlen(name)))
		return SM_ERR_FORMAT;
	e = sm_reader_account(r, name, &row);
	if (e != SM_ERR_NOTFOUND)
		return e ? e : SM_ERR_EXISTS;
	return make_invite(s, store, name, 1, seconds, out);
}

static enum sm_err user_enable(struct sm_server *s, struct sm_store *store, struct sm_reader *r, const char *name, bool enable)
{
	struct sm_account_row row;
	enum sm_err e = sm_reader_account(r, name, &row);
	struct admin_op x = {.what = enable ? ENABLE : DISABLE, .name = name, .account = row.id};

	return e ? e : apply(s, store, &x);
}

struct list {
	struct sm_buf *out;
	enum sm_err err;
};

static bool list_one(void *ctx, const struct sm_account_row *a)
{
	struct list *l = ctx;
	char since[SM_TIME_LEN + 1];

	sm_time_format(since, a->created);
	l->err = sm_buf_addf(l->out, "%s\t%s\t%s\n", a->name, a->disabled ? "disabled" : "enabled", since);
	return l->err == SM_OK;
}

static enum sm_err user_list(struct sm_reader *r, const char *after, struct sm_buf *out)
{
	struct list l = {.out = out};
	enum sm_err e = sm_reader_accounts(r, after, SM_ADMIN_PAGE, list_one, &l);

	return e ? e : l.err;
}

enum sm_err sm_admin_run(struct sm_server *s, struct sm_store *store, struct sm_reader *reader, const char *command, struct sm_buf *out)
{
	char verb[32] = "", name[64] = "";
	long long a = 0, b = 0;

	if (sscanf(command, "invite %lld %lld", &a, &b) == 2 && a > 0 && a <= 1000000 && b > 0)
		return make_invite(s, store, NULL, (uint32_t)a, b, out);
	if (!strcmp(command, "user-list"))
		return user_list(reader, "", out);
	if (sscanf(command, "%31s %63s %lld", verb, name, &a) < 2)
		return SM_ERR_FORMAT;
	if (!strcmp(verb, "user-add") && a > 0)
		return user_add(s, store, reader, name, a, out);
	if (!strcmp(verb, "user-list"))
		return user_list(reader, name, out);
	if (!strcmp(verb, "user-disable") || !strcmp(verb, "user-enable"))
		return user_enable(s, store, reader, name, verb[5] == 'e');
	return SM_ERR_FORMAT;
}
