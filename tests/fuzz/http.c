/* The head of a request. What is taken for good has one length, one host and no line that another reader could read otherwise; and
 * it is the same however the bytes come in. */
#include "check.h"

#include "smserver/http_strict.h"

#include <string.h>
#include <strings.h>

static void check_good(const struct sm_head *h, const uint8_t *p)
{
	size_t hosts = 0;

	CHECK(h->size >= 4 && h->size <= SM_HEAD_MAX && !memcmp(p + h->size - 4, "\r\n\r\n", 4));
	CHECK(memmem(p, h->size, "\r\n\r\n", 4) == p + h->size - 4);
	CHECK(!memchr(p, 0, h->size) && sm_head_host_valid(h->host));
	for (size_t i = 0; i < h->size; i++) {
		CHECK(p[i] != '\n' || (i && p[i - 1] == '\r'));
		CHECK(p[i] != '\r' || p[i + 1] == '\n');
		if (i && p[i - 1] == '\n') {
			CHECK(p[i] != ' ' && p[i] != '\t');
			hosts += h->size - i > 5 && (p[i] | 32) == 'h' && (p[i + 3] | 32) == 't' && p[i + 4] == ':' &&
			         (p[i + 1] | 32) == 'o' && (p[i + 2] | 32) == 's';
			CHECK(h->size - i < 18 || strncasecmp((const char *)p + i, "Transfer-Encoding:", 18) != 0);
		}
	}
	CHECK(hosts == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sm_head whole, pieces = {0};
	size_t scanned = 0, again = 0, step = n ? 1 + p[0] % 9 : 1;
	const char *why, *why2;
	enum sm_head_state a, b = SM_HEAD_MORE;

	a = sm_head_read(&whole, p, n, &scanned, &why);
	for (size_t i = 0; b == SM_HEAD_MORE && i < n;) {
		i = i + step < n ? i + step : n;
		b = sm_head_read(&pieces, p, i, &again, &why2);
	}
	CHECK(a == b);
	CHECK((a == SM_HEAD_BAD) == (why != NULL && a != SM_HEAD_MORE && a != SM_HEAD_GOOD));
	if (a == SM_HEAD_GOOD) {
		check_good(&whole, p);
		CHECK(pieces.size == whole.size && pieces.length == whole.length);
	}
	return 0;
}
