/* Control messages: good ones, one fault at a time, limits, and writing. */
#include "tap.h"

#include "wire/control.h"

#include <stdlib.h>
#include <string.h>

#define ID "abcdefghijklmnopqrstuvwxya"
#define ID2 "bbcdefghijklmnopqrstuvwxya"
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY43 "0123456789abcdefghijklmnopqrstuvwxyzABCDEFA"
#define TOP "sm-control/1\n"
#define CHAIN "chain " ID " 3 " HEX64 " " ID2 " 17 " KEY43 "\n"
#define GROUP "group " ID " 3 " HEX64 "\n"
#define RESEND "resend " ID "\n"

static struct sm_control line[SM_CONTROL_LINES];

static enum sm_err parse(size_t *n, const char *text, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	memcpy(exact, text, len);
	enum sm_err e = sm_control_parse(line, n, exact, len);
	free(exact);
	return e;
}

static bool all_zero(void)
{
	const uint8_t *p = (const uint8_t *)line;
	for (size_t i = 0; i < sizeof(line); i++)
		if (p[i])
			return false;
	return true;
}

static void takes(const char *name, const char *text)
{
	size_t n = 0;
	struct sm_buf b;
	sm_buf_init(&b, SM_CONTROL_MAX);
	enum sm_err e = parse(&n, text, strlen(text));
	bool same = !e && !sm_control_write(&b, line, n) && b.len == strlen(text) && !memcmp(b.data, text, b.len);
	ok(same, "takes %s, and writes it the same (%s)", name, sm_err_text(e));
	sm_buf_release(&b);
}

static void refuses(const char *name, const char *text)
{
	size_t n = 99;
	memset(line, 0, sizeof(line));
	enum sm_err e = parse(&n, text, strlen(text));
	ok(e == SM_ERR_PAYLOAD && n == 99 && all_zero(), "refuses %s, and leaves nothing (%s)", name, sm_err_text(e));
}

static void good(void)
{
	size_t n = 0;
	takes("a chain", TOP CHAIN);
	takes("a group", TOP GROUP);
	takes("a resend", TOP RESEND);
	takes("all, in any order, and twice", TOP RESEND CHAIN GROUP CHAIN);
	takes("the largest", TOP "chain " ID " 9223372036854775807 " HEX64 " " ID " 4294967295 " KEY43 "\n");
	ok(!parse(&n, TOP CHAIN, strlen(TOP CHAIN)) && n == 1 && line[0].kind == SM_CONTROL_CHAIN && !strcmp(line[0].id, ID) &&
	           line[0].epoch == 3 && line[0].roster[1] == 0x23 && !strcmp(line[0].chain, ID2) && line[0].n == 17 &&
	           line[0].key[0] == 0xd3,
	   "what a chain says");
}

static void faults(void)
{
	refuses("nothing", "");
	refuses("the top alone", TOP);
	refuses("no top", CHAIN);
	refuses("another version", "sm-control/2\n" CHAIN);
	refuses("a word behind the top", "sm-control/1 x\n" CHAIN);
	refuses("no LF at the end", "sm-control/1\nresend " ID);
	refuses("an empty line at the end", TOP CHAIN "\n");
	refuses("an empty line between", TOP CHAIN "\n" CHAIN);
	refuses("CRLF", TOP "resend " ID "\r\n");
	refuses("an unknown line after a good one", TOP CHAIN "retract " ID "\n");
	refuses("a resend without id", TOP "resend\n");
	refuses("a resend with two", TOP "resend " ID " " ID "\n");
	refuses("an id that is none", TOP "resend ABCDEFGHIJKLMNOPQRSTUVWXYA\n");
	refuses("a group without roster", TOP "group " ID " 3\n");
	refuses("a group with more", TOP "group " ID " 3 " HEX64 " x\n");
	refuses("epoch 0", TOP "group " ID " 0 " HEX64 "\n");
	refuses("an epoch too large", TOP "group " ID " 9223372036854775808 " HEX64 "\n");
	refuses("a hash too short", TOP "group " ID " 3 0123\n");
	refuses("a chain without key", TOP "chain " ID " 3 " HEX64 " " ID " 17\n");
	refuses("a chain with more", TOP "chain " ID " 3 " HEX64 " " ID " 17 " KEY43 " x\n");
	refuses("a chain's id that is none", TOP "chain " ID " 3 " HEX64 " x 17 " KEY43 "\n");
	refuses("a number too large", TOP "chain " ID " 3 " HEX64 " " ID " 4294967296 " KEY43 "\n");
	refuses("a key too short", TOP "chain " ID " 3 " HEX64 " " ID " 17 0123456789abcdefghijklmnopqrstuvwxyzABCDEA\n");
	refuses("a key with padding", TOP "chain " ID " 3 " HEX64 " " ID " 17 " KEY43 "=\n");
	refuses("a key with trailing bits", TOP "chain " ID " 3 " HEX64 " " ID " 17 0123456789abcdefghijklmnopqrstuvwxyzABCDEFB\n");
	refuses("two spaces", TOP "resend  " ID "\n");
	refuses("a space behind", TOP "resend " ID " \n");
	refuses("a control character", TOP "resend " ID "\x1b\n");
}

static void limits(void)
{
	struct sm_buf b;
	size_t n = 0;
	sm_buf_init(&b, 1 << 20);
	bool good = !sm_buf_adds(&b, TOP);
	for (int i = 0; i < SM_CONTROL_LINES; i++)
		good = good && !sm_buf_adds(&b, "chain " ID " 9223372036854775807 " HEX64 " " ID " 4294967295 " KEY43 "\n");
	ok(good && !parse(&n, (const char *)b.data, b.len) && n == SM_CONTROL_LINES, "%d of the longest lines (%zu bytes)",
	   SM_CONTROL_LINES, b.len);
	struct sm_buf c;
	sm_buf_init(&c, SM_CONTROL_MAX);
	ok(!sm_control_write(&c, line, n) && c.len == b.len, "and written");
	ok(sm_control_write(&c, line, SM_CONTROL_LINES + 1) == SM_ERR_FORMAT && c.len == b.len, "no more can be written");
	ok(sm_control_write(&c, line, 0) == SM_ERR_FORMAT, "nor none");
	good = !sm_buf_adds(&b, RESEND);
	ok(good && parse(&n, (const char *)b.data, b.len) == SM_ERR_PAYLOAD, "one line more is refused");
	sm_buf_release(&b);
	sm_buf_release(&c);
	char *big = calloc(1, SM_CONTROL_MAX + 1);
	ok(big && parse(&n, big, SM_CONTROL_MAX + 1) == SM_ERR_PAYLOAD, "too large");
	free(big);
}

static void writing(void)
{
	struct sm_control c = {.kind = SM_CONTROL_GROUP, .id = ID, .epoch = 0};
	struct sm_buf b;
	sm_buf_init(&b, SM_CONTROL_MAX);
	ok(sm_control_write(&b, &c, 1) == SM_ERR_FORMAT && !b.len, "not epoch 0");
	c.epoch = 1;
	c.id[3] = '\n';
	ok(sm_control_write(&b, &c, 1) == SM_ERR_FORMAT && !b.len, "not an id that is none");
	c = (struct sm_control){.kind = SM_CONTROL_CHAIN, .id = ID, .epoch = 1};
	ok(sm_control_write(&b, &c, 1) == SM_ERR_FORMAT && !b.len, "not a chain without id");
	sm_buf_release(&b);
}

int main(void)
{
	good();
	faults();
	limits();
	writing();
	return tap_done();
}
