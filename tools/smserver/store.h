/* What smserver keeps, in plain C types: the seam behind which a database stands (store_sqlite*.c today). No SQL above it.
 *
 * One struct sm_store exists, used by the writer's thread alone: all changes and every checkpoint go through it, inside
 * sm_store_begin .. sm_store_commit. Any number of struct sm_reader, one a thread, see what has been committed.
 * Errors: SM_ERR_NOTFOUND, SM_ERR_EXISTS and SM_ERR_CONFLICT are answers and leave the transaction whole. SM_ERR_LIMIT (no
 * space left), SM_ERR_IO (a write or sync failed) and SM_ERR_BUG mean that the transaction must be rolled back. */
#ifndef SM_SMSERVER_STORE_H
#define SM_SMSERVER_STORE_H

#include "wire/address.h"
#include "wire/header.h"
#include "wire/identity.h"

#define SM_DEVICES_MAX 16
#define SM_LABEL_MAX 64
#define SM_KEY_MAX 64 /* an idempotency key */
#define SM_INVITE_MAX 64

struct sm_store;
struct sm_reader;

struct sm_account_row {
	int64_t id, created, changed; /* changed: when the identity was last replaced */
	char name[SM_NAME_MAX + 1];
	bool disabled;
	uint8_t pk[32]; /* the user key, Ed25519 */
	uint8_t salt[16], stored_key[32], server_key[32];
	uint32_t t, m;
};

/* A device's id is also its mailbox; number is the small integer within the account. */
struct sm_device_row {
	int64_t id;
	uint32_t number;
	uint8_t pk[32];
};

struct sm_session_row {
	char sid[SM_ID_LEN + 1];
	int64_t account, device, created, used, expires;
	char user[SM_NAME_MAX + 1];
	uint32_t number; /* of the device */
	bool revoked;
	uint32_t generation;               /* of the newest refresh token */
	uint8_t current[32], previous[32]; /* SHA-256 of refresh tokens; previous is zero before the first refresh */
};

struct sm_message_row {
	uint64_t seq;
	int64_t received;    /* ms */
	const uint8_t *body; /* borrowed, until the callback returns */
	size_t n;
};

/* opens dir/sm.db, creates and migrates it. *why (256) says what is wrong with it in one line. */
SM_CHECKED enum sm_err sm_store_open(struct sm_store **out, const char *dir, char why[static 256]);
void sm_store_close(struct sm_store *s);
SM_CHECKED enum sm_err sm_store_begin(struct sm_store *s);
/* SM_OK: synced. SM_ERR_LIMIT: nothing is stored, roll back and go on. SM_ERR_IO: nothing is known; stop. */
SM_CHECKED enum sm_err sm_store_commit(struct sm_store *s);
/* Also forgets what was kept in memory about the transaction. */
void sm_store_rollback(struct sm_store *s);
SM_CHECKED enum sm_err sm_store_savepoint(struct sm_store *s);
/* keep false: undoes what came after the savepoint. */
SM_CHECKED enum sm_err sm_store_release(struct sm_store *s, bool keep);
/* Bytes of write-ahead log not yet copied into the database, and those in the log at all. */
size_t sm_store_log_bytes(const struct sm_store *s, size_t *all);
/* Copies the log into the database; truncate also shortens the file. SM_ERR_BUSY when a reader is in the way. */
SM_CHECKED enum sm_err sm_store_checkpoint(struct sm_store *s, bool truncate);
/* Bytes inside the database that new rows can use without the file growing. */
size_t sm_store_free_bytes(struct sm_store *s);

struct sm_registration {
	const char *name, *label;
	const uint8_t *pk, *fp, *salt, *stored_key, *server_key;
	uint32_t t, m;
	int64_t now;
	const uint8_t *invite; /* SHA-256 of the code, or NULL when none is needed */
};
/* SM_ERR_DENIED: the invite is unknown, used up, expired or for another name. SM_ERR_EXISTS: the name is taken. */
SM_CHECKED enum sm_err sm_store_register(struct sm_store *s, const struct sm_registration *r);
/* name: NULL or the only name it is for. */
SM_CHECKED enum sm_err sm_store_invite_add(struct sm_store *s, const uint8_t hash[static 32], const char *name, uint32_t uses,
                                           int64_t expires);
/* Disabling also revokes the account's sessions. SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_store_account_enable(struct sm_store *s, const char *name, bool enabled);
/* A new user key, which is also the key of the device; the account's other sessions are revoked. */
SM_CHECKED enum sm_err sm_store_identity_put(struct sm_store *s, int64_t account, int64_t device, const char *sid,
                                             const uint8_t pk[static 32], const uint8_t fp[static 32], int64_t now);

/* As the transaction sees it. */
SM_CHECKED enum sm_err sm_store_session(struct sm_store *s, const char *sid, struct sm_session_row *row);
SM_CHECKED enum sm_err sm_store_session_add(struct sm_store *s, const struct sm_session_row *row);
/* From generation g to the token hash next, presented being the hash of the one that is used up. SM_ERR_CONFLICT: another
 * refresh came first. */
SM_CHECKED enum sm_err sm_store_session_refresh(struct sm_store *s, const char *sid, uint32_t generation, const uint8_t previous[static 32],
                                                const uint8_t current[static 32], uint32_t next_generation, int64_t now, int64_t expires);
SM_CHECKED enum sm_err sm_store_session_revoke(struct sm_store *s, int64_t account, const char *sid);
SM_CHECKED enum sm_err sm_store_session_revoke_others(struct sm_store *s, int64_t account, const char *keep);

enum sm_outcome { SM_STORED, SM_STORED_BEFORE, SM_KEY_CONFLICT };
struct sm_send {
	int64_t account; /* the sender's */
	const char *key; /* idempotency, scope: the account */
	uint8_t hash[32];
	char id[SM_ID_LEN + 1];
	const uint8_t *body;
	size_t n;
	const int64_t *mailbox;
	size_t nmailbox;
	enum sm_outcome outcome; /* set */
};
/* One payload, one delivery for each mailbox: all or nothing. now in ms. */
SM_CHECKED enum sm_err sm_store_send(struct sm_store *s, struct sm_send *m, int64_t now);
/* Deletes at most max messages with seq <= upto, or the seqs named; *n counts them. */
SM_CHECKED enum sm_err sm_store_delete_upto(struct sm_store *s, int64_t mailbox, uint64_t upto, size_t max, size_t *n);
SM_CHECKED enum sm_err sm_store_delete_seqs(struct sm_store *s, int64_t mailbox, const uint64_t *seq, size_t nseq, size_t *n);
/* Removes what is older than the time given (ms), for about budget_ms; *more when there is more of it. */
SM_CHECKED enum sm_err sm_store_sweep(struct sm_store *s, int64_t older_than, int64_t budget_ms, bool *more);

SM_CHECKED enum sm_err sm_reader_open(struct sm_reader **out, const char *dir);
void sm_reader_close(struct sm_reader *r);
SM_CHECKED enum sm_err sm_reader_account(struct sm_reader *r, const char *name, struct sm_account_row *row);
SM_CHECKED enum sm_err sm_reader_devices(struct sm_reader *r, int64_t account, struct sm_device_row row[static SM_DEVICES_MAX], size_t *n);
SM_CHECKED enum sm_err sm_reader_session(struct sm_reader *r, const char *sid, struct sm_session_row *row);
/* Callbacks return false to stop. sessions: those that are alive at now. accounts: names > after, in order. */
SM_CHECKED enum sm_err sm_reader_sessions(struct sm_reader *r, int64_t account, int64_t now,
                                          bool (*fn)(void *ctx, const struct sm_session_row *), void *ctx);
SM_CHECKED enum sm_err sm_reader_accounts(struct sm_reader *r, const char *after, size_t limit,
                                          bool (*fn)(void *ctx, const struct sm_account_row *), void *ctx);
/* Messages with seq > after, in order, at most limit. */
SM_CHECKED enum sm_err sm_reader_fetch(struct sm_reader *r, int64_t mailbox, uint64_t after, size_t limit,
                                       bool (*fn)(void *ctx, const struct sm_message_row *), void *ctx);
/* Has the account sent these bytes under this key? SM_ERR_NOTFOUND, SM_ERR_CONFLICT (other bytes), SM_OK. */
SM_CHECKED enum sm_err sm_reader_sent(struct sm_reader *r, int64_t account, const char *key, const uint8_t hash[static 32]);

#endif
