/* A new device list, which comes by PUT devices or with an enrolment. */
#ifndef SM_SMSERVER_API_DEVICES_H
#define SM_SMSERVER_API_DEVICES_H

#include "api.h"
#include "crypto/hash.h"
#include "wire/devices.h"

/* Parses text as a list of user's: form, address and signature under the user key that it names. */
bool sm_api_list_read(const struct sm_server *s, struct sm_device_list *l, const char *user, const char *text);
/* 400 bad_list. */
void sm_api_list_bad(struct sm_req *req);
/* What became of a change: true when it is there, else the problem has been answered. */
bool sm_api_list_accepted(struct sm_req *req, const struct sm_list_change *c);
/* After the commit: what caches and streams must hear. */
void sm_api_list_committed(struct sm_server *s, const char *user, const struct sm_list_change *c);

#endif
