/* Envelopes of sessions open once. What sminbox has received can be opened again from the envelope all the same, because the inbox keeps
 * the key of the body. */
#ifndef SM_COMMON_KEPT_KEY_H
#define SM_COMMON_KEPT_KEY_H

#include "wire/wrap.h"

/* The file key of the message that h is the header of, from the profile's inbox. SM_ERR_NOTFOUND: it is not there. */
SM_CHECKED enum sm_err sm_kept_key(uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, const struct sm_identity *id,
                                   const char *profile);

#endif
