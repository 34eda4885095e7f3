/* Sessions with other devices (session/pair.h), at most SM_PAIR_MAX for a peer. Load, step and store inside one sm_db_begin .. commit: any
 * number of processes may work on one profile. key as in store/prekeys.h; a row that does not open under it counts as not there. */
#ifndef SM_STORE_SESSIONS_H
#define SM_STORE_SESSIONS_H

#include "session/pair.h"
#include "store/db.h"

/* The one to send on: what was received on last, else the newest. SM_ERR_NOTFOUND. skipped is not loaded (sealing does not need it). */
SM_CHECKED enum sm_err sm_pair_latest(struct sm_pair *p, struct sm_db *db, const uint8_t key[static 32],
                                      const uint8_t peer[static SM_PK_LEN]);
/* Would sm_pair_latest find one? No lock is needed. */
SM_CHECKED enum sm_err sm_pair_exists(bool *is, struct sm_db *db, const uint8_t key[static 32], const uint8_t peer[static SM_PK_LEN]);
/* All with that peer, the last received first, skipped keys loaded; p has SM_PAIR_MAX of room, *n are set and need release. */
SM_CHECKED enum sm_err sm_pair_all(struct sm_pair *p, size_t *n, struct sm_db *db, const uint8_t key[static 32],
                                   const uint8_t peer[static SM_PK_LEN]);
/* Inserts or replaces by (peer, eka). received: something has just been opened on it, so that it becomes the one to send on; the
 * skipped keys are written when p->skipped.changed. Over SM_PAIR_MAX one goes that does not open any more, else the one that was least
 * recently received on (among those that never were: the oldest), but never p itself. */
SM_CHECKED enum sm_err sm_pair_put(struct sm_db *db, const uint8_t key[static 32], const struct sm_pair *p, bool received,
                                   const struct sm_rand *rand);
/* All sessions with that device: it is gone, or its keys are no longer believed. */
SM_CHECKED enum sm_err sm_pair_drop(struct sm_db *db, const uint8_t peer[static SM_PK_LEN]);
/* First messages that have been accepted: (peer, eka), until their signed prekey is swept. */
SM_CHECKED enum sm_err sm_first_seen(bool *seen, struct sm_db *db, const uint8_t peer[static SM_PK_LEN], const uint8_t eka[static 32]);
SM_CHECKED enum sm_err sm_first_remember(struct sm_db *db, const uint8_t peer[static SM_PK_LEN], const uint8_t eka[static 32], uint32_t spk,
                                         int64_t now);

#endif
