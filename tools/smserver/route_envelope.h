/* From an envelope's header to mailboxes: who may send it, whom it names, whether their devices are the ones it is for. */
#ifndef SM_SMSERVER_ROUTE_ENVELOPE_H
#define SM_SMSERVER_ROUTE_ENVELOPE_H

#include "accounts.h"
#include "server.h"

#include <jansson.h>

/* What the query of a send may ask for. */
struct sm_send_query {
	bool not_self;    /* self=no or none: nothing is to be delivered to the sending device itself */
	bool self_none;   /* self=none: the sender's other devices need not be named */
	bool partial;     /* partial=yes: an address's devices need not all be named */
	bool has_devices; /* devices=HEX: the digest of a group's devices */
	uint8_t devices[32];
};

/* The sender, as the session says. */
struct sm_sender {
	struct sm_account *account;     /* borrowed */
	const struct sm_device *device; /* NULL: it is not one of the account's any more */
	bool batch;
	struct sm_send_query query;
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
