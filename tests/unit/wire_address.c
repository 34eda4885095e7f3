/* Addresses: every boundary of the grammar, and IPv6 literals in the one spelling that RFC 5952 gives them. */
#include "tap.h"

#include "wire/address.h"

#include <stdlib.h>
#include <string.h>

#define N32 "abcdefghijklmnopqrstuvwxyz012345"
#define H50 "aaaaaaaaa.aaaaaaaaa.aaaaaaaaa.aaaaaaaaa.aaaaaaaaa."
#define H253 H50 H50 H50 H50 H50 "abc"

static const char *const good[] = {
        "a@b",
        "alice@example.org",
        "0.-_@example.org",
        N32 "@" H253 ":65535",
        "a@host:1",
        "a@xn--bcher-kva.example",
        "a@192.0.2.1:8443",
        "a@[::]",
        "a@[::1]:443",
        "a@[2001:db8::1]",
        "a@[2001:db8::2:1]",
        "a@[2001:db8:0:1:1:1:1:1]", /* 4.2.2: one group is not shortened */
        "a@[2001::1:0:0:1]",        /* the same */
        "a@[2001:0:0:1::1]",        /* 4.2.3: the longest run */
        "a@[2001:db8::1:0:0:1]",    /* 4.2.3: the first of equals */
        "a@[1:2:3:4:5:6:7:8]",
        "a@[1::]",
        "a@[1:2:3:4:5:6::]",
        "a@[::3:4:5:6:7:8]",
        "a@[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
        "a@[::ffff:192.0.2.1]", /* 5: IPv4-mapped */
        "a@[::c000:201]",       /* the deprecated compatible form has no known prefix */
        "a@[64:ff9b::c000:201]",
};

static const char *const bad[] = {
        "",
        "@",
        "a",
        "a@",
        "@b",
        "a@b@c",
        "A@b",
        "a@B",
        ".a@b",
        "-a@b",
        "_a@b",
        "a b@c",
        "a@b c",
        "a@b_c",
        " a@b",
        "a@b ",
        "a@b\n",
        "\xc3\xa4@b",
        "a@b/",
        N32 "6@b",
        "a@" H253 "d",
        "a@b:",
        "a@b:0",
        "a@b:00",
        "a@b:01",
        "a@b:65536",
        "a@b:+1",
        "a@b:1:2",
        "a@:1",
        "a@[]",
        "a@[::1",
        "a@::1",
        "a@[::1]x",
        "a@[::1]:",
        "a@[::1]:0",
        "a@[::1%eth0]",
        "a@[fe80::1%1]",
        "a@[192.0.2.1]",
        "a@[::FFFF:192.0.2.1]",
        "a@[::ffff:c000:201]",
        "a@[::192.0.2.1]",
        "a@[64:ff9b::192.0.2.1]",
        "a@[2001:DB8::1]",
        "a@[2001:0db8::1]",
        "a@[2001:db8:0:0:0:0:0:1]",
        "a@[2001:db8::0:1]",
        "a@[2001:db8::1:1:1:1:1]", /* one group shortened */
        "a@[2001:0:0:0:1::1]",     /* the shorter run */
        "a@[2001:db8:0:0:1::1]",   /* the second of equals */
        "a@[0:0:0:0:0:0:0:0]",
        "a@[1:2:3:4:5:6:7:0::]",
        "a@[1:2:3:4:5:6:7]",
        "a@[:::]",
        "a@[ ::1]",
};

static enum sm_err parse(struct sm_address *a, const char *s)
{
	size_t n = strlen(s);
	char *exact = malloc(n + 1); /* no terminator in reach */
	if (!exact)
		abort();
	memcpy(exact, s, n);
	enum sm_err e = sm_address_parse(a, exact, n);
	free(exact);
	return e;
}

int main(void)
{
	struct sm_address a;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ok(!parse(&a, good[i]) && !strcmp(a.text, good[i]) && !strcmp(a.host, strchr(good[i], '@') + 1) &&
		           strlen(a.name) == strcspn(good[i], "@"),
		   "takes %s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(parse(&a, bad[i]) == SM_ERR_FORMAT, "refuses case %zu", i);
	ok(sm_address_parse(&a, "a@b\0c", 5) == SM_ERR_FORMAT, "refuses a zero byte");
	ok(sm_address_parse(&a, "a@[::1\0]", 8) == SM_ERR_FORMAT, "refuses a zero byte in a literal");
	ok(!parse(&a, "bob@example.org:8443"), "copy of an address");
	struct sm_address copy = a;
	memset(&a, 'x', sizeof a);
	ok(!strcmp(copy.host, "example.org:8443") && !strcmp(copy.name, "bob"), "a copy stands on its own");
	ok(sm_name_valid("bob", 3) && !sm_name_valid("", 0) && !sm_name_valid("bob@x", 5), "bare names");
	ok(sm_host_valid("example.org:1", 13) && sm_host_valid("[::1]", 5) && !sm_host_valid("", 0) && !sm_host_valid(":1", 2),
	   "bare hosts");
	return tap_done();
}
