/* Inside base64.c: one width for all machines, apart from the one the public functions pick, so that tests compare both.
 * Contracts as in base/base64.h. */
#ifndef SM_BASE_BASE64_IMPL_H
#define SM_BASE_BASE64_IMPL_H

#include "base/base64.h"

size_t sm_base64_encode_portable(char *out, const uint8_t *in, size_t n, bool padded);
SM_CHECKED enum sm_err sm_base64_decode_portable(uint8_t *out, size_t *outlen, const char *in, size_t n, bool padded);
/* Whether the public functions use the wide code on this machine. */
bool sm_base64_is_wide(void);

#endif
