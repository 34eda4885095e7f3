/* From an envelope's header to mailboxes: who may send it, whom it names, whether their devices are the ones it is for. */
#ifndef SM_SMSERVER_ROUTE_ENVELOPE_H
#define SM_SMSERVER_ROUTE_ENVELOPE_H

#include "accounts.h"
#include "server.h"

#include <jansson.h>

/* The sender, as the session says. */
struct sm_sender {
	const char *user;
	int64_t account;
	const struct sm_device *device;
	bool not_self; /* ?self=no: nothing is to be delivered to this device itself */
};

/* What became of one envelope. status 0: it may be stored, in mailbox[]. Else the error, with extra (owned, may be NULL). */
struct sm_routing {
	int status;
	const char *code;
	char message[160];
	json_t *extra;
	char id[SM_ID_LEN + 1]; /* "" when the header could not be read */
	int64_t *mailbox;       /* owned */
	size_t nmailbox;
};

void sm_route_envelope(struct sm_routing *out, struct sm_server *s, struct sm_reader *r, const struct sm_sender *from, const uint8_t *p,
                       size_t n);
void sm_routing_release(struct sm_routing *x);

#endif
