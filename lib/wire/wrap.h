/* Stanzas: the file key under each recipient's key or a passphrase (sm-format(5), "Stanzas").
 * wrap.c seals, unwrap.c opens; smserver links neither. */
#ifndef SM_WIRE_WRAP_H
#define SM_WIRE_WRAP_H

#include "crypto/rand.h"
#include "wire/header.h"

#define SM_FILE_KEY 32

/* "sm-envelope/1 wrap\0" | suite | 0 | from-fp | to-fp | id. Appends. */
SM_CHECKED enum sm_err sm_wrap_info(struct sm_buf *b, const struct sm_header *h, const struct sm_party *to);
/* Fills s for to (whose public identity is pub): body malloc'd, owned by the header that s stands in. h: from, id, suite set. */
SM_CHECKED enum sm_err sm_wrap_public(struct sm_stanza *s, const struct sm_header *h, const struct sm_party *to,
                                      const struct sm_public *pub, const uint8_t file_key[static SM_FILE_KEY], const struct sm_rand *rand);
/* argon2id with t passes and m KiB. */
SM_CHECKED enum sm_err sm_wrap_passphrase(struct sm_stanza *s, const struct sm_header *h, const void *pw, size_t pwlen, uint32_t t,
                                          uint32_t m, const uint8_t file_key[static SM_FILE_KEY], const struct sm_rand *rand);

/* h->stanza[i] with id's secret: SM_ERR_STANZA when it does not open. */
SM_CHECKED enum sm_err sm_unwrap_identity(uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, size_t i,
                                          const struct sm_identity *id);
/* argon2id or pbkdf2; SM_ERR_PASSPHRASE when it does not open, SM_ERR_STANZA when stanza 0 is of another type. */
SM_CHECKED enum sm_err sm_unwrap_passphrase(uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, const void *pw, size_t pwlen);

#endif
