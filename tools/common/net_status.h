/* How things stand with the account: whom the server says it is, the clock, the session, the messages. */
#ifndef SM_COMMON_NET_STATUS_H
#define SM_COMMON_NET_STATUS_H

#include "common/net_client.h"
#include "net/account.h"

/* The policy, from a server that calls itself what the address says. Says what is wrong and returns an exit code. */
int sm_server_check(struct sm_policy *p, struct sm_online *on);

struct sm_status {
	int64_t clock; /* ours less the server's, seconds */
	bool logged_in, more;
	int64_t until; /* the session's end */
	int64_t waiting, unread;
	/* of this device: number, how many there are, how many wait to be let in, prekeys left at the server, and the user key's
	 * fingerprint; filled in by the caller, device 0 for not */
	uint32_t device;
	size_t devices, asking;
	int64_t prekeys;
	uint8_t user[SM_FP_LEN];
};

/* on: account loaded and opened. Says what is wrong and returns an exit code; not being logged in is no error. */
int sm_status_look(struct sm_status *s, struct sm_online *on, const char *profile);
/* Both append: lines for a person, or one JSON object. */
SM_CHECKED enum sm_err sm_status_text(struct sm_buf *b, const struct sm_online *on, const struct sm_status *s);
SM_CHECKED enum sm_err sm_status_json(struct sm_buf *b, const struct sm_online *on, const struct sm_status *s);

#endif
