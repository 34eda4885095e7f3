/* Finding a verb, and what is said where there is none. */
#include "cli/verb.h"

#include <string.h>

const struct sm_verb *sm_verb_find(struct sm_opts *o, const struct sm_verbs *verbs, int argc, char **argv)
{
	static const struct sm_opt none[] = {{0}};

	for (size_t i = 0; argc > 1 && i < verbs->n; i++) {
		const struct sm_verb *v = &verbs->table[i];
		if (strcmp(argv[1], v->name) != 0)
			continue;
		*o = (struct sm_opts){.verb = v->name, .usage = v->usage, .about = v->about, .table = v->table};
		return v;
	}
	*o = (struct sm_opts){.usage = verbs->usage, .about = verbs->about, .table = none, .verbs = verbs->lines};
	while (sm_opt_next(o, argc, argv) != -1)
		;
	sm_usage(o, argc > 1 ? "unknown verb '%s'" : "no verb given", argc > 1 ? argv[1] : "");
}

int sm_verb_operands(const struct sm_opts *o, const struct sm_verb *v, int argc)
{
	int n = argc - o->index;

	if (n < v->min || n > v->max)
		sm_usage(o, "what is wanted is: %s", *v->usage ? v->usage : "nothing more");
	return n;
}
