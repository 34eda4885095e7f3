/* The local inbox: every envelope as it came, and beside each what opening it gave, sealed under a key that only the identity has
 * (sm_keyring_store_key, purpose "inbox") as store/sealed.h says: info "sm-inbox/1", aad be64 seq | SHA-256 of the envelope.
 * A message has a number N that grows and is never given twice, also not after a delete. */
#ifndef SM_STORE_INBOX_H
#define SM_STORE_INBOX_H

#include "crypto/rand.h"
#include "store/db.h"
#include "wire/header.h"
#include "wire/wrap.h"

#define SM_INBOX_REF_LEN 16

enum sm_inbox_state { SM_INBOX_NEW, SM_INBOX_READ, SM_INBOX_REMOVED /* never seen outside lib/store */ };

/* What is known of a stored message's sender; CHANGED: the address is pinned to another key. */
enum sm_inbox_proof { SM_INBOX_NONE, SM_INBOX_UNKNOWN, SM_INBOX_PROVEN, SM_INBOX_CHANGED };

/* Why nothing here opens the stanza of a session; NONE where that is not the problem. Kept on disk: only ever add at the end. */
enum sm_inbox_why {
	SM_INBOX_WHY_NONE,
	SM_INBOX_WHY_SENDER,   /* who could speak for the address is not known here */
	SM_INBOX_WHY_SESSION,  /* no session with the sending device fits */
	SM_INBOX_WHY_GROUP,    /* the group, or its roster of that epoch, is not known */
	SM_INBOX_WHY_CHAIN,    /* the sender's key for the group has not come, or was used */
	SM_INBOX_WHY_UNSIGNED, /* it opened under a key that all of the group have, and nothing proves the sender */
};

/* What opening gave. With a problem only the header's part may be filled in, as far as it could be read. */
struct sm_inbox_meta {
	enum sm_err problem; /* SM_OK, or the class in which opening failed; SM_ERR_PASSPHRASE: sealed under another identity */
	enum sm_inbox_proof proof;
	struct sm_party from; /* address "" and no fingerprint: anonymous, or unreadable */
	char id[SM_ID_LEN + 1];
	int64_t date;
	char subject[1024], name[256], type[256];
	uint64_t size;                 /* bytes of content */
	uint8_t file_key[SM_FILE_KEY]; /* the body's; zeros with a problem */
	enum sm_inbox_why why;
	bool has_user;             /* PROVEN: */
	uint8_t user[SM_FP_LEN];   /* under the user key with this fingerprint; a device may be gone since */
	char group[SM_ID_LEN + 1]; /* the group it was sent to, "" for none; not proven with a problem */
	char original[SM_ID_LEN + 1];
};

struct sm_inbox_row {
	int64_t n, seq;
	int64_t received; /* milliseconds, by the server's clock */
	enum sm_inbox_state state;
	bool asked;                /* it did not open, and is being asked for (sm_inbox_waiting) */
	struct sm_inbox_meta meta; /* holds a key: sm_wipe it when done */
};

/* A message that has come in. envelope is borrowed. */
struct sm_inbox_new {
	const char *account; /* whose mailbox */
	uint64_t seq;
	int64_t received;
	struct sm_span envelope;
	const struct sm_inbox_meta *meta;
	bool hidden;  /* kept only as a memory that it was here: as if it had been removed when it was received */
	bool has_ref; /* a session's: store/healing.h */
	uint8_t ref[SM_INBOX_REF_LEN];
	uint8_t waits; /* 0: it opened, or no other copy would; 1: it did not open, and may be asked for; 2: not yet */
};

/* Is it here already? (the same bytes under the same seq of the same mailbox) */
SM_CHECKED enum sm_err sm_inbox_has(bool *here, struct sm_db *db, const struct sm_inbox_new *m);
/* Stores it; *n is its number. SM_ERR_EXISTS when it is here already. Several in one commit: between sm_db_begin and sm_db_commit. */
SM_CHECKED enum sm_err sm_inbox_add(int64_t *n, struct sm_db *db, const uint8_t key[static 32], const struct sm_inbox_new *m,
                                    const struct sm_rand *rand);
/* SM_ERR_NOTFOUND. envelope may be NULL; else it is appended to it. */
SM_CHECKED enum sm_err sm_inbox_get(struct sm_inbox_row *row, struct sm_buf *envelope, struct sm_db *db, const uint8_t key[static 32],
                                    int64_t n);
/* Every message with a number above `above`, in order; only new ones unless all. No lock is held while fn runs; fn returns SM_OK to go on.
 */
typedef enum sm_err sm_inbox_fn(void *ctx, const struct sm_inbox_row *row);
SM_CHECKED enum sm_err sm_inbox_each(struct sm_db *db, const uint8_t key[static 32], bool all, int64_t above, sm_inbox_fn *fn, void *ctx);
/* SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_inbox_mark(struct sm_db *db, int64_t n, enum sm_inbox_state state);
/* Drops the content and keeps that the message was here, so that a process which fetched it earlier does not store it again; that
 * memory goes after SM_INBOX_TOMB_DAYS. SM_ERR_NOTFOUND. now: seconds. */
#define SM_INBOX_TOMB_DAYS 60
SM_CHECKED enum sm_err sm_inbox_remove(struct sm_db *db, int64_t n, int64_t now);
/* Seals row->meta anew under row->n; one without a problem waits no longer. */
SM_CHECKED enum sm_err sm_inbox_update(struct sm_db *db, const uint8_t key[static 32], const struct sm_inbox_row *row,
                                       const struct sm_rand *rand);
/* The highest number there is, 0 for none. */
SM_CHECKED enum sm_err sm_inbox_last(int64_t *n, struct sm_db *db);
/* How many there are that are new. */
SM_CHECKED enum sm_err sm_inbox_count_new(int64_t *count, struct sm_db *db);

#endif
