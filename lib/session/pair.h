/* One session between two devices: X3DH's first message, then the ratchet, as `ratchet` stanzas (sm-sessions(7), "Stanzas"). Pure.
 * The state holds keys: sm_pair_release wipes it. */
#ifndef SM_SESSION_PAIR_H
#define SM_SESSION_PAIR_H

#include "session/ratchet.h"
#include "session/x3dh.h"
#include "wire/wrap.h"

#define SM_PAIR_MAX 5 /* sessions kept for a pair of devices; the one that was least recently received on goes first */

struct sm_pair {
	uint8_t peer[SM_PK_LEN]; /* the other device's Ed25519 key */
	uint8_t eka[32];         /* names the session: the initiator's ephemeral key */
	bool initiator;
	bool replied;      /* something has come over it: the x3dh part is left out from now on */
	uint32_t spk, opk; /* the responder's prekeys that it began with */
	bool has_opk;
	uint8_t ad[SM_X3DH_AD_MAX];
	size_t adlen;
	struct sm_ratchet ratchet;
	struct sm_skipped_list skipped;
};

/* A new session to a bundle that has been checked. self_end is this device's end. p needs release on SM_OK. */
SM_CHECKED enum sm_err sm_pair_start(struct sm_pair *p, const struct sm_identity *self, const struct sm_end *self_end,
                                     const struct sm_bundle *to, const struct sm_rand *rand);
/* From a first message's stanza (s->ratchet.x3dh is true), with the private halves of the prekeys that it names (opk_sk NULL when it names
 * none). Opens nothing yet: sm_pair_open comes next, and only when it succeeds is the session to be kept and the one-time prekey dropped.
 * SM_ERR_STANZA when it cannot become one. p needs release on SM_OK. */
SM_CHECKED enum sm_err sm_pair_accept(struct sm_pair *p, const struct sm_identity *self, const struct sm_end *self_end,
                                      const struct sm_end *from, const struct sm_stanza *s, const uint8_t spk_sk[static 32],
                                      const uint8_t *opk_sk);
/* The file key as a stanza: type, device (the peer's number), arguments and body (malloc'd, owned by the header that s stands in). */
SM_CHECKED enum sm_err sm_pair_seal(struct sm_pair *p, struct sm_stanza *s, uint32_t device, const uint8_t file_key[static SM_FILE_KEY],
                                    const struct sm_rand *rand);
/* SM_ERR_STANZA, p unchanged. */
SM_CHECKED enum sm_err sm_pair_open(struct sm_pair *p, uint8_t file_key[static SM_FILE_KEY], const struct sm_stanza *s, int64_t now,
                                    const struct sm_rand *rand);
/* Bytes of a packed pair: version 1 | flags | peer | eka | be32 spk | be32 opk | be16 length of AD | AD | ratchet. */
#define SM_PAIR_PACKED(adlen) (2 + 32 + 32 + 4 + 4 + 2 + (size_t)(adlen) + SM_RATCHET_PACKED)
#define SM_PAIR_PACKED_MAX SM_PAIR_PACKED(SM_X3DH_AD_MAX)
/* All but the skipped keys, which are kept apart because they may be large (sm_skipped_pack). Appends. */
SM_CHECKED enum sm_err sm_pair_pack(struct sm_buf *b, const struct sm_pair *p);
/* SM_ERR_FORMAT; skipped is left empty. */
SM_CHECKED enum sm_err sm_pair_unpack(struct sm_pair *p, const uint8_t *in, size_t n);
void sm_pair_release(struct sm_pair *p);

#endif
