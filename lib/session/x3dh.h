/* X3DH (Marlinspike and Perrin, "The X3DH Key Agreement Protocol", 2016) with the parameters of sm-sessions(7), "X3DH": pure functions.
 * All X25519 public keys that come from elsewhere go through sm_x25519_check first (canonical, high bit clear), and an all-zero result is
 * refused: SM_ERR_FORMAT. */
#ifndef SM_SESSION_X3DH_H
#define SM_SESSION_X3DH_H

#include "crypto/rand.h"
#include "wire/address.h"
#include "wire/identity.h"

#define SM_SPK_DAYS_NEW 7  /* the owner makes a new one when the last is older */
#define SM_SPK_DAYS_MAX 30 /* senders refuse an older one; the owner forgets its private half */
#define SM_SPK_AHEAD 86400 /* seconds that `created` may be ahead of the sender's clock */
#define SM_OPK_FULL 100    /* one-time prekeys that a device keeps at the server */
#define SM_OPK_LOW 25      /* refilled when there are fewer */

/* One end of a session: a device key, and whose it is. */
struct sm_end {
	uint8_t pk[SM_PK_LEN]; /* the device's Ed25519 key */
	struct sm_address address;
	uint32_t device; /* its number in the account, from 1 */
};

/* What a device has at the server for those who want to write to it. key[] are X25519 public keys. */
struct sm_signed_prekey {
	uint32_t id;
	int64_t created; /* seconds since 1970 */
	uint8_t key[32];
	uint8_t sig[SM_SIG_LEN]; /* Ed25519 over "SM-spk-v1\0" | be32 device | be32 id | be64 created | 02 | key */
};
struct sm_bundle {
	struct sm_end end;
	struct sm_signed_prekey spk;
	bool has_opk;
	uint32_t opk_id;
	uint8_t opk[32];
};

/* Signs p->key with the device's identity: fills p->sig. */
SM_CHECKED enum sm_err sm_signed_prekey_sign(struct sm_signed_prekey *p, uint32_t device, const struct sm_identity *id);
/* SM_ERR_SIGNATURE; SM_ERR_FORMAT for a key that is refused; SM_ERR_POLICY when it is older than SM_SPK_DAYS_MAX or too far ahead. */
SM_CHECKED enum sm_err sm_bundle_check(const struct sm_bundle *b, int64_t now);

/* Appends 01 | IKa | 01 | IKb | lp16("address/device" of a) | lp16(... of b): a is the initiator. */
#define SM_X3DH_AD_MAX (66 + 2 * (2 + SM_ADDRESS_MAX + 11))
SM_CHECKED enum sm_err sm_x3dh_ad(struct sm_buf *ad, const struct sm_end *a, const struct sm_end *b);

/* The initiator, to a bundle that sm_bundle_check has passed: makes the ephemeral key and the 32-byte secret. */
SM_CHECKED enum sm_err sm_x3dh_initiate(uint8_t sk[static 32], uint8_t eka[static 32], const struct sm_identity *self,
                                        const struct sm_bundle *to, const struct sm_rand *rand);
/* The responder. opk NULL: the first message named none. */
SM_CHECKED enum sm_err sm_x3dh_respond(uint8_t sk[static 32], const struct sm_identity *self, const uint8_t spk_sk[static 32],
                                       const uint8_t *opk_sk, const uint8_t ika[static SM_PK_LEN], const uint8_t eka[static 32]);

#endif
