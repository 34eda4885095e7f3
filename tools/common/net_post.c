/* Retries, and what the server's refusals of a message mean to a person. */
#include "common/net_post.h"

#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_client.h"
#include "net/account.h"

#include <string.h>
#include <time.h>

#define TRIES 3
#define WAIT_MAX 5 /* seconds that are waited when the server asks for some */

static void wait_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&t, &t))
		;
}

/* Some servers close the connection while a body comes in that they will not take. */
static bool over_limit(struct sm_client *c, size_t n)
{
	struct sm_policy p;
	return sm_net_policy(&p, c) == SM_OK && n > (uint64_t)p.message_bytes;
}

enum sm_err sm_post(struct sm_sent *s, struct sm_client *c, const char *key, const char *query, const struct sm_buf *envelope)
{
	bool maybe_stored = false;
	enum sm_err e = SM_ERR_BUG;
	for (int i = 0; i < TRIES; i++) {
		e = sm_net_send(s, c, key, query, envelope->data, envelope->len);
		if (e != SM_ERR_BUSY) /* SM_ERR_NET: the client has been patient already */
			return maybe_stored && e == SM_ERR_NET ? SM_ERR_BUSY : e;
		maybe_stored |= e == SM_ERR_BUSY;
		if (c->error.retry_after > WAIT_MAX || i == TRIES - 1)
			break;
		sm_note("try %d: %s", i + 1, c->error.status ? c->error.message : c->http.why);
		wait_ms(c->error.retry_after > 0 ? c->error.retry_after * 1000 : 100L << (2 * i));
	}
	if (e == SM_ERR_BUSY && !c->error.status && over_limit(c, envelope->len))
		return SM_ERR_LIMIT;
	return maybe_stored ? SM_ERR_BUSY : e;
}

static int say_recipients(const struct sm_client *c)
{
	const json_t *who, *list = json_object_get(c->error.body, "recipients");
	struct sm_buf names;
	size_t i;
	const char *text = NULL;
	enum sm_err e = SM_OK;
	sm_buf_init(&names, 65536);
	json_array_foreach(list, i, who) if (e == SM_OK && json_is_string(who)) e =
	        sm_buf_addf(&names, "%s%s", i ? ", " : "", json_string_value(who));
	if (e == SM_OK)
		text = sm_buf_str(&names);
	sm_error("no such recipient: %s", text && *text ? text : c->error.message);
	sm_buf_release(&names);
	return SM_EXIT_NORECIPIENT;
}

static int say_limit(struct sm_client *c, size_t n)
{
	struct sm_policy p;
	if (sm_net_policy(&p, c) == SM_OK)
		sm_error("the message is too large: %zu bytes with its envelope, where %s takes %lld", n, p.origin,
		         (long long)p.message_bytes);
	else
		sm_error("the message is too large for the server: %zu bytes with its envelope", n);
	return SM_EXIT_DATA;
}

static int say_conflict(const struct sm_client *c, const char *key)
{
	if (!strcmp(c->error.code, "key_conflict"))
		sm_error("the key '%s' was used for other bytes already: what was sent under it first is stored, this is not", key);
	else if (!strcmp(c->error.code, "stale_devices"))
		sm_error("the envelope is not encrypted to its recipients' present keys: encrypt it anew");
	else
		return sm_net_say(c, SM_ERR_CONFLICT);
	return SM_EXIT_DATA;
}

int sm_post_say(struct sm_client *c, enum sm_err e, const char *key, const struct sm_buf *envelope)
{
	int code;
	switch (e) {
	case SM_ERR_NOTFOUND: return say_recipients(c);
	case SM_ERR_LIMIT: return say_limit(c, envelope->len);
	case SM_ERR_CONFLICT: return say_conflict(c, key);
	case SM_ERR_PROTOCOL:
		if (c->error.status != 400)
			return sm_net_say(c, e);
		sm_error("the server refuses the envelope: %s", *c->error.message ? c->error.message : c->error.code);
		return SM_EXIT_DATA;
	case SM_ERR_BUSY:
		code = sm_net_say(c, e);
		if (!c->error.status)
			sm_note("it may have been stored; the key was %s", key);
		return code;
	default: return sm_net_say(c, e);
	}
}
