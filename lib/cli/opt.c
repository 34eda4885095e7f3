/* Option tables over getopt_long. The getopt tables are rebuilt from struct sm_opt at every call, which costs nothing that anybody
 * could measure and keeps this file without state of its own. */
#include "cli/opt.h"

#include "base/buf.h"
#include "base/file.h"
#include "cli/diag.h"
#include "cli/exit.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_VERSION = SM_OPT_LONG + 2000 };

static const struct sm_opt standard[] = {
        {'h', "help", NULL, "show this and exit"},
        {OPT_VERSION, "version", NULL, "show the version and exit"},
        {0},
};

struct getopt_tables {
	struct option longs[SM_OPT_MAX + 3];
	char shorts[2 * SM_OPT_MAX + 8];
};

static size_t add_table(struct getopt_tables *t, size_t n, const struct sm_opt *table)
{
	size_t s = strlen(t->shorts);
	for (; table->code && n < SM_OPT_MAX + 2; table++) {
		t->longs[n++] = (struct option){table->name, table->arg ? required_argument : no_argument, NULL, table->code};
		if (table->code >= SM_OPT_LONG)
			continue;
		t->shorts[s++] = (char)table->code;
		if (table->arg)
			t->shorts[s++] = ':';
	}
	t->shorts[s] = 0;
	return n;
}

static void make_tables(struct getopt_tables *t, const struct sm_opts *o)
{
	memset(t, 0, sizeof(*t));
	t->shorts[0] = ':'; /* a missing argument is ':', not '?' */
	add_table(t, add_table(t, 0, o->table), standard);
}

/* The longest "  -o, --output FILE" of the tables, which aligns the help texts. */
static size_t option_width(const struct sm_opt *table)
{
	size_t width = 0;
	for (; table->code; table++) {
		size_t n = strlen("  -x, --") + strlen(table->name) + (table->arg ? 1 + strlen(table->arg) : 0);
		width = n > width ? n : width;
	}
	return width;
}

static enum sm_err show_options(struct sm_buf *b, const struct sm_opt *table, size_t width)
{
	enum sm_err e = SM_OK;
	for (; !e && table->code; table++) {
		char letter[8] = "    ", left[128];
		if (table->code < SM_OPT_LONG)
			snprintf(letter, sizeof(letter), "-%c, ", table->code);
		snprintf(left, sizeof(left), "  %s--%s%s%s", letter, table->name, table->arg ? " " : "", table->arg ? table->arg : "");
		e = sm_buf_addf(b, "%-*s  %s\n", (int)width, left, table->help);
	}
	return e;
}

static enum sm_err help_text(struct sm_buf *b, const struct sm_opts *o)
{
	size_t a = option_width(o->table), s = option_width(standard), width = a > s ? a : s;
	enum sm_err e = sm_buf_addf(b, "usage: %s%s%s%s%s\n", sm_diag_tool(), o->verb ? " " : "", o->verb ? o->verb : "",
	                            o->usage && *o->usage ? " " : "", o->usage ? o->usage : "");
	if (!e && o->about)
		e = sm_buf_addf(b, "%s\n", o->about);
	for (const char *const *v = o->verbs; !e && v && *v; v++)
		e = sm_buf_addf(b, "%s  %s\n", v == o->verbs ? "\n" : "", *v);
	if (!e)
		e = sm_buf_adds(b, "\n");
	if (!e)
		e = show_options(b, o->table, width);
	return e ? e : show_options(b, standard, width);
}

static _Noreturn void print_and_exit(const struct sm_opts *o, bool version)
{
	struct sm_buf b;
	sm_buf_init(&b, 65536);
	enum sm_err e = version ? sm_buf_addf(&b, "%s (sm) %s\n", sm_diag_tool(), SM_VERSION) : help_text(&b, o);
	if (!e)
		e = sm_write_full(STDOUT_FILENO, b.data, b.len);
	sm_buf_release(&b);
	exit(e ? sm_fail(e, "cannot write to standard output") : SM_EXIT_OK);
}

void sm_usage(const struct sm_opts *o, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sm_error("%s; try '%s%s%s -h'", text, sm_diag_tool(), o->verb ? " " : "", o->verb ? o->verb : "");
	exit(SM_EXIT_USAGE);
}

static const struct sm_opt *find(const struct sm_opts *o, int code)
{
	for (const struct sm_opt *t = o->table; t->code; t++)
		if (t->code == code)
			return t;
	return NULL;
}

/* "-o" or "--output", as the person most likely knows it. */
static void option_name(const struct sm_opts *o, int code, char name[static 64])
{
	const struct sm_opt *t = find(o, code);
	if (code < SM_OPT_LONG)
		snprintf(name, 64, "-%c", code);
	else
		snprintf(name, 64, "--%s", t ? t->name : code == OPT_VERSION ? "version" : "?");
}

static _Noreturn void refuse(const struct sm_opts *o, int c, char **argv)
{
	char name[64];
	/* For what it knows, getopt_long leaves the code in optopt; an unknown long option leaves 0. */
	if (c == ':') {
		option_name(o, optopt, name);
		sm_usage(o, "option %s needs an argument", name);
	}
	if (optopt == 'h' || optopt == OPT_VERSION || (optopt && find(o, optopt))) {
		option_name(o, optopt, name);
		sm_usage(o, "option %s takes no argument", optopt == 'h' ? "--help" : name);
	}
	if (optopt)
		sm_usage(o, "unknown option '-%c'", optopt);
	sm_usage(o, "unknown or ambiguous option '%s'", argv[optind - 1]);
}

int sm_opt_next(struct sm_opts *o, int argc, char **argv)
{
	struct getopt_tables t;
	make_tables(&t, o);
	if (!o->started) {
		optind = 0; /* glibc: start anew, also after another verb's or test's parse */
		opterr = 0;
		o->started = true;
	}
	int c = getopt_long(argc, argv, t.shorts, t.longs, NULL);
	o->index = optind;
	o->arg = optarg;
	o->code = c;
	if (c == 'h' || c == OPT_VERSION)
		print_and_exit(o, c == OPT_VERSION);
	if (c == '?' || c == ':')
		refuse(o, c, argv);
	return c;
}

void sm_opt_once(const struct sm_opts *o, const char **slot)
{
	char name[64];
	option_name(o, o->code, name);
	if (*slot)
		sm_usage(o, "option %s given twice", name);
	*slot = o->arg;
}

unsigned long long sm_opt_number(const struct sm_opts *o, const char *what, const char *s, unsigned long long min, unsigned long long max)
{
	size_t n = strlen(s);
	bool good = n > 0 && strspn(s, "0123456789") == n && (n == 1 || s[0] != '0');
	errno = 0;
	unsigned long long v = good ? strtoull(s, NULL, 10) : 0;
	if (!good || errno || v < min || v > max)
		sm_usage(o, "%s must be a number from %llu to %llu, not '%s'", what, min, max, s);
	return v;
}
