/* From an envelope's header to its file key, in the order of checks: recipient, then stanza (sm-format(5)). */
#ifndef SM_STREAM_FILE_KEY_H
#define SM_STREAM_FILE_KEY_H

#include "stream/open.h"

/* key: SM_FILE_KEY bytes, owned by the caller. SM_ERR_POLICY (not a recipient, or a group), SM_ERR_STANZA, SM_ERR_PASSPHRASE, and what the
 * opener's callbacks return. */
SM_CHECKED enum sm_err sm_file_key(struct sm_secret *key, const struct sm_header *h, const struct sm_opener *o);

#endif
