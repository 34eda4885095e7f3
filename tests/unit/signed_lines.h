/* Signed texts for tests, built of lines in which $0 .. $9 stand for the public keys of ten fixed identities, and signed in good order
 * whatever they say: what is refused is refused for its lines, not for its signature. */
#ifndef SIGNED_LINES_H
#define SIGNED_LINES_H

#include "base/base64.h"
#include "crypto/hash.h"
#include "wire/identity.h"

#include <stdlib.h>
#include <string.h>

#define KEYS 10
#define LINES_MAX 24

typedef const char *const lines[LINES_MAX];

static struct sm_identity key[KEYS];

static inline void keys_make(void)
{
	for (int i = 0; i < KEYS; i++) {
		uint8_t seed[SM_SEED_LEN];
		memset(seed, i + 1, sizeof(seed));
		if (sm_identity_from_seed(&key[i], seed))
			abort();
	}
}

static inline void keys_release(void)
{
	for (int i = 0; i < KEYS; i++)
		sm_identity_release(&key[i]);
}

static inline void must(enum sm_err e)
{
	if (e)
		abort();
}

static inline void add_line(struct sm_buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '$' && s[1] >= '0' && s[1] <= '9')
			must(sm_public_format(b, &key[*++s - '0'].pub));
		else
			must(sm_buf_add_u8(b, (uint8_t)*s));
	}
	must(sm_buf_adds(b, "\n"));
}

/* Appends the lines, of which number at (from 1; 0: none) is replaced by instead (NULL: left out). */
static inline void add_lines(struct sm_buf *b, lines l, unsigned at, const char *instead)
{
	for (unsigned i = 0; i < LINES_MAX && l[i]; i++) {
		const char *s = i + 1 == at ? instead : l[i];
		if (s)
			add_line(b, s);
	}
}

/* Appends the signature line of all that is in b. */
static inline void add_signature(struct sm_buf *b, const char *label, int who)
{
	uint8_t m[64], sig[SM_SIG_LEN];
	size_t n = strlen(label) + 1;
	memcpy(m, label, n);
	sm_sha256(m + n, b->data, b->len);
	must(sm_sign(sig, m, n + 32, key[who].secret.data));
	must(sm_buf_add_base64(b, sig, sizeof(sig)));
	must(sm_buf_adds(b, "\n"));
}

/* Memory of exactly that size, so that a reader who goes too far is found. */
static inline char *exact(const struct sm_buf *b)
{
	char *p = malloc(b->len ? b->len : 1);
	if (!p)
		abort();
	if (b->len)
		memcpy(p, b->data, b->len);
	return p;
}

#endif
