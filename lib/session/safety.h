/* Safety numbers (Signal's "numeric fingerprint", version 0): 60 digits that two people compare, made of both user keys and addresses.
 *   half(address, pk) = 30 digits of H5200, where H0 = 00 00 | 05 | pk | address, Hi = SHA-512(H(i-1) | 05 | pk): 5,200 rounds;
 *   six times 5 bytes as a big-endian number mod 100000
 * The number is the smaller half, then the larger, as strings. pk of an identity that is not Ed25519 is its fingerprint. */
#ifndef SM_SESSION_SAFETY_H
#define SM_SESSION_SAFETY_H

#include "wire/address.h"
#include "wire/identity.h"

#define SM_SAFETY_DIGITS 60
/* The 32 bytes that stand for an identity. */
const uint8_t *sm_safety_key(const struct sm_public *pub);
void sm_safety_number(char out[static SM_SAFETY_DIGITS + 1], const struct sm_address *a, const uint8_t pk_a[static SM_PK_LEN],
                      const struct sm_address *b, const uint8_t pk_b[static SM_PK_LEN]);
/* In groups of five, twelve of them, with single spaces. */
#define SM_SAFETY_TEXT 71
void sm_safety_format(char out[static SM_SAFETY_TEXT + 1], const char *digits);

#endif
