/* Message keys of messages that have not come yet, in the order in which they were skipped (sm-sessions(7), "Ratchet"). A zeroed list is
 * empty. Holds keys: release wipes. */
#ifndef SM_SESSION_SKIPPED_H
#define SM_SESSION_SKIPPED_H

#include "base/buf.h"

#define SM_SKIPPED_MAX 2000 /* kept; the oldest go first */
#define SM_SKIPPED_SECONDS (30 * 86400)
#define SM_SKIPPED_PACKED(n) (5 + 76 * (size_t)(n)) /* bytes of sm_skipped_pack */

struct sm_skipped {
	uint8_t pub[32];
	uint32_t n;
	uint8_t mk[32];
	int64_t at; /* seconds: when it was skipped */
};
struct sm_skipped_list {
	struct sm_skipped *v; /* owned; oldest first */
	size_t n, cap;
	bool changed; /* set by an open that adds or removes */
};

void sm_skipped_release(struct sm_skipped_list *l);
/* Appends version 1, be32 count, and pub 32 | be32 n | mk 32 | be64 at of each. */
SM_CHECKED enum sm_err sm_skipped_pack(struct sm_buf *b, const struct sm_skipped_list *l);
/* SM_ERR_FORMAT. l needs release on SM_OK; what it held is not looked at. */
SM_CHECKED enum sm_err sm_skipped_unpack(struct sm_skipped_list *l, const uint8_t *p, size_t n);

/* For ratchet.c and senderkey.c. An open finds and reserves first, which changes nothing that can be seen, and then, when nothing can fail
 * any more, takes or makes room and adds. */

/* The key's place, or -1; one that is too old is not found. */
int sm_skipped_find(const struct sm_skipped_list *l, const uint8_t pub[static 32], uint32_t n, int64_t now);
/* Memory for so many more (at most SM_SKIPPED_MAX). */
SM_CHECKED enum sm_err sm_skipped_reserve(struct sm_skipped_list *l, size_t more);
void sm_skipped_remove(struct sm_skipped_list *l, size_t i);
/* Drops what is too old, and the oldest until there is room for so many more. */
void sm_skipped_make_room(struct sm_skipped_list *l, size_t more, int64_t now);
void sm_skipped_add(struct sm_skipped_list *l, const uint8_t pub[static 32], uint32_t n, const uint8_t mk[static 32], int64_t now);

#endif
