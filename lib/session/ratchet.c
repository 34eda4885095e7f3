/* The Double Ratchet. An open works on a copy of the state, and looks for skipped keys to keep only after the message has authenticated
 * itself: a forged one costs a DH and at most SM_RATCHET_JUMP chain steps, and never memory. */
#include "session/ratchet.h"

#include "base/secret.h"
#include "crypto/kdf.h"
#include "crypto/x25519.h"
#include "session/chain.h"

#include <string.h>

#define VERSION 1
#define NEVER UINT32_MAX /* as N or PN: counters must not come round */
enum { HAS_CKS = 1, HAS_CKR = 2 };

static const char root_info[] = "SM-DR-root-v1", message_info[] = "SM-DR-message-v1";

struct header {
	const uint8_t *pub;
	uint32_t pn, n;
};

static struct header parse(const uint8_t h[static SM_RATCHET_HEADER])
{
	return (struct header){h, sm_get_be32(h + 32), sm_get_be32(h + 36)};
}

/* rk becomes the next root key, ck the new chain's. */
static enum sm_err root_step(uint8_t rk[static 32], uint8_t ck[static 32], const uint8_t sk[static 32], const uint8_t pk[static 32])
{
	uint8_t dh[32], out[64];
	enum sm_err e;

	if ((e = sm_x25519(dh, sk, pk)))
		return e;
	if (!(e = sm_hkdf_sha256(out, sizeof out, rk, 32, dh, sizeof dh, root_info, sizeof root_info - 1))) {
		memcpy(rk, out, 32);
		memcpy(ck, out + 32, 32);
	}
	sm_wipe(dh, sizeof dh);
	sm_wipe(out, sizeof out);
	return e;
}

/* A fresh key pair, and the sending chain that it begins. */
static enum sm_err new_sending_chain(struct sm_ratchet *r, const struct sm_rand *rand)
{
	enum sm_err e;

	sm_rand_fill(rand, r->dhs_sk, sizeof r->dhs_sk);
	sm_x25519_pk(r->dhs_pk, r->dhs_sk);
	if ((e = root_step(r->rk, r->cks, r->dhs_sk, r->dhr)))
		return e;
	r->has_cks = true;
	r->pn = r->ns;
	r->ns = 0;
	return SM_OK;
}

enum sm_err sm_ratchet_initiator(struct sm_ratchet *r, const uint8_t sk[static 32], const uint8_t spk[static 32],
                                 const struct sm_rand *rand)
{
	struct sm_ratchet made = {0};
	enum sm_err e;

	if ((e = sm_x25519_check(spk)))
		return e;
	memcpy(made.rk, sk, 32);
	memcpy(made.dhr, spk, 32);
	if (!(e = new_sending_chain(&made, rand)))
		*r = made;
	sm_wipe(&made, sizeof made);
	return e;
}

void sm_ratchet_responder(struct sm_ratchet *r, const uint8_t sk[static 32], const uint8_t spk_sk[static 32], const uint8_t spk[static 32])
{
	*r = (struct sm_ratchet){0};
	memcpy(r->rk, sk, 32);
	memcpy(r->dhs_sk, spk_sk, 32);
	memcpy(r->dhs_pk, spk, 32);
}

enum sm_err sm_ratchet_seal(struct sm_ratchet *r, uint8_t header[static SM_RATCHET_HEADER], uint8_t *out, const void *in, size_t n,
                            const void *ad, size_t adlen, const struct sm_rand *rand)
{
	uint8_t h[SM_RATCHET_HEADER], ck[32], mk[32];
	enum sm_err e;

	if (!r->has_cks)
		return SM_ERR_POLICY;
	if (r->ns >= NEVER - 1)
		return SM_ERR_LIMIT;
	memcpy(h, r->dhs_pk, 32);
	sm_put_be32(h + 32, r->pn);
	sm_put_be32(h + 36, r->ns);
	memcpy(ck, r->cks, sizeof ck);
	sm_chain_step(ck, mk);
	if (!(e = sm_chain_seal(out, mk, message_info, in, n, (struct sm_span){ad, adlen}, (struct sm_span){h, sizeof h}, rand))) {
		memcpy(header, h, sizeof h);
		memcpy(r->cks, ck, sizeof ck);
		r->ns++;
	}
	sm_wipe(ck, sizeof ck);
	sm_wipe(mk, sizeof mk);
	return e;
}

/* Begins the peer's new receiving chain. */
static enum sm_err new_receiving_chain(struct sm_ratchet *r, const uint8_t pub[static 32])
{
	enum sm_err e;

	if ((e = sm_x25519_check(pub)) || (e = root_step(r->rk, r->ckr, r->dhs_sk, pub)))
		return e == SM_ERR_FORMAT ? SM_ERR_STANZA : e;
	memcpy(r->dhr, pub, sizeof r->dhr);
	r->has_ckr = true;
	r->nr = 0;
	return SM_OK;
}

/* The message key of the receiving chain's message n, which has not come yet; the chain goes on behind it. */
static enum sm_err forward(struct sm_ratchet *r, uint8_t mk[static 32], uint32_t n)
{
	if (n < r->nr || n - r->nr > SM_RATCHET_JUMP)
		return SM_ERR_STANZA;
	for (; r->nr <= n; r->nr++)
		sm_chain_step(r->ckr, mk);
	return SM_OK;
}

/* Messages of a receiving chain that are passed over when number n is its next. */
static uint32_t passed_over(bool has_chain, uint32_t nr, uint32_t n)
{
	return has_chain && n > nr && n - nr <= SM_RATCHET_JUMP ? n - nr : 0;
}

static void keep(struct sm_skipped_list *l, const uint8_t ckr[static 32], const uint8_t pub[static 32], uint32_t nr, uint32_t count,
                 int64_t now)
{
	uint8_t ck[32], mk[32];

	memcpy(ck, ckr, sizeof ck);
	for (uint32_t i = 0; i < count; i++) {
		sm_chain_step(ck, mk);
		sm_skipped_add(l, pub, nr + i, mk, now);
	}
	sm_wipe(ck, sizeof ck);
	sm_wipe(mk, sizeof mk);
}

/* A message whose key was skipped before. */
static enum sm_err open_skipped(struct sm_skipped_list *l, size_t i, uint8_t *out, const uint8_t *in, size_t n, struct sm_span ad,
                                struct sm_span header, int64_t now)
{
	enum sm_err e = sm_chain_open(out, l->v[i].mk, message_info, in, n, ad, header);

	if (e)
		return e;
	sm_skipped_remove(l, i);
	sm_skipped_make_room(l, 0, now);
	return SM_OK;
}

/* A message with a key that is still to come. */
static enum sm_err open_next(struct sm_ratchet *r, struct sm_skipped_list *l, uint8_t *out, const uint8_t *in, size_t n, struct sm_span ad,
                             struct sm_span header, int64_t now, const struct sm_rand *rand)
{
	struct header h = parse(header.p);
	struct sm_ratchet next = *r;
	bool turn = !r->has_ckr || memcmp(h.pub, r->dhr, sizeof r->dhr);
	uint32_t before = turn ? passed_over(r->has_ckr, r->nr, h.pn) : 0, start, between;
	uint8_t ckr[32], mk[32];
	enum sm_err e;

	if (turn && (e = new_receiving_chain(&next, h.pub)))
		goto out;
	start = next.nr;
	between = passed_over(true, start, h.n);
	memcpy(ckr, next.ckr, sizeof ckr);
	if ((e = forward(&next, mk, h.n)) || (e = sm_chain_open(out, mk, message_info, in, n, ad, header)))
		goto out;
	if ((turn && (e = new_sending_chain(&next, rand))) || (e = sm_skipped_reserve(l, before + between))) {
		sm_wipe(out, n - SM_RATCHET_OVERHEAD);
		goto out;
	}
	sm_skipped_make_room(l, before + between, now);
	keep(l, r->ckr, r->dhr, r->nr, before, now);
	keep(l, ckr, h.pub, start, between, now);
	*r = next;
out:
	sm_wipe(&next, sizeof next);
	sm_wipe(ckr, sizeof ckr);
	sm_wipe(mk, sizeof mk);
	return e;
}

enum sm_err sm_ratchet_open(struct sm_ratchet *r, struct sm_skipped_list *skipped, uint8_t *out,
                            const uint8_t header[static SM_RATCHET_HEADER], const uint8_t *in, size_t n, const void *ad, size_t adlen,
                            int64_t now, const struct sm_rand *rand)
{
	struct header h = parse(header);
	struct sm_span a = {ad, adlen}, b = {header, SM_RATCHET_HEADER};
	int i;

	if (h.pn == NEVER || h.n == NEVER)
		return SM_ERR_STANZA;
	i = sm_skipped_find(skipped, h.pub, h.n, now);
	return i < 0 ? open_next(r, skipped, out, in, n, a, b, now, rand) : open_skipped(skipped, (size_t)i, out, in, n, a, b, now);
}

void sm_ratchet_pack(uint8_t out[static SM_RATCHET_PACKED], const struct sm_ratchet *r)
{
	const uint8_t *key[] = {r->rk, r->cks, r->ckr, r->dhs_sk, r->dhs_pk, r->dhr};

	*out++ = VERSION;
	*out++ = (uint8_t)((r->has_cks ? HAS_CKS : 0) | (r->has_ckr ? HAS_CKR : 0));
	for (size_t i = 0; i < sizeof key / sizeof *key; i++, out += 32)
		memcpy(out, key[i], 32);
	sm_put_be32(out, r->ns);
	sm_put_be32(out + 4, r->nr);
	sm_put_be32(out + 8, r->pn);
}

enum sm_err sm_ratchet_unpack(struct sm_ratchet *r, const uint8_t in[static SM_RATCHET_PACKED])
{
	uint8_t *key[] = {r->rk, r->cks, r->ckr, r->dhs_sk, r->dhs_pk, r->dhr};

	if (in[0] != VERSION || (in[1] & ~(HAS_CKS | HAS_CKR)))
		return SM_ERR_FORMAT;
	r->has_cks = in[1] & HAS_CKS;
	r->has_ckr = in[1] & HAS_CKR;
	in += 2;
	for (size_t i = 0; i < sizeof key / sizeof *key; i++, in += 32)
		memcpy(key[i], in, 32);
	r->ns = sm_get_be32(in);
	r->nr = sm_get_be32(in + 4);
	r->pn = sm_get_be32(in + 8);
	return SM_OK;
}
