/* Options: one table a tool (or verb), from which -h is printed and which the lint test holds against man page and completions.
 * getopt_long underneath, GNU order (options may follow operands; -- ends them; a lone - is an operand).
 * -h/--help and --version are added to every table and handled here (exit 0; printed to stdout).
 *
 *   static const struct sm_opt opts[] = {
 *       {'o', "output", "FILE", "write to FILE instead of stdout"},
 *       {SM_OPT_LONG + 0, "anonymous", NULL, "name no sender"},
 *       {0}};
 *   struct sm_opts o = {.usage = "(-r WHO)... [-o FILE] [FILE]", .table = opts};
 *   while ((c = sm_opt_next(&o, argc, argv)) != -1) switch (c) { case 'o': out = o.arg; ... }
 *   operands: argv[o.index] ... argv[argc - 1]
 */
#ifndef SM_CLI_OPT_H
#define SM_CLI_OPT_H

#include <stdbool.h>

#define SM_OPT_LONG 256 /* codes for options without a letter: SM_OPT_LONG + n */
#define SM_OPT_MAX 64

struct sm_opt {
	int code;         /* the letter, or SM_OPT_LONG + n; 0 ends the table */
	const char *name; /* long form, without dashes */
	const char *arg;  /* what -h calls the argument; NULL for none */
	const char *help; /* one line */
};

struct sm_opts {
	const char *verb;  /* NULL, or the verb that usage and errors name ("register") */
	const char *usage; /* after the tool's name */
	const char *about; /* one line of what it does; shown by -h under the usage line; may be NULL */
	const struct sm_opt *table;
	const char *const *verbs; /* NULL, or lines "register NAME@HOST   make an account" shown by -h, NULL-ended */
	/* set by sm_opt_next */
	const char *arg;
	int code; /* what it returned last */
	int index;
	bool started;
};

/* The code of the next option, or -1 after the last. An unknown or ambiguous option, or a missing argument, says so with
 * "try 'TOOL -h'" and exits 64. */
int sm_opt_next(struct sm_opts *o, int argc, char **argv);
/* "TOOL: text; try 'TOOL -h'" and exit 64. */
_Noreturn void sm_usage(const struct sm_opts *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* For options that may be given once: exits 64 with "option -o given twice" when *slot is set already; else sets it. */
void sm_opt_once(const struct sm_opts *o, const char **slot);
/* A decimal number in min..max without sign or leading zeros, or exits 64. */
unsigned long long sm_opt_number(const struct sm_opts *o, const char *what, const char *s, unsigned long long min, unsigned long long max);

#endif
