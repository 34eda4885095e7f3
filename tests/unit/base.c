/* What is left of lib/base: the words for errors, secret memory, the log. */
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void errors(void)
{
	int wrong = 0;
	for (int i = 0; i <= SM_ERR_BUG; i++) {
		const char *text = sm_err_text((enum sm_err)i);
		wrong += !text || !*text || strchr(text, '\n') || (*text >= 'A' && *text <= 'Z') || strcmp(text, "unknown error") == 0;
		for (int j = 0; j < i; j++)
			wrong += strcmp(text, sm_err_text((enum sm_err)j)) == 0;
	}
	ok(wrong == 0, "every error has words of its own");
	ok(strcmp(sm_err_text((enum sm_err)9999), "unknown error") == 0 && strcmp(sm_err_text(SM_ERR_STANZA), "no stanza for me") == 0,
	   "and others have some");
}

/* How a child ends that writes one byte past a secret, or to one given back. */
static bool dies_writing(bool freed)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		struct sm_secret s;
		const struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);
		if (sm_secret_alloc(&s, 32))
			_exit(1);
		volatile uint8_t *p = s.data;
		if (freed)
			sm_secret_release(&s);
		p[freed ? 0 : 32] = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) || WEXITSTATUS(status) > 1; /* a memory checker may report and exit instead */
}

static void secrets(void)
{
	static const uint8_t zeros[100];
	struct sm_secret s = {0}, t = {0};

	ok(!sm_secret_alloc(&s, 100) && s.len == 100 && sm_equal(s.data, zeros, 100), "a secret starts as zeros");
	ok(!sm_secret_copy(&t, "secret", 6) && t.len == 6 && sm_equal(t.data, "secret", 6) && !sm_equal(t.data, "secreT", 6),
	   "copied and compared");
	sm_secret_release(&s);
	ok(!s.data && s.len == 0, "released");
	sm_secret_release(&s);
	sm_secret_release(NULL);
	ok(!sm_secret_alloc(&s, 0) && !s.data && s.len == 0 && !sm_secret_copy(&s, NULL, 0) && !s.data, "none at all");
	ok(sm_secret_alloc(&t, SIZE_MAX - 100) == SM_ERR_NOMEM && t.len == 6 && t.data, "out of memory leaves the output alone");
	uint8_t p[3] = {1, 2, 3};
	sm_wipe(p, 2);
	sm_wipe(NULL, 0);
	ok(p[0] == 0 && p[1] == 0 && p[2] == 3, "wiped as far as asked");
	ok(sm_equal(NULL, NULL, 0) && sm_equal("a", "b", 0), "nothing equals nothing");
	ok(dies_writing(false), "one byte past a secret is caught");
	ok(dies_writing(true), "so is one given back");
	sm_secret_release(&t);
}

static void harden(void)
{
	struct rlimit r;
	ok(!sm_secret_harden() && getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 0 && r.rlim_max == 0, "no core dumps");
	ok(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && !sm_secret_harden(), "no debugger, and twice is fine");
}

static int log_fds[2];

/* The line that is in the pipe now, without its LF; NULL unless it is exactly one. */
static char *logged(void)
{
	static char line[65536];
	ssize_t n = read(log_fds[0], line, sizeof(line) - 1);
	if (n <= 0)
		return NULL;
	line[n] = '\0';
	char *lf = strchr(line, '\n');
	if (lf != line + n - 1)
		return NULL;
	*lf = '\0';
	return line;
}

/* Whether the line is a timestamp and then `rest`. */
static bool logs(const char *rest)
{
	char *line = logged();
	bool good = line && strncmp(line, "ts=2", 4) == 0 && strlen(line) > 27 && line[26] == 'Z' && strcmp(line + 27, rest) == 0;
	if (!good)
		printf("# %s\n", line ? line : "(no line)");
	return good;
}

static void log_text(void)
{
	struct sm_log l = {.fd = log_fds[1], .level = SM_LOG_INFO};

	sm_log(&l, SM_LOG_INFO, "ready", "listen", "[::1]:80", NULL);
	ok(logs(" level=info msg=ready listen=[::1]:80"), "logfmt");
	sm_log(&l, SM_LOG_ERROR, "two words", "a", "", "b", "x=y", "c", "q\"\\", "d", NULL, NULL);
	ok(logged() != NULL, "one write is one line");
	sm_log(&l, SM_LOG_WARN, "two words", "a", "", "b", "x=y", "c", "q\"\\", NULL);
	ok(logs(" level=warn msg=\"two words\" a=\"\" b=\"x=y\" c=\"q\\\"\\\\\""), "quoted where needed");
	sm_log(&l, SM_LOG_INFO, "m", "v", "a\nts=1\x1b[2J\xe2\x80\xae\xff", NULL);
	ok(logs(" level=info msg=m v=\"a\\nts=1\\e[2J\\u{202e}\\xff\""), "no line, no escape and no byte gets through raw");
	sm_log(&l, SM_LOG_DEBUG, "hidden", NULL);
	ok(!logged() && errno == EAGAIN, "below the level nothing is written");
}

static void log_json(void)
{
	struct sm_log l = {.fd = log_fds[1], .level = SM_LOG_DEBUG, .json = true};

	sm_log(&l, SM_LOG_DEBUG, "m", "v", "a\n\"\\\x1b\xe2\x80\xae\xf3\xa0\x81\x81\xc3\xbc\xff", "w", "", NULL);
	char *line = logged();
	json_t *j = line ? json_loads(line, JSON_REJECT_DUPLICATES, NULL) : NULL;
	ok(j && json_object_size(j) == 5 && strcmp(json_string_value(json_object_get(j, "level")), "debug") == 0, "JSON");
	const char *v = j ? json_string_value(json_object_get(j, "v")) : NULL;
	ok(v && strcmp(v, "a\n\"\\\x1b\xe2\x80\xae\xf3\xa0\x81\x81\xc3\xbc\xef\xbf\xbd") == 0,
	   "reads back as it was, but for what was no text");
	ok(line && !strchr(line, 0x1b) && !strstr(line, "\xe2\x80\xae"), "with nothing raw in it");
	json_decref(j);
}

static void log_limits(void)
{
	static char lengthy[20000], controls[3000];
	struct sm_log l = {.fd = log_fds[1]};

	memset(lengthy, 'x', sizeof(lengthy) - 1);
	memset(controls, 1, sizeof(controls) - 1);
	for (int json = 0; json < 2; json++) {
		l.json = json;
		sm_log(&l, SM_LOG_INFO, controls, "a", lengthy, "b", controls, "c", controls, "d", lengthy, "e", lengthy, "f", controls,
		       NULL);
		char *line = logged();
		ok(line && strlen(line) < 16384 && strstr(line, "...\""), "values and lines have a maximum");
		json_t *j = json && line ? json_loads(line, 0, NULL) : NULL;
		ok(!json || j, "and the line is whole");
		json_decref(j);
	}
	int broken = 0;
	l.json = true;
	lengthy[1000] = '\0';
	for (size_t n = 0; n <= 1000; n++) {
		const char *x = lengthy;
		sm_log(&l, SM_LOG_INFO, "m", "1", x, "2", x, "3", x, "4", x, "5", x, "6", x, "7", x, "8", x, "9", x, "10", x, "11", x, "12",
		       x, "13", x, "14", x, "15", x, "16", lengthy + n, "17", lengthy + n / 2, NULL);
		char *line = logged();
		broken += !line || line[strlen(line) - 1] != '}';
	}
	ok(broken == 0, "also when the maximum falls on the last byte");
	l.fd = open("/dev/full", O_WRONLY);
	errno = 7;
	sm_log(&l, SM_LOG_ERROR, "lost", NULL);
	ok(errno == 7, "a full disk does not stop the server, nor touch errno");
	close(l.fd);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	errors();
	secrets();
	harden();
	if (pipe2(log_fds, O_NONBLOCK) < 0)
		return 1;
	log_text();
	log_json();
	log_limits();
	return tap_done();
}
