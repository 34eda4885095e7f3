/* smaccount logout: the session ends on the server and here. */
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_client.h"
#include "net/account.h"
#include "smaccount/verbs.h"

int sm_account_logout(struct options *o)
{
	struct sm_online on = {0};
	enum sm_err e;
	int code = sm_online_account(&on, o->common.profile);
	if (code == SM_EXIT_OK)
		code = sm_online_open(&on, o->common.profile);
	if (code != SM_EXIT_OK)
		goto out;
	e = sm_client_resume(&on.client);
	if (e == SM_ERR_NOTFOUND) {
		sm_note("not logged in");
		goto out;
	}
	e = e == SM_OK ? sm_net_logout(&on.client) : sm_session_remove(o->common.profile);
	if (e == SM_ERR_DENIED)
		sm_note("the server had ended the session already");
	else if (e != SM_OK)
		code = sm_net_say(&on.client, e);
out:
	sm_online_close(&on);
	return code;
}
