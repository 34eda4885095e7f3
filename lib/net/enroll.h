/* A new device of an account: asking to be let in, and waiting for it (sm-protocol(7), "POST enroll"). */
#ifndef SM_NET_ENROLL_H
#define SM_NET_ENROLL_H

#include "net/account.h"
#include "net/keys.h"

struct sm_enrollment {
	char id[SM_ID_LEN + 1];
	int64_t expires;
	uint8_t user[SM_PK_LEN];
	struct sm_device_list list; /* as it is now */
	char text[SM_DEVICES_TEXT_MAX + 1];
	uint32_t next;                       /* the number that this device would have */
	char label[SM_DEVICES_LIST_MAX][65]; /* of list.device, as the server has them: nobody signs these */
};
/* l->id is the new device's identity. list NULL: to wait for approval; else a signed list that has the new device already. The server's own
 * proof is checked. SM_ERR_EXISTS: the key is a device of the account already. SM_ERR_DENIED: wrong name or password. */
SM_CHECKED enum sm_err sm_net_enroll(struct sm_enrollment *r, struct sm_client *c, const struct sm_login *l, const char *list);
/* SM_OK: approved; SM_ERR_BUSY: waits still; SM_ERR_NOTFOUND: refused or expired. */
SM_CHECKED enum sm_err sm_net_enroll_state(struct sm_client *c, const char *id);

#endif
