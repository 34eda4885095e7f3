/* Base64 (RFC 4648 section 4 alphabet), strict both ways: canonical trailing bits, no white space, padding exactly as
 * asked. Also RFC 4648 base32 in lower case without padding, for ids, and lower-case hex. Not for long-term secrets:
 * timing depends on nothing but length for the base64 coder. */
#ifndef SM_BASE_BASE64_H
#define SM_BASE_BASE64_H

#include "base/buf.h"

#define SM_BASE64_LEN(n) (((n)*4 + 2) / 3)          /* unpadded characters for n bytes */
#define SM_BASE64_PADDED_LEN(n) (((n) + 2) / 3 * 4) /* padded characters for n bytes */

/* out has room for SM_BASE64_PADDED_LEN(n) (padded) or SM_BASE64_LEN(n) characters; no terminator. Returns the count. */
size_t sm_base64_encode(char *out, const uint8_t *in, size_t n, bool padded);
/* out has room for n/4*3+3 bytes. SM_ERR_FORMAT for anything that does not re-encode to the same characters. */
SM_CHECKED enum sm_err sm_base64_decode(uint8_t *out, size_t *outlen, const char *in, size_t n, bool padded);
/* Unpadded, into and out of buffers. */
SM_CHECKED enum sm_err sm_buf_add_base64(struct sm_buf *b, const uint8_t *in, size_t n);
SM_CHECKED enum sm_err sm_buf_add_decoded64(struct sm_buf *b, const char *in, size_t n);

/* 16 bytes <-> 26 characters a-z2-7; the last two bits must be zero. */
void sm_base32_id(char out[static 27], const uint8_t in[static 16]);
SM_CHECKED enum sm_err sm_base32_id_parse(uint8_t out[static 16], const char *in, size_t n);

/* out gets 2n characters and a terminator. */
void sm_hex(char *out, const uint8_t *in, size_t n);
/* Exactly 2*n lower-case digits in, n bytes out. */
SM_CHECKED enum sm_err sm_hex_parse(uint8_t *out, size_t n, const char *in, size_t inlen);

#endif
