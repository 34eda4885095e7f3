/* Control messages: what parses is canonical, so writing it gives the same bytes; what does not leaves nothing behind. */
#include "check.h"

#include "wire/control.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct sm_control zero[SM_CONTROL_LINES];
	static struct sm_control line[SM_CONTROL_LINES];
	struct sm_buf b;
	size_t lines = 0;

	memset(line, 0, sizeof(line));
	enum sm_err e = sm_control_parse(line, &lines, p, n);
	CHECK(!e || e == SM_ERR_PAYLOAD);
	if (e) {
		CHECK(!memcmp(line, zero, sizeof(line)) && !lines);
		return 0;
	}
	CHECK(lines >= 1 && lines <= SM_CONTROL_LINES);
	sm_buf_init(&b, SM_CONTROL_MAX);
	CHECK(!sm_control_write(&b, line, lines) && b.len == n && !memcmp(b.data, p, n));
	sm_buf_release(&b);
	return 0;
}
