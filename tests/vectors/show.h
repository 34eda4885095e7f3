/* What the generators of test vectors share: fixed "random" bytes, and mdoc on stdout. */
#ifndef SHOW_H
#define SHOW_H

#include "base/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(e)                                                                                                                            \
	do {                                                                                                                               \
		if (e)                                                                                                                     \
			fprintf(stderr, "%s:%d: failed\n", __FILE__, __LINE__), exit(1);                                                   \
	} while (0)

/* Counts up from a byte, so that a reader of the page can see where random bytes went: 40 41 42 ... */
struct counting {
	uint8_t next;
	uint8_t drawn[512];
	size_t n;
};

static void count(void *ctx, void *out, size_t n)
{
	struct counting *c = ctx;
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++)
		p[i] = c->next++;
	MUST(c->n + n > sizeof c->drawn);
	memcpy(c->drawn + c->n, out, n);
	c->n += n;
}

static void hex(const char *name, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n || !i; i += 32) {
		char text[65];
		sm_hex(text, p + i, n - i < 32 ? n - i : 32);
		printf("%-15s %s\n", i ? "" : name, text);
	}
}

static void text(const char *p, size_t n)
{
	MUST(fwrite(p, 1, n, stdout) != n);
	if (n && p[n - 1] != '\n')
		putchar('\n');
}

static void begin(const char *words) { printf(".Pp\n%s\n.\\\" example: not\n.Bd -literal\n", words); }
static void end(void) { printf(".Ed\n"); }

#endif
