/* The strict reading of a request's head: one fault a case. */
#include "smserver/http_strict.h"
#include "tap.h"

#include <string.h>

static enum sm_head_state read_bytes(struct sm_head *h, const char *text, size_t n)
{
	size_t scanned = 0;
	const char *why;

	return sm_head_read(h, (const uint8_t *)text, n, &scanned, &why);
}

#define GET "GET /x?y HTTP/1.1\r\n"
#define HOST "Host: example.org\r\n"
#define END "\r\n"
#define BYTES(s) s, sizeof s - 1

static const struct {
	const char *text;
	size_t n;
	const char *what;
} bad[] = {
        {BYTES(GET HOST "Content-Length : 3\r\n" END), "a space before the colon"},
        {BYTES(GET HOST "Transfer-Encoding : chunked\r\n" END), "the same, Transfer-Encoding"},
        {BYTES(GET HOST "Transfer-Encoding: chunked\r\n" END), "any Transfer-Encoding"},
        {BYTES(GET HOST "transfer-encoding: identity\r\n" END), "also identity"},
        {BYTES(GET HOST "Transfer-Encoding:\r\n" END), "also an empty one"},
        {BYTES(GET HOST ": x\r\n" END), "a name that is empty"},
        {BYTES(GET HOST "X Y: x\r\n" END), "a name with a space"},
        {BYTES(GET HOST "X\0Y: x\r\n" END), "a name with a zero byte"},
        {BYTES(GET HOST "X(: x\r\n" END), "a name that is no token"},
        {BYTES(GET HOST "X\r\n" END), "no colon"},
        {BYTES(GET HOST "X: y\r\n Content-Length: 3\r\n" END), "a continuation line"},
        {BYTES(GET HOST "X: y\r\n\tz\r\n" END), "a continuation line with a tab"},
        {BYTES(GET " X: y\r\n" HOST END), "a space before the first name"},
        {BYTES(GET HOST "X: a\0b\r\n" END), "a zero byte in a value"},
        {BYTES(GET HOST "X: a\rb\r\n" END), "a CR in a value"},
        {BYTES(GET HOST "X: a\x7f\r\n" END), "a DEL in a value"},
        {BYTES(GET HOST "X: a\n" END), "a bare LF"},
        {BYTES("GET /x HTTP/1.1\n" HOST END), "a bare LF after the request line"},
        {BYTES(GET HOST "\n"), "a bare LF as the end"},
        {BYTES("\r\n" GET HOST END), "an empty line first"},
        {BYTES(GET HOST "Content-Length: 0\r\nContent-Length: 0\r\n" END), "two lengths"},
        {BYTES(GET HOST "Content-Length: 0, 0\r\n" END), "a list of lengths"},
        {BYTES(GET HOST "Content-Length:\r\n" END), "an empty length"},
        {BYTES(GET HOST "Content-Length: -1\r\n" END), "a negative length"},
        {BYTES(GET HOST "Content-Length: +1\r\n" END), "a signed length"},
        {BYTES(GET HOST "Content-Length: 0x1\r\n" END), "a length in hex"},
        {BYTES(GET HOST "Content-Length: 3\0000\r\n" END), "a zero byte in a length"},
        {BYTES(GET HOST "Content-Length: 1000000000000000\r\n" END), "a length beyond all measure"},
        {BYTES(GET HOST "Content-Length: 3\r\n" END), "a body for GET"},
        {BYTES("DELETE / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" END), "a body for DELETE"},
        {BYTES(GET END), "no Host"},
        {BYTES(GET HOST HOST END), "two Hosts"},
        {BYTES(GET "Host:\r\n" END), "an empty Host"},
        {BYTES(GET "Host: a b\r\n" END), "a Host with a space"},
        {BYTES(GET "Host: a/b\r\n" END), "a Host with a slash"},
        {BYTES(GET "Host: u@a\r\n" END), "a Host with a user"},
        {BYTES(GET "Host: a:\r\n" END), "a Host with an empty port"},
        {BYTES(GET "Host: a:b\r\n" END), "a port that is no number"},
        {BYTES(GET "Host: a:123456\r\n" END), "a port too long"},
        {BYTES(GET "Host: [::1\r\n" END), "an address without its end"},
        {BYTES(GET "Host: [::1]8\r\n" END), "an address with something after it"},
        {BYTES(GET "Host: [x]\r\n" END), "a name in brackets"},
        {BYTES("GET /x HTTP/1.2\r\n" HOST END), "HTTP/1.2"},
        {BYTES("GET /x HTTP/1.11\r\n" HOST END), "HTTP/1.11"},
        {BYTES("GET /x HTTP/2.0\r\n" HOST END), "HTTP/2.0"},
        {BYTES("GET /x HTTP/1.-1\r\n" HOST END), "HTTP/1.-1"},
        {BYTES("GET /x http/1.1\r\n" HOST END), "http in lower case"},
        {BYTES("GET /x\r\n" HOST END), "no version"},
        {BYTES("GET  /x HTTP/1.1\r\n" HOST END), "two spaces"},
        {BYTES("GET /x y HTTP/1.1\r\n" HOST END), "a space in the target"},
        {BYTES("GET /\x80 HTTP/1.1\r\n" HOST END), "a target beyond ASCII"},
        {BYTES("GET /x#y HTTP/1.1\r\n" HOST END), "a fragment"},
        {BYTES("GET http://a/x HTTP/1.1\r\n" HOST END), "a target with a scheme"},
        {BYTES("OPTIONS * HTTP/1.1\r\n" HOST END), "a target that is a star"},
        {BYTES("G@T /x HTTP/1.1\r\n" HOST END), "a method that is no token"},
        {BYTES("nonsense\r\n" END), "one word"},
};

static const char good[] =
        "POST /api?q=1 HTTP/1.1\r\nHost: [::1]:8600\r\ncontent-LENGTH: \t12 \r\nContent-Type: a/b\r\nX: \xc3\xa4 \r\nY:\r\n"
        "Authorization: Bearer t\r\n\r\nbody";

static void test_good(void)
{
	struct sm_head h;
	size_t scanned = 0;
	const char *why;
	bool more = true;

	ok(read_bytes(&h, BYTES(good)) == SM_HEAD_GOOD && h.size == sizeof good - 5, "a good head, and where it ends");
	ok(h.length == 12 && sm_span_equals(h.method, "POST") && sm_span_equals(h.target, "/api?q=1") &&
	           sm_span_equals(h.host, "[::1]:8600") && sm_span_equals(h.type, "a/b") && sm_span_equals(h.authorization, "Bearer t"),
	   "what it says");
	for (size_t n = 0; n < sizeof good - 5; n++)
		more &= sm_head_read(&h, (const uint8_t *)good, n, &scanned, &why) == SM_HEAD_MORE;
	ok(more && sm_head_read(&h, (const uint8_t *)good, sizeof good - 1, &scanned, &why) == SM_HEAD_GOOD && h.length == 12,
	   "the same, byte by byte");
	ok(read_bytes(&h, BYTES("GET / HTTP/1.0\r\nHost: a_b-c.9:1\r\n\r\n")) == SM_HEAD_GOOD, "HTTP/1.0");
}

static void test_size(void)
{
	static char head[SM_HEAD_MAX + 64];
	struct sm_head h;
	size_t n = strlen(GET HOST "X: ");

	memset(head, 'x', sizeof head);
	memcpy(head, GET HOST "X: ", n);
	memcpy(head + SM_HEAD_MAX - 4, "\r\n\r\n", 4);
	ok(read_bytes(&h, head, SM_HEAD_MAX) == SM_HEAD_GOOD && h.size == SM_HEAD_MAX, "16 KiB of head");
	memset(head + SM_HEAD_MAX - 4, 'x', 4);
	ok(read_bytes(&h, head, SM_HEAD_MAX - 1) == SM_HEAD_MORE && read_bytes(&h, head, SM_HEAD_MAX) == SM_HEAD_BAD, "and no more");
	memcpy(head + SM_HEAD_MAX, "\r\n\r\n", 4);
	ok(read_bytes(&h, head, SM_HEAD_MAX + 4) == SM_HEAD_BAD, "also when it comes all at once");
}

int main(void)
{
	struct sm_head h;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(read_bytes(&h, bad[i].text, bad[i].n) == SM_HEAD_BAD, "refused: %s", bad[i].what);
	test_good();
	test_size();
	return tap_done();
}
