/* Sessions in memory: key, owner, the nonces used, the access token verified last. Any thread.
 * A session stays in the cache while nonces of it can still be live, so an evicted one has nothing to replay. */
#ifndef SM_SMSERVER_SESSION_H
#define SM_SMSERVER_SESSION_H

#include "keys.h"
#include "nonces.h"
#include "store.h"

#include <pthread.h>
#include <stdatomic.h>

#define SM_TOKEN_MAX 512

struct sm_session {
	atomic_int refs;
	struct sm_session *next;
	char sid[SM_ID_LEN + 1];
	int64_t account, device;
	_Atomic uint32_t number; /* of the device */
	char user[SM_NAME_MAX + 1];
	uint8_t key[32];
	int64_t created;
	_Atomic int64_t expires, used;
	atomic_bool revoked;
	pthread_mutex_t lock; /* guards what follows */
	struct sm_nonces nonces;
	char token[SM_TOKEN_MAX]; /* the access token that was verified last */
	size_t ntoken;
	int64_t token_expires;
};

struct sm_sessions;
/* keys is borrowed. */
struct sm_sessions *sm_sessions_new(const struct sm_keys *keys);
void sm_sessions_free(struct sm_sessions *t);
/* *out is the caller's reference; revoked ones are found too. SM_ERR_NOTFOUND. sid: 26 characters and a terminator. */
SM_CHECKED enum sm_err sm_sessions_get(struct sm_sessions *t, struct sm_reader *r, const char *sid, struct sm_session **out);
void sm_session_release(struct sm_session *s);
/* After the commit: marks as revoked those in memory that fit. sid NULL: all of the account's; but not keep (may be NULL). */
void sm_sessions_revoke(struct sm_sessions *t, int64_t account, const char *sid, const char *keep);
/* The same for those of a device that has gone. */
void sm_sessions_revoke_device(struct sm_sessions *t, int64_t device);
/* After the commit that made the session's device number 1 of its account. */
void sm_sessions_renumber(struct sm_sessions *t, const char *sid);
/* After the commit of a refresh. */
void sm_sessions_extend(struct sm_sessions *t, const char *sid, int64_t expires);
/* Forgets what has not been used for two minutes, when there is much of it. */
void sm_sessions_sweep(struct sm_sessions *t, int64_t now);
/* When the session was last used as far as memory knows; 0 when it does not. */
int64_t sm_sessions_used(struct sm_sessions *t, const char *sid);
bool sm_session_alive(const struct sm_session *s, int64_t now);

#endif
