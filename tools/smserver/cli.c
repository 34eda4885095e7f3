/* Verbs. Each speaks to the running server by its control socket, and works on the files when there is none. */
#include "cli.h"

#include "admin.h"
#include "base/file.h"
#include "base/path.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/opt.h"
#include "config.h"
#include "control.h"
#include "datadir.h"
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	const char *config, *data;
	struct sm_config c;
};

static int load_place(struct place *p)
{
	struct sm_override over = {"data", p->data};
	char why[512] = "";
	enum sm_err e = sm_config_load(&p->c, p->config, &over, p->data ? 1 : 0, why);

	return e ? sm_fail_plain(e == SM_ERR_NOINPUT ? e : SM_ERR_CONFIG, "%s", why) : 0;
}

static enum sm_err on_files(const struct place *p, const char *command, struct sm_buf *out, char why[static 512])
{
	struct sm_store *store = NULL;
	struct sm_reader *reader = NULL;
	int dirfd = -1, lockfd = -1;
	enum sm_err e = sm_datadir_open(p->c.data, false, &dirfd, &lockfd, why);

	if (!e) {
		char *db = sm_path_join(p->c.data, "sm.db");
		if (!db || access(db, F_OK)) {
			snprintf(why, 512, "'%.300s' holds no server yet: `smserver init --data DIR` makes one", p->c.data);
			e = SM_ERR_NOINPUT;
		}
		free(db);
	}
	if (!e)
		e = sm_store_open(&store, p->c.data, why);
	if (!e)
		e = sm_reader_open(&reader, p->c.data);
	if (!e)
		e = sm_admin_run(NULL, store, reader, command, out);
	sm_reader_close(reader);
	sm_store_close(store);
	if (lockfd >= 0)
		close(lockfd);
	if (dirfd >= 0)
		close(dirfd);
	return e;
}

/* Runs command where the server is; *why stays "" when the answer itself is the error. */
static enum sm_err ask(const struct place *p, const char *command, struct sm_buf *out, char why[static 512])
{
	bool running = false;
	int dirfd = open(p->c.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum sm_err e = SM_OK;

	why[0] = '\0';
	if (dirfd >= 0)
		e = sm_control_ask(dirfd, command, out, &running);
	if (dirfd >= 0)
		close(dirfd);
	return e || running ? e : on_files(p, command, out, why);
}

static int say_error(enum sm_err e, const char *why, const char *name)
{
	if (why[0])
		return sm_fail_plain(e, "%s", why);
	if (e == SM_ERR_NOTFOUND)
		return sm_fail_plain(e, "there is no user '%s'", name);
	if (e == SM_ERR_EXISTS)
		return sm_fail_plain(e, "there is a user '%s' already", name);
	if (e == SM_ERR_FORMAT)
		return sm_fail_plain(e, "'%s' is not a name: a-z, 0-9, dot, underscore and hyphen, at most 32", name);
	return sm_fail(e, "cannot do that");
}

static int print(const struct sm_buf *out) { return sm_write_full(STDOUT_FILENO, out->data, out->len) ? SM_EXIT_IO : SM_EXIT_OK; }

static int seconds_of(const char *text, int64_t fallback, int64_t *out)
{
	*out = fallback;
	if (text && (sm_duration_parse(out, text) || *out < 1)) {
		sm_error("--expires '%s' is not a time like 90, 15m, 8h or 7d", text);
		return SM_EXIT_USAGE;
	}
	return 0;
}

int sm_cli_invite(int argc, char **argv)
{
	static const struct sm_opt table[] = {
	        {'c', "config", "FILE", "the configuration"},
	        {SM_OPT_LONG, "data", "DIR", "the data directory"},
	        {SM_OPT_LONG + 1, "uses", "N", "how many people may register with it (default 1)"},
	        {SM_OPT_LONG + 2, "expires", "TIME", "90, 15m, 8h, 7d (default 7d)"},
	        {0},
	};
	struct sm_opts o = {
	        .verb = "invite", .usage = "[--uses N] [--expires TIME]", .about = "Prints a new code for registering.", .table = table};
	struct place p = {0};
	const char *expires = NULL, *uses = NULL;
	char command[SM_ADMIN_COMMAND_MAX], why[512];
	struct sm_buf out;
	int64_t seconds;
	int c, code;

	while ((c = sm_opt_next(&o, argc, argv)) != -1)
		sm_opt_once(&o, c == 'c' ? &p.config : c == SM_OPT_LONG ? &p.data : c == SM_OPT_LONG + 1 ? &uses : &expires);
	if (o.index != argc)
		sm_usage(&o, "too many arguments");
	code = seconds_of(expires, 7 * 86400, &seconds);
	if (!code)
		code = load_place(&p);
	if (code)
		return code;
	snprintf(command, sizeof command, "invite %llu %lld", uses ? sm_opt_number(&o, "--uses", uses, 1, 1000000) : 1ULL,
	         (long long)seconds);
	sm_buf_init(&out, SM_ADMIN_ANSWER_MAX);
	enum sm_err e = ask(&p, command, &out, why);
	code = e ? say_error(e, why, "") : print(&out);
	sm_buf_release(&out);
	return code;
}

static int list_users(const struct place *p)
{
	char command[SM_ADMIN_COMMAND_MAX] = "user-list", why[512];
	struct sm_buf out;
	size_t lines;
	int code = SM_EXIT_OK;

	do {
		sm_buf_init(&out, SM_ADMIN_ANSWER_MAX);
		enum sm_err e = ask(p, command, &out, why);
		const char *text = e ? NULL : sm_buf_str(&out), *last = text;
		code = e ? say_error(e, why, "") : print(&out);
		lines = 0;
		for (const char *q = text; q && *q; q = strchr(q, '\n') + 1, lines++)
			last = q;
		if (text)
			snprintf(command, sizeof command, "user-list %.*s", (int)strcspn(last, "\t"), last);
		sm_buf_release(&out);
	} while (!code && lines == SM_ADMIN_PAGE);
	return code;
}

static int change_user(const struct place *p, const char *what, const char *name, int64_t seconds)
{
	char command[SM_ADMIN_COMMAND_MAX], why[512];
	struct sm_buf out;
	enum sm_err e;
	int code;

	if (!sm_name_valid(name, strlen(name)))
		return say_error(SM_ERR_FORMAT, "", name);
	snprintf(command, sizeof command, "user-%s %s %lld", what, name, (long long)seconds);
	sm_buf_init(&out, SM_ADMIN_ANSWER_MAX);
	e = ask(p, command, &out, why);
	code = e ? say_error(e, why, name) : print(&out);
	sm_buf_release(&out);
	return code;
}

int sm_cli_user(int argc, char **argv)
{
	static const struct sm_opt table[] = {
	        {'c', "config", "FILE", "the configuration"},
	        {SM_OPT_LONG, "data", "DIR", "the data directory"},
	        {SM_OPT_LONG + 1, "expires", "TIME", "add: how long the invitation lasts (default 7d)"},
	        {0},
	};
	static const char *const verbs[] = {"add NAME       print an invitation for that name, to be used once",
	                                    "list           name, state and day of registration",
	                                    "disable NAME   end the sessions, refuse logins and mail", "enable NAME    undo that", NULL};
	struct sm_opts o = {.verb = "user", .usage = "add NAME | list | disable NAME | enable NAME", .table = table, .verbs = verbs};
	struct place p = {0};
	const char *expires = NULL;
	int64_t seconds;
	int c, code;

	while ((c = sm_opt_next(&o, argc, argv)) != -1)
		sm_opt_once(&o, c == 'c' ? &p.config : c == SM_OPT_LONG ? &p.data : &expires);
	code = seconds_of(expires, 7 * 86400, &seconds);
	if (!code)
		code = load_place(&p);
	if (code)
		return code;
	const char *what = o.index < argc ? argv[o.index] : "";
	int rest = argc - o.index - 1;
	if (!strcmp(what, "list") && rest == 0)
		return list_users(&p);
	if (rest == 1 && (!strcmp(what, "add") || !strcmp(what, "disable") || !strcmp(what, "enable")))
		return change_user(&p, what, argv[o.index + 1], seconds);
	sm_usage(&o, "user add NAME, user list, user disable NAME or user enable NAME");
}

static enum sm_err make_files(const struct place *p, const char *name, char why[static 512])
{
	char *path = sm_path_join(p->c.data, "smserver.conf"), *data = realpath(p->c.data, NULL);
	struct sm_store *store = NULL;
	struct sm_keys keys = {0};
	struct sm_buf sample;
	enum sm_err e = path && data ? sm_keys_load(&keys, p->c.data, true) : SM_ERR_NOMEM;

	sm_keys_release(&keys);
	if (e)
		snprintf(why, 512, "'%.400s/master.key': %s", p->c.data, sm_err_text(e));
	if (!e)
		e = sm_store_open(&store, p->c.data, why);
	sm_store_close(store);
	sm_buf_init(&sample, 65536);
	if (!e)
		e = sm_config_sample(&sample, data, name);
	if (!e)
		e = sm_file_create(path, sample.data, sample.len, 0600);
	if (e && !why[0])
		snprintf(why, 512, "cannot write '%.400s': %m", path ? path : "");
	sm_buf_release(&sample);
	free(data);
	free(path);
	return e;
}

int sm_cli_init(int argc, char **argv)
{
	static const struct sm_opt table[] = {
	        {SM_OPT_LONG, "data", "DIR", "the data directory"},
	        {SM_OPT_LONG + 1, "name", "HOST", "what stands after the @ of addresses: host or host:port"},
	        {0},
	};
	struct sm_opts o = {.verb = "init",
	                    .usage = "[--data DIR] [--name HOST]",
	                    .about = "Makes the data directory, its keys and a configuration.",
	                    .table = table};
	struct place p = {0};
	const char *name = NULL;
	char why[512] = "";
	int dirfd = -1, lockfd = -1, c, code;

	while ((c = sm_opt_next(&o, argc, argv)) != -1)
		sm_opt_once(&o, c == SM_OPT_LONG ? &p.data : &name);
	if (o.index != argc)
		sm_usage(&o, "too many arguments");
	if (name && !sm_host_valid(name, strlen(name)))
		sm_usage(&o, "--name '%s' is not host or host:port in lower case", name);
	code = load_place(&p);
	if (code)
		return code;
	enum sm_err e = sm_datadir_open(p.c.data, true, &dirfd, &lockfd, why);
	char *conf = sm_path_join(p.c.data, "smserver.conf");
	if (!e && conf && access(conf, F_OK) == 0) {
		e = SM_ERR_EXISTS;
		snprintf(why, sizeof why, "'%.400s' is a server's already", p.c.data);
	}
	if (!e)
		e = make_files(&p, name, why);
	if (!e)
		printf("made %s\nnext:\n  edit      %s\n  check it  smserver -t -c %s\n  invite    smserver user add NAME --data %s\n  "
		       "start     smserver --data %s\n",
		       p.c.data, conf, conf, p.c.data, p.c.data);
	free(conf);
	if (lockfd >= 0)
		close(lockfd);
	if (dirfd >= 0)
		close(dirfd);
	return e ? sm_fail_plain(e, "%s", why) : fflush(stdout) ? SM_EXIT_IO : SM_EXIT_OK;
}
