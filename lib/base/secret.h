/* Long-lived secrets: memory with guard pages, locked, excluded from core dumps and wiped when freed (sodium_malloc).
 * A zeroed struct sm_secret is empty. Also the process-wide hardening a tool that holds keys asks for first. */
#ifndef SM_BASE_SECRET_H
#define SM_BASE_SECRET_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sm_secret {
	uint8_t *data;
	size_t len;
};

/* len bytes of zeros, owned by s (len 0 allowed: data is then NULL). */
SM_CHECKED enum sm_err sm_secret_alloc(struct sm_secret *s, size_t len);
SM_CHECKED enum sm_err sm_secret_copy(struct sm_secret *s, const void *p, size_t len);
void sm_secret_release(struct sm_secret *s);
/* Wipes n bytes in a way the compiler keeps. p may be NULL when n is 0. */
void sm_wipe(void *p, size_t n);
/* Constant-time equality of n bytes. */
bool sm_equal(const void *a, const void *b, size_t n);
/* sodium_init, RLIMIT_CORE 0, PR_SET_DUMPABLE 0. Call first in every tool that touches keys. */
SM_CHECKED enum sm_err sm_secret_harden(void);

#endif
