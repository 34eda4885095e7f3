/* A line at a time: the first pass finds where the head ends, and refuses line ends that are not CR LF as soon as they come; the
 * second reads the lines. */
#include "http_strict.h"

#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS = 15 };

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_alnum(uint8_t c) { return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z'); }
/* RFC 9110, 5.6.2 */
static bool is_token(uint8_t c) { return is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c)); }

static bool all(struct sm_span s, bool (*fits)(uint8_t))
{
	for (size_t i = 0; i < s.n; i++)
		if (!fits(s.p[i]))
			return false;
	return s.n > 0;
}

/* Visible ASCII but for #, which has no place in a request. */
static bool is_target(uint8_t c) { return c > ' ' && c < 0x7f && c != '#'; }
static bool is_value(uint8_t c) { return c == '\t' || (c >= ' ' && c != 0x7f); }
static bool is_name(uint8_t c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; }
static bool is_address(uint8_t c) { return is_digit(c) || c == ':' || c == '.' || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

bool sm_head_host_valid(struct sm_span host)
{
	const uint8_t *close = host.n && host.p[0] == '[' ? memchr(host.p, ']', host.n) : NULL;
	struct sm_span name = host, port = {0};

	if (close) {
		name = (struct sm_span){host.p + 1, (size_t)(close - host.p) - 1};
		port = (struct sm_span){close + 1, host.n - name.n - 2};
	} else {
		const uint8_t *colon = host.n ? memchr(host.p, ':', host.n) : NULL;
		name.n = colon ? (size_t)(colon - host.p) : host.n;
		port = (struct sm_span){host.p + name.n, host.n - name.n};
	}
	if (!all(name, close ? is_address : is_name))
		return false;
	if (!port.n)
		return true;
	port.p++, port.n--; /* the colon, in the second case for certain */
	return port.p[-1] == ':' && port.n <= 5 && all(port, is_digit);
}

static bool split(struct sm_span *s, uint8_t at, struct sm_span *part)
{
	const uint8_t *end = s->n ? memchr(s->p, at, s->n) : NULL;

	if (!end)
		return false;
	*part = (struct sm_span){s->p, (size_t)(end - s->p)};
	s->n -= part->n + 1;
	s->p = end + 1;
	return true;
}

static const char *read_request_line(struct sm_head *h, struct sm_span line)
{
	if (!split(&line, ' ', &h->method) || !all(h->method, is_token) || !split(&line, ' ', &h->target))
		return "the request line is not METHOD TARGET VERSION";
	if (!all(h->target, is_target) || h->target.p[0] != '/')
		return "the target is not a path";
	if (!sm_span_equals(line, "HTTP/1.1") && !sm_span_equals(line, "HTTP/1.0"))
		return "only HTTP/1.1 and HTTP/1.0 are spoken here";
	return NULL;
}

static bool is(struct sm_span name, const char *want) { return name.n == strlen(want) && !strncasecmp((const char *)name.p, want, name.n); }

static const char *read_length(struct sm_head *h, struct sm_span v, bool *seen)
{
	if (*seen || !all(v, is_digit) || v.n > LENGTH_DIGITS)
		return "Content-Length is not one number";
	*seen = true;
	h->length = 0;
	for (size_t i = 0; i < v.n; i++)
		h->length = h->length * 10 + (v.p[i] - '0');
	return NULL;
}

/* What a reading keeps in mind beside the result. */
struct seen {
	bool length, authorization;
};

static const char *read_field(struct sm_head *h, struct sm_span line, struct seen *seen)
{
	struct sm_span name;

	if (!split(&line, ':', &name) || !all(name, is_token))
		return "a header's name is not a name, or has a space before its colon";
	while (line.n && (*line.p == ' ' || *line.p == '\t'))
		line.p++, line.n--;
	while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	if (line.n && !all(line, is_value))
		return "a header's value has control characters";
	if (is(name, "Transfer-Encoding"))
		return "Transfer-Encoding is not taken here: send a Content-Length";
	if (is(name, "Content-Length"))
		return read_length(h, line, &seen->length);
	if (is(name, "Host")) {
		if (h->host.p || !sm_head_host_valid(line))
			return "Host is not one host or host:port";
		h->host = line;
	} else if (is(name, "Content-Type")) {
		h->type = line;
	} else if (is(name, "Authorization")) {
		h->authorization = seen->authorization ? (struct sm_span){0} : line;
		seen->authorization = true;
	}
	return NULL;
}

static const char *read_lines(struct sm_head *h, struct sm_span head)
{
	struct seen seen = {0};
	struct sm_span line;
	const char *why = NULL;

	for (bool first = true; !why && sm_span_take_line(&head, &line); first = false) {
		line.n--; /* the CR */
		if (line.n)
			why = first ? read_request_line(h, line) : read_field(h, line, &seen);
	}
	if (!why && !h->host.p)
		why = "Host is missing";
	if (!why && h->length && (sm_span_equals(h->method, "GET") || sm_span_equals(h->method, "DELETE")))
		why = "GET and DELETE have no body here";
	return why;
}

enum sm_head_state sm_head_read(struct sm_head *h, const uint8_t *p, size_t n, size_t *scanned, const char **why)
{
	const uint8_t *lf;

	*h = (struct sm_head){0};
	for (; (lf = memchr(p + *scanned, '\n', n - *scanned)); *scanned = (size_t)(lf - p) + 1) {
		size_t len = (size_t)(lf - p) - *scanned;
		if (!len || lf[-1] != '\r' || (len == 1 && !*scanned)) {
			*why = "lines end with CR LF, and the first is the request";
			return SM_HEAD_BAD;
		}
		if (len > 1)
			continue;
		h->size = (size_t)(lf - p) + 1;
		*why = h->size > SM_HEAD_MAX ? "the head is larger than 16 KiB" : read_lines(h, (struct sm_span){p, h->size});
		return *why ? SM_HEAD_BAD : SM_HEAD_GOOD;
	}
	*why = "the head is larger than 16 KiB";
	return n >= SM_HEAD_MAX ? SM_HEAD_BAD : SM_HEAD_MORE;
}
