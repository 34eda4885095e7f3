/* What all parts of a running smserver share. */
#ifndef SM_SMSERVER_SERVER_H
#define SM_SMSERVER_SERVER_H

#include "config.h"
#include "http.h"
#include "keys.h"
#include "writer.h"

#include <stdatomic.h>

struct sm_accounts;
struct sm_buckets;
struct sm_challenges;
struct sm_groups;
struct sm_horizon;
struct sm_sessions;
struct sm_control;

struct sm_server {
	struct sm_config *_Atomic cfg; /* never NULL; replaced whole by a reload */
	char origin[262];              /* host[:port] */
	struct sm_keys keys;
	struct sm_http *http;
	struct sm_writer writer;
	struct sm_worker *worker; /* one a loop */
	size_t nworker;
	struct sm_challenges *challenges;
	struct sm_sessions *sessions;
	struct sm_accounts *accounts;
	struct sm_groups *groups;
	struct sm_buckets *buckets; /* of one-time prekeys; the writer's thread only */
	struct sm_control *control;
	struct sm_horizon *horizon;
	atomic_bool draining;
	int lockfd, dirfd;
};

/* Opens everything c asks for and starts the threads. *why (512) on failure. server.c */
SM_CHECKED enum sm_err sm_server_start(struct sm_server *s, struct sm_config *c, char why[static 512]);
/* Swaps in a new configuration and certificate, all or nothing. */
SM_CHECKED enum sm_err sm_server_reload(struct sm_server *s, const struct sm_config *fresh, char why[static 512]);
/* Drains and ends everything; also after a start that failed. */
void sm_server_stop(struct sm_server *s);

#endif
