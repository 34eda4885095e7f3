/* What this device has sent, or is about to: finished envelopes, committed with the session state that made them, and only then
 * transmitted. A retry sends the same bytes. Rows stay for a while after they were sent, so that a device that could not open one can be
 * sent it again: the newest SM_OUTBOX_KEEP of them, SM_OUTBOX_DAYS, SM_OUTBOX_BYTES in all. */
#ifndef SM_STORE_OUTBOX_H
#define SM_STORE_OUTBOX_H

#include "crypto/rand.h"
#include "store/db.h"
#include "wire/header.h"
#include "wire/wrap.h"

#define SM_OUTBOX_KEEP 256
#define SM_OUTBOX_DAYS 14
#define SM_OUTBOX_BYTES (64u << 20)

enum sm_outbox_state { SM_OUTBOX_PENDING, SM_OUTBOX_SENT };

/* Sealed in the row: opens the envelope again, and tells a repetition from another message under the same key. */
struct sm_outbox_meta {
	uint8_t file_key[SM_FILE_KEY];
	uint8_t digest[32]; /* SHA-256 of what was asked to be sent: content, fields, recipients (tools/common says how) */
};
struct sm_outbox_row {
	int64_t n;
	char key[65]; /* the idempotency key */
	char id[SM_ID_LEN + 1];
	int64_t created;
	enum sm_outbox_state state;
	uint8_t part;               /* 0: the message; 1 ..: what must be at the server before it (key distributions), in this order */
	char parent[65];            /* part > 0: the message's key */
	char query[128];            /* of the POST: "partial=yes", "self=no&devices=..." */
	struct sm_outbox_meta meta; /* wipe */
};

/* Inserts (n is ignored); inside the transaction of the session state. SM_ERR_EXISTS: the account has the key already (a row that another
 * identity left makes place). account: address. */
SM_CHECKED enum sm_err sm_outbox_add(struct sm_db *db, const uint8_t key[static 32], const char *account, const struct sm_outbox_row *row,
                                     struct sm_span envelope, const struct sm_rand *rand);
/* By idempotency key; envelope (may be NULL) is appended to. SM_ERR_NOTFOUND, also for another identity's. */
SM_CHECKED enum sm_err sm_outbox_get(struct sm_outbox_row *row, struct sm_buf *envelope, struct sm_db *db, const uint8_t key[static 32],
                                     const char *account, const char *idempotency);
/* By the envelope's id, among sent ones. SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_outbox_by_id(struct sm_outbox_row *row, struct sm_buf *envelope, struct sm_db *db, const uint8_t key[static 32],
                                       const char *account, const char *id);
/* The first part of message `parent` that is still pending; once it is marked as sent, the next. SM_ERR_NOTFOUND at the end;
 * SM_ERR_FORMAT for one that cannot be read. */
SM_CHECKED enum sm_err sm_outbox_part(struct sm_outbox_row *row, struct sm_buf *envelope, struct sm_db *db, const uint8_t key[static 32],
                                      const char *account, const char *parent);
/* Outside a transaction it may be undone by a loss of power: sending the same bytes again does no harm. */
SM_CHECKED enum sm_err sm_outbox_sent(struct sm_db *db, int64_t n);
/* A message that will not be sent in this form (refused, stale), with its parts. */
SM_CHECKED enum sm_err sm_outbox_drop(struct sm_db *db, const char *account, const char *idempotency);
/* Drops what is beyond the bounds above. What is still pending goes by its age only. */
SM_CHECKED enum sm_err sm_outbox_sweep(struct sm_db *db, int64_t now);

/* Healing is bounded: how often has message id been asked for from (asked true), or been sent again to, this device? Counts one more and
 * returns SM_OK while it is below max within SM_OUTBOX_DAYS of the last time; SM_ERR_LIMIT, also for more than SM_OUTBOX_KEEP messages of
 * one device. */
SM_CHECKED enum sm_err sm_heal_count(struct sm_db *db, bool asked, const uint8_t device_fp[static SM_FP_LEN], const char *id, unsigned max,
                                     int64_t now);

#endif
