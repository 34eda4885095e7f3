/* A message of the inbox as its reader sees it: opened, and its sender judged against the pins. No network here. */
#ifndef SM_COMMON_LETTER_H
#define SM_COMMON_LETTER_H

#include "common/unlock.h"
#include "store/contacts.h"
#include "store/inbox.h"
#include "stream/open.h"

/* Who reads, and where it is kept. Zeroed before sm_reader_open; sm_reader_close after in every case. */
struct sm_reader {
	struct sm_identity id;
	uint8_t key[32]; /* sm_keyring_store_key "inbox" */
	struct sm_db db;
	char self[SM_ADDRESS_MAX + 1]; /* "" when the profile has no account */
};

/* Unlocks the identity and opens the database. Says what is wrong and returns an exit code. */
int sm_reader_open(struct sm_reader *r, struct sm_common *c);
void sm_reader_close(struct sm_reader *r);

/* Is e about an envelope, rather than about this system? */
bool sm_letter_fault(enum sm_err e);
/* Opens an envelope for the first time and fills in all of m. What is wrong with the envelope goes to m->problem and is SM_OK; errors are
 * the system's (SM_ERR_NOMEM, SM_ERR_IO ...) and the database's. */
SM_CHECKED enum sm_err sm_letter_judge(struct sm_inbox_meta *m, struct sm_reader *r, struct sm_span envelope);
/* Brings row->meta.proof up to what the pins say now: a message is proven only while its sender's key is the pinned one; one that was not
 * is verified again when the key has been pinned since, and kept so. */
SM_CHECKED enum sm_err sm_letter_review(struct sm_inbox_row *row, struct sm_reader *r);
/* The content of message n, appended to content (its max is the limit); *row is set too. SM_ERR_NOTFOUND: no such message. The row's own
 * problem, when it has one. */
SM_CHECKED enum sm_err sm_letter_read(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, int64_t n);
/* The same for a person: its attachments are written into dir (common/attachments.h), or with NULL a warning tells of them. *said: what
 * went wrong has been said already. */
SM_CHECKED enum sm_err sm_letter_take(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, int64_t n, const char *dir,
                                      bool *said);

#endif
