/* The suites of sm-format(5): one id fixes every algorithm. Sizes are what parsers need; private-key work is elsewhere,
 * so that this table can stand in smserver. Adding a suite starts here. */
#ifndef SM_WIRE_SUITE_H
#define SM_WIRE_SUITE_H

#include "base/buf.h"

enum sm_suite_kind { SM_SUITE_X25519, SM_SUITE_RSA };

struct sm_suite {
	enum sm_suite_kind kind;
	const char *id;          /* as the first line of an envelope writes it */
	const char *stanza;      /* the stanza type that wraps for a public identity */
	size_t sig_min, sig_max; /* bytes of a signature */
};

extern const struct sm_suite sm_suite_x25519;
/* NULL when the build has no such suite (class "unsupported suite"). */
const struct sm_suite *sm_suite_find(struct sm_span id);

#endif
