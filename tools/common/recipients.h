/* The recipients that -r and -R give: each key once, in the order given. */
#ifndef SM_COMMON_RECIPIENTS_H
#define SM_COMMON_RECIPIENTS_H

#include "cli/opt.h"
#include "common/who.h"

#define SM_RECIPIENT_ARGS_MAX 1024

struct sm_recipients {
	struct {
		const char *arg; /* borrowed */
		bool file;
	} args[SM_RECIPIENT_ARGS_MAX];
	size_t given;
	/* set by sm_recipients_resolve; owned */
	struct sm_party *party;
	struct sm_public *pub;
	size_t n;
};

/* Remember an argument; more than 1024 of them is a usage error. */
void sm_recipients_who(struct sm_recipients *r, const struct sm_opts *o, const char *who);
void sm_recipients_file(struct sm_recipients *r, const struct sm_opts *o, const char *path);
/* Looks all of them up: a contact is all of its devices. Says what is wrong ("cannot open", "team.txt line 3: not a key", "more than 1024
 * recipients") and returns the error. A key that comes twice counts once; keys of two suites are SM_ERR_SUITE, since an envelope has one.
 */
SM_CHECKED enum sm_err sm_recipients_resolve(struct sm_recipients *r, const char *profile);
/* One more key, after resolving: nothing changes when it is there already. SM_ERR_LIMIT, said. _devices: all of a list. */
SM_CHECKED enum sm_err sm_recipients_also(struct sm_recipients *r, const struct sm_party *party, const struct sm_public *pub);
SM_CHECKED enum sm_err sm_recipients_devices(struct sm_recipients *r, const struct sm_device_list *l);
void sm_recipients_release(struct sm_recipients *r);

#endif
