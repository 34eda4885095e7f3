/* name@host[:port] (sm-format(5), "Addresses"): name [a-z0-9][a-z0-9._-]{0,31}; host lower-case letters, digits, hyphen, dot, 1..253
 * characters, or an IPv6 literal in brackets as RFC 5952 writes it, no zone; port 1..65535 without leading zeros. */
#ifndef SM_WIRE_ADDRESS_H
#define SM_WIRE_ADDRESS_H

#include "base/buf.h"

#define SM_NAME_MAX 32
#define SM_ADDRESS_MAX (SM_NAME_MAX + 1 + 255 + 6)

struct sm_address {
	char text[SM_ADDRESS_MAX + 1]; /* the whole, canonical */
	char name[SM_NAME_MAX + 1];
	char host[SM_ADDRESS_MAX - 1]; /* "host[:port]", what a server calls itself; an array, so that the struct can be copied */
};

/* SM_ERR_FORMAT for anything but a full address in canonical form. */
SM_CHECKED enum sm_err sm_address_parse(struct sm_address *a, const char *s, size_t n);
bool sm_name_valid(const char *s, size_t n);
/* host[:port] alone. */
bool sm_host_valid(const char *s, size_t n);

#endif
