/* Who speaks for an address: a device of the user whose key is pinned for it, by the list that this key has signed (sm-sessions(7), "Device
 * lists"); for the own address, this account's devices. What is stored here decides; no network. */
#ifndef SM_COMMON_SPEAKER_H
#define SM_COMMON_SPEAKER_H

#include "common/self.h"
#include "wire/header.h"

struct sm_speaker {
	struct sm_public pub; /* the device's key */
	uint32_t device;      /* its number; 0: a key of a suite that has no devices */
	struct sm_address address;
	enum sm_trust trust; /* the contact's; VERIFIED for this account's own */
	bool own;
	uint8_t user[SM_FP_LEN]; /* the fingerprint of the user key that it is believed under */
};

/* The last answers; zeroed, it has none. Whoever changes pins or lists, or wants to see what other processes have, zeroes it again. */
#define SM_SPEAKERS 16
struct sm_speakers {
	struct sm_known_speaker {
		struct sm_party from;
		enum sm_err e;
		bool seen;
		struct sm_speaker s;
	} v[SM_SPEAKERS];
	size_t n, next;
};

/* The speaker that from names; an address that is not given is looked for by the key. self may be NULL. SM_ERR_NOTFOUND: no pin, or none of
 * its devices. SM_ERR_CHANGED: the address is pinned to another key; *seen (may be NULL): from's is the one that was seen instead, and s is
 * set too, with trust CHANGED. */
SM_CHECKED enum sm_err sm_speaker_find(struct sm_speaker *s, bool *seen, struct sm_db *db, const struct sm_self *self,
                                       const struct sm_party *from);
/* The same, through what is known already. */
SM_CHECKED enum sm_err sm_speakers_find(struct sm_speaker *s, bool *seen, struct sm_speakers *known, struct sm_db *db,
                                        const struct sm_self *self, const struct sm_party *from);

#endif
