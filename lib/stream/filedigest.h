/* The segmented digest of a whole stream, by all cores: what a detached signature signs (sm-format(5), "Digest"). */
#ifndef SM_STREAM_FILEDIGEST_H
#define SM_STREAM_FILEDIGEST_H

#include "crypto/hash.h"
#include "stream/source.h"

SM_CHECKED enum sm_err sm_stream_digest(uint8_t out[static SM_HASH_LEN], struct sm_source *in);

#endif
