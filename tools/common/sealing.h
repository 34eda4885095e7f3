/* From content to envelopes in the outbox, under sessions (sm-sessions(7)). Everything between sm_db_begin and sm_db_commit is here, and no
 * network: what is needed of other devices (bundles) has been fetched before (net_sessions.h). */
#ifndef SM_COMMON_SEALING_H
#define SM_COMMON_SEALING_H

#include "common/self.h"
#include "session/senderkey.h"
#include "store/outbox.h"
#include "store/sessions.h"
#include "stream/seal.h"

/* A device that an envelope is for. */
struct sm_target {
	struct sm_party party;
	struct sm_listed_device device;
	bool hpke; /* this very device, when one writes to oneself: there is no session with oneself */
};
struct sm_targets {
	struct sm_target *v; /* owned */
	size_t n, cap;
};
/* All devices of the list; own devices but not `self` itself, unless to_self. One that is there already is not added again. SM_ERR_LIMIT
 * over SM_TO_MAX. */
SM_CHECKED enum sm_err sm_targets_add(struct sm_targets *t, const struct sm_device_list *l, const struct sm_self *self, bool to_self);
/* One device, whatever there are already: for a group, whose envelope names none. */
SM_CHECKED enum sm_err sm_targets_add_one(struct sm_targets *t, const struct sm_address *address, const struct sm_listed_device *d);
void sm_targets_release(struct sm_targets *t);

struct sm_sealing {
	const struct sm_self *self;
	struct sm_db *db;
	const struct sm_targets *to;       /* or a group: */
	const struct sm_group_line *group; /* with */
	struct sm_sender_chain *chain;     /* this device's own; stepped, stored by sm_sealing_make */
	const struct sm_bundle *bundle;    /* checked, for devices that have no session yet; used where there is none still */
	size_t nbundle;
	/* the content */
	struct sm_fields fields;
	struct sm_span content;
	const struct sm_seal_attachment *attach; /* their sources are memory (sm_source_mem) and are left as they are */
	size_t nattach;
	bool no_signature;
	int64_t now;
	const struct sm_rand *rand;
};
/* Seals one envelope and adds it to the outbox, inside the caller's transaction; row: key, part, parent, query and meta.digest set; the
 * rest is filled in, but for n. After an error everything is to be rolled back. The content is left as it is: it can be sealed again.
 * SM_ERR_NOTFOUND: a device has neither session nor bundle (*missing, may be NULL, is its index in to). SM_ERR_SIGNATURE: its bundle
 * has a key of low order, which is no device's. SM_ERR_EXISTS: the key is in the outbox already. */
SM_CHECKED enum sm_err sm_sealing_make(struct sm_outbox_row *row, struct sm_sealing *s, size_t *missing);
/* What tells a repetition from another message under the same key: SHA-256 over recipients' addresses in any order (or the group), fields,
 * attachments and content. Not over keys or devices, which may change between tries. */
SM_CHECKED enum sm_err sm_sealing_digest(uint8_t out[static 32], const struct sm_sealing *s, const char *const *address, size_t n);

#endif
