/* What sminbox puts out: lists, contents, files, envelopes. Everything says what is wrong itself and returns an exit code. */
#ifndef SM_COMMON_INBOX_VIEW_H
#define SM_COMMON_INBOX_VIEW_H

#include "common/letter.h"

struct sm_view {
	bool json;
	const char *from;          /* --from, or NULL */
	struct sm_address address; /* what it means, but for @GROUP: that is compared with what the list shows, and with its id */
	bool mark;                 /* lists with json: mark as read what has been written */
	uint64_t listed;           /* how many messages have been written */
};

/* Messages with above < number <= upto: the new ones, or all. */
int sm_view_list(struct sm_view *v, struct sm_reader *r, bool all, int64_t above, int64_t upto);
/* One message as JSON; it is then marked as read. */
int sm_view_json(struct sm_view *v, struct sm_reader *r, int64_t n);
/* The content, to stdout; then it is marked as read. */
int sm_view_read(struct sm_reader *r, int64_t n);
/* The content, into a new file of dir named as the message says; its path goes to stdout. Then it is marked as read. */
int sm_view_save(struct sm_reader *r, int64_t n, const char *dir);
/* The envelope, armored. */
int sm_view_raw(struct sm_reader *r, int64_t n);
/* The exit code of e, which something did to message n, said. */
int sm_view_done(struct sm_reader *r, enum sm_err e, int64_t n);

#endif
