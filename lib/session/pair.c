/* A session as stanzas: X3DH and the ratchet put together. */
#include "session/pair.h"

#include "base/secret.h"
#include "crypto/x25519.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define BODY (SM_FILE_KEY + SM_RATCHET_OVERHEAD)
enum { INITIATOR = 1, REPLIED = 2, HAS_OPK = 4 };

static enum sm_err set_ad(struct sm_pair *p, const struct sm_end *a, const struct sm_end *b)
{
	struct sm_buf ad;
	enum sm_err e;

	sm_buf_init(&ad, sizeof p->ad);
	if (!(e = sm_x3dh_ad(&ad, a, b))) {
		memcpy(p->ad, ad.data, ad.len);
		p->adlen = ad.len;
	}
	sm_buf_release(&ad);
	return e;
}

enum sm_err sm_pair_start(struct sm_pair *p, const struct sm_identity *self, const struct sm_end *self_end, const struct sm_bundle *to,
                          const struct sm_rand *rand)
{
	struct sm_pair made = {.initiator = true, .spk = to->spk.id, .has_opk = to->has_opk, .opk = to->has_opk ? to->opk_id : 0};
	uint8_t sk[32];
	enum sm_err e;

	memcpy(made.peer, to->end.pk, sizeof made.peer);
	if ((e = set_ad(&made, self_end, &to->end)) || (e = sm_x3dh_initiate(sk, made.eka, self, to, rand)) ||
	    (e = sm_ratchet_initiator(&made.ratchet, sk, to->spk.key, rand)))
		goto out;
	*p = made;
out:
	sm_wipe(sk, sizeof sk);
	sm_wipe(&made, sizeof made);
	return e;
}

enum sm_err sm_pair_accept(struct sm_pair *p, const struct sm_identity *self, const struct sm_end *self_end, const struct sm_end *from,
                           const struct sm_stanza *s, const uint8_t spk_sk[static 32], const uint8_t *opk_sk)
{
	struct sm_pair made = {0};
	uint8_t sk[32], spk[32];
	enum sm_err e;

	if (s->type != SM_STANZA_RATCHET || !s->ratchet.x3dh || s->ratchet.has_opk != (opk_sk != NULL))
		return SM_ERR_STANZA;
	made.spk = s->ratchet.spk;
	made.has_opk = s->ratchet.has_opk;
	made.opk = made.has_opk ? s->ratchet.opk : 0;
	memcpy(made.peer, from->pk, sizeof made.peer);
	memcpy(made.eka, s->ratchet.eka, sizeof made.eka);
	if ((e = set_ad(&made, from, self_end)) || (e = sm_x3dh_respond(sk, self, spk_sk, opk_sk, from->pk, made.eka))) {
		e = e == SM_ERR_FORMAT ? SM_ERR_STANZA : e;
		goto out;
	}
	sm_x25519_pk(spk, spk_sk);
	sm_ratchet_responder(&made.ratchet, sk, spk_sk, spk);
	*p = made;
out:
	sm_wipe(sk, sizeof sk);
	sm_wipe(&made, sizeof made);
	return e;
}

enum sm_err sm_pair_seal(struct sm_pair *p, struct sm_stanza *s, uint32_t device, const uint8_t file_key[static SM_FILE_KEY],
                         const struct sm_rand *rand)
{
	struct sm_stanza made = {.type = SM_STANZA_RATCHET, .ratchet = {.device = device}, .bodylen = BODY};
	enum sm_err e;

	if (p->initiator && !p->replied) {
		made.ratchet.x3dh = true;
		memcpy(made.ratchet.eka, p->eka, sizeof p->eka);
		made.ratchet.spk = p->spk;
		made.ratchet.has_opk = p->has_opk;
		made.ratchet.opk = p->opk;
	}
	if (!(made.body = malloc(BODY)))
		return SM_ERR_NOMEM;
	if ((e = sm_ratchet_seal(&p->ratchet, made.ratchet.header, made.body, file_key, SM_FILE_KEY, p->ad, p->adlen, rand))) {
		free(made.body);
		return e;
	}
	*s = made;
	return SM_OK;
}

/* The x3dh part repeats until the initiator has heard from the responder: what it says must be what the session began with. */
static bool belongs(const struct sm_pair *p, const struct sm_stanza *s)
{
	if (s->type != SM_STANZA_RATCHET || s->bodylen != BODY)
		return false;
	if (!s->ratchet.x3dh)
		return true;
	return !p->initiator && !memcmp(s->ratchet.eka, p->eka, sizeof p->eka) && s->ratchet.spk == p->spk &&
	       s->ratchet.has_opk == p->has_opk && (!p->has_opk || s->ratchet.opk == p->opk);
}

enum sm_err sm_pair_open(struct sm_pair *p, uint8_t file_key[static SM_FILE_KEY], const struct sm_stanza *s, int64_t now,
                         const struct sm_rand *rand)
{
	uint8_t key[SM_FILE_KEY];
	enum sm_err e;

	if (!belongs(p, s))
		return SM_ERR_STANZA;
	if (!(e = sm_ratchet_open(&p->ratchet, &p->skipped, key, s->ratchet.header, s->body, s->bodylen, p->ad, p->adlen, now, rand))) {
		memcpy(file_key, key, sizeof key);
		p->replied = true;
	}
	sm_wipe(key, sizeof key);
	return e;
}

enum sm_err sm_pair_pack(struct sm_buf *b, const struct sm_pair *p)
{
	uint8_t flags = (uint8_t)((p->initiator ? INITIATOR : 0) | (p->replied ? REPLIED : 0) | (p->has_opk ? HAS_OPK : 0)), *at;
	enum sm_err e = sm_buf_reserve(b, SM_PAIR_PACKED_MAX, &at);

	if (e)
		return e;
	*at++ = VERSION;
	*at++ = flags;
	memcpy(at, p->peer, 32);
	memcpy(at + 32, p->eka, 32);
	sm_put_be32(at + 64, p->spk);
	sm_put_be32(at + 68, p->opk);
	sm_put_be16(at + 72, (uint16_t)p->adlen);
	memcpy(at + 74, p->ad, p->adlen);
	sm_ratchet_pack(at + 74 + p->adlen, &p->ratchet);
	b->len += SM_PAIR_PACKED(p->adlen);
	return SM_OK;
}

enum sm_err sm_pair_unpack(struct sm_pair *p, const uint8_t *in, size_t n)
{
	struct sm_pair got = {0};
	enum sm_err e;

	if (n < SM_PAIR_PACKED(0) || in[0] != VERSION || (in[1] & ~(INITIATOR | REPLIED | HAS_OPK)))
		return SM_ERR_FORMAT;
	got.initiator = in[1] & INITIATOR;
	got.replied = in[1] & REPLIED;
	got.has_opk = in[1] & HAS_OPK;
	in += 2;
	memcpy(got.peer, in, 32);
	memcpy(got.eka, in + 32, 32);
	got.spk = sm_get_be32(in + 64);
	got.opk = sm_get_be32(in + 68);
	got.adlen = sm_get_be16(in + 72);
	if (got.adlen > sizeof got.ad || n != SM_PAIR_PACKED(got.adlen))
		return SM_ERR_FORMAT;
	memcpy(got.ad, in + 74, got.adlen);
	if (!(e = sm_ratchet_unpack(&got.ratchet, in + 74 + got.adlen)))
		*p = got;
	sm_wipe(&got, sizeof got);
	return e;
}

void sm_pair_release(struct sm_pair *p)
{
	if (!p)
		return;
	sm_skipped_release(&p->skipped);
	sm_wipe(p, sizeof *p);
}
