/* Messages over the API: sending, fetching, acknowledging, following. Envelopes are bytes here; nothing is opened. */
#ifndef SM_NET_MAILBOX_H
#define SM_NET_MAILBOX_H

#include "net/client.h"

#define SM_KEY_MAX 64 /* characters of an idempotency key */

/* 1..64 of [A-Za-z0-9._:-]. */
bool sm_key_valid(const char *key);
/* A key that grows with time: be48 milliseconds | 80 random bits, as base32. */
void sm_key_make(char key[static SM_ID_LEN + 1], int64_t now_ms, const struct sm_rand *rand);

struct sm_sent {
	char id[SM_ID_LEN + 1];
	bool stored; /* false: the server had it already, under the same key */
};
/* One binary envelope. SM_ERR_NOTFOUND, SM_ERR_CONFLICT, SM_ERR_LIMIT, SM_ERR_DENIED ...: c->error says which.
 * query: of POST messages, as sm-protocol(7) has them ("self=no": a `to` line of this device itself is there for reading only, and gets no
 * delivery); NULL for none. */
SM_CHECKED enum sm_err sm_net_send(struct sm_sent *s, struct sm_client *c, const char *key, const char *query, const void *envelope,
                                   size_t n);

struct sm_incoming {
	uint64_t seq;
	int64_t received; /* milliseconds */
	struct sm_span envelope;
};
/* One page of the mailbox above seq `after`, into page (zeroed before; sm_http_answer_release after in every case). */
SM_CHECKED enum sm_err sm_net_fetch(struct sm_http_answer *page, struct sm_client *c, uint64_t after, unsigned limit);
/* Takes the next message off the front of a page's body. False at the end; *e is SM_ERR_PROTOCOL when it is malformed. */
bool sm_page_next(struct sm_incoming *m, struct sm_span *page, enum sm_err *e);
/* The server may forget everything through seq upto. */
SM_CHECKED enum sm_err sm_net_ack(struct sm_client *c, uint64_t upto);

/* Follows the mailbox above `after` until the connection ends (SM_OK) or breaks. message gets each event's message, borrowed; round
 * runs at least once a second. Their errors end it and are returned. */
struct sm_follow {
	uint64_t after;
	enum sm_err (*message)(void *ctx, const struct sm_incoming *m);
	enum sm_err (*round)(void *ctx);
	void *ctx;
};
SM_CHECKED enum sm_err sm_net_follow(struct sm_client *c, const struct sm_follow *f);

#endif
