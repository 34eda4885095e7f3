/* One message to a group. */
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_group_send.h"
#include "smsend/send.h"

#include <string.h>

/* What was sent is in the outbox, under the key. */
static int find_id(char id[static SM_ID_LEN + 1], struct sending *s)
{
	struct sm_outbox_row row = {0};
	enum sm_err e = sm_outbox_get(&row, NULL, &s->db, s->self.key, s->self.end.address.text, s->key);
	memcpy(id, row.id, sizeof(row.id));
	sm_wipe(&row.meta, sizeof(row.meta));
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "it is sent, but '%s' cannot be read", s->db.path);
}

int send_group(struct sending *s)
{
	struct sm_group g;
	char id[SM_ID_LEN + 1];
	struct sm_sealing sealing = send_sealing(s);
	int code = sm_group_find(&g, &s->online, &s->db, &s->self, s->o->who[0]);
	if (code == SM_EXIT_OK)
		code = sm_group_send(&s->sent, &s->online, &sealing, &g, s->key);
	if (code != SM_EXIT_OK)
		return code;
	memcpy(s->group, g.id, sizeof(s->group));
	code = find_id(id, s);
	return code == SM_EXIT_OK ? send_report(s, id) : code;
}
