/* The Double Ratchet (Perrin and Marlinspike, 2016) with the parameters of sm-sessions(7), "Ratchet". Pure: plain structs that the
 * caller wipes and stores. Sealing and opening leave everything as it was when they fail. */
#ifndef SM_SESSION_RATCHET_H
#define SM_SESSION_RATCHET_H

#include "crypto/rand.h"
#include "session/skipped.h"

#define SM_RATCHET_HEADER 40   /* pub 32 | be32 PN | be32 N */
#define SM_RATCHET_OVERHEAD 48 /* r 32 | ... | tag 16 */
#define SM_RATCHET_JUMP 1000   /* N at most so far ahead */
#define SM_RATCHET_PACKED 206  /* bytes of sm_ratchet_pack */

struct sm_ratchet {
	uint8_t rk[32], cks[32], ckr[32];
	uint8_t dhs_sk[32], dhs_pk[32], dhr[32];
	bool has_cks, has_ckr;
	uint32_t ns, nr, pn;
};

/* sk is X3DH's secret. The initiator begins with the peer's signed prekey; the responder's first ratchet key pair is its signed prekey. */
SM_CHECKED enum sm_err sm_ratchet_initiator(struct sm_ratchet *r, const uint8_t sk[static 32], const uint8_t spk[static 32],
                                            const struct sm_rand *rand);
void sm_ratchet_responder(struct sm_ratchet *r, const uint8_t sk[static 32], const uint8_t spk_sk[static 32], const uint8_t spk[static 32]);

/* out: n + SM_RATCHET_OVERHEAD bytes, r | AES-256-GCM(in, aad = ad | header). SM_ERR_POLICY: nothing can be sent before the first message
 * has come (responder); SM_ERR_LIMIT: the chain is at its end (2^32 - 2). */
SM_CHECKED enum sm_err sm_ratchet_seal(struct sm_ratchet *r, uint8_t header[static SM_RATCHET_HEADER], uint8_t *out, const void *in,
                                       size_t n, const void *ad, size_t adlen, const struct sm_rand *rand);
/* out: n - SM_RATCHET_OVERHEAD bytes, with nothing of the message on failure. SM_ERR_STANZA when it does not open: wrong key, a duplicate,
 * too far ahead, a refused public key. A PN too far ahead is no reason: the keys of what was lost on that chain are not kept, and the
 * session goes on. Drops skipped keys that are too old. */
SM_CHECKED enum sm_err sm_ratchet_open(struct sm_ratchet *r, struct sm_skipped_list *skipped, uint8_t *out,
                                       const uint8_t header[static SM_RATCHET_HEADER], const uint8_t *in, size_t n, const void *ad,
                                       size_t adlen, int64_t now, const struct sm_rand *rand);

/* version 1, flags, keys, counters. Unpack: SM_ERR_FORMAT. */
void sm_ratchet_pack(uint8_t out[static SM_RATCHET_PACKED], const struct sm_ratchet *r);
SM_CHECKED enum sm_err sm_ratchet_unpack(struct sm_ratchet *r, const uint8_t in[static SM_RATCHET_PACKED]);

#endif
