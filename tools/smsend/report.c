/* What smsend says when it is done: nothing, unless asked. */
#include "base/file.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/json.h"
#include "smsend/send.h"

#include <string.h>
#include <unistd.h>

/* "to":["bob@example.org"], or "group":"ID","to":["@ops"] */
static enum sm_err describe_to(struct sm_buf *b, const struct sending *s)
{
	enum sm_err e = SM_OK;
	if (*s->group) {
		e = sm_json_member(b, "group", s->group);
		if (e == SM_OK)
			e = sm_buf_adds(b, ",\"to\":[");
		return e == SM_OK ? sm_json_string(b, s->o->who[0], strlen(s->o->who[0])) : e;
	}
	for (size_t i = 0; e == SM_OK && i < s->nto; i++) {
		e = sm_buf_adds(b, i ? "," : "\"to\":[");
		if (e == SM_OK)
			e = sm_json_string(b, s->to[i].text, strlen(s->to[i].text));
	}
	return e;
}

static enum sm_err describe(struct sm_buf *b, const struct sending *s)
{
	enum sm_err e = sm_buf_adds(b, "{\"v\":1,");
	if (e == SM_OK)
		e = sm_json_member(b, "id", s->sent.id);
	if (e == SM_OK)
		e = sm_buf_adds(b, ",");
	if (e == SM_OK)
		e = sm_json_member(b, "key", s->key);
	if (e == SM_OK)
		e = sm_buf_adds(b, ",");
	if (e == SM_OK)
		e = describe_to(b, s);
	return e == SM_OK ? sm_buf_addf(b, "],\"stored\":%s}\n", s->sent.stored ? "true" : "false") : e;
}

int send_report(const struct sending *s, const char *id)
{
	struct sm_buf line;
	const char *how = s->sent.stored ? "stored" : "stored before";
	enum sm_err e;
	if (strcmp(s->sent.id, id) != 0) {
		sm_error("the server answers for another message than was sent: it may be stored, and the key was %s", s->key);
		return SM_EXIT_PROTOCOL;
	}
	for (size_t i = 0; i < s->nto; i++)
		sm_note("%s: %s under key %s as %s", s->to[i].text, how, s->key, s->sent.id);
	if (*s->group)
		sm_note("%s: %s under key %s as %s", s->o->who[0], how, s->key, s->sent.id);
	if (!s->o->json)
		return SM_EXIT_OK;
	sm_buf_init(&line, (size_t)1 << 20);
	e = describe(&line, s);
	if (e == SM_OK)
		e = sm_write_full(STDOUT_FILENO, line.data, line.len);
	sm_buf_release(&line);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "it is sent, but standard output cannot be written");
}
