/* What devices tell each other inside envelopes of content type application/sm-control (sm-sessions(7), "Control messages"). Canonical
 * text of at most SM_CONTROL_MAX bytes: `sm-control/1`, then 1 to 64 of
 *
 *   chain GROUP EPOCH ROSTER CHAIN N KEY    a sender key at its current point: the sender's chain for that group; KEY is base64 of 32 bytes
 *   group GROUP EPOCH ROSTER                you are in this group: fetch its rosters, of which this epoch has this hash
 *   resend ID                               I could not open the envelope with this id: send it again
 *
 * Only believed from an envelope that came over a pairwise session, whose signature is proven. */
#ifndef SM_WIRE_CONTROL_H
#define SM_WIRE_CONTROL_H

#include "wire/header.h"

#define SM_CONTROL_TYPE "application/sm-control"
#define SM_CONTROL_MAX 16384
#define SM_CONTROL_LINES 64

enum sm_control_kind { SM_CONTROL_CHAIN, SM_CONTROL_GROUP, SM_CONTROL_RESEND };
struct sm_control {
	enum sm_control_kind kind;
	char id[SM_ID_LEN + 1]; /* the group's, or the envelope's */
	uint64_t epoch;
	uint8_t roster[32];
	char chain[SM_ID_LEN + 1];
	uint32_t n;
	uint8_t key[32]; /* secret: wipe */
};

/* line: SM_CONTROL_LINES of room, wiped on failure; *n is set. SM_ERR_PAYLOAD for anything not canonical. */
SM_CHECKED enum sm_err sm_control_parse(struct sm_control *line, size_t *n, const uint8_t *text, size_t len);
/* Appends all n (1..SM_CONTROL_LINES). SM_ERR_FORMAT when they would not be read back. */
SM_CHECKED enum sm_err sm_control_write(struct sm_buf *b, const struct sm_control *line, size_t n);

#endif
