/* What everybody may know: the server's policy, and whether it is up. */
#include "api.h"

#include "base/time.h"

void sm_api_policy(struct sm_req *req)
{
	struct sm_server *s = req->worker->server;
	const struct sm_config *c = s->cfg;

	sm_json_reply(req, 200,
	              json_pack("{s:i,s:s,s:s,s:{s:i,s:b,s:b,s:b},s:{s:s,s:i,s:i},s:{s:i,s:i,s:i,s:i,s:i},s:I}", "v", 1, "origin",
	                        s->origin, "registration", sm_registration_text(c->registration), "password", "min_length", 8, "letter", 1,
	                        "number", 1, "special", 1, "kdf", "name", "argon2id", "t", (int)c->kdf_t, "m", (int)c->kdf_m, "limits",
	                        "message_bytes", (int)c->message_bytes, "batch_bytes", 4194304, "batch_messages", 256, "page", 1000,
	                        "group_members", (int)c->group_members, "time", (json_int_t)sm_time_now()));
}

void sm_api_healthz(struct sm_req *req) { sm_reply(req, 200, "text/plain", "ok\n", 3); }

void sm_api_readyz(struct sm_req *req)
{
	struct sm_server *s = req->worker->server;

	if (atomic_load(&s->draining) || sm_writer_stuck(&s->writer)) {
		sm_reply_header(req, "Retry-After", "1");
		sm_reply(req, 503, "text/plain", "not ready\n", 10);
	} else {
		sm_reply(req, 200, "text/plain", "ready\n", 6);
	}
}
