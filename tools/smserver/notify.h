/* sd_notify(3) without its library. */
#ifndef SM_SMSERVER_NOTIFY_H
#define SM_SMSERVER_NOTIFY_H

/* "READY=1", "STOPPING=1" ... to $NOTIFY_SOCKET; nothing when it is not set. */
void sm_notify(const char *state);

#endif
