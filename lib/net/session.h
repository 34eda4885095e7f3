/* A login session as the client keeps it: state/session (0600), replaced atomically, changed only under state/session.lock. */
#ifndef SM_NET_SESSION_H
#define SM_NET_SESSION_H

#include "wire/header.h"

#define SM_TOKEN_MAX 2047

struct sm_session {
	char sid[SM_ID_LEN + 1];
	char address[SM_ADDRESS_MAX + 1];
	uint32_t device;
	uint8_t device_fp[SM_FP_LEN]; /* the key that logged in */
	int64_t access_expires, refresh_expires;
	char access[SM_TOKEN_MAX + 1], refresh[SM_TOKEN_MAX + 1]; /* never shown to anybody */
	uint8_t key[32];                                          /* signs requests */
};

/* SM_ERR_NOTFOUND: not logged in. SM_ERR_PERM: others may read the file. SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_session_load(struct sm_session *s, const char *profile);
SM_CHECKED enum sm_err sm_session_save(const struct sm_session *s, const char *profile);
/* SM_OK also when there is none. */
SM_CHECKED enum sm_err sm_session_remove(const char *profile);
/* Waits for the lock; *fd is what sm_session_unlock takes. */
SM_CHECKED enum sm_err sm_session_lock(int *fd, const char *profile);
void sm_session_unlock(int fd);

#endif
