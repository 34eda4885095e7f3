/* What the tests of lib/session share: two devices with prekeys, and the public keys that nobody may take. */
#ifndef SESSION_H
#define SESSION_H

#include "crypto/x25519.h"
#include "session/pair.h"

#include <stdlib.h>
#include <string.h>

#define MUST(e)                                                                                                                            \
	do {                                                                                                                               \
		if (e)                                                                                                                     \
			abort();                                                                                                           \
	} while (0)
#define NOW 1790000000
#define GROUP "abcdefghijklmnopqrstuvwxya"

struct device {
	struct sm_identity id;
	struct sm_end end;
	uint8_t spk_sk[32], opk_sk[32];
	struct sm_bundle bundle;
};

__attribute__((unused)) static void device_init(struct device *d, const char *address, uint32_t number, const struct sm_rand *rand)
{
	memset(d, 0, sizeof *d);
	MUST(sm_identity_generate(&d->id, rand) || sm_address_parse(&d->end.address, address, strlen(address)));
	memcpy(d->end.pk, d->id.pub.ed25519, sizeof d->end.pk);
	d->end.device = number;
	sm_rand_fill(rand, d->spk_sk, 32);
	sm_rand_fill(rand, d->opk_sk, 32);
	d->bundle = (struct sm_bundle){.end = d->end, .spk = {.id = 7, .created = NOW}, .has_opk = true, .opk_id = 41};
	sm_x25519_pk(d->bundle.spk.key, d->spk_sk);
	sm_x25519_pk(d->bundle.opk, d->opk_sk);
	MUST(sm_signed_prekey_sign(&d->bundle.spk, number, &d->id));
}

__attribute__((unused)) static void device_release(struct device *d) { sm_identity_release(&d->id); }

/* Little-endian u: the first five are all the canonical points of small order (X25519 gives zeros), the rest have another spelling. */
#define SMALL_ORDER 5
#define BAD_POINTS 10
static const uint8_t bad_point[BAD_POINTS][32] __attribute__((unused)) = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
         0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
         0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
#define FF8 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define FROM(low, high)                                                                                                                    \
	{                                                                                                                                  \
		low, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, FF8, FF8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, high                    \
	}
        FROM(0xec, 0x7f), /* p - 1 */
        FROM(0xed, 0x7f), /* p, which is 0 */
        FROM(0xee, 0x7f), /* 1 */
        FROM(0xf6, 0x7f), /* 9, the base point */
        FROM(0xff, 0x7f),
        {9, [31] = 0x80}, /* the base point with the high bit */
};

#endif
