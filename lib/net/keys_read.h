/* Inside lib/net: users, lists and devices as they stand in answers, held against themselves. */
#ifndef SM_NET_KEYS_READ_H
#define SM_NET_KEYS_READ_H

#include "net/keys.h"

#include <jansson.h>

/* The member "list" of o: verified, for this address and under this key. null, or nothing: implied, with text "". */
bool sm_read_list(struct sm_device_list *l, char text[static SM_DEVICES_TEXT_MAX + 1], const json_t *o, const struct sm_address *who,
                  const uint8_t user[static SM_PK_LEN]);
/* The member called name: an identity of the default suite, all that a server has. */
bool sm_read_identity(struct sm_public *pub, const json_t *o, const char *name);
/* "address", "identity" and "list" of o. */
bool sm_read_user(struct sm_user_key *k, const json_t *o, const struct sm_address *who);
/* A number within 1 .. 2^32 - 1. */
bool sm_read_u32(const json_t *o, const char *name, uint32_t *out);

#endif
