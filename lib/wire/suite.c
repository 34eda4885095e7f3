/* The table of suites that this build can read and write. An id that is not here is "unsupported suite", never a guess. */
#include "wire/suite.h"

const struct sm_suite sm_suite_x25519 = {
        .kind = SM_SUITE_X25519,
        .id = "x25519-ed25519-aes256gcm",
        .stanza = "hpke",
        .sig_min = 64,
        .sig_max = 64,
};

static const struct sm_suite *const suites[] = {&sm_suite_x25519};

const struct sm_suite *sm_suite_find(struct sm_span id)
{
	for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
		if (sm_span_equals(id, suites[i]->id))
			return suites[i];
	return NULL;
}
