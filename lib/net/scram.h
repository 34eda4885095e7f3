/* The login's cryptography (sm-protocol(7), "Password" and "Device signature"): SCRAM's algebra (RFC 5802) over Argon2id, and the device's
 * signature. Pure: everything random comes from the caller or the server. */
#ifndef SM_NET_SCRAM_H
#define SM_NET_SCRAM_H

#include "wire/identity.h"

#define SM_KDF_T_MAX 10
#define SM_KDF_M_MIN 19456   /* KiB: weaker is refused, whoever asks for it */
#define SM_KDF_M_MAX 1048576 /* KiB */

struct sm_kdf {
	uint32_t t, m; /* passes, KiB */
};

/* What both sides have seen when the proof is made. */
struct sm_scram {
	const char *origin, *user;
	uint8_t device[SM_FP_LEN], cnonce[32], nonce[32], salt[16];
	struct sm_kdf kdf;
	int64_t expires;
};

bool sm_kdf_ok(const struct sm_kdf *k);
/* HKDF(Argon2id(password)): 32 bytes that never leave the process. SM_ERR_PROTOCOL when the parameters are out of bounds. */
SM_CHECKED enum sm_err sm_scram_auth_key(uint8_t key[static 32], const void *password, size_t n, const uint8_t salt[static 16],
                                         const struct sm_kdf *k);
/* What a server keeps of it. */
void sm_scram_verifier(uint8_t stored[static 32], uint8_t server[static 32], const uint8_t auth_key[static 32]);
/* The client's proof, and the signature that the server must answer with. */
SM_CHECKED enum sm_err sm_scram_proof(uint8_t proof[static 32], uint8_t server_signature[static 32], const struct sm_scram *s,
                                      const uint8_t auth_key[static 32]);
/* The device's signature for purpose "login", "register" or "identity". s: origin, user, device, nonce, expires. */
SM_CHECKED enum sm_err sm_scram_device_signature(uint8_t sig[static SM_SIG_LEN], const char *purpose, const struct sm_scram *s,
                                                 const struct sm_identity *id);

#endif
