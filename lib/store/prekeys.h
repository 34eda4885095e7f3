/* The private halves of this device's prekeys. key: sm_keyring_store_key(purpose "sessions"); rows of another identity count as not there.
 * Everything here is called between sm_db_begin and sm_db_commit, or alone where nothing depends on it. */
#ifndef SM_STORE_PREKEYS_H
#define SM_STORE_PREKEYS_H

#include "crypto/rand.h"
#include "session/x3dh.h"
#include "store/db.h"

struct sm_own_prekey {
	uint32_t id;
	int64_t created;
	uint8_t pk[32], sk[32]; /* wipe */
};

/* Makes n one-time prekeys with ids above every one there has ever been, private halves stored. out has room for n, and is wiped on
 * failure. SM_ERR_LIMIT: there are no more ids. */
SM_CHECKED enum sm_err sm_prekeys_make(struct sm_own_prekey *out, size_t n, struct sm_db *db, const uint8_t key[static 32], int64_t now,
                                       const struct sm_rand *rand);
/* One-time prekeys that were made and not yet said to be at the server (a run was killed between): sent again as they are. The newest
 * max, in order of id, as the server wants them. Where it answers that it has another key under one of these ids (a restored backup):
 * sm_prekeys_sent, sm_prekeys_floor, and new ones. */
SM_CHECKED enum sm_err sm_prekeys_unsent(struct sm_own_prekey *out, size_t max, size_t *n, struct sm_db *db, const uint8_t key[static 32]);
/* All one-time prekeys through id upto are at the server. */
SM_CHECKED enum sm_err sm_prekeys_sent(struct sm_db *db, uint32_t upto);
/* A new signed prekey, id above all before it. */
SM_CHECKED enum sm_err sm_signed_prekey_make(struct sm_own_prekey *out, struct sm_db *db, const uint8_t key[static 32], int64_t now,
                                             const struct sm_rand *rand);
/* The newest; SM_ERR_NOTFOUND. *sent: the server has it. */
SM_CHECKED enum sm_err sm_signed_prekey_newest(struct sm_own_prekey *out, bool *sent, struct sm_db *db, const uint8_t key[static 32]);
SM_CHECKED enum sm_err sm_signed_prekey_sent(struct sm_db *db, uint32_t id);
/* For a first message. SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_signed_prekey_get(struct sm_own_prekey *out, struct sm_db *db, const uint8_t key[static 32], uint32_t id);
SM_CHECKED enum sm_err sm_prekey_get(struct sm_own_prekey *out, struct sm_db *db, const uint8_t key[static 32], uint32_t id);
/* A one-time prekey that has been used. */
SM_CHECKED enum sm_err sm_prekey_drop(struct sm_db *db, uint32_t id);
/* Forgets signed prekeys whose successor has been at the server for longer than SM_SPK_DAYS_MAX, with the first messages remembered for
 * them, and one-time prekeys older than 90 days, but never the newest SM_PREKEYS_AT_SERVER: those may be there still. */
#define SM_PREKEYS_AT_SERVER 200
SM_CHECKED enum sm_err sm_prekeys_sweep(struct sm_db *db, int64_t now);
/* Ids of prekeys at the server are kept above `highest`, which the server has seen already (a restored backup). */
SM_CHECKED enum sm_err sm_prekeys_floor(struct sm_db *db, bool one_time, int64_t highest);
/* When the server was last asked how many it has; 0 never. */
SM_CHECKED enum sm_err sm_prekeys_asked(int64_t *at, struct sm_db *db);
SM_CHECKED enum sm_err sm_prekeys_asked_now(struct sm_db *db, int64_t now);

#endif
