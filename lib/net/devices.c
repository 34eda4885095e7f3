/* The account's own devices: asking for them, replacing the list, refusing those that wait (net/keys.h). */
#include "net/json.h"
#include "net/keys.h"
#include "net/keys_read.h"

#include <string.h>

#define DEVICES "/api/v1/devices"

static bool read_device(struct sm_device_info *d, const json_t *o)
{
	struct sm_public pub;
	if (!sm_read_identity(&pub, o, "identity") || !sm_json_number(o, "created", &d->created))
		return false;
	if (json_object_get(o, "label") && !sm_json_text(o, "label", d->label, sizeof(d->label)))
		return false;
	memcpy(d->pk, pub.ed25519, SM_PK_LEN);
	memcpy(d->fp, pub.fp, SM_FP_LEN);
	return true;
}

/* What the server says of a device has to be what the list says; an implied list knows no numbers. */
static bool read_listed(struct sm_own_devices *d, const json_t *o)
{
	struct sm_device_info *info = &d->device[d->n];
	if (!read_device(info, o) || !sm_read_u32(o, "id", &info->number))
		return false;
	info->current = json_is_true(json_object_get(o, "current"));
	const struct sm_listed_device *listed = sm_device_list_find(&d->list, info->fp);
	if (!listed || (d->list.version && listed->number != info->number))
		return false;
	for (size_t i = 0; i < d->n; i++)
		if (!memcmp(d->device[i].fp, info->fp, SM_FP_LEN))
			return false;
	d->n++;
	return true;
}

static bool read_waiting(struct sm_own_devices *d, const json_t *o)
{
	struct sm_device_info *info = &d->device[d->n];
	if (d->n == sizeof(d->device) / sizeof(d->device[0]) || !read_device(info, o) || !sm_json_number(o, "expires", &info->expires))
		return false;
	d->n++;
	return true;
}

static bool read_all(struct sm_own_devices *d, const json_t *j, const struct sm_address *self)
{
	const json_t *o, *devices = json_object_get(j, "devices"), *waiting = json_object_get(j, "waiting");
	struct sm_public user;
	int64_t version;
	size_t i;
	if (!sm_read_identity(&user, j, "user") || !sm_read_list(&d->list, d->text, j, self, user.ed25519) ||
	    !sm_read_u32(j, "next", &d->next))
		return false;
	if (!sm_json_number(j, "version", &version) || (uint64_t)version != d->list.version || json_array_size(devices) != d->list.n)
		return false;
	memcpy(d->user, user.ed25519, SM_PK_LEN);
	json_array_foreach(devices, i, o) if (!read_listed(d, o)) return false;
	json_array_foreach(waiting, i, o) if (!read_waiting(d, o)) return false;
	return json_is_array(waiting);
}

enum sm_err sm_net_devices(struct sm_own_devices *d, struct sm_client *c, const struct sm_address *self)
{
	struct sm_own_devices r = {0};
	json_t *j = NULL;
	enum sm_err e = sm_client_json(c, true, "GET", DEVICES, NULL, &j);
	if (e == SM_OK && !read_all(&r, j, self))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK)
		*d = r;
	json_decref(j);
	return e;
}

enum sm_err sm_net_devices_put(struct sm_client *c, const char *text)
{
	json_t *ask = json_pack("{s:s}", "list", text);
	enum sm_err e = ask ? sm_client_json(c, true, "PUT", DEVICES, ask, NULL) : SM_ERR_NOMEM;
	json_decref(ask);
	return e;
}

enum sm_err sm_net_devices_refuse(struct sm_client *c) { return sm_client_json(c, true, "DELETE", DEVICES "/waiting", NULL, NULL); }
