/* Random access: a part of the content of a large envelope in a file, without reading the rest. Every chunk that is used has its tag
 * checked, and so have the short last chunk and the padding, which say where the content ends; the rest, the attachments and the
 * signature are not looked at, so nothing is known of the sender. */
#ifndef SM_STREAM_RANGE_H
#define SM_STREAM_RANGE_H

#include "stream/open.h"

struct sm_range {
	uint64_t from, to;    /* asked for: content bytes from..to, both included; to may lie beyond the end */
	uint64_t content;     /* set: bytes of content there are */
	unsigned header_line; /* set after SM_ERR_HEADER and SM_ERR_SUITE */
};

/* in: a binary envelope in a regular file, nothing of it read yet. SM_ERR_ARMOR for an armored one, SM_ERR_NOTFOUND when from lies beyond
 * the content; SM_ERR_IO with errno ESPIPE when in is no file. Nothing is written unless all of it is right. out is finished. */
SM_CHECKED enum sm_err sm_open_range(struct sm_range *r, const struct sm_opener *o, struct sm_source *in, struct sm_sink *out);

#endif
