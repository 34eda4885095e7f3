/* What device lists and rosters have in common (sm-sessions(7), "Signed texts"): lines of canonical text, `---`, and a line with the
 * signature in unpadded base64. Hash: SHA-256 of the text through "---\n". The signature is Ed25519 over label | 0 byte | hash.
 * signed_text.c reads and verifies; signed_text_sign.c holds what needs the secret key. */
#ifndef SM_WIRE_SIGNED_TEXT_H
#define SM_WIRE_SIGNED_TEXT_H

#include "wire/identity.h"
#include "wire/lex.h"

/* The current line is `---`, the signature line follows and is the last. text: where the whole begins. */
bool sm_signed_text_end(uint8_t hash[static 32], uint8_t sig[static SM_SIG_LEN], struct sm_lines *l, const uint8_t *text);
/* SM_ERR_SIGNATURE. */
SM_CHECKED enum sm_err sm_signed_text_verify(const char *label, const uint8_t hash[static 32], const uint8_t sig[static SM_SIG_LEN],
                                             const uint8_t pk[static SM_PK_LEN]);
/* The words `KEY VALUE` of the next line. */
bool sm_signed_text_value(struct sm_lines *l, const char *key, struct sm_span *value);
/* A public key in the default suite as canonical text; whether it is a good point is not looked at (sm_pk_check). */
bool sm_signed_text_key(uint8_t pk[static SM_PK_LEN], struct sm_span s);

/* Appends `---` and the signature line to the text that begins at b->data + start, and sets hash and sig. SM_ERR_POLICY for an identity
 * of another suite. */
SM_CHECKED enum sm_err sm_signed_text_sign(struct sm_buf *b, size_t start, uint8_t hash[static 32], uint8_t sig[static SM_SIG_LEN],
                                           const char *label, const struct sm_identity *id);

/* label | 0 byte | hash, of at most SM_SIGNED_TEXT_BYTES. */
#define SM_SIGNED_TEXT_BYTES 64
size_t sm_signed_text_bytes(uint8_t out[static SM_SIGNED_TEXT_BYTES], const char *label, const uint8_t hash[static 32]);

#endif
