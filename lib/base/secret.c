/* Secret memory over libsodium, and the process-wide hardening. */
#include "base/secret.h"

#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum sm_err sm_secret_alloc(struct sm_secret *s, size_t len)
{
	if (len == 0) {
		*s = (struct sm_secret){0};
		return SM_OK;
	}
	/* the allocator's canary and page size are set up here; repeating it is cheap */
	if (sodium_init() < 0)
		return SM_ERR_CRYPTO;
	uint8_t *p = sodium_malloc(len);
	if (!p)
		return SM_ERR_NOMEM;
	memset(p, 0, len);
	*s = (struct sm_secret){.data = p, .len = len};
	return SM_OK;
}

enum sm_err sm_secret_copy(struct sm_secret *s, const void *p, size_t len)
{
	struct sm_secret copy;
	enum sm_err e = sm_secret_alloc(&copy, len);
	if (e)
		return e;
	if (len)
		memcpy(copy.data, p, len);
	*s = copy;
	return SM_OK;
}

void sm_secret_release(struct sm_secret *s)
{
	if (!s)
		return;
	sodium_free(s->data); /* wipes, and takes NULL */
	*s = (struct sm_secret){0};
}

void sm_wipe(void *p, size_t n)
{
	if (n)
		sodium_memzero(p, n);
}

bool sm_equal(const void *a, const void *b, size_t n) { return n == 0 || sodium_memcmp(a, b, n) == 0; }

enum sm_err sm_secret_harden(void)
{
	const struct rlimit none = {0, 0};

	if (sodium_init() < 0)
		return SM_ERR_CRYPTO;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return SM_ERR_IO;
	return SM_OK;
}
