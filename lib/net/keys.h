/* Keys, devices and prekeys over the API (sm-protocol(7), "Keys", "Devices"). What comes back is parsed and held against itself; whether a
 * key is the right one (pins) is the caller's question. */
#ifndef SM_NET_KEYS_H
#define SM_NET_KEYS_H

#include "net/client.h"
#include "session/x3dh.h"
#include "wire/devices.h"

/* What the server says of an account: its user key, and its device list as signed (version 0 without text: implied). */
struct sm_user_key {
	char address[SM_ADDRESS_MAX + 1];
	struct sm_public pub;               /* the user key */
	struct sm_device_list list;         /* verified under that key; SM_ERR_PROTOCOL otherwise */
	char text[SM_DEVICES_TEXT_MAX + 1]; /* "" when implied */
};
/* SM_ERR_NOTFOUND; SM_ERR_PROTOCOL also when the answer is about another address. */
SM_CHECKED enum sm_err sm_net_user_key(struct sm_user_key *k, struct sm_client *c, const struct sm_address *who);

/* Bundles of the devices named; fn gets each as it is parsed (address, device number and identity key set, not yet checked). Devices
 * without a signed prekey, or not there any more, are left out. */
struct sm_want {
	struct sm_address address;
	uint32_t device[SM_DEVICES_LIST_MAX];
	size_t n;
};
SM_CHECKED enum sm_err sm_net_bundles(struct sm_client *c, const struct sm_want *want, size_t n,
                                      enum sm_err (*fn)(void *ctx, const struct sm_bundle *b), void *ctx);

struct sm_prekey_count {
	bool has_signed;
	uint32_t signed_id;
	int64_t signed_created;
	int64_t one_time, highest; /* highest id ever taken, -1 for none */
};
SM_CHECKED enum sm_err sm_net_prekey_count(struct sm_prekey_count *n, struct sm_client *c);
SM_CHECKED enum sm_err sm_net_signed_prekey_put(struct sm_client *c, const struct sm_signed_prekey *p);
/* id[i], pk[i] for i < n <= 100. */
SM_CHECKED enum sm_err sm_net_prekeys_put(struct sm_client *c, const uint32_t *id, const uint8_t (*pk)[32], size_t n);

struct sm_device_info {
	uint32_t number; /* 0: waiting */
	uint8_t pk[SM_PK_LEN], fp[SM_FP_LEN];
	char label[65];
	int64_t created, expires;
	bool current;
};
struct sm_own_devices {
	uint8_t user[SM_PK_LEN];
	struct sm_device_list list;
	char text[SM_DEVICES_TEXT_MAX + 1];
	uint32_t next;
	size_t n; /* devices, then waiting ones */
	struct sm_device_info device[SM_DEVICES_LIST_MAX + 8];
};
SM_CHECKED enum sm_err sm_net_devices(struct sm_own_devices *d, struct sm_client *c, const struct sm_address *self);
/* text: a signed list. SM_ERR_CONFLICT: c->error says whether stale_list or not_waiting. */
SM_CHECKED enum sm_err sm_net_devices_put(struct sm_client *c, const char *text);
SM_CHECKED enum sm_err sm_net_devices_refuse(struct sm_client *c); /* forgets those that wait */

#endif
