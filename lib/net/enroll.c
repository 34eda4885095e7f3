/* Enrolling: the proofs of a login, by a device that is not one of the account's yet. */
#include "net/enroll.h"

#include "base/base64.h"
#include "net/json.h"
#include "net/keys_read.h"
#include "net/proof.h"

#include <stdio.h>
#include <string.h>

#define ENROLL "/api/v1/enroll"

static bool id_ok(const char *id)
{
	uint8_t raw[16];
	return sm_base32_id_parse(raw, id, strlen(id)) == SM_OK;
}

/* They help a person to tell devices apart, and a server need not have any. */
static void read_labels(struct sm_enrollment *r, const json_t *devices)
{
	const json_t *o;
	uint32_t number;
	size_t i;
	json_array_foreach(devices, i, o)
	{
		if (!sm_read_u32(o, "id", &number))
			continue;
		const struct sm_listed_device *d = sm_device_list_number(&r->list, number);
		char *label = d ? r->label[d - r->list.device] : NULL;
		if (label && !sm_json_text(o, "label", label, sizeof(r->label[0])))
			*label = 0;
	}
}

static bool read_enrollment(struct sm_enrollment *r, const json_t *j, const struct sm_address *who)
{
	struct sm_public user;
	int64_t version;
	if (!sm_json_text(j, "enrollment", r->id, sizeof(r->id)) || !id_ok(r->id) || !sm_json_number(j, "expires", &r->expires))
		return false;
	if (!sm_read_identity(&user, j, "identity") || !sm_read_list(&r->list, r->text, j, who, user.ed25519))
		return false;
	memcpy(r->user, user.ed25519, SM_PK_LEN);
	read_labels(r, json_object_get(j, "devices"));
	return sm_json_number(j, "version", &version) && (uint64_t)version == r->list.version && sm_read_u32(j, "next", &r->next);
}

static enum sm_err add_device(json_t *ask, const struct sm_login *l, const char *list)
{
	struct sm_buf identity;
	sm_buf_init(&identity, SM_PUBLIC_LINE_MAX);
	enum sm_err e = sm_public_format(&identity, &l->id->pub);
	if (e == SM_OK && json_object_set_new(ask, "identity", json_stringn((const char *)identity.data, identity.len)))
		e = SM_ERR_NOMEM;
	if (e == SM_OK && l->label && json_object_set_new(ask, "label", json_string(l->label)))
		e = SM_ERR_NOMEM;
	if (e == SM_OK && list && json_object_set_new(ask, "list", json_string(list)))
		e = SM_ERR_NOMEM;
	sm_buf_release(&identity);
	return e;
}

static enum sm_err ask_in(struct sm_client *c, json_t *ask, json_t **answer)
{
	enum sm_err e = sm_client_json(c, false, "POST", ENROLL, ask, answer);
	return e == SM_ERR_CONFLICT && !strcmp(c->error.code, "known_device") ? SM_ERR_EXISTS : e;
}

enum sm_err sm_net_enroll(struct sm_enrollment *r, struct sm_client *c, const struct sm_login *l, const char *list)
{
	struct sm_scram s = {0};
	struct sm_enrollment got = {0};
	uint8_t expected[32];
	json_t *ask = NULL, *j = NULL;
	enum sm_err e = sm_proof_challenge(c, "enroll", l, &s);
	if (e == SM_OK)
		e = sm_proof_make(&ask, expected, "enroll", l, &s);
	if (e == SM_OK)
		e = add_device(ask, l, list);
	if (e == SM_OK)
		e = ask_in(c, ask, &j);
	if (e == SM_OK && (!sm_proof_server(j, expected) || !read_enrollment(&got, j, &l->address)))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK && list && strcmp(got.text, list) != 0)
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK)
		*r = got;
	sm_wipe(expected, sizeof(expected));
	json_decref(ask);
	json_decref(j);
	return e;
}

enum sm_err sm_net_enroll_state(struct sm_client *c, const char *id)
{
	char path[64], state[16];
	json_t *j = NULL;
	if (!id_ok(id))
		return SM_ERR_NOTFOUND;
	(void)snprintf(path, sizeof(path), ENROLL "/%s", id);
	enum sm_err e = sm_client_json(c, false, "GET", path, NULL, &j);
	if (e == SM_OK && !sm_json_text(j, "state", state, sizeof(state)))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK && strcmp(state, "approved") != 0)
		e = !strcmp(state, "waiting") ? SM_ERR_BUSY : SM_ERR_PROTOCOL;
	json_decref(j);
	return e;
}
