/* What is done with a message that has been judged, and with one of the inbox before it is shown. */
#ifndef SM_COMMON_LETTER_KEEP_H
#define SM_COMMON_LETTER_KEEP_H

#include "common/letter.h"

/* Stores a message that has come, with what opening it stepped and what it asks for; inside the caller's transaction. row: all but meta and
 * what is behind it. Control messages, replays and repetitions of what is here already are kept as a memory alone. SM_OK also when it is
 * here. */
SM_CHECKED enum sm_err sm_letter_keep(struct sm_letter *l, struct sm_reader *r, struct sm_inbox_new *row);

/* What a person is told of the sender. */
enum sm_mark {
	SM_MARK_UNSIGNED,   /* nothing says who it is from */
	SM_MARK_UNKNOWN,    /* signed by a key that is nobody's here */
	SM_MARK_UNVERIFIED, /* the pinned user's; pinned on first use */
	SM_MARK_VERIFIED,   /* the same, and the safety number has been compared */
	SM_MARK_CHANGED,    /* the address has another key than the pinned one */
};
struct sm_shown {
	struct sm_inbox_row row; /* holds a key: wipe */
	enum sm_mark mark;
	char group[SM_ID_LEN + 1]; /* the group's name here, or its id; "" for none */
};
/* Brings s->row up to what is known now, and fills in the rest: a message is proven while its sender's user key is the pinned one; one that
 * was not is verified again when the key has been pinned since, and kept so; one that did not open is tried again. SM_ERR_NOTFOUND: it is
 * gone (it was a control message). */
SM_CHECKED enum sm_err sm_letter_review(struct sm_shown *s, struct sm_reader *r);
/* Tries a message again that did not open; in a transaction of its own. *row is brought up to date. SM_ERR_NOTFOUND as above. */
SM_CHECKED enum sm_err sm_letter_retry(struct sm_inbox_row *row, struct sm_reader *r);

#endif
