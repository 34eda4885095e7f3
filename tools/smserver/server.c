/* Putting the parts of a running server together and taking them apart again. */
#include "server.h"

#include "accounts.h"
#include "base/path.h"
#include "base/time.h"
#include "buckets.h"
#include "challenge.h"
#include "control.h"
#include "datadir.h"
#include "groups.h"
#include "horizon.h"
#include "json.h"
#include "privileges.h"
#include "router.h"
#include "session.h"
#include "worker.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DRAIN_MS = 10000, BODY_MAX = SM_SEND_MAX };

static enum sm_err open_http(struct sm_server *s, const struct sm_config *c, char why[static 512])
{
	const char *listen[SM_CONFIG_LISTEN_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct sm_http_config h = {.listen = listen,
	                           .nlisten = c->nlisten,
	                           .threads = c->threads  ? c->threads
	                                      : cores > 0 ? (unsigned)cores
	                                                  : 1,
	                           .per_address = c->connections,
	                           .body_max = BODY_MAX,
	                           .plain_anywhere = c->plain_http,
	                           .tls_cert = c->tls_cert[0] ? c->tls_cert : NULL,
	                           .tls_key = c->tls_key};
	enum sm_err e;

	for (unsigned i = 0; i < c->nlisten; i++)
		listen[i] = c->listen[i];
	e = sm_http_open(&s->http, &h, why);
	if (e)
		return e;
	if (c->name[0])
		snprintf(s->origin, sizeof s->origin, "%s", c->name);
	else
		snprintf(s->origin, sizeof s->origin, "localhost:%u", sm_http_port(s->http));
	return SM_OK;
}

static enum sm_err open_keys(struct sm_server *s, const struct sm_config *c, char why[static 512])
{
	char *db = sm_path_join(c->data, "sm.db");
	bool has_db = db && access(db, F_OK) == 0;
	enum sm_err e = db ? sm_keys_load(&s->keys, c->data, !has_db) : SM_ERR_NOMEM;

	free(db);
	if (e == SM_ERR_NOTFOUND)
		snprintf(why, 512, "'%.400s' has a database but no master.key: restore the key, or every session ends", c->data);
	else if (e == SM_ERR_PERM)
		snprintf(why, 512, "'%.400s/master.key' can be read by others (chmod 600)", c->data);
	else if (e)
		snprintf(why, 512, "'%.400s/master.key': %s", c->data, sm_err_text(e));
	return e == SM_ERR_NOTFOUND || e == SM_ERR_FORMAT ? SM_ERR_CONFIG : e;
}

static enum sm_err open_store(struct sm_server *s, const struct sm_config *c, char why[static 512])
{
	struct sm_store *store;
	char reason[256];
	enum sm_err e = sm_store_open(&store, c->data, reason);

	if (e) {
		snprintf(why, 512, "cannot open the database in '%.200s': %s", c->data, reason);
		return e == SM_ERR_CONFIG ? e : SM_ERR_IO;
	}
	s->nworker = sm_http_loops(s->http);
	s->worker = calloc(s->nworker, sizeof *s->worker);
	if (!s->worker) {
		sm_store_close(store);
		s->nworker = 0;
		return SM_ERR_NOMEM;
	}
	for (size_t i = 0; i < s->nworker && !e; i++)
		e = sm_worker_init(&s->worker[i], s, c->data);
	if (e)
		snprintf(why, 512, "cannot open the database in '%.200s' for reading", c->data);
	enum sm_err started = sm_writer_start(&s->writer, s, store, c->data);
	return e ? e : started;
}

static enum sm_err make_tables(struct sm_server *s)
{
	json_object_seed(0);
	s->challenges = sm_challenges_new();
	s->sessions = sm_sessions_new(&s->keys);
	s->accounts = sm_accounts_new();
	s->groups = sm_groups_new();
	s->buckets = sm_buckets_new();
	return s->challenges && s->sessions && s->accounts && s->groups && s->buckets ? SM_OK : SM_ERR_NOMEM;
}

static enum sm_err open_horizon(struct sm_server *s, char why[static 512])
{
	struct timespec up = {0};
	enum sm_err e;

	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	e = sm_horizon_open(&s->horizon, s->dirfd, sm_time_now(), up.tv_sec);
	if (e)
		snprintf(why, 512, "cannot keep 'horizon' in the data directory: %m");
	return e;
}

static struct sm_worker *loop_open(void *server, struct sm_loop *loop)
{
	struct sm_server *s = server;

	for (size_t i = 0; i < s->nworker; i++)
		if (!s->worker[i].loop) {
			s->worker[i].loop = loop;
			return &s->worker[i];
		}
	return NULL;
}

static const struct sm_http_hooks hooks = {
        .loop_open = loop_open,
        .head = sm_route_head,
        .request = sm_route,
        .refused = sm_route_refused,
        .wake = sm_worker_wake,
        .tick = sm_worker_tick,
        .session_release = sm_session_release,
};

enum sm_err sm_server_start(struct sm_server *s, struct sm_config *c, char why[static 512])
{
	enum sm_err e;

	snprintf(why, 512, "out of memory");
	atomic_store(&s->cfg, c);
	e = open_http(s, c, why); /* ports below 1024 need the privileges that go next */
	if (!e)
		e = sm_privileges_drop(c->user, c->data, why);
	if (!e)
		e = sm_datadir_open(c->data, true, &s->dirfd, &s->lockfd, why);
	if (!e)
		e = open_keys(s, c, why);
	if (!e)
		e = make_tables(s);
	if (!e)
		e = open_store(s, c, why);
	if (!e)
		e = open_horizon(s, why);
	if (!e)
		e = sm_control_start(&s->control, s, why);
	if (!e)
		e = sm_http_run(s->http, &hooks, s, &c->log);
	return e;
}

enum sm_err sm_server_reload(struct sm_server *s, const struct sm_config *fresh, char why[static 512])
{
	struct sm_config *now = s->cfg, *next;
	const char *fixed = sm_config_fixed_change(now, fresh);
	enum sm_err e = SM_OK;

	if (fixed) {
		snprintf(why, 512, "%s cannot change while the server runs; restart it", fixed);
		return SM_ERR_CONFIG;
	}
	next = malloc(sizeof *next);
	if (!next)
		return SM_ERR_NOMEM;
	if (fresh->tls_cert[0])
		e = sm_http_reload_tls(s->http, fresh->tls_cert, fresh->tls_key, why);
	if (e) {
		free(next);
		return e;
	}
	*next = *fresh;
	next->older = now;
	atomic_store(&s->cfg, next);
	return SM_OK;
}

static void free_tables(struct sm_server *s)
{
	for (size_t i = 0; i < s->nworker; i++)
		sm_worker_release(&s->worker[i]);
	free(s->worker);
	sm_sessions_free(s->sessions);
	sm_accounts_free(s->accounts);
	sm_groups_free(s->groups);
	sm_buckets_free(s->buckets);
	sm_challenges_free(s->challenges);
	sm_horizon_close(s->horizon);
	sm_keys_release(&s->keys);
}

/* Order: nothing new comes in, what came in is answered, what was answered is on the disk. */
void sm_server_stop(struct sm_server *s)
{
	atomic_store(&s->draining, true);
	sm_control_stop(s->control);
	if (s->http)
		sm_http_stop(s->http, DRAIN_MS);
	if (s->writer.running)
		sm_writer_stop(&s->writer);
	sm_http_free(s->http);
	free_tables(s);
	if (s->lockfd >= 0)
		close(s->lockfd);
	if (s->dirfd >= 0)
		close(s->dirfd);
	for (struct sm_config *c = s->cfg, *older; c; c = older) {
		older = c->older;
		free(c);
	}
}
