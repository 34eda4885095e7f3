/* What smserver keeps, in plain C types: the seam behind which a database stands (store_sqlite*.c today). No SQL above it.
 *
 * One struct sm_store exists, used by the writer's thread alone: all changes and every checkpoint go through it, inside
 * sm_store_begin .. sm_store_commit. Any number of struct sm_reader, one a thread, see what has been committed.
 * Errors: SM_ERR_NOTFOUND, SM_ERR_EXISTS and SM_ERR_CONFLICT are answers and leave the transaction whole. SM_ERR_LIMIT (no
 * space left), SM_ERR_IO (a write or sync failed) and SM_ERR_BUG mean that the transaction must be rolled back. */
#ifndef SM_SMSERVER_STORE_H
#define SM_SMSERVER_STORE_H

#include "wire/address.h"
#include "wire/devices.h"
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
	int64_t id, created;
	uint32_t number;
	uint8_t pk[32];
	char label[SM_LABEL_MAX + 1];
};

struct sm_session_row {
	char sid[SM_ID_LEN + 1];
	int64_t account, device, created, used, expires;
	char user[SM_NAME_MAX + 1];
	uint32_t number; /* of the device; 0: it has been removed, which is known as long as a token of the session could live */
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
/* A new user key, which is also the key of the device: the account starts over with it. It becomes device 1, the list and the other
 * devices go, and so do all prekeys, what waits to be enrolled, and the account's other sessions. */
SM_CHECKED enum sm_err sm_store_identity_put(struct sm_store *s, int64_t account, int64_t device, const char *sid,
                                             const uint8_t pk[static 32], const uint8_t fp[static 32], int64_t now);

/* As the transaction sees it. */
SM_CHECKED enum sm_err sm_store_session(struct sm_store *s, const char *sid, struct sm_session_row *row);
/* SM_ERR_NOTFOUND: the account is disabled, or its device is gone or has another key than pk by now. */
SM_CHECKED enum sm_err sm_store_session_add(struct sm_store *s, const struct sm_session_row *row, const uint8_t pk[static 32]);
/* From generation g to the token hash next, presented being the hash of the one that is used up. SM_ERR_CONFLICT: another
 * refresh came first. */
SM_CHECKED enum sm_err sm_store_session_refresh(struct sm_store *s, const char *sid, uint32_t generation, const uint8_t previous[static 32],
                                                const uint8_t current[static 32], uint32_t next_generation, int64_t now, int64_t expires);
SM_CHECKED enum sm_err sm_store_session_revoke(struct sm_store *s, int64_t account, const char *sid);
SM_CHECKED enum sm_err sm_store_session_revoke_others(struct sm_store *s, int64_t account, const char *keep);

/* ---- prekeys (store_sqlite_keys.c) */

#define SM_PREKEYS_MAX 200 /* one-time prekeys kept for a device */

struct sm_spk_row {
	uint32_t id;
	int64_t created;
	uint8_t key[32], signature[64];
};
struct sm_opk_row {
	uint32_t id;
	uint8_t key[32];
};
/* SM_ERR_CONFLICT: its id is not above that of the one there, and it is not the one there. */
SM_CHECKED enum sm_err sm_store_spk_put(struct sm_store *s, int64_t device, const struct sm_spk_row *k);
enum sm_prekeys_outcome { SM_PREKEYS_STORED, SM_PREKEYS_CONFLICT, SM_PREKEYS_TOO_MANY };
/* All of them, their ids growing, or none. What was there or handed out before is passed over; *left: how many there are now. */
SM_CHECKED enum sm_err sm_store_opks_add(struct sm_store *s, int64_t device, const struct sm_opk_row *k, size_t n,
                                         enum sm_prekeys_outcome *outcome, size_t *left);
/* Hands one out: it is gone. SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_store_opk_take(struct sm_store *s, int64_t device, struct sm_opk_row *k);
SM_CHECKED enum sm_err sm_reader_spk(struct sm_reader *r, int64_t device, struct sm_spk_row *k);
/* *highest: the highest id there ever was, -1 when there was none. */
SM_CHECKED enum sm_err sm_reader_opks(struct sm_reader *r, int64_t device, size_t *n, int64_t *highest);

/* ---- device lists and enrolments (store_sqlite_devices.c) */

#define SM_WAITING_MAX 4
#define SM_WAITING_SECONDS 900

/* The signed list of an account. text "": there is none. */
struct sm_list_row {
	uint64_t version;
	uint32_t next; /* the number of the next device: none is used twice under one user key */
	char text[SM_DEVICES_TEXT_MAX + 1];
};
struct sm_waiting_row {
	char id[SM_ID_LEN + 1];
	uint8_t pk[32];
	char label[SM_LABEL_MAX + 1];
	int64_t created, expires;
};
enum sm_list_outcome { SM_LIST_STORED, SM_LIST_SAME, SM_LIST_BAD, SM_LIST_STALE, SM_LIST_NOT_WAITING };
/* A list that was parsed and whose signature was checked under the user key it names. */
struct sm_list_change {
	int64_t account, now;
	const struct sm_device_list *list;
	const char *text;
	const struct sm_waiting_row *also; /* counts as waiting; may be NULL */
	enum sm_list_outcome outcome;      /* set */
	uint64_t version;                  /* set: the one that is there now */
	int64_t gone[SM_DEVICES_MAX];      /* set: devices that were removed, with their sessions, prekeys and mailboxes */
	size_t ngone;
};
SM_CHECKED enum sm_err sm_store_list_put(struct sm_store *s, struct sm_list_change *c);
enum sm_enroll_outcome { SM_ENROLL_WAITS, SM_ENROLL_KNOWN, SM_ENROLL_TOO_MANY };
/* w->pk asks to become a device, now or again; w->id is set to the id it has had, where it waits already. list NULL, or a change whose
 * `also` is w: then it need not wait, and is approved when the outcome of that is SM_LIST_STORED; else nothing is stored. */
SM_CHECKED enum sm_err sm_store_enroll(struct sm_store *s, int64_t account, struct sm_waiting_row *w, struct sm_list_change *list,
                                       enum sm_enroll_outcome *outcome);
SM_CHECKED enum sm_err sm_store_waiting_forget(struct sm_store *s, int64_t account);
SM_CHECKED enum sm_err sm_store_list(struct sm_store *s, int64_t account, struct sm_list_row *row);
SM_CHECKED enum sm_err sm_reader_list(struct sm_reader *r, int64_t account, struct sm_list_row *row);
SM_CHECKED enum sm_err sm_reader_waiting(struct sm_reader *r, int64_t account, int64_t now,
                                         struct sm_waiting_row row[static SM_WAITING_MAX], size_t *n);
/* SM_ERR_NOTFOUND: unknown, refused or expired. */
SM_CHECKED enum sm_err sm_reader_enrollment(struct sm_reader *r, const char *id, int64_t now, bool *approved);

/* ---- groups (store_sqlite_groups.c) */

#define SM_GROUPS_MAX 1000 /* that one account has made and that are still there */

struct sm_group_row {
	int64_t id;
	char group[SM_ID_LEN + 1], name[SM_NAME_MAX + 1];
	uint64_t epoch;
	uint8_t hash[32]; /* of the roster of that epoch */
};
enum sm_group_outcome { SM_GROUP_STORED, SM_GROUP_SAME, SM_GROUP_STALE, SM_GROUP_EXISTS, SM_GROUP_TOO_MANY, SM_GROUP_NOT_ALONE };
/* A roster that was checked against the one whose hash is in `previous`. Epoch 1 makes the group. */
struct sm_group_change {
	struct sm_group_row row; /* id is not used */
	uint8_t previous[32];
	int64_t maker, now; /* the signer's account */
	const char *text;
	size_t n;
	const int64_t *member; /* accounts, ascending */
	size_t nmember;
	enum sm_group_outcome outcome; /* set */
	uint64_t epoch;                /* set: the one that is there now */
};
SM_CHECKED enum sm_err sm_store_group_put(struct sm_store *s, struct sm_group_change *c);
/* Ends a group whose only member is account. SM_ERR_NOTFOUND: there is none with this member. */
SM_CHECKED enum sm_err sm_store_group_end(struct sm_store *s, const char *group, int64_t account, enum sm_group_outcome *outcome);
SM_CHECKED enum sm_err sm_reader_group(struct sm_reader *r, const char *group, struct sm_group_row *row);
/* SM_ERR_NOTFOUND: not one of it. */
SM_CHECKED enum sm_err sm_reader_group_has(struct sm_reader *r, int64_t group, int64_t account);
/* In the order of names; callbacks return false to stop. */
SM_CHECKED enum sm_err sm_reader_group_members(struct sm_reader *r, int64_t group, bool (*fn)(void *ctx, const char *name), void *ctx);
SM_CHECKED enum sm_err sm_reader_groups(struct sm_reader *r, int64_t account, bool (*fn)(void *ctx, const struct sm_group_row *),
                                        void *ctx);
/* Those of epochs > after, in order; text is borrowed. */
SM_CHECKED enum sm_err sm_reader_rosters(struct sm_reader *r, int64_t group, uint64_t after,
                                         bool (*fn)(void *ctx, uint64_t epoch, const char *text, size_t n), void *ctx);

/* ---- messages */

enum sm_outcome { SM_STORED, SM_STORED_BEFORE, SM_KEY_CONFLICT };
struct sm_send {
	int64_t account; /* the sender's */
	const char *key; /* idempotency, scope: the account */
	uint8_t hash[32];
	char id[SM_ID_LEN + 1];
	const uint8_t *body;
	size_t n;
	const int64_t *mailbox; /* may be none */
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
/* What is read between the two is of one moment. end may follow a begin that failed. */
SM_CHECKED enum sm_err sm_reader_begin(struct sm_reader *r);
void sm_reader_end(struct sm_reader *r);
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
