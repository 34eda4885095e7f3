/* A message of the inbox as its reader sees it: opened, and its sender judged against the pins. No network here. */
#ifndef SM_COMMON_LETTER_H
#define SM_COMMON_LETTER_H

#include "common/opening.h"
#include "common/unlock.h"
#include "store/contacts.h"
#include "store/inbox.h"
#include "wire/control.h"

/* Who reads, and where it is kept. Zeroed before sm_reader_open; sm_reader_close after in every case. */
struct sm_reader {
	struct sm_identity id;
	uint8_t key[32]; /* sm_keyring_store_key "inbox" */
	struct sm_db db;
	char self[SM_ADDRESS_MAX + 1]; /* "" when the profile has no account */
	uint32_t number;               /* this device's by the login session (net_receive.c sets it); 0: as the stored list says */
	struct sm_self device;
	bool has_device; /* device is set: there is an account, and this identity may have sessions */
	bool removed;    /* the account's list has this device no longer */
	struct sm_speakers speakers;
};

/* Unlocks the identity and opens the database. Says what is wrong and returns an exit code. */
int sm_reader_open(struct sm_reader *r, struct sm_common *c);
void sm_reader_close(struct sm_reader *r);
/* Who this device is and who may speak, from the store anew. */
SM_CHECKED enum sm_err sm_reader_refresh(struct sm_reader *r);

/* sm_speakers_find, with this identity's own key besides, which needs no account. */
SM_CHECKED enum sm_err sm_reader_speaker(struct sm_speaker *s, struct sm_reader *r, const struct sm_party *from);

/* A message that has been judged; zeroed before. */
struct sm_letter {
	struct sm_inbox_meta meta;
	struct sm_opening opening; /* what sm_letter_keep stores */
	bool trusted;              /* the sender is proven, and the pin has not changed */
	bool alone;                /* it was to this one device */
	bool ask;                  /* it did not open, and the sender's device has signed it all the same: it is worth being asked for */
	struct sm_control *line;   /* a control message that is to be believed: nline of them, owned; NULL for all others */
	size_t nline;
};

/* Is e about an envelope, rather than about this system? */
bool sm_letter_fault(enum sm_err e);
/* Opens an envelope for the first time and fills in all of l. What is wrong with the envelope goes to l->meta.problem and is SM_OK; errors
 * are the system's (SM_ERR_NOMEM, SM_ERR_IO ...) and the database's. Nothing is stored; in a transaction where there may be sessions. */
SM_CHECKED enum sm_err sm_letter_judge(struct sm_letter *l, struct sm_reader *r, struct sm_span envelope, int64_t now);
void sm_letter_release(struct sm_letter *l);
/* Opens a message of the inbox again under the file key that was kept, and verifies its signature by the pins of now: sets row->meta.proof.
 * o and in: zeroed before, and released by the caller in every case, after the envelope stays as long. The row's own problem, when it has
 * one. */
struct sm_reopened {
	struct sm_buf envelope;
	struct sm_source in;
	struct sm_opened opened;
};
SM_CHECKED enum sm_err sm_letter_reopen(struct sm_reopened *x, struct sm_inbox_row *row, struct sm_reader *r);
void sm_reopened_release(struct sm_reopened *x);

/* The content of message n, appended to content (its max is the limit); *row is set too. SM_ERR_NOTFOUND: no such message. The row's own
 * problem, when it has one. */
SM_CHECKED enum sm_err sm_letter_read(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, int64_t n);
/* The same for a person: its attachments are written into dir (common/attachments.h), or with NULL a warning tells of them. *said: what
 * went wrong has been said already. */
SM_CHECKED enum sm_err sm_letter_take(struct sm_inbox_row *row, struct sm_buf *content, struct sm_reader *r, int64_t n, const char *dir,
                                      bool *said);

#endif
