/* What control messages ask of the store (sm-sessions(7), "Control messages"). What they ask of the network is net_control.h's. */
#ifndef SM_COMMON_CONTROL_H
#define SM_COMMON_CONTROL_H

#include "common/opening.h"
#include "wire/control.h"

/* Inside the transaction that stores the message they came in: a sender chain, an invitation to a group, what another device wants again.
 * The sender is o->from, proven and pinned, over a pairwise session: the caller has made sure. Lines that may not be believed are passed
 * over, and so is what this device cannot answer: nothing is written for it. */
SM_CHECKED enum sm_err sm_control_take(const struct sm_opening *o, const struct sm_control *line, size_t n);

#endif
