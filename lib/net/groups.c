/* The group calls. Rosters are text here; of members only their keys and lists are held against themselves. */
#include "net/groups.h"

#include "base/base64.h"
#include "net/json.h"
#include "net/keys_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GROUPS "/api/v1/groups"
#define PATH_ROOM 80

static bool id_ok(const char *id)
{
	uint8_t raw[16];
	return sm_base32_id_parse(raw, id, strlen(id)) == SM_OK;
}

/* SM_ERR_NOTFOUND for what cannot be a group's id. */
static enum sm_err group_path(char path[static PATH_ROOM], const char *group, const char *more)
{
	if (!id_ok(group))
		return SM_ERR_NOTFOUND;
	(void)snprintf(path, PATH_ROOM, GROUPS "/%s%s", group, more);
	return SM_OK;
}

static enum sm_err send_roster(struct sm_client *c, const char *method, const char *path, const char *roster)
{
	json_t *ask = json_pack("{s:s}", "roster", roster);
	enum sm_err e = ask ? sm_client_json(c, true, method, path, ask, NULL) : SM_ERR_NOMEM;
	json_decref(ask);
	return e;
}

enum sm_err sm_net_group_create(struct sm_client *c, const char *roster) { return send_roster(c, "POST", GROUPS, roster); }

enum sm_err sm_net_group_put(struct sm_client *c, const char *group, const char *roster)
{
	char path[PATH_ROOM];
	enum sm_err e = group_path(path, group, "");
	return e == SM_OK ? send_roster(c, "PUT", path, roster) : e;
}

static enum sm_err fetch_page(json_t **page, struct sm_client *c, const char *path, uint64_t after)
{
	struct sm_http_answer a = {0};
	char query[40];
	struct sm_http_request r = {.method = "GET", .path = path, .query = query};
	(void)snprintf(query, sizeof(query), "after=%" PRIu64, after);
	enum sm_err e = sm_client_call(c, &r, &a);
	if (e == SM_OK && !(*page = sm_json_parse(a.body.data, a.body.len)))
		e = SM_ERR_PROTOCOL;
	sm_http_answer_release(&a);
	return e;
}

/* *after moves on by the rosters of the page, whose epochs have no gaps. */
static enum sm_err take_page(uint64_t *after, bool *more, const json_t *page, enum sm_err (*fn)(void *ctx, struct sm_span text), void *ctx)
{
	const json_t *text, *list = json_object_get(page, "rosters"), *m = json_object_get(page, "more");
	int64_t epoch;
	size_t i;
	enum sm_err e = SM_OK;
	if (!sm_json_number(page, "epoch", &epoch) || !json_is_array(list) || !json_is_boolean(m))
		return SM_ERR_PROTOCOL;
	if (json_array_size(list) > (uint64_t)epoch || *after > (uint64_t)epoch - json_array_size(list))
		return json_array_size(list) ? SM_ERR_PROTOCOL : SM_OK;
	json_array_foreach(list, i, text)
	{
		if (e != SM_OK)
			break;
		if (!json_is_string(text) || json_string_length(text) > SM_ROSTER_TEXT_MAX)
			e = SM_ERR_PROTOCOL;
		else
			e = fn(ctx, (struct sm_span){(const uint8_t *)json_string_value(text), json_string_length(text)});
	}
	*after += json_array_size(list);
	*more = json_is_true(m);
	return e == SM_OK && *more && !json_array_size(list) ? SM_ERR_PROTOCOL : e;
}

enum sm_err sm_net_group_rosters(struct sm_client *c, const char *group, uint64_t after, enum sm_err (*fn)(void *ctx, struct sm_span text),
                                 void *ctx)
{
	char path[PATH_ROOM];
	bool more = true;
	enum sm_err e = group_path(path, group, "");
	while (e == SM_OK && more) {
		json_t *page = NULL;
		more = false;
		e = fetch_page(&page, c, path, after);
		if (e == SM_OK)
			e = take_page(&after, &more, page, fn, ctx);
		json_decref(page);
	}
	return e;
}

enum sm_err sm_net_groups(struct sm_client *c, enum sm_err (*fn)(void *ctx, const char *group, uint64_t epoch), void *ctx)
{
	char id[SM_ID_LEN + 1];
	json_t *j = NULL;
	const json_t *o, *list = NULL;
	int64_t epoch;
	size_t i;
	enum sm_err e = sm_client_json(c, true, "GET", GROUPS, NULL, &j);
	if (e == SM_OK && !json_is_array(list = json_object_get(j, "groups")))
		e = SM_ERR_PROTOCOL;
	json_array_foreach(list, i, o)
	{
		if (e != SM_OK)
			break;
		if (!sm_json_text(o, "group", id, sizeof(id)) || !id_ok(id) || !sm_json_number(o, "epoch", &epoch))
			e = SM_ERR_PROTOCOL;
		else
			e = fn(ctx, id, (uint64_t)epoch);
	}
	json_decref(j);
	return e;
}

static bool read_member(struct sm_user_key *k, const json_t *o, const char *host)
{
	char text[SM_ADDRESS_MAX + 1];
	struct sm_address who;
	return sm_json_text(o, "address", text, sizeof(text)) && sm_address_parse(&who, text, strlen(text)) == SM_OK &&
	       !strcmp(who.host, host) && sm_read_user(k, o, &who);
}

enum sm_err sm_net_group_members(uint64_t *epoch, struct sm_client *c, const char *group, const char *host,
                                 enum sm_err (*fn)(void *ctx, const struct sm_user_key *k), void *ctx)
{
	char path[PATH_ROOM];
	struct sm_user_key k;
	json_t *j = NULL;
	const json_t *o, *list = NULL;
	int64_t at = 0;
	size_t i;
	enum sm_err e = group_path(path, group, "/members");
	if (e == SM_OK)
		e = sm_client_json(c, true, "GET", path, NULL, &j);
	if (e == SM_OK && (!sm_json_number(j, "epoch", &at) || !json_is_array(list = json_object_get(j, "members")) ||
	                   json_array_size(list) > SM_ROSTER_MAX))
		e = SM_ERR_PROTOCOL;
	json_array_foreach(list, i, o)
	{
		if (e == SM_OK)
			e = read_member(&k, o, host) ? fn(ctx, &k) : SM_ERR_PROTOCOL;
	}
	if (e == SM_OK)
		*epoch = (uint64_t)at;
	json_decref(j);
	return e;
}

enum sm_err sm_net_group_end(struct sm_client *c, const char *group)
{
	char path[PATH_ROOM];
	enum sm_err e = group_path(path, group, "");
	return e == SM_OK ? sm_client_json(c, true, "DELETE", path, NULL, NULL) : e;
}
