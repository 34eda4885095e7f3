/* sminbox: fetches what waits, lists it, and shows, saves, marks and removes messages by their numbers. */
#include "base/file.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/inbox_view.h"
#include "common/net_follow.h"
#include "common/net_receive.h"
#include "common/who.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_BYTES (16 << 20)

enum { OPT_RAW = SM_OPT_LONG, OPT_ACK, OPT_DELETE, OPT_JSON, OPT_FROM, OPT_OFFLINE };

static const struct sm_opt table[] = {{'r', "read", "N", "write message N's content, and mark it as read"},
                                      {'o', "output", "DIR", "save messages N... in DIR under their names, and mark them as read"},
                                      {OPT_RAW, "raw", "N", "write message N's envelope as it came"},
                                      {OPT_ACK, "ack", "N", "mark message N as read"},
                                      {OPT_DELETE, "delete", "N", "remove message N"},
                                      {'a', "all", NULL, "list the messages that were read too"},
                                      {'f', "follow", NULL, "go on: list messages as they come"},
                                      {OPT_JSON, "json", NULL, "whole messages, one JSON object a line"},
                                      {OPT_FROM, "from", "WHO", "only messages from WHO, or to @GROUP"},
                                      {OPT_OFFLINE, "offline", NULL, "do not ask the server"},
                                      SM_COMMON_OPTS,
                                      {0}};

struct options {
	struct sm_opts opts;
	struct sm_common common;
	struct sm_view view;
	int action; /* the option that asks for it; 0: list */
	const char *dir;
	bool all, follow, offline;
	int64_t *n; /* owned */
	size_t count;
};

static void add_number(struct options *o, const char *text)
{
	o->n[o->count++] = (int64_t)sm_opt_number(&o->opts, "message number", text, 1, INT64_MAX);
}

static void set_action(struct options *o, int c)
{
	if (o->action && o->action != c)
		sm_usage(&o->opts, "one of -r, -o, --raw, --ack and --delete at a time");
	o->action = c;
	if (c == 'o')
		sm_opt_once(&o->opts, &o->dir);
	else
		add_number(o, o->opts.arg);
}

static void check(const struct options *o)
{
	bool listing = !o->action;
	if (listing && o->count)
		sm_usage(&o->opts, "what shall be done with a message number? -r, -o DIR, --raw, --ack or --delete");
	if (!listing && !o->count)
		sm_usage(&o->opts, "which message? give its number");
	if (!listing && (o->all || o->follow || o->view.from))
		sm_usage(&o->opts, "-a, -f and --from are for lists");
	if (o->view.json && !listing && o->action != 'r')
		sm_usage(&o->opts, "--json goes with lists, -f and -r");
	if (o->follow && o->offline)
		sm_usage(&o->opts, "-f needs the server: it goes without --offline");
}

static void parse(struct options *o, int argc, char **argv)
{
	int c;
	o->opts =
	        (struct sm_opts){.usage = "[-a] [-f] [--json] [--from WHO] | -r N... | -o DIR N... | --raw N | --ack N... | --delete N...",
	                         .about = "new messages, one line each: number, state, time, from (? not proven), subject, size",
	                         .table = table};
	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1) {
		switch (c) {
		case 'r':
		case 'o':
		case OPT_RAW:
		case OPT_ACK:
		case OPT_DELETE: set_action(o, c); break;
		case 'a': o->all = true; break;
		case 'f': o->follow = true; break;
		case OPT_JSON: o->view.json = true; break;
		case OPT_FROM: sm_opt_once(&o->opts, &o->view.from); break;
		case OPT_OFFLINE: o->offline = true; break;
		default: (void)sm_common_opt(&o->common, &o->opts, c);
		}
	}
	for (int i = o->opts.index; i < argc; i++)
		add_number(o, argv[i]);
	check(o);
}

/* --- One message each --- */

static int act_on(struct options *o, struct sm_reader *r, int64_t n)
{
	enum sm_err e;
	switch (o->action) {
	case 'r': return o->view.json ? sm_view_json(&o->view, r, n) : sm_view_read(r, n);
	case 'o': return sm_view_save(r, n, o->dir);
	case OPT_RAW: return sm_view_raw(r, n);
	case OPT_ACK: e = sm_inbox_mark(&r->db, n, SM_INBOX_READ); break;
	default: e = sm_inbox_remove(&r->db, n, sm_time_now());
	}
	return sm_view_done(r, e, n);
}

/* All of them, whatever happens to one; the first failure's code. */
static int act(struct options *o, struct sm_reader *r)
{
	int first = SM_EXIT_OK;
	for (size_t i = 0; i < o->count; i++) {
		int code = act_on(o, r, o->n[i]);
		if (first == SM_EXIT_OK)
			first = code;
	}
	return first;
}

/* --- Lists --- */

/* A server that cannot be reached is said, and its code kept, but what is here is listed all the same. */
static int fetch(struct options *o, struct sm_reader *r)
{
	struct sm_online on = {0};
	struct sm_receiver x;
	int code = sm_online_start(&on, o->common.profile);
	if (code == SM_EXIT_OK) {
		sm_receiver_init(&x, r, &on);
		enum sm_err e = sm_receive_all(&x);
		code = sm_receive_say(&x, e);
		if (code == SM_EXIT_OK)
			sm_receive_finish(&x);
		sm_receiver_release(&x);
	}
	sm_online_close(&on);
	return code;
}

static int list(struct options *o, struct sm_reader *r)
{
	int fetched = o->offline ? SM_EXIT_OK : fetch(o, r);
	int code = sm_view_list(&o->view, r, o->all, 0, INT64_MAX);
	if (code == SM_EXIT_OK && !o->view.listed)
		code = SM_EXIT_NO;
	return fetched != SM_EXIT_OK ? fetched : code;
}

static int from_address(struct options *o)
{
	if (!o->view.from || *o->view.from == '@')
		return SM_EXIT_OK;
	return sm_exit_code(sm_who_address(&o->view.address, o->view.from, o->common.profile));
}

static int run(struct options *o)
{
	struct sm_reader r = {0};
	int code = from_address(o);
	if (code == SM_EXIT_OK)
		code = sm_reader_open(&r, &o->common);
	if (code == SM_EXIT_OK && o->action)
		code = act(o, &r);
	else if (code == SM_EXIT_OK && o->follow)
		code = sm_follow_inbox(&o->view, &r, o->common.profile, o->all);
	else if (code == SM_EXIT_OK)
		code = list(o, &r);
	sm_reader_close(&r);
	return code;
}

int main(int argc, char **argv)
{
	struct options o = {.common = SM_COMMON_INIT};
	sm_diag_init(argv[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	enum sm_err e = sm_secret_harden();
	if (e != SM_OK)
		return sm_fail(e, "cannot protect this process's memory");
	/* Opening takes blocks of a megabyte and gives them back: with many messages the heap is to keep them, not the kernel. */
	(void)mallopt(M_MMAP_THRESHOLD, KEEP_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
	o.n = calloc((size_t)argc, sizeof(*o.n));
	if (!o.n)
		return sm_fail(SM_ERR_NOMEM, "cannot start");
	parse(&o, argc, argv);
	int code = run(&o);
	free(o.n);
	return code;
}
