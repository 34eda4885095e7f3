/* A group's roster: a hash chain of signed epochs (sm-sessions(7), "Rosters"). Canonical text:
 *
 *   sm-roster/1 GROUP               the group's id
 *   epoch N                         from 1
 *   previous HASH                   64 hexadecimal digits, the roster hash of epoch N - 1; `-` for epoch 1
 *   name NAME                       as an account's name: [a-z0-9][a-z0-9._-]{0,31}
 *   date DATE
 *   member ADDRESS sm1... admin     1 to SM_ROSTER_MAX, sorted by address (bytes), no address twice, no key twice; `member` for the others
 *   signer ADDRESS                  one of the members of this epoch, or for a leave of the one before
 *   ---
 *   SIGNATURE                       as in a device list
 *
 * Roster hash: SHA-256 of the text through "---\n". The signature is the signer's user key over "SM-roster-v1\0" | roster hash.
 * Whether an epoch may follow another is wire/roster_rules.h's question. roster_sign.c signs. */
#ifndef SM_WIRE_ROSTER_H
#define SM_WIRE_ROSTER_H

#include "wire/header.h"

#define SM_ROSTER_LABEL "SM-roster-v1"
#define SM_ROSTER_MAX 1024
#define SM_ROSTER_TEXT_MAX ((size_t)512 << 10)

struct sm_member {
	struct sm_address address;
	uint8_t pk[SM_PK_LEN]; /* the user key */
	bool admin;
};
struct sm_roster {
	char group[SM_ID_LEN + 1];
	uint64_t epoch;
	uint8_t previous[32]; /* zeros for epoch 1 */
	char name[SM_NAME_MAX + 1];
	int64_t date;
	struct sm_member *member; /* owned, from malloc */
	size_t n;
	struct sm_address signer;
	uint8_t hash[32]; /* set by parse and by sign */
	uint8_t sig[SM_SIG_LEN];
};

/* Everything but the signature, whose key may stand in the epoch before. Keys are canonical text here; that they are good points is checked
 * once, when a member is new (wire/roster_rules.h). SM_ERR_FORMAT. r needs release on SM_OK. */
SM_CHECKED enum sm_err sm_roster_parse(struct sm_roster *r, const char *text, size_t n);
/* SM_ERR_SIGNATURE. */
SM_CHECKED enum sm_err sm_roster_verify(const struct sm_roster *r, const uint8_t signer[static SM_PK_LEN]);
/* NULL when there is none. */
const struct sm_member *sm_roster_find(const struct sm_roster *r, const char *address);
/* Sorts the members, sets hash and sig, appends the text. SM_ERR_FORMAT when it would not be read back; SM_ERR_POLICY unless user is the
 * key of signer as far as it is a member, and of the default suite. */
SM_CHECKED enum sm_err sm_roster_sign(struct sm_buf *b, struct sm_roster *r, const struct sm_identity *user);
/* A deep copy of everything, to be changed into the next epoch: epoch and previous are set for that, and member has room for
 * SM_ROSTER_MAX. SM_ERR_LIMIT after the last epoch. next needs release on SM_OK. */
SM_CHECKED enum sm_err sm_roster_next(struct sm_roster *next, const struct sm_roster *r);
void sm_roster_release(struct sm_roster *r);

#endif
