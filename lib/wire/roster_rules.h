/* Which epoch may follow which (sm-sessions(7), "Rosters"): pure rules over parsed rosters, of use to a member and to the server alike.
 * Both check the keys of members that are new as points too, which sm_roster_parse leaves out. */
#ifndef SM_WIRE_ROSTER_RULES_H
#define SM_WIRE_ROSTER_RULES_H

#include "wire/roster.h"

/* May r be the first epoch of its group? Epoch 1, previous `-`, signed by a member who is its admin. SM_ERR_POLICY, SM_ERR_SIGNATURE. */
SM_CHECKED enum sm_err sm_roster_begins(const struct sm_roster *r);
/* May next follow r? Same group, epoch + 1, previous is r's hash, at least one admin left; signed by an admin of r, who may change
 * everything but the key of an address that stays; or by any member of r, whose one change is that it is gone itself (a leave).
 * SM_ERR_POLICY, SM_ERR_SIGNATURE. */
SM_CHECKED enum sm_err sm_roster_follows(const struct sm_roster *r, const struct sm_roster *next);
/* The same but for the points of new keys, of which a thousand take 100 ms: for the server, where each is an account's and was checked when
 * it became that. */
SM_CHECKED enum sm_err sm_roster_begins_known(const struct sm_roster *r);
SM_CHECKED enum sm_err sm_roster_follows_known(const struct sm_roster *r, const struct sm_roster *next);

#endif
