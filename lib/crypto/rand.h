/* Randomness as an argument, so that tests are deterministic. struct sm_rand is borrowed by whoever is given it. */
#ifndef SM_CRYPTO_RAND_H
#define SM_CRYPTO_RAND_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct sm_rand {
	void (*fill)(void *ctx, void *out, size_t n); /* cannot fail: the system generator aborts rather than repeat itself */
	void *ctx;
};

/* libsodium's randombytes (getrandom). */
extern const struct sm_rand sm_rand_system;
/* A stream fixed by a 32-byte seed (libsodium randombytes_buf_deterministic over a counter): tests and vectors only. */
struct sm_rand_fixed {
	uint8_t seed[32];
	uint64_t counter;
};
struct sm_rand sm_rand_from(struct sm_rand_fixed *state);

static inline void sm_rand_fill(const struct sm_rand *r, void *out, size_t n) { r->fill(r->ctx, out, n); }

#endif
