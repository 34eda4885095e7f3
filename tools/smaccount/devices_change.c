/* Changing the list: fetch what there is, change it, sign it with the user key, hand it in; once more when another device was quicker. */
#include "cli/diag.h"
#include "cli/exit.h"
#include "smaccount/devices.h"

#include <stdlib.h>
#include <string.h>

/* What a change makes of d->list, in next; says what is wrong and returns an exit code. */
typedef int edit_fn(struct sm_device_list *next, struct sm_devices_run *r, const struct sm_own_devices *d);

static int say_put(const struct sm_devices_run *r, enum sm_err e)
{
	const char *code = r->on.client.error.code;
	if (e == SM_ERR_CONFLICT && !strcmp(code, "not_waiting")) {
		sm_error("the device does not wait any more: its 15 minutes are over, or another device has refused it");
		return SM_EXIT_NO;
	}
	if (e == SM_ERR_CONFLICT && !strcmp(code, "stale_list")) {
		sm_error("other devices change the list at the same time: try again");
		return SM_EXIT_TEMP;
	}
	return sm_net_say(&r->on.client, e);
}

static int keep_signed(struct sm_devices_run *r, const char *text)
{
	struct sm_device_list l;
	enum sm_err e = sm_device_list_parse(&l, text, strlen(text));
	if (e == SM_OK)
		e = sm_devices_put(&r->db, &l, text, strlen(text), NULL);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "the list is changed, but cannot be kept here");
}

/* One round. key is unlocked in the first of them. */
static int change_once(struct sm_devices_run *r, edit_fn *edit, struct sm_identity *key, bool *again)
{
	struct sm_own_devices d;
	char text[SM_DEVICES_TEXT_MAX + 1];
	int code = sm_own_fetch(&d, &r->on, &r->db, NULL, false);
	if (code == SM_EXIT_OK)
		code = sm_own_keep(&d, &r->on, &r->db);
	if (code != SM_EXIT_OK)
		return code;
	struct sm_device_list next = d.list;
	if ((code = edit(&next, r, &d)) || (!key->secret.data && (code = sm_own_signer(key, r->o, &r->on.self, d.user))) ||
	    (code = sm_own_sign(text, &next, &d.list, key)))
		return code;
	enum sm_err e = sm_net_devices_put(&r->on.client, text);
	*again = e == SM_ERR_CONFLICT && !strcmp(r->on.client.error.code, "stale_list");
	return e == SM_OK ? keep_signed(r, text) : *again ? SM_EXIT_TEMP : say_put(r, e);
}

static int change(struct sm_devices_run *r, edit_fn *edit)
{
	struct sm_identity key = {0};
	bool again = false;
	int code = change_once(r, edit, &key, &again);
	if (again)
		code = change_once(r, edit, &key, &again);
	if (again)
		code = say_put(r, SM_ERR_CONFLICT);
	sm_identity_release(&key);
	return code;
}

/* --- approve --- */

/* As a person types it: any case, with or without the `-`. */
static bool same_code(const char *typed, const char *code)
{
	for (; *typed || *code; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (*code == '-')
			code++;
		if (!*typed || (*typed | 0x20) != (*code | 0x20))
			return false;
		code++;
	}
	return true;
}

static const struct sm_device_info *find_waiting(const struct sm_devices_run *r, const struct sm_own_devices *d)
{
	char code[SM_ENROLL_CODE_LEN + 1];
	for (size_t i = 0; i < d->n; i++) {
		sm_enroll_code(code, &r->on.self, d->device[i].pk);
		if (!d->device[i].number && same_code(r->operand, code))
			return &d->device[i];
	}
	return NULL;
}

static int approve(struct sm_device_list *next, struct sm_devices_run *r, const struct sm_own_devices *d)
{
	const struct sm_device_info *w = find_waiting(r, d);
	if (!w) {
		sm_error("no device with the code '%s' waits to be let in to %s", r->operand, r->on.self.text);
		return SM_EXIT_NO;
	}
	struct sm_public device;
	enum sm_err e = sm_public_from_ed25519(&device, w->pk);
	return e == SM_OK ? sm_own_append(next, d->next, &device) : sm_fail(e, "cannot use the key of the device that waits");
}

int sm_devices_approve(struct sm_devices_run *r) { return change(r, approve); }

/* --- refuse --- */

int sm_devices_refuse(struct sm_devices_run *r)
{
	enum sm_err e = sm_net_devices_refuse(&r->on.client);
	return e == SM_OK ? SM_EXIT_OK : sm_net_say(&r->on.client, e);
}

/* --- remove --- */

static uint32_t number_of(const struct sm_devices_run *r)
{
	return (uint32_t)sm_opt_number(&r->o->opts, "the device's number", r->operand, 1, UINT32_MAX);
}

static int take_out(struct sm_device_list *next, struct sm_devices_run *r, const struct sm_own_devices *d)
{
	uint32_t number = number_of(r);
	const struct sm_listed_device *gone = sm_device_list_number(next, number);
	if (!gone) {
		sm_error("%s has no device %u: 'smaccount devices' shows them", r->on.self.text, number);
		return SM_EXIT_NOINPUT;
	}
	if (next->n == 1) {
		sm_error("device %u is the last of %s, and stays", number, r->on.self.text);
		return SM_EXIT_REFUSED;
	}
	if (number == r->on.client.session->device && !r->o->yes) {
		sm_error("device %u is this device: --yes removes it all the same", number);
		return SM_EXIT_REFUSED;
	}
	r->user_gone = sm_equal(gone->pk, d->user, SM_PK_LEN);
	size_t at = (size_t)(gone - next->device);
	next->n--;
	memmove(&next->device[at], &next->device[at + 1], (next->n - at) * sizeof(next->device[0]));
	return SM_EXIT_OK;
}

int sm_devices_remove(struct sm_devices_run *r)
{
	uint32_t number = number_of(r), self = r->on.client.session->device;
	int code = change(r, take_out);
	if (code == SM_EXIT_OK && r->user_gone)
		sm_warning("device %u held the user key: from now on devices are changed with the recovery code alone", number);
	if (code == SM_EXIT_OK && number == self && sm_session_remove(r->o->common.profile) != SM_OK)
		sm_note("the session file stays, but it is of no use");
	return code;
}
