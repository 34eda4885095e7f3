/* Groups over the API (sm-protocol(7), "Groups"): rosters as text; nothing is verified here. */
#ifndef SM_NET_GROUPS_H
#define SM_NET_GROUPS_H

#include "net/client.h"
#include "net/keys.h"
#include "wire/roster.h"

SM_CHECKED enum sm_err sm_net_group_create(struct sm_client *c, const char *roster);
/* SM_ERR_CONFLICT: another epoch came first (c->error.code "stale_group"). */
SM_CHECKED enum sm_err sm_net_group_put(struct sm_client *c, const char *group, const char *roster);
/* Rosters of epochs above `after`, in order, each given to fn; all pages. SM_ERR_NOTFOUND: no such group, or not a member. */
SM_CHECKED enum sm_err sm_net_group_rosters(struct sm_client *c, const char *group, uint64_t after,
                                            enum sm_err (*fn)(void *ctx, struct sm_span text), void *ctx);
/* The groups that the server has this account in. */
SM_CHECKED enum sm_err sm_net_groups(struct sm_client *c, enum sm_err (*fn)(void *ctx, const char *group, uint64_t epoch), void *ctx);
/* The members with their device lists, each given to fn (list verified under the key that came with it); the server's own epoch and
 * devices digest. */
SM_CHECKED enum sm_err sm_net_group_members(uint64_t *epoch, struct sm_client *c, const char *group, const char *host,
                                            enum sm_err (*fn)(void *ctx, const struct sm_user_key *k), void *ctx);
SM_CHECKED enum sm_err sm_net_group_end(struct sm_client *c, const char *group);

#endif
