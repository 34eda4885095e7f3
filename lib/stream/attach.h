/* One attachment sealed to a spool (sm-format(5), "Attachments"): its own random key, padded with zeros to PADMÉ(real size). */
#ifndef SM_STREAM_ATTACH_H
#define SM_STREAM_ATTACH_H

#include "stream/keep.h"
#include "stream/seal.h"

/* Fills the header's line and the fields' key, size, type and name; the blob is in spool (sm_keep_init_spool).
 * id: the envelope's. SM_ERR_FORMAT when name or type do not fit their fields. */
SM_CHECKED enum sm_err sm_attach_seal(struct sm_attach_line *line, struct sm_attach_field *field, struct sm_keep *spool,
                                      const struct sm_seal_attachment *file, const struct sm_seal *job, const char id[static SM_ID_LEN],
                                      uint32_t i);
/* be64 length | blob. */
SM_CHECKED enum sm_err sm_attach_write(const struct sm_keep *spool, struct sm_sink *out);

#endif
