/* The ballast: a file in the data directory that holds space free for the time when the disk is full, so that what has been
 * read can still be deleted, and people can still sign in to do it. */
#ifndef SM_SMSERVER_SPACE_H
#define SM_SMSERVER_SPACE_H

#include <stdbool.h>

#define SM_BALLAST (16u << 20)

/* True when the ballast is there; makes it, when there is space for twice as much. */
bool sm_space_reserve(const char *dir);
void sm_space_release(const char *dir);

#endif
