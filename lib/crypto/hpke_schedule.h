/* Internal to lib/crypto: the parts of RFC 9180 that sealing and opening share (hpke.c), for the one suite of hpke.h. */
#ifndef SM_CRYPTO_HPKE_SCHEDULE_H
#define SM_CRYPTO_HPKE_SCHEDULE_H

#include "crypto/hpke.h"

/* Section 5.1. exporter is wanted by the published vectors only; the caller wipes the struct. */
struct sm_hpke_keys {
	uint8_t key[32], nonce[12], exporter[32];
};

/* ExtractAndExpand of section 4.1 and KeySchedule of 5.1 in base mode: dh is the X25519 result, pk the recipient's key. */
SM_CHECKED enum sm_err sm_hpke_schedule(struct sm_hpke_keys *k, const uint8_t dh[static 32], const uint8_t enc[static SM_HPKE_ENC],
                                        const uint8_t pk[static 32], const void *info, size_t infolen);
/* Section 5.3: Context.Export. */
SM_CHECKED enum sm_err sm_hpke_export(uint8_t *out, size_t outlen, const struct sm_hpke_keys *k, const void *context, size_t contextlen);

#endif
