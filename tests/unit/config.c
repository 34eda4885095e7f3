/* Configuration files as people write them, and as they get them wrong. */
#include "base/config.h"

#include "base/file.h"
#include "scratch.h"
#include "tap.h"

#include <string.h>

struct seen {
	char text[4096];
	int keys;
};

static enum sm_err note(void *ctx, const char *section, const char *key, const char *value, char *why)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);

	if (strcmp(key, "bad") == 0) {
		snprintf(why, 256, "unknown key '%s'", key);
		return SM_ERR_CONFIG;
	}
	if (strcmp(key, "silent") == 0)
		return SM_ERR_CONFIG;
	if (strcmp(key, "memory") == 0)
		return SM_ERR_NOMEM;
	snprintf(s->text + n, sizeof(s->text) - n, "[%s]%s=%s;", section, key, value);
	s->keys++;
	return SM_OK;
}

static struct seen seen;
static int line;
static char why[256];

static enum sm_err read_bytes(const char *text, size_t n)
{
	const char *path = scratch("conf");
	seen = (struct seen){0};
	line = -1;
	if (sm_file_replace(path, text, n, 0600))
		return SM_ERR_BUG;
	return sm_config_read(path, note, &seen, &line, why);
}
static enum sm_err read_text(const char *text) { return read_bytes(text, strlen(text)); }

static void accepted(void)
{
	ok(!read_text("") && seen.keys == 0 && line == 0, "an empty file");
	ok(!read_text("a = 1\n[net]\nb=2\nc =  two words \n") && strcmp(seen.text, "[]a=1;[net]b=2;[net]c=two words;") == 0,
	   "keys and sections");
	ok(!read_text("# x\n; y\n\n  # z\na = 1 ; remark\nb = x;y\nc = a#b") && strcmp(seen.text, "[]a=1;[]b=x;y;[]c=a#b;") == 0,
	   "comments, and no LF at the end");
	ok(!read_text("a = 1\n  b = 2\n\tc = 3\n") && strcmp(seen.text, "[]a=1;[]b=2;[]c=3;") == 0,
	   "an indented line is a line of its own");
	ok(!read_text("a = 1\r\n[s]\r\nb = 2\r\n") && strcmp(seen.text, "[]a=1;[s]b=2;") == 0, "CRLF");
	ok(!read_text("a =\nb = x=y\n") && strcmp(seen.text, "[]a=;[]b=x=y;") == 0, "empty values and values with =");
	ok(!read_text("\xef\xbb\xbf"
	              "a = 1\n") &&
	           strcmp(seen.text, "[]a=1;") == 0,
	   "a byte order mark");
	ok(!read_text("a = 1\na = 2\n") && seen.keys == 2, "a repeated key is the caller's to judge");
}

static void refused(void)
{
	char text[2000];

	ok(read_text("a = 1\n\n# c\nbad = 3\nb = 1\n") == SM_ERR_CONFIG && line == 4 && strcmp(why, "unknown key 'bad'") == 0,
	   "an unknown key, with its line");
	ok(seen.keys == 1, "nothing is taken after an error");
	ok(read_text("silent = 3\n") == SM_ERR_CONFIG && line == 1 && strcmp(why, "bad value") == 0, "a handler that says nothing");
	ok(read_text("\nmemory = 3\n") == SM_ERR_NOMEM && line == 2, "another error keeps its kind");
	ok(read_text("a = 1\nnonsense\n") == SM_ERR_CONFIG && line == 2 && strstr(why, "key = value"), "a line that is neither");
	ok(read_text("nonsense\na = 1\nbad = 2\n") == SM_ERR_CONFIG && line == 1 && strstr(why, "key = value"), "the first of two errors");
	ok(read_text("bad = 2\nnonsense\n") == SM_ERR_CONFIG && line == 1 && strstr(why, "unknown"),
	   "the first of two errors, the other way round");
	ok(read_text("[open\n") == SM_ERR_CONFIG && line == 1, "a section without end");
	ok(read_bytes("a = 1\nb = \0x\n", 14) == SM_ERR_CONFIG && line == 2 && strstr(why, "zero"), "a zero byte");
	memset(text, 'x', sizeof(text));
	memcpy(text, "a = 1\nkey = ", 12);
	text[sizeof(text) - 1] = '\0';
	ok(read_text(text) == SM_ERR_CONFIG && line == 2 && strcmp(why, "line too long") == 0, "a line too long is refused, not cut");
	text[6 + 197] = '\0';
	ok(!read_text(text) && seen.keys == 2 && strlen(seen.text) > 190, "one that just fits is whole");
}

static void files(void)
{
	struct sm_buf big;
	ok(sm_config_read(scratch("missing"), note, &seen, &line, why) == SM_ERR_NOINPUT && line == 0 && why[0] == '\0', "no such file");
	ok(sm_config_read(scratch_dir, note, &seen, &line, why) == SM_ERR_NOINPUT, "a directory");
	sm_buf_init(&big, 2 << 20);
	bool good = true;
	while (good && big.len <= 1 << 20)
		good = !sm_buf_adds(&big, "# a comment, again and again\n");
	ok(good && read_bytes((const char *)big.data, big.len) == SM_ERR_CONFIG && line == 0 && strstr(why, "1 MiB"), "a file too large");
	sm_buf_release(&big);
}

int main(void)
{
	if (!scratch_make())
		return 1;
	accepted();
	refused();
	files();
	return tap_done();
}
