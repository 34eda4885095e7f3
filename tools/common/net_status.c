/* Asking: the policy first, which needs no session, so that a wrong clock is seen even where it makes every other request fail. */
#include "common/net_status.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/json.h"
#include "net/mailbox.h"
#include "store/inbox.h"

#include <string.h>

#define STATUS_PAGE 1000

int sm_server_check(struct sm_policy *p, struct sm_online *on)
{
	enum sm_err e = sm_net_policy(p, &on->client);
	if (e != SM_OK)
		return sm_net_say(&on->client, e);
	if (!strcmp(p->origin, on->self.host))
		return SM_EXIT_OK;
	sm_error("the server at %s calls itself '%s', not '%s'", on->account.url, p->origin, on->self.host);
	return SM_EXIT_PROTOCOL;
}

/* Counts the messages that the server holds, as far as one page tells. */
static enum sm_err count_waiting(struct sm_status *s, struct sm_client *c)
{
	struct sm_http_answer page = {0};
	struct sm_incoming m;
	enum sm_err bad, e = sm_net_fetch(&page, c, 0, STATUS_PAGE);
	struct sm_span left = {page.body.data, page.body.len};
	while (e == SM_OK && sm_page_next(&m, &left, &bad))
		s->waiting++;
	s->more = page.more;
	sm_http_answer_release(&page);
	return e;
}

int sm_status_look(struct sm_status *s, struct sm_online *on, const char *profile)
{
	struct sm_policy policy;
	struct sm_db db = {0};
	enum sm_err e;
	int code = sm_server_check(&policy, on);
	if (code != SM_EXIT_OK)
		return code;
	s->clock = sm_time_now() - policy.time;
	e = sm_client_resume(&on->client);
	s->logged_in = e == SM_OK && !strcmp(on->client.session->address, on->account.address);
	if (!s->logged_in)
		return SM_EXIT_OK;
	e = count_waiting(s, &on->client);
	if (e != SM_OK) {
		s->logged_in = false;
		return sm_net_say(&on->client, e);
	}
	s->until = on->client.session->refresh_expires;
	e = sm_db_open(&db, profile);
	if (e == SM_OK)
		e = sm_inbox_count_new(&s->unread, &db);
	if (e != SM_OK)
		code = sm_fail(e, "cannot open the inbox");
	sm_db_close(&db);
	return code;
}

static enum sm_err device_text(struct sm_buf *b, const struct sm_status *s)
{
	char user[SM_FP_TEXT_LEN + 1];
	sm_fp_format(user, s->user);
	enum sm_err e = sm_buf_addf(b, "device   %u (%zu in all)\nuser key %s\nprekeys  %lld\n", s->device, s->devices, user,
	                            (long long)s->prekeys);
	return e == SM_OK && s->asking ? sm_buf_addf(b, "asking   %zu to be let in: see 'smaccount devices'\n", s->asking) : e;
}

enum sm_err sm_status_text(struct sm_buf *b, const struct sm_online *on, const struct sm_status *s)
{
	char until[SM_TIME_LEN + 1];
	enum sm_err e =
	        sm_buf_addf(b, "account  %s\nserver   %s\nclock    %+lld s\n", on->account.address, on->account.url, (long long)s->clock);
	if (e != SM_OK || !s->logged_in)
		return e != SM_OK ? e : sm_buf_adds(b, "session  none\n");
	sm_time_format(until, s->until);
	e = sm_buf_addf(b, "session  until %s\nwaiting  %lld%s\nnew      %lld\n", until, (long long)s->waiting, s->more ? " or more" : "",
	                (long long)s->unread);
	return e == SM_OK && s->device ? device_text(b, s) : e;
}

enum sm_err sm_status_json(struct sm_buf *b, const struct sm_online *on, const struct sm_status *s)
{
	char user[SM_FP_TEXT_LEN + 1];
	enum sm_err e = sm_buf_adds(b, "{\"v\":1,");
	if (e == SM_OK)
		e = sm_json_member(b, "address", on->account.address);
	if (e == SM_OK)
		e = sm_buf_adds(b, ",");
	if (e == SM_OK)
		e = sm_json_member(b, "server", on->account.url);
	if (e == SM_OK)
		e = sm_buf_addf(b, ",\"clock\":%lld,\"logged_in\":%s", (long long)s->clock, s->logged_in ? "true" : "false");
	if (e == SM_OK && s->logged_in)
		e = sm_buf_addf(b, ",\"session_expires\":%lld,\"waiting\":%lld,\"more\":%s,\"new\":%lld", (long long)s->until,
		                (long long)s->waiting, s->more ? "true" : "false", (long long)s->unread);
	if (e == SM_OK && s->device) {
		sm_fp_format(user, s->user);
		e = sm_buf_addf(b, ",\"device\":%u,\"devices\":%zu,\"asking\":%zu,\"prekeys\":%lld,\"user_key\":\"%s\"", s->device,
		                s->devices, s->asking, (long long)s->prekeys, user);
	}
	return e == SM_OK ? sm_buf_adds(b, "}\n") : e;
}
