/* lib/cli: option tables (each parse in a child of its own, as -h and errors exit), exit codes, diagnostics, and passphrase sources. */
#include "scratch.h"
#include "tap.h"

#include "base/file.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/opt.h"
#include "cli/progress.h"
#include "cli/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char tool[] = "tool", help[] = "-h", full[] = "/dev/full"; /* argv is not const */
static const struct sm_opt table[] = {
        {'o', "output", "FILE", "write to FILE"},
        {'b', "binary", NULL, "binary"},
        {SM_OPT_LONG, "anonymous", NULL, "name no sender"},
        {SM_OPT_LONG + 1, "count", "N", "so many"},
        {0},
};
static const char *const verbs[] = {"add NAME   adds", "list       lists", NULL};

/* What a child did: its exit status, stdout and stderr. */
static struct {
	int status;
	char out[8192], err[8192];
} child;

/* The last child's words, for the name of a test: one line. */
static const char *said(void)
{
	static char text[sizeof(child.err)];
	size_t i;
	snprintf(text, sizeof(text), "%s", *child.err ? child.err : child.out);
	while (text[i = strcspn(text, "\n")])
		text[i] = '|';
	return text;
}

static void slurp(const char *name, char *text, size_t room)
{
	size_t n = 0;
	int fd = open(scratch(name), O_RDONLY);
	if (fd < 0 || sm_read_full(fd, text, room - 1, &n))
		n = 0;
	text[n] = 0;
	if (fd >= 0)
		close(fd);
}

static void redirect(const char *name, int to)
{
	int fd = open(scratch(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, to) < 0)
		_exit(99);
	close(fd);
}

static void run(void (*fn)(void *), void *ctx)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		redirect("out", 1);
		redirect("err", 2);
		fn(ctx);
		_exit(0);
	}
	waitpid(pid, &child.status, 0);
	child.status = WIFEXITED(child.status) ? WEXITSTATUS(child.status) : -1;
	slurp("out", child.out, sizeof(child.out));
	slurp("err", child.err, sizeof(child.err));
}

/* --- Options --- */

struct parse {
	char *argv[16];
	int argc;
	const char *verb;
};

/* Prints what came, in order: code=argument, then the operands. */
static void parse(void *ctx)
{
	struct parse *p = ctx;
	struct sm_opts o = {.verb = p->verb, .usage = "[-b] [-o FILE] [FILE]", .about = "Tests.", .table = table, .verbs = verbs};
	const char *output = NULL;
	int c;
	sm_diag_init("/usr/bin/tool");
	while ((c = sm_opt_next(&o, p->argc, p->argv)) != -1) {
		dprintf(1, "%d=%s ", c, o.arg ? o.arg : "");
		if (c == 'o')
			sm_opt_once(&o, &output);
		if (c == SM_OPT_LONG + 1)
			dprintf(1, "n%llu ", sm_opt_number(&o, "--count", o.arg, 1, 300));
	}
	for (int i = o.index; i < p->argc; i++)
		dprintf(1, "<%s>", p->argv[i]);
}

static void options(const char *verb, const char *line)
{
	static char words[512];
	struct parse p = {.argv = {tool}, .argc = 1, .verb = verb};
	char *save = NULL;
	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w && p.argc < 15; w = strtok_r(NULL, " ", &save))
		p.argv[p.argc++] = w;
	run(parse, &p);
}

static bool exits(int status, const char *err) { return child.status == status && strstr(child.err, err) && !strcmp(child.out, ""); }

static void test_options(void)
{
	options(NULL, "a -b -o x b --anonymous -");
	ok(child.status == 0 && !strcmp(child.out, "98= 111=x 256= <a><b><->"), "options and operands in any order: %s", said());
	options(NULL, "-bofile --count=7");
	ok(child.status == 0 && !strcmp(child.out, "98= 111=file 257=7 n7 "), "letters together, arguments attached: %s", said());
	options(NULL, "-b -- -b --output");
	ok(child.status == 0 && !strcmp(child.out, "98= <-b><--output>"), "-- ends them: %s", said());
	options(NULL, "--anon");
	ok(child.status == 0 && !strcmp(child.out, "256= "), "a clear beginning is enough");
	options(NULL, "-z");
	ok(exits(64, "tool: unknown option '-z'; try 'tool -h'\n"), "unknown letter: %s", said());
	options(NULL, "--zebra");
	ok(exits(64, "tool: unknown or ambiguous option '--zebra'; try 'tool -h'\n"), "unknown name: %s", said());
	options(NULL, "-o");
	ok(exits(64, "tool: option -o needs an argument;"), "missing argument: %s", said());
	options(NULL, "--count");
	ok(exits(64, "tool: option --count needs an argument;"), "missing argument of a long option: %s", said());
	options(NULL, "--binary=1");
	ok(exits(64, "tool: option -b takes no argument;"), "needless argument: %s", said());
	options(NULL, "--help=1");
	ok(exits(64, "tool: option --help takes no argument;"), "needless argument of --help: %s", said());
	options("add", "-z");
	ok(exits(64, "try 'tool add -h'\n"), "errors name the verb: %s", said());
	options(NULL, "-o a -o b");
	ok(child.status == 64 && strstr(child.err, "tool: option -o given twice;"), "given twice: %s", said());
}

static void test_numbers(void)
{
	static const char *const wrong[] = {"0", "301", "01", "+1", "-1", "1x", "0x1", "99999999999999999999", "1.0"};
	char line[64];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "--count=%s", wrong[i]);
		options(NULL, line);
		ok(child.status == 64 && strstr(child.err, "--count must be a number from 1 to 300"), "not a number: %s", wrong[i]);
	}
	options(NULL, "--count=300");
	ok(child.status == 0, "the largest number");
}

static void test_help(void)
{
	options(NULL, "-h");
	ok(child.status == 0 && !*child.err && strstr(child.out, "usage: tool [-b] [-o FILE] [FILE]\nTests.\n"),
	   "-h begins with the usage");
	ok(strstr(child.out, "\n  -o, --output FILE  write to FILE\n") && strstr(child.out, "\n      --count N      so many\n") &&
	           strstr(child.out, "\n  -h, --help         show this and exit\n"),
	   "-h aligns the options");
	ok(strstr(child.out, "\n  add NAME   adds\n  list       lists\n"), "-h shows the verbs");
	options("add", "-o x --help");
	ok(child.status == 0 && strstr(child.out, "usage: tool add [-b]"), "--help of a verb");
	options(NULL, "--version");
	ok(child.status == 0 && !strcmp(child.out, "tool (sm) " SM_VERSION "\n"), "--version: %s", said());
}

static void help_to_full(void *ctx)
{
	struct parse p = {.argv = {tool, help}, .argc = 2};
	int fd = open(ctx, O_WRONLY);
	if (fd < 0 || dup2(fd, 1) < 0)
		_exit(98);
	parse(&p);
}

static void help_to_nothing(void *ctx)
{
	struct parse p = {.argv = {tool, help}, .argc = 2};
	(void)ctx;
	close(1);
	parse(&p);
}

static void help_to_gone_reader(void *ctx)
{
	struct parse p = {.argv = {tool, help}, .argc = 2};
	int fds[2];
	(void)ctx;
	if (pipe(fds) < 0 || dup2(fds[1], 1) < 0)
		_exit(98);
	close(fds[0]);
	close(fds[1]);
	parse(&p);
}

static void test_broken_stdout(void)
{
	run(help_to_full, full);
	ok(child.status == 74 && strstr(child.err, "tool: cannot write to standard output: No space left"), "-h to a full disk: %s",
	   said());
	run(help_to_nothing, NULL);
	ok(child.status == 74 && strstr(child.err, "Bad file descriptor"), "-h with stdout closed: %s", said());
	run(help_to_gone_reader, NULL);
	ok(child.status == 74 && !*child.err, "-h to a reader that went away says nothing");
}

/* --- Diagnostics --- */

static void say_nasty(void *ctx)
{
	(void)ctx;
	sm_diag_init("tool");
	errno = ENOENT;
	(void)sm_fail(SM_ERR_NOINPUT, "cannot open '%s'", "a\033[2J\nb");
	(void)sm_fail(SM_ERR_STANZA, "x");
	(void)sm_fail(SM_ERR_PIPE, "never");
	(void)sm_fail_plain(SM_ERR_PIPE, "never");
	sm_note("hidden");
	sm_warning("seen");
	sm_diag_level(true, true);
	sm_warning("hidden");
	sm_note("noted");
}

static void open_after_closing(void *ctx)
{
	(void)ctx;
	close(0);
	close(1);
	sm_diag_init("tool");
	int fd = open(scratch("new"), O_WRONLY | O_CREAT, 0600);
	char c;
	_exit(fd > 2 && write(1, "x", 1) < 0 && read(0, &c, 1) < 0 ? 42 : 1);
}

static void say_long(void *ctx)
{
	sm_diag_init("tool");
	sm_error("%s", (const char *)ctx);
}

static void test_diag(void)
{
	static char text[20000];
	run(say_nasty, NULL);
	ok(!strcmp(child.err, "tool: cannot open 'a\\e[2J\\nb': No such file or directory\ntool: x: no stanza for me\ntool: warning: "
	                      "seen\ntool: noted\n"),
	   "one line each, nothing raw: %s", said());
	run(open_after_closing, NULL);
	ok(child.status == 42, "a file never gets the number of a closed standard descriptor");
	memset(text, 'x', sizeof(text) - 1);
	run(say_long, text);
	size_t n = strlen(child.err);
	ok(n > 1000 && n < 5000 && child.err[n - 1] == '\n', "a very long text is cut, and still a line");
}

static void test_exit(void)
{
	static const struct {
		enum sm_err e;
		int code;
	} want[] = {{SM_OK, 0},          {SM_ERR_ARMOR, 65},    {SM_ERR_SUITE, 65},  {SM_ERR_POLICY, 65},   {SM_ERR_PASSPHRASE, 77},
	            {SM_ERR_FORMAT, 65}, {SM_ERR_NOMEM, 70},    {SM_ERR_IO, 74},     {SM_ERR_NOINPUT, 66},  {SM_ERR_CANTCREAT, 73},
	            {SM_ERR_PIPE, 74},   {SM_ERR_NOTFOUND, 66}, {SM_ERR_EXISTS, 73}, {SM_ERR_PERM, 77},     {SM_ERR_CHANGED, 77},
	            {SM_ERR_DENIED, 77}, {SM_ERR_NET, 69},      {SM_ERR_BUSY, 75},   {SM_ERR_CONFLICT, 65}, {SM_ERR_PROTOCOL, 76},
	            {SM_ERR_CONFIG, 78}, {SM_ERR_BUG, 70}};
	int good = 0, n = sizeof(want) / sizeof(want[0]);
	for (int i = 0; i < n; i++)
		good += sm_exit_code(want[i].e) == want[i].code;
	ok(good == n, "exit codes: %d of %d", good, n);
}

/* --- Passphrases --- */

static bool write_pass(const char *name, const void *text, size_t n, mode_t mode)
{
	int fd = open(scratch(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	bool good = fd >= 0 && !sm_write_full(fd, text, n) && fchmod(fd, mode) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

/* Asks from src; "OK text" or the error's number. */
static void ask(void *ctx)
{
	struct sm_passphrase_source *src = ctx;
	struct sm_buf pw;
	sm_diag_init("tool");
	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	enum sm_err e = sm_passphrase(&pw, src, "P: ", false);
	if (e)
		dprintf(1, "error %d", e);
	else
		dprintf(1, "OK %.*s", (int)pw.len, (char *)pw.data);
	sm_buf_release(&pw);
}

static void ask_without_terminal(void *ctx)
{
	setsid();
	ask(ctx);
}

static void ask_new(void *ctx)
{
	struct sm_buf pw;
	sm_diag_init("tool");
	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	dprintf(1, "%d", sm_passphrase(&pw, ctx, "P: ", true));
	sm_buf_release(&pw);
}

static void ask_fd_twice(void *ctx)
{
	struct sm_passphrase_source src = {.fd = -1};
	struct sm_buf pw;
	sm_diag_init("tool");
	src.fd = open(ctx, O_RDONLY);
	sm_buf_init(&pw, SM_PASSPHRASE_MAX);
	dprintf(1, "%d ", sm_passphrase(&pw, &src, "P: ", false));
	dprintf(1, "%d", sm_passphrase(&pw, &src, "P: ", false));
	sm_buf_release(&pw);
}

static bool asked(const char *file, const char *want)
{
	struct sm_passphrase_source src = {.file = file, .fd = -1};
	run(ask_without_terminal, &src);
	return !strcmp(child.out, want);
}

static void test_passphrase_files(void)
{
	static char big[SM_PASSPHRASE_MAX + 2];
	char want[32];
	memset(big, 'p', sizeof(big));
	ok(write_pass("pw", "secret\n", 7, 0600) && asked(scratch("pw"), "OK secret"), "one final newline is no part of it");
	ok(write_pass("pw", "a b\n\n", 5, 0600) && asked(scratch("pw"), "OK a b\n"), "but only one");
	ok(write_pass("pw", "", 0, 0600) && asked(scratch("pw"), "OK "), "an empty one may open something");
	big[SM_PASSPHRASE_MAX] = '\n';
	ok(write_pass("pw", big, SM_PASSPHRASE_MAX + 1, 0600) && asked(scratch("pw"), "OK ") == false && child.status == 0 &&
	           strlen(child.out) == 3 + SM_PASSPHRASE_MAX,
	   "%d bytes", SM_PASSPHRASE_MAX);
	big[SM_PASSPHRASE_MAX] = 'p';
	snprintf(want, sizeof(want), "error %d", SM_ERR_LIMIT);
	ok(write_pass("pw", big, SM_PASSPHRASE_MAX + 1, 0600) && asked(scratch("pw"), want) && strstr(child.err, "longer than 4096"),
	   "one more");
	snprintf(want, sizeof(want), "error %d", SM_ERR_PERM);
	ok(write_pass("pw", "x", 1, 0640) && asked(scratch("pw"), want) && strstr(child.err, "mode 0640): chmod 600 it"),
	   "readable by others: %s", said());
	snprintf(want, sizeof(want), "error %d", SM_ERR_NOINPUT);
	ok(asked(scratch("none"), want) && strstr(child.err, "none': No such file"), "no such file: %s", said());
	snprintf(want, sizeof(want), "error %d", SM_ERR_IO);
	ok(asked(scratch_dir, want) && strstr(child.err, "Is a directory"), "a directory: %s", said());
}

static void test_passphrase_sources(void)
{
	struct sm_passphrase_source none = {.fd = -1}, empty = {.fd = -1};
	char want[32];
	snprintf(want, sizeof(want), "error %d", SM_ERR_PASSPHRASE);
	run(ask_without_terminal, &none);
	ok(!strcmp(child.out, want) && strstr(child.err, "--passphrase-file, --passphrase-fd or SM_PASSPHRASE_FILE"),
	   "no terminal, no source: %s", said());
	none.hint = "-N";
	run(ask_without_terminal, &none);
	ok(strstr(child.err, "use -N\n"), "what else to use is the tool's: %s", said());
	ok(!sm_passphrase_scripted(&none), "no source to ask");

	write_pass("sm-passphrase", "cred\n", 5, 0440);
	setenv("CREDENTIALS_DIRECTORY", scratch_dir, 1);
	ok(asked(NULL, "OK cred"), "a systemd credential, whatever its group bits: %s", said());
	write_pass("env", "env\n", 4, 0600);
	setenv("SM_PASSPHRASE_FILE", scratch("env"), 1);
	ok(asked(NULL, "OK env") && sm_passphrase_scripted(&none), "$SM_PASSPHRASE_FILE comes before it");
	write_pass("file", "file\n", 5, 0600);
	ok(asked(scratch("file"), "OK file"), "--passphrase-file before both");
	unsetenv("SM_PASSPHRASE_FILE");
	unsetenv("CREDENTIALS_DIRECTORY");

	run(ask_fd_twice, (void *)(uintptr_t)scratch("file"));
	snprintf(want, sizeof(want), "%d %d", SM_OK, SM_ERR_PASSPHRASE);
	ok(!strcmp(child.out, want) && strstr(child.err, "read to its end already"), "a descriptor is read once: %s", said());
	write_pass("empty", "\n", 1, 0600);
	empty.file = scratch("empty");
	run(ask_new, &empty);
	snprintf(want, sizeof(want), "%d", SM_ERR_PASSPHRASE);
	ok(!strcmp(child.out, want) && strstr(child.err, "protects nothing"), "a new one may not be empty: %s", said());
}

static void test_output(void)
{
	struct sm_progress p;
	int fd = open(scratch("text"), O_RDWR | O_CREAT, 0600);
	char back[8] = "";
	ok(fd >= 0 && !sm_put_text(fd, "a\033b", 3) && pread(fd, back, 8, 0) == 3 && !memcmp(back, "a\033b", 3),
	   "to a file, text is as it is");
	ok(!sm_is_tty(fd) && !sm_refuse_binary(fd, "use -o"), "a file may be binary");
	close(fd);
	fd = open("/dev/null", O_WRONLY);
	int saved = dup(2);
	dup2(fd, 2);
	sm_progress_init(&p, false, 100);
	sm_progress_update(&p, 50);
	sm_progress_end(&p);
	dup2(saved, 2);
	close(saved);
	close(fd);
	ok(!p.on && p.done == 50, "no progress without a terminal");
}

int main(void)
{
	unsetenv("SM_PASSPHRASE_FILE");
	unsetenv("CREDENTIALS_DIRECTORY");
	if (!scratch_make()) {
		ok(false, "a directory to work in");
		return tap_done();
	}
	test_options();
	test_numbers();
	test_help();
	test_broken_stdout();
	test_diag();
	test_exit();
	test_passphrase_files();
	test_passphrase_sources();
	test_output();
	return tap_done();
}
