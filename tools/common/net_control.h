/* Healing (sm-sessions(7), "Healing"): messages that did not open here are asked for again, and what others ask for is sent again. */
#ifndef SM_COMMON_NET_CONTROL_H
#define SM_COMMON_NET_CONTROL_H

#include "common/letter.h"
#include "common/net_client.h"

/* After a run's messages are stored. What waits in the inbox is tried once more; for what still does not open, a fresh session is begun
 * with the device that sent it, and it is asked for (each at most 3 times, 32 a request, so many requests a device). What others have asked
 * for is sent again to them alone, when it is in the outbox, was for that device, and the pin has not changed (each at most 3 times). r has
 * a device. Never fails a run: what goes wrong is a note, and gone on with by the next run. opened gets the numbers (be64) of messages that
 * opened now. */
void sm_heal(struct sm_online *o, struct sm_reader *r, struct sm_buf *opened);

#endif
