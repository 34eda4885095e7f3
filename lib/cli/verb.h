/* Tools with verbs: one table says what each is called, takes and does.
 *
 *   const struct sm_verb *v = sm_verb_find(&o.opts, &verbs, argc, argv);
 *   while ((c = sm_opt_next(&o.opts, argc - 1, argv + 1)) != -1) ...
 *   o.nargs = sm_verb_operands(&o.opts, v, argc - 1);
 *   return v->run(&o); */
#ifndef SM_CLI_VERB_H
#define SM_CLI_VERB_H

#include "cli/opt.h"

#include <stddef.h>

struct options; /* each tool's own */

struct sm_verb {
	const char *name, *usage, *about; /* as in struct sm_opts */
	const struct sm_opt *table;
	int min, max; /* operands */
	int (*run)(struct options *o);
};
struct sm_verbs {
	const struct sm_verb *table;
	size_t n;
	const char *usage, *about;
	const char *const *lines; /* for -h, as in struct sm_opts */
};

/* The verb that argv[1] names; o is made ready for its options. Without one, -h and --version are served, and anything else exits 64. */
const struct sm_verb *sm_verb_find(struct sm_opts *o, const struct sm_verbs *verbs, int argc, char **argv);
/* How many operands are left behind the options; too few or too many exit 64. */
int sm_verb_operands(const struct sm_opts *o, const struct sm_verb *v, int argc);

#endif
