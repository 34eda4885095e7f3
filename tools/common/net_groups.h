/* Groups with the server: rosters brought up to date and verified, this device's sender key given to those who are to read. */
#ifndef SM_COMMON_NET_GROUPS_H
#define SM_COMMON_NET_GROUPS_H

#include "common/net_sessions.h"
#include "store/groups.h"

/* @NAME, a bare name, or the group's id -> the group. One that is not known here is looked for at the server, and those that this profile
 * is invited to are fetched first. Says what is wrong and returns an exit code: 67 no such group, 76 a forged roster. */
int sm_group_find(struct sm_group *g, struct sm_online *o, struct sm_db *db, const struct sm_self *self, const char *who);
/* Fetches and verifies the epochs that are new. The first ones of an invitation are believed when one of them is what a member has told of
 * over a session, or the own user key has signed one. SM_ERR_NOTFOUND: this account is in it no longer (state LEFT is stored), or never
 * was. SM_ERR_PROTOCOL: a chain that does not follow. SM_ERR_POLICY:
 * nobody has told of it, or only somebody who is not in it. */
SM_CHECKED enum sm_err sm_group_refresh(struct sm_group *g, struct sm_online *o, struct sm_db *db, const struct sm_self *self);
/* Looks for groups that the server has this account in and that are not known here: how many of them nobody has told this device of. */
size_t sm_groups_look(struct sm_online *o, struct sm_db *db, const struct sm_self *self);
/* Before messages are opened: h NULL: fetches what this profile was invited to; else, when h is to a group that is known and whose epoch is
 * not, the rosters. Never fails a run. To be called again for a group message whose invitation has come in the same page. */
void sm_groups_prepare(struct sm_online *o, struct sm_db *db, const struct sm_self *self, const struct sm_header *h);
/* The words for an error of sm_group_refresh, and its exit code. */
int sm_group_say(const struct sm_online *o, enum sm_err e, const struct sm_group *g);

/* Anybody can make a group of any name and take others into it. A group that was neither made here, nor sent to before, nor named by its id
 * is sent to with a warning, and not at all while another one has the same name: says so and returns an exit code. */
int sm_group_choose(struct sm_db *db, const struct sm_group *g);
/* From now on its name means this group. */
SM_CHECKED enum sm_err sm_group_chosen(struct sm_db *db, const struct sm_group *g);

/* Devices of the members by what is stored here, this one left out; digest: as the server wants it with a group message. SM_ERR_CHANGED: a
 * member's key is not the pinned one (*whose, its address). */
SM_CHECKED enum sm_err sm_group_devices(struct sm_targets *t, uint8_t digest[static 32], struct sm_db *db, const struct sm_self *self,
                                        const struct sm_roster *r, struct sm_address *whose);
/* Asks the server for the members' device lists, pins and stores them. SM_ERR_CHANGED as above, also for a key that is not the roster's. */
SM_CHECKED enum sm_err sm_group_fetch_devices(struct sm_online *o, struct sm_db *db, const struct sm_roster *r, struct sm_address *whose);

#endif
