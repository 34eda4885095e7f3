/* X3DH: what is signed, what is agreed on, and what both ends bind it to. */
#include "session/x3dh.h"

#include "base/secret.h"
#include "crypto/kdf.h"
#include "crypto/x25519.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400
#define DH_MAX 4

static const char spk_label[] = "SM-spk-v1", info[] = "SM-X3DH-v1"; /* the label's 0 byte belongs to it */
#define SPK_SIGNED (sizeof spk_label + 4 + 4 + 8 + 1 + 32)
enum { KEY_ED25519 = 1, KEY_X25519 = 2 };

static void signed_bytes(uint8_t out[static SPK_SIGNED], const struct sm_signed_prekey *p, uint32_t device)
{
	uint8_t *at = out + sizeof spk_label;

	memcpy(out, spk_label, sizeof spk_label);
	sm_put_be32(at, device);
	sm_put_be32(at + 4, p->id);
	sm_put_be64(at + 8, (uint64_t)p->created);
	at[16] = KEY_X25519;
	memcpy(at + 17, p->key, 32);
}

enum sm_err sm_signed_prekey_sign(struct sm_signed_prekey *p, uint32_t device, const struct sm_identity *id)
{
	uint8_t m[SPK_SIGNED];

	if (id->pub.suite != &sm_suite_x25519)
		return SM_ERR_SUITE;
	signed_bytes(m, p, device);
	return sm_sign(p->sig, m, sizeof m, id->secret.data);
}

enum sm_err sm_bundle_check(const struct sm_bundle *b, int64_t now)
{
	uint8_t m[SPK_SIGNED];
	enum sm_err e;

	if ((e = sm_pk_check(b->end.pk)) || (e = sm_x25519_check(b->spk.key)) || (b->has_opk && (e = sm_x25519_check(b->opk))))
		return e;
	signed_bytes(m, &b->spk, b->end.device);
	if ((e = sm_verify(b->spk.sig, m, sizeof m, b->end.pk)))
		return e;
	if (b->spk.created < now - (int64_t)SM_SPK_DAYS_MAX * DAY || b->spk.created > now + SM_SPK_AHEAD)
		return SM_ERR_POLICY;
	return SM_OK;
}

static enum sm_err add_name(struct sm_buf *b, const struct sm_end *end)
{
	char text[SM_ADDRESS_MAX + 12];
	int n = snprintf(text, sizeof text, "%s/%u", end->address.text, (unsigned)end->device);
	enum sm_err e;

	/* without these two an end has no name, and two sessions might have one AD */
	if (!end->address.text[0] || !end->device)
		return SM_ERR_FORMAT;
	return (e = sm_buf_add_be16(b, (uint16_t)n)) ? e : sm_buf_add(b, text, (size_t)n);
}

static enum sm_err add_key(struct sm_buf *b, const uint8_t pk[static SM_PK_LEN])
{
	enum sm_err e = sm_buf_add_u8(b, KEY_ED25519);
	return e ? e : sm_buf_add(b, pk, SM_PK_LEN);
}

enum sm_err sm_x3dh_ad(struct sm_buf *ad, const struct sm_end *a, const struct sm_end *b)
{
	size_t start = ad->len;
	enum sm_err e;

	if ((e = add_key(ad, a->pk)) || (e = add_key(ad, b->pk)) || (e = add_name(ad, a)) || (e = add_name(ad, b)))
		ad->len = start;
	return e;
}

/* dh: n of them, one behind the other. */
static enum sm_err derive(uint8_t sk[static 32], uint8_t dh[static DH_MAX][32], size_t n)
{
	static const uint8_t salt[32];
	uint8_t ikm[32 + DH_MAX * 32];
	enum sm_err e;

	memset(ikm, 0xff, 32);
	memcpy(ikm + 32, dh, n * 32);
	e = sm_hkdf_sha256(sk, 32, salt, sizeof salt, ikm, 32 + n * 32, info, sizeof info - 1);
	sm_wipe(ikm, sizeof ikm);
	return e;
}

enum sm_err sm_x3dh_initiate(uint8_t sk[static 32], uint8_t eka[static 32], const struct sm_identity *self, const struct sm_bundle *to,
                             const struct sm_rand *rand)
{
	uint8_t ika_sk[32], eka_sk[32], ikb[32], dh[DH_MAX][32];
	enum sm_err e;

	if (self->pub.suite != &sm_suite_x25519)
		return SM_ERR_SUITE;
	sm_seed_to_x25519(ika_sk, self->secret.data);
	sm_rand_fill(rand, eka_sk, sizeof eka_sk);
	if ((e = sm_x25519_check(to->spk.key)) || (to->has_opk && (e = sm_x25519_check(to->opk))) || (e = sm_pk_to_x25519(ikb, to->end.pk)))
		goto out;
	if ((e = sm_x25519(dh[0], ika_sk, to->spk.key)) || (e = sm_x25519(dh[1], eka_sk, ikb)) ||
	    (e = sm_x25519(dh[2], eka_sk, to->spk.key)) || (to->has_opk && (e = sm_x25519(dh[3], eka_sk, to->opk))) ||
	    (e = derive(sk, dh, to->has_opk ? 4 : 3)))
		goto out;
	sm_x25519_pk(eka, eka_sk);
out:
	sm_wipe(ika_sk, sizeof ika_sk);
	sm_wipe(eka_sk, sizeof eka_sk);
	sm_wipe(dh, sizeof dh);
	return e;
}

enum sm_err sm_x3dh_respond(uint8_t sk[static 32], const struct sm_identity *self, const uint8_t spk_sk[static 32], const uint8_t *opk_sk,
                            const uint8_t ika[static SM_PK_LEN], const uint8_t eka[static 32])
{
	uint8_t ikb_sk[32], a[32], dh[DH_MAX][32];
	enum sm_err e;

	if (self->pub.suite != &sm_suite_x25519)
		return SM_ERR_SUITE;
	sm_seed_to_x25519(ikb_sk, self->secret.data);
	if ((e = sm_x25519_check(eka)) || (e = sm_pk_to_x25519(a, ika)))
		goto out;
	if ((e = sm_x25519(dh[0], spk_sk, a)) || (e = sm_x25519(dh[1], ikb_sk, eka)) || (e = sm_x25519(dh[2], spk_sk, eka)) ||
	    (opk_sk && (e = sm_x25519(dh[3], opk_sk, eka))))
		goto out;
	e = derive(sk, dh, opk_sk ? 4 : 3);
out:
	sm_wipe(ikb_sk, sizeof ikb_sk);
	sm_wipe(dh, sizeof dh);
	return e;
}
