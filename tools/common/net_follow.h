/* sminbox -f: what is new, then everything as it comes, until a signal, an error, or the reader of stdout goes away. */
#ifndef SM_COMMON_NET_FOLLOW_H
#define SM_COMMON_NET_FOLLOW_H

#include "common/inbox_view.h"

/* Begins with the new messages (all: with every one). Says what is wrong and returns an exit code. A connection that breaks later is made
 * again, after 0.5 s and then twice as long each time, at most 30 s. */
int sm_follow_inbox(struct sm_view *v, struct sm_reader *r, const char *profile, bool all);

#endif
