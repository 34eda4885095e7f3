/* Addresses: checked character by character against the grammar, kept as the text they came as. The only form with more than one
 * spelling is an IPv6 literal, which must be spelled as RFC 5952 does: it is parsed, written again and compared. */
#include "wire/address.h"

#include "wire/lex.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define HOST_MAX 253

static bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool sm_name_valid(const char *s, size_t n)
{
	if (n < 1 || n > SM_NAME_MAX || !is_name_start(s[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_name_start(s[i]) && s[i] != '.' && s[i] != '_' && s[i] != '-')
			return false;
	return true;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 section 4.2); len 0 when there is none. */
static void longest_zero_run(const uint16_t g[static 8], int *start, int *len)
{
	*start = 0, *len = 0;
	for (int i = 0, run = 0; i < 8; i++) {
		run = g[i] ? 0 : run + 1;
		if (run > 1 && run > *len)
			*len = run, *start = i - run + 1;
	}
}

/* As RFC 5952 writes it; IPv4-mapped addresses end in dotted decimal (section 5), no others do. */
static void ipv6_format(char out[static INET6_ADDRSTRLEN], const uint8_t a[static 16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	uint16_t g[8];
	int start, len, at = 0;

	if (!memcmp(a, mapped, sizeof mapped)) {
		snprintf(out, INET6_ADDRSTRLEN, "::ffff:%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
		return;
	}
	for (int i = 0; i < 8; i++)
		g[i] = sm_get_be16(a + 2 * i);
	longest_zero_run(g, &start, &len);
	for (int i = 0; i < 8; i++) {
		if (len && i == start) {
			at += snprintf(out + at, (size_t)(INET6_ADDRSTRLEN - at), "::");
			i += len - 1;
			continue;
		}
		bool colon = i > 0 && !(len && i == start + len);
		at += snprintf(out + at, (size_t)(INET6_ADDRSTRLEN - at), "%s%x", colon ? ":" : "", g[i]);
	}
}

static bool ipv6_valid(const char *s, size_t n)
{
	char in[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN];
	uint8_t a[16];

	if (n < 2 || n >= sizeof in)
		return false;
	memcpy(in, s, n);
	in[n] = 0;
	if (strlen(in) != n || inet_pton(AF_INET6, in, a) != 1)
		return false;
	ipv6_format(again, a);
	return !strcmp(in, again);
}

static size_t host_len(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && (is_name_start(s[i]) || s[i] == '-' || s[i] == '.'))
		i++;
	return i <= HOST_MAX ? i : 0;
}

/* Length of "[...]" at s, or 0. */
static size_t literal_len(const char *s, size_t n)
{
	const char *end = memchr(s, ']', n);
	return end && ipv6_valid(s + 1, (size_t)(end - s) - 1) ? (size_t)(end - s) + 1 : 0;
}

bool sm_host_valid(const char *s, size_t n)
{
	uint64_t port;
	size_t len = n ? (s[0] == '[' ? literal_len(s, n) : host_len(s, n)) : 0;
	if (!len)
		return false;
	if (len == n)
		return true;
	return s[len] == ':' && sm_decimal(&port, (struct sm_span){(const uint8_t *)s + len + 1, n - len - 1}, 1, 65535);
}

enum sm_err sm_address_parse(struct sm_address *a, const char *s, size_t n)
{
	const char *at = n ? memchr(s, '@', n) : NULL;
	size_t name;

	if (!at || n > SM_ADDRESS_MAX)
		return SM_ERR_FORMAT;
	name = (size_t)(at - s);
	if (!sm_name_valid(s, name) || !sm_host_valid(at + 1, n - name - 1))
		return SM_ERR_FORMAT;
	memset(a, 0, sizeof *a);
	memcpy(a->text, s, n);
	memcpy(a->name, s, name);
	memcpy(a->host, at + 1, n - name - 1);
	return SM_OK;
}
