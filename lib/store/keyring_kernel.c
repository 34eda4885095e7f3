/* Unlocked keys in the kernel's user keyring (keyrings(7)), by system call: libkeyutils would be a dependency for five calls.
 * Why @u: a session keyring ends with its login and cron has none of ours, while @u is one for all processes of a user. Processes that do
 * not have @u linked into their session do not "possess" its keys, so the key's permissions let the user, and nobody else, read it. */
#include "store/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTION_LEN (3 + SM_FP_TEXT_LEN)

/* linux/key.h of the kernel, not in its user headers: view 1, read 2, write 4, search 8, link 10, setattr 20; possessor << 24, user << 16.
 */
#define POSSESSOR_ALL 0x3f000000u
#define USER_VIEW_READ_SEARCH_LINK 0x001b0000u

static void describe(char out[static DESCRIPTION_LEN + 1], const uint8_t fp[static SM_FP_LEN])
{
	memcpy(out, "sm:", 3);
	sm_fp_format(out + 3, fp);
}

/* The serial of the key, or -1 with errno. */
static long search(const uint8_t fp[static SM_FP_LEN])
{
	char description[DESCRIPTION_LEN + 1];
	describe(description, fp);
	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", description, 0);
}

static enum sm_err search_error(void)
{
	return errno == ENOKEY || errno == EKEYEXPIRED || errno == EKEYREVOKED || errno == EINVAL ? SM_ERR_NOTFOUND : SM_ERR_IO;
}

/* What the kernel keeps: suite id | 0 | secret. It takes up to 32,767 bytes; two RSA keys of 8192 bits are 9,500. */
static enum sm_err payload(struct sm_secret *p, const struct sm_identity *id)
{
	size_t n = strlen(id->pub.suite->id) + 1;
	enum sm_err e = sm_secret_alloc(p, n + id->secret.len);
	if (e)
		return e;
	memcpy(p->data, id->pub.suite->id, n);
	memcpy(p->data + n, id->secret.data, id->secret.len);
	return SM_OK;
}

/* Made in this process's own keyring, which we possess, and linked into @u only when its time to live and permissions are set. The link
 * takes the place of an earlier key of the same name. */
enum sm_err sm_keyring_unlock(const struct sm_identity *id, int64_t seconds)
{
	char description[DESCRIPTION_LEN + 1];
	if (seconds < 1 || seconds > INT32_MAX)
		return SM_ERR_LIMIT; /* to the kernel, 0 would mean for ever */
	struct sm_secret kept;
	enum sm_err e = payload(&kept, id);
	if (e)
		return e;
	describe(description, id->pub.fp);
	long key = syscall(SYS_add_key, "user", description, kept.data, kept.len, KEY_SPEC_PROCESS_KEYRING);
	int failed = errno;
	sm_secret_release(&kept);
	errno = failed;
	if (key < 0)
		return SM_ERR_IO;
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, key, POSSESSOR_ALL | USER_VIEW_READ_SEARCH_LINK) < 0 ||
	    syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, (unsigned)seconds) < 0 ||
	    syscall(SYS_keyctl, KEYCTL_LINK, key, KEY_SPEC_USER_KEYRING) < 0) {
		int saved = errno;
		syscall(SYS_keyctl, KEYCTL_INVALIDATE, key);
		errno = saved;
		return SM_ERR_IO;
	}
	return SM_OK;
}

/* SM_ERR_NOTFOUND for a payload that is not ours, or has become another between the two calls. */
static enum sm_err read_payload(struct sm_secret *p, long key)
{
	long n = syscall(SYS_keyctl, KEYCTL_READ, key, NULL, 0);
	if (n <= 0)
		return n < 0 ? search_error() : SM_ERR_NOTFOUND;
	struct sm_secret got;
	enum sm_err e = sm_secret_alloc(&got, (size_t)n);
	if (e)
		return e;
	long again = syscall(SYS_keyctl, KEYCTL_READ, key, got.data, got.len);
	if (again < 0)
		e = search_error();
	else if (again != n)
		e = SM_ERR_NOTFOUND;
	if (e)
		sm_secret_release(&got);
	else
		*p = got;
	return e;
}

static enum sm_err parse_payload(struct sm_identity *id, const struct sm_secret *p)
{
	const uint8_t *zero = memchr(p->data, 0, p->len);
	if (!zero)
		return SM_ERR_NOTFOUND;
	size_t n = (size_t)(zero - p->data);
	const struct sm_suite *suite = sm_suite_find((struct sm_span){p->data, n});
	struct sm_secret secret;
	enum sm_err e = suite ? sm_secret_copy(&secret, zero + 1, p->len - n - 1) : SM_ERR_NOTFOUND;
	if (!e)
		e = sm_identity_from_secret(id, suite, &secret);
	return e == SM_ERR_FORMAT ? SM_ERR_NOTFOUND : e;
}

enum sm_err sm_keyring_unlocked(struct sm_identity *id, const uint8_t fp[static SM_FP_LEN])
{
	struct sm_secret kept = {0};
	struct sm_identity got = {0};
	long key = search(fp);
	if (key < 0)
		return search_error();
	enum sm_err e = read_payload(&kept, key);
	if (!e)
		e = parse_payload(&got, &kept);
	if (!e && memcmp(got.pub.fp, fp, SM_FP_LEN) != 0) {
		sm_identity_release(&got);
		e = SM_ERR_NOTFOUND;
	}
	if (!e)
		*id = got;
	sm_secret_release(&kept);
	return e;
}

enum sm_err sm_keyring_lock(const uint8_t fp[static SM_FP_LEN])
{
	long key = search(fp);
	if (key < 0)
		return search_error();
	return syscall(SYS_keyctl, KEYCTL_INVALIDATE, key) < 0 ? SM_ERR_IO : SM_OK;
}
