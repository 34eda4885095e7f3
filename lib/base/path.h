/* Where a profile's files live: SM_HOME, else XDG. The environment is read here and nowhere else in lib.
 *   config  $SM_HOME/config  or $XDG_CONFIG_HOME/sm   identity, config
 *   data    $SM_HOME/data    or $XDG_DATA_HOME/sm     sm.db (contacts, inbox, outbox), totp
 *   state   $SM_HOME/state   or $XDG_STATE_HOME/sm    session (login tokens), locks
 *   runtime $SM_HOME/runtime or $XDG_RUNTIME_DIR/sm
 * --profile NAME appends profiles/NAME to each. Directories are made 0700 on demand; looser ones are SM_ERR_PERM. */
#ifndef SM_BASE_PATH_H
#define SM_BASE_PATH_H

#include "base/err.h"

enum sm_dir { SM_DIR_CONFIG, SM_DIR_DATA, SM_DIR_STATE, SM_DIR_RUNTIME };

/* profile: NULL or a name of [a-z0-9._-]{1,32}, not starting with a dot (SM_ERR_FORMAT). name: file below the directory.
 * make: create missing directories. *out is malloc'd, the caller frees it. SM_ERR_CONFIG when neither SM_HOME nor HOME is set. */
SM_CHECKED enum sm_err sm_path(char **out, enum sm_dir dir, const char *profile, const char *name, int make);
/* "dir/name", malloc'd; NULL when out of memory. */
char *sm_path_join(const char *dir, const char *name);

#endif
