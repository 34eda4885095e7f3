/* Safety numbers. Both halves are slow on purpose: whoever looks for keys whose digits are alike pays for each. */
#include "session/safety.h"

#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 5200
#define HALF (SM_SAFETY_DIGITS / 2)
#define KEY_TYPE 5

const uint8_t *sm_safety_key(const struct sm_public *pub) { return pub->suite == &sm_suite_x25519 ? pub->ed25519 : pub->fp; }

static void half(char out[static HALF + 1], const struct sm_address *address, const uint8_t pk[static SM_PK_LEN])
{
	uint8_t h[3 + SM_PK_LEN + SM_ADDRESS_MAX + 1 + SM_PK_LEN] = {0, 0, KEY_TYPE};
	size_t n = 3 + SM_PK_LEN, length = strlen(address->text);

	memcpy(h + 3, pk, SM_PK_LEN);
	memcpy(h + n, address->text, length);
	n += length;
	for (int i = 0; i < ROUNDS; i++) {
		h[n] = KEY_TYPE;
		memcpy(h + n + 1, pk, SM_PK_LEN);
		sm_sha512(h, h, n + 1 + SM_PK_LEN);
		n = 64;
	}
	for (int i = 0; i < 6; i++) {
		uint64_t v = (uint64_t)h[5 * i] << 32 | sm_get_be32(h + 5 * i + 1);
		snprintf(out + 5 * i, 6, "%05u", (unsigned)(v % 100000));
	}
}

void sm_safety_number(char out[static SM_SAFETY_DIGITS + 1], const struct sm_address *a, const uint8_t pk_a[static SM_PK_LEN],
                      const struct sm_address *b, const uint8_t pk_b[static SM_PK_LEN])
{
	char of_a[HALF + 1], of_b[HALF + 1];
	half(of_a, a, pk_a);
	half(of_b, b, pk_b);
	bool first = strcmp(of_a, of_b) <= 0;
	memcpy(out, first ? of_a : of_b, HALF);
	memcpy(out + HALF, first ? of_b : of_a, HALF + 1);
}

void sm_safety_format(char out[static SM_SAFETY_TEXT + 1], const char *digits)
{
	size_t o = 0;
	for (size_t i = 0; i < SM_SAFETY_DIGITS; i++) {
		if (i && i % 5 == 0)
			out[o++] = ' ';
		out[o++] = digits[i];
	}
	out[o] = 0;
}
