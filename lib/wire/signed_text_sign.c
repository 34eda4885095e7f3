/* The signature of a device list or a roster: the one function here that needs the secret key. */
#include "wire/signed_text.h"

#include "base/base64.h"
#include "crypto/hash.h"

#include <string.h>

enum sm_err sm_signed_text_sign(struct sm_buf *b, size_t start, uint8_t hash[static 32], uint8_t sig[static SM_SIG_LEN], const char *label,
                                const struct sm_identity *id)
{
	uint8_t m[SM_SIGNED_TEXT_BYTES], digest[32], made[SM_SIG_LEN];
	enum sm_err e;

	if (id->secret.len != SM_SEED_LEN || id->pub.suite != &sm_suite_x25519)
		return SM_ERR_POLICY;
	if ((e = sm_buf_adds(b, "---\n")))
		return e;
	sm_sha256(digest, b->data + start, b->len - start);
	if ((e = sm_sign(made, m, sm_signed_text_bytes(m, label, digest), id->secret.data)) ||
	    (e = sm_buf_add_base64(b, made, SM_SIG_LEN)) || (e = sm_buf_adds(b, "\n")))
		return e;
	memcpy(hash, digest, 32);
	memcpy(sig, made, SM_SIG_LEN);
	return SM_OK;
}
