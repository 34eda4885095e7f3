/* One message to a group. */
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_group_send.h"
#include "smsend/send.h"

#include <string.h>

int send_group(struct sending *s)
{
	struct sm_group g;
	struct sm_sealing sealing = send_sealing(s);
	int code = sm_group_find(&g, &s->online, &s->db, &s->self, s->o->who[0]);
	if (code == SM_EXIT_OK)
		code = sm_group_send(&s->sent, &s->online, &sealing, &g, s->key);
	if (code != SM_EXIT_OK)
		return code;
	memcpy(s->group, g.id, sizeof(s->group));
	return send_report(s);
}
