/* The end of a signed text and its verification: public keys only, so that smserver can link it. */
#include "wire/signed_text.h"

#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

bool sm_signed_text_end(uint8_t hash[static 32], uint8_t sig[static SM_SIG_LEN], struct sm_lines *l, const uint8_t *text)
{
	size_t n = (size_t)(l->rest.p - text);
	if (!sm_span_equals(l->line, "---") || !sm_lines_next(l) || l->rest.n || !sm_base64_exact(sig, SM_SIG_LEN, l->line))
		return false;
	sm_sha256(hash, text, n);
	return true;
}

size_t sm_signed_text_bytes(uint8_t out[static SM_SIGNED_TEXT_BYTES], const char *label, const uint8_t hash[static 32])
{
	size_t n = strlen(label) + 1;
	if (n + 32 > SM_SIGNED_TEXT_BYTES)
		abort();
	memcpy(out, label, n);
	memcpy(out + n, hash, 32);
	return n + 32;
}

enum sm_err sm_signed_text_verify(const char *label, const uint8_t hash[static 32], const uint8_t sig[static SM_SIG_LEN],
                                  const uint8_t pk[static SM_PK_LEN])
{
	uint8_t m[SM_SIGNED_TEXT_BYTES];
	return sm_verify(sig, m, sm_signed_text_bytes(m, label, hash), pk) ? SM_ERR_SIGNATURE : SM_OK;
}

bool sm_signed_text_value(struct sm_lines *l, const char *key, struct sm_span *value)
{
	struct sm_span w[2];
	if (!sm_lines_next(l) || !sm_lines_words(l, w, 2, key))
		return false;
	*value = w[1];
	return true;
}

bool sm_signed_text_key(uint8_t pk[static SM_PK_LEN], struct sm_span s)
{
	return !sm_bech32_decode(pk, SM_PK_LEN, "sm", (const char *)s.p, s.n, false);
}
