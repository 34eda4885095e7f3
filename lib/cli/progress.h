/* Progress of long work on stderr when that is a terminal: bytes, rate, time left; nothing otherwise. */
#ifndef SM_CLI_PROGRESS_H
#define SM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct sm_progress {
	bool on;
	uint64_t total; /* 0: unknown */
	uint64_t done;
	int64_t started_ms, shown_ms;
};

/* off: --no-progress or -q. Shows nothing during the first second. */
void sm_progress_init(struct sm_progress *p, bool off, uint64_t total);
/* done: absolute. Cheap: looks at the clock, draws four times a second at most. */
void sm_progress_update(struct sm_progress *p, uint64_t done);
/* Clears the line. */
void sm_progress_end(struct sm_progress *p);

#endif
