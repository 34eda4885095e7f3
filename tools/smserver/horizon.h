/* What takes the place of the nonces that a restart forgets: for each session a time, and what was signed up to it is refused.
 *
 * No request that one process accepted is accepted by a later one. Let Q have accepted a request signed at c, at its time t, and P
 * start at T, after Q's end (the lock on the data directory); clocks do not run backwards.
 *  - c <= t: then c <= T, and P refuses everything up to T.
 *  - c > t (the client's clock is ahead): before acting on it, Q wrote c into the session's slot of DATA/horizon, where values only
 *    grow; P read it and refuses what is not above it. write(2) is enough: it outlives the process.
 *  - c > t, and the machine went down before the page was on the disk: then t lies before the boot, c <= t + 30, and P refuses
 *    everything up to 30 s after the boot.
 * A session that P itself made has nothing to replay, so P refuses nothing of it for this reason: it is known by a creation time
 * above T. That can be believed because T is above every earlier process's (kept in the file), each stamps its sessions with a time
 * after its own start, and none with a time after its end but T + 1.
 * Sessions share slots; a client with a right clock then waits, in one case of 16384, for one without. */
#ifndef SM_SMSERVER_HORIZON_H
#define SM_SMSERVER_HORIZON_H

#include "base/err.h"

#include <stdint.h>

#define SM_CLOCK_SLACK 30 /* seconds between a signature and our clock */

struct sm_horizon;
/* Opens or makes DATA/horizon. now: seconds; uptime: the machine's. */
SM_CHECKED enum sm_err sm_horizon_open(struct sm_horizon **out, int dirfd, int64_t now, int64_t uptime);
void sm_horizon_close(struct sm_horizon *h);
/* T: at least now, and above that of every process before. */
int64_t sm_horizon_started(const struct sm_horizon *h);
/* What a session was signed up to this is refused. 0: nothing. */
int64_t sm_horizon_of(const struct sm_horizon *h, const char *sid, int64_t session_created);
/* To be called before acting on a request. SM_ERR_IO: it could not be written down, and must be refused. Any thread. */
SM_CHECKED enum sm_err sm_horizon_accept(struct sm_horizon *h, const char *sid, int64_t created, int64_t now);

#endif
