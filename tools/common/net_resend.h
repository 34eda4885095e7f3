/* The answering half of healing (net_control.h): what a device of somebody's has asked for is sealed for it anew. */
#ifndef SM_COMMON_NET_RESEND_H
#define SM_COMMON_NET_RESEND_H

#include "common/letter.h"
#include "common/net_sessions.h"

#define SM_HEAL_TRIES 3

/* Everything that is wanted and can be answered. What cannot ever be is forgotten; what could not be sent now stays. SM_ERR_NET and the
 * like when the server is away. */
SM_CHECKED enum sm_err sm_resend_wanted(struct sm_online *o, struct sm_reader *r);
/* One control message to one device, in a transaction of the caller's: as part `part` of message parent, or (0, NULL) by itself. Fills in
 * row. */
SM_CHECKED enum sm_err sm_control_seal(struct sm_outbox_row *row, struct sm_reader *r, const struct sm_targets *to,
                                       const struct sm_bundles *b, const struct sm_control *line, size_t n, const char *parent);

#endif
