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

/* Made in this process's own keyring, which we possess, and linked into @u only when its time to live and permissions are set. The link
 * takes the place of an earlier key of the same name. */
enum sm_err sm_keyring_unlock(const struct sm_identity *id, int64_t seconds)
{
	char description[DESCRIPTION_LEN + 1];
	if (seconds < 1 || seconds > INT32_MAX)
		return SM_ERR_LIMIT; /* to the kernel, 0 would mean for ever */
	describe(description, id->pub.fp);
	long key = syscall(SYS_add_key, "user", description, id->secret.data, id->secret.len, KEY_SPEC_PROCESS_KEYRING);
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

enum sm_err sm_keyring_unlocked(struct sm_identity *id, const uint8_t fp[static SM_FP_LEN])
{
	uint8_t seed[SM_SEED_LEN];
	struct sm_identity got = {0};
	long key = search(fp);
	if (key < 0)
		return search_error();
	enum sm_err e = SM_ERR_NOTFOUND;
	long n = syscall(SYS_keyctl, KEYCTL_READ, key, seed, sizeof(seed));
	if (n < 0)
		e = search_error();
	else if (n == sizeof(seed))
		e = sm_identity_from_seed(&got, seed);
	if (!e && memcmp(got.pub.fp, fp, SM_FP_LEN) != 0) {
		sm_identity_release(&got);
		e = SM_ERR_NOTFOUND;
	}
	if (!e)
		*id = got;
	sm_wipe(seed, sizeof(seed));
	return e;
}

enum sm_err sm_keyring_lock(const uint8_t fp[static SM_FP_LEN])
{
	long key = search(fp);
	if (key < 0)
		return search_error();
	return syscall(SYS_keyctl, KEYCTL_INVALIDATE, key) < 0 ? SM_ERR_IO : SM_OK;
}
