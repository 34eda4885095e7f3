/* smserver: parse, configure, open, drop, loop. The verbs are in cli.c; everything else begins in server.c. */
#include "base/time.h"
#include "cli.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/opt.h"
#include "notify.h"
#include "privileges.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sm_opt table[] = {
        {'c', "config", "FILE", "the configuration (default: DATA/smserver.conf where it is there)"},
        {'t', "test", NULL, "check the configuration and exit"},
        {SM_OPT_LONG, "data", "DIR", "the data directory"},
        {SM_OPT_LONG + 1, "listen", "ADDR:PORT", "where to listen; repeat for more"},
        {SM_OPT_LONG + 2, "name", "HOST", "what stands after the @ of addresses"},
        {SM_OPT_LONG + 3, "registration", "MODE", "invite, open or closed"},
        {SM_OPT_LONG + 4, "log-level", "LEVEL", "debug, info, warn or error"},
        {0},
};
static const char *const verbs[] = {"init      make a data directory and a configuration", "user      add, list, disable, enable",
                                    "invite    print a code for registering", NULL};

struct arguments {
	const char *config;
	bool test;
	struct sm_override over[16];
	size_t nover;
};

static void parse(struct arguments *a, int argc, char **argv)
{
	static const char *const keys[] = {"data", "listen", "name", "registration", "log_level"};
	struct sm_opts o = {.usage = "[-t] [-c FILE] [--data DIR] [--listen ADDR:PORT] [--name HOST]",
	                    .about = "Stores and delivers envelopes that it cannot read.",
	                    .table = table,
	                    .verbs = verbs};
	int c;

	while ((c = sm_opt_next(&o, argc, argv)) != -1) {
		if (c == 'c') {
			sm_opt_once(&o, &a->config);
		} else if (c == 't') {
			a->test = true;
		} else {
			if (a->nover == sizeof a->over / sizeof *a->over)
				sm_usage(&o, "too many options");
			a->over[a->nover++] = (struct sm_override){keys[c - SM_OPT_LONG], o.arg};
		}
	}
	if (o.index != argc)
		sm_usage(&o, "unknown verb '%s'", argv[o.index]);
}

static void reload(struct sm_server *s, const struct arguments *a)
{
	const struct sm_log log = s->cfg->log;
	struct sm_config fresh;
	char why[512] = "out of memory";
	enum sm_err e = sm_config_load(&fresh, a->config, a->over, a->nover, why);

	if (!e)
		e = sm_server_reload(s, &fresh, why);
	if (e)
		sm_log(&log, SM_LOG_ERROR, "reload refused; nothing changed", "reason", why, NULL);
	else
		sm_log(&log, SM_LOG_INFO, "reloaded", NULL);
}

/* Signals are taken here and nowhere else: they are blocked in every thread. */
static void loop(struct sm_server *s, const struct arguments *a, const sigset_t *signals)
{
	int sig;

	printf("smserver ready on %s\n", sm_http_url(s->http));
	fflush(stdout);
	sm_notify("READY=1");
	sm_log(&s->cfg->log, SM_LOG_INFO, "ready", "url", sm_http_url(s->http), "name", s->origin, NULL);
	while (!sigwait(signals, &sig) && sig == SIGHUP)
		reload(s, a);
	sm_notify("STOPPING=1");
	sm_log(&s->cfg->log, SM_LOG_INFO, "draining", NULL);
}

static int serve(const struct arguments *a, struct sm_config *c)
{
	struct sm_server *s = calloc(1, sizeof *s);
	sigset_t signals;
	char why[512];
	enum sm_err e;
	int code;

	if (!s) {
		free(c);
		return sm_fail(SM_ERR_NOMEM, "cannot start");
	}
	s->lockfd = s->dirfd = -1;
	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	e = sm_server_start(s, c, why);
	if (!e)
		loop(s, a, &signals);
	code = e ? sm_fail_plain(e, "%s", why) : SM_EXIT_OK;
	if (atomic_load(&s->writer.failed))
		code = SM_EXIT_IO;
	sm_server_stop(s);
	free(s);
	return code;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct sm_config *c;
	char why[512] = "";
	enum sm_err e;

	sm_diag_init(argv[0]);
	if ((e = sm_privileges_harden()))
		return sm_fail(e, "cannot start");
	if (argc > 1 && !strcmp(argv[1], "init"))
		return sm_cli_init(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "user"))
		return sm_cli_user(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "invite"))
		return sm_cli_invite(argc - 1, argv + 1);
	parse(&a, argc, argv);
	c = calloc(1, sizeof *c);
	if (!c)
		return sm_fail(SM_ERR_NOMEM, "cannot start");
	e = sm_config_load(c, a.config, a.over, a.nover, why);
	if (!e && a.test && c->tls_cert[0])
		e = sm_http_check_tls(c->tls_cert, c->tls_key, why);
	if (e || a.test) {
		free(c);
		if (e)
			return sm_fail_plain(e == SM_ERR_NOINPUT ? e : SM_ERR_CONFIG, "%s", why);
		puts("configuration ok");
		return SM_EXIT_OK;
	}
	return serve(&a, c);
}
