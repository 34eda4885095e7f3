/* Attachments of the tools: files that -A names on the way in, and files in a directory on the way out. */
#ifndef SM_COMMON_ATTACHMENTS_H
#define SM_COMMON_ATTACHMENTS_H

#include "cli/opt.h"
#include "stream/open.h"
#include "stream/seal.h"

struct sm_attachments {
	const char *path[SM_ATTACH_MAX]; /* borrowed */
	size_t n;
	/* set by sm_attachments_open */
	struct sm_source in[SM_ATTACH_MAX];
	struct sm_seal_attachment seal[SM_ATTACH_MAX];
	size_t opened;
};

/* Remembers an argument of -A; more than 64 are a usage error. */
void sm_attachments_add(struct sm_attachments *a, const struct sm_opts *o, const char *path);
/* Opens all of them; each is named by the last part of its path. Says what is wrong. */
SM_CHECKED enum sm_err sm_attachments_open(struct sm_attachments *a);
void sm_attachments_release(struct sm_attachments *a);

/* Writes all attachments of what has verified into dir, under their own names made safe (no leading dot, dash or tilde; a name that comes
 * twice gets .1, .2, ...), never over a file that is there: SM_ERR_EXISTS before anything is written. Says what is wrong. */
SM_CHECKED enum sm_err sm_attachments_save(struct sm_opened *r, const char *dir);

#endif
