/* Configuration in inih form: sections of `key = value`, # and ; comments. Unknown keys are errors that name file and line. */
#ifndef SM_BASE_CONFIG_H
#define SM_BASE_CONFIG_H

#include "base/err.h"

/* Called for each key; section is "" before the first. Returns SM_OK, or SM_ERR_CONFIG with a reason put in why (256 bytes). */
typedef enum sm_err sm_config_fn(void *ctx, const char *section, const char *key, const char *value, char *why);

/* SM_ERR_NOINPUT when path cannot be opened; SM_ERR_CONFIG with *line and why filled in ("unknown key 'x'"). */
SM_CHECKED enum sm_err sm_config_read(const char *path, sm_config_fn *fn, void *ctx, int *line, char why[static 256]);

#endif
