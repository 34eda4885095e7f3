/* A senderkey stanza, for opening.h. */
#ifndef SM_COMMON_GROUP_OPEN_H
#define SM_COMMON_GROUP_OPEN_H

#include "common/opening.h"

/* The group's roster of exactly that epoch and hash is known (else SM_ERR_POLICY), this account and the sender's address are in it, the
 * sending device is one of the sender's list, and the chain has come over a pairwise session (else SM_ERR_STANZA). Fills o->chain, stepped.
 * An unsigned message under a sender key is refused by who judges. */
SM_CHECKED enum sm_err sm_group_open(struct sm_opening *o, uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h);

#endif
