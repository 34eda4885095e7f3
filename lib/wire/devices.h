/* The signed list of an account's devices (sm-sessions(7), "Device lists"): canonical text, at most SM_DEVICES_TEXT_MAX bytes:
 *
 *   sm-devices/1 ADDRESS
 *   user sm1...                     the account's user key, which signs
 *   version N                       from 1, grows by one with every change
 *   date DATE
 *   device NUMBER sm1...            1 to 16 of these, numbers growing, no key twice
 *   ---
 *   SIGNATURE                       86 characters of unpadded base64, LF
 *
 * The signature is Ed25519 over "SM-devices-v1\0" | SHA-256 of the text through "---\n". An account without a list has exactly one
 * device, number 1, whose key is the user key: struct with version 0. Parser and check only; devices_sign.c signs (smserver links the
 * first).
 */
#ifndef SM_WIRE_DEVICES_H
#define SM_WIRE_DEVICES_H

#include "wire/address.h"
#include "wire/identity.h"

#define SM_DEVICES_LABEL "SM-devices-v1"
#define SM_DEVICES_LIST_MAX 16
#define SM_DEVICES_TEXT_MAX 4096

struct sm_listed_device {
	uint32_t number;
	uint8_t pk[SM_PK_LEN], fp[SM_FP_LEN];
};
struct sm_device_list {
	struct sm_address address;
	uint8_t user[SM_PK_LEN];
	uint64_t version; /* 0: implied, there is no text */
	int64_t date;
	size_t n;
	struct sm_listed_device device[SM_DEVICES_LIST_MAX];
};

/* Parses and verifies the signature under the key that the text names; whether that is the right key is the caller's question.
 * SM_ERR_FORMAT, SM_ERR_SIGNATURE. */
SM_CHECKED enum sm_err sm_device_list_parse(struct sm_device_list *l, const char *text, size_t n);
/* The list of an account that has none. */
void sm_device_list_implied(struct sm_device_list *l, const struct sm_address *address, const uint8_t user[static SM_PK_LEN]);
/* May next replace known (version 0 or older)? Same address and user key, and a higher version, or the same version and content; a number
 * that is in both names the same key. SM_ERR_POLICY: a rollback or a fork. */
SM_CHECKED enum sm_err sm_device_list_follows(const struct sm_device_list *known, const struct sm_device_list *next);
/* NULL when it is none of them. */
const struct sm_listed_device *sm_device_list_find(const struct sm_device_list *l, const uint8_t fp[static SM_FP_LEN]);
const struct sm_listed_device *sm_device_list_number(const struct sm_device_list *l, uint32_t number);
/* Appends the signed text; user is the identity whose key l->user is (else SM_ERR_POLICY). SM_ERR_FORMAT when it would not be read back.
 * devices_sign.c. */
SM_CHECKED enum sm_err sm_device_list_sign(struct sm_buf *b, const struct sm_device_list *l, const struct sm_identity *user);
/* The short code by which a person tells a waiting device's key from another (80 bits, 16 characters in four groups with `-` between):
 * base32, as ids have it, of the first 10 bytes of SHA-256("SM-enroll-v1\0" | lp(address) | pk). */
#define SM_ENROLL_CODE_LEN 19
void sm_enroll_code(char out[static SM_ENROLL_CODE_LEN + 1], const struct sm_address *address, const uint8_t pk[static SM_PK_LEN]);

#endif
