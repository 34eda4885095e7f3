/* The head of a request, read as strictly as RFC 9112 allows and then some: what two programs on the way could read in two ways
 * is refused before anything acts on it (sm-protocol(7), "HTTP"). Bytes in, spans out; nothing is allocated. */
#ifndef SM_SMSERVER_HTTP_STRICT_H
#define SM_SMSERVER_HTTP_STRICT_H

#include "base/buf.h"

#define SM_HEAD_MAX 16384

/* All spans are borrowed from the bytes read; {NULL, 0} when the header is not there or (authorization) there twice. */
struct sm_head {
	size_t size; /* of the head, with the empty line */
	struct sm_span method, target, host, type, authorization;
	uint64_t length; /* of the body; 0 without Content-Length */
};

enum sm_head_state { SM_HEAD_MORE, SM_HEAD_GOOD, SM_HEAD_BAD };

/* p[0..n) begins with a head. *scanned: 0 for a new head, and kept between calls with more bytes of the same one. MORE: not all
 * there yet (n < SM_HEAD_MAX). BAD: *why says what is wrong, in a sentence. */
enum sm_head_state sm_head_read(struct sm_head *h, const uint8_t *p, size_t n, size_t *scanned, const char **why);
/* host or host:port, in the characters of names and addresses. */
bool sm_head_host_valid(struct sm_span host);

#endif
