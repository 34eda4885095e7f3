/* The profile's identity: reading and writing secret key files, plain or under a passphrase, and unlocked keys in the kernel keyring.
 * A protected file is an armored envelope whose only stanza is argon2id and whose content is the plain file's text (sm-format(5)). */
#ifndef SM_STORE_KEYRING_H
#define SM_STORE_KEYRING_H

#include "base/path.h"
#include "wire/identity.h"

/* Called when a file is protected: fills pw (already initialised). Any error it returns is passed on. */
typedef enum sm_err sm_passphrase_fn(void *ctx, struct sm_buf *pw, const char *path);

/* path NULL: the profile's (sm_path CONFIG "identity"). Order: plain file; kernel keyring; ask.
 * SM_ERR_NOINPUT (errno), SM_ERR_PERM (looser than 0600), SM_ERR_PASSPHRASE, SM_ERR_FORMAT (not a key file), SM_ERR_SUITE. */
SM_CHECKED enum sm_err sm_keyring_load(struct sm_identity *id, const char *path, const char *profile, sm_passphrase_fn *ask, void *ctx);
/* Only the public half: from FILE.pub beside it where there is one (no passphrase needed), else as sm_keyring_load. */
SM_CHECKED enum sm_err sm_keyring_public(struct sm_public *pub, struct sm_buf *comment, const char *path, const char *profile,
                                         sm_passphrase_fn *ask, void *ctx);
/* Writes FILE (0600, never over an existing file unless replace) and FILE.pub (0644, one public line). pw NULL: plain.
 * t, m: argon2id cost (SM_KEYRING_T, SM_KEYRING_M KiB unless a test says otherwise). SM_ERR_EXISTS. */
#define SM_KEYRING_T 3
#define SM_KEYRING_M 65536
SM_CHECKED enum sm_err sm_keyring_save(const char *path, const struct sm_identity *id, const char *comment, const void *pw, size_t pwlen, uint32_t t,
                                       uint32_t m, bool replace);
/* The kernel's session/user keyring: the seed under the description "sm:FINGERPRINT", with a time to live in seconds. SM_ERR_NOTFOUND,
 * SM_ERR_IO when the kernel has no keyrings. lock forgets it. */
SM_CHECKED enum sm_err sm_keyring_unlock(const struct sm_identity *id, int64_t seconds);
SM_CHECKED enum sm_err sm_keyring_unlocked(struct sm_identity *id, const uint8_t fp[static SM_FP_LEN]);
SM_CHECKED enum sm_err sm_keyring_lock(const uint8_t fp[static SM_FP_LEN]);
/* A key for what the client keeps at rest: HKDF-SHA256(ikm = seed, salt empty, info = "sm-store/1 " purpose). */
SM_CHECKED enum sm_err sm_keyring_store_key(uint8_t key[static 32], const struct sm_identity *id, const char *purpose);

#endif
