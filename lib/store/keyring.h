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
/* The same without the kernel keyring, for what the passphrase itself must allow: a protected file is always asked for.
 * text (initialised by the caller) gets the plain file's text, *protected whether it stood under a passphrase; both may be NULL. */
SM_CHECKED enum sm_err sm_keyring_read(struct sm_identity *id, struct sm_buf *text, bool *protected, const char *path, const char *profile,
                                       sm_passphrase_fn *ask, void *ctx);
/* Only the public half, its comment appended. No passphrase is needed where FILE is plain, or has FILE.pub beside it; else as
 * sm_keyring_load. A FILE.pub of another key than the protected file names is not believed. Without FILE, FILE.pub is enough. */
SM_CHECKED enum sm_err sm_keyring_public(struct sm_public *pub, struct sm_buf *comment, const char *path, const char *profile,
                                         sm_passphrase_fn *ask, void *ctx);
/* Writes FILE (0600, never over an existing file unless replace) and FILE.pub (0644, one public line). pw NULL: plain.
 * t, m: argon2id cost (SM_KEYRING_T, SM_KEYRING_M KiB unless a test says otherwise). Both files or none. SM_ERR_EXISTS. */
#define SM_KEYRING_T 3
#define SM_KEYRING_M 65536
#define SM_KEYRING_FILE_MAX 65536
SM_CHECKED enum sm_err sm_keyring_save(const char *path, const struct sm_identity *id, const char *comment, const void *pw, size_t pwlen,
                                       uint32_t t, uint32_t m, bool replace);
/* Replaces FILE, whose plain text (sm_keyring_read) stays as it is, under another passphrase, or plain for pw NULL. FILE.pub is left alone.
 */
SM_CHECKED enum sm_err sm_keyring_rewrite(const char *path, const struct sm_identity *id, const struct sm_buf *text, const void *pw,
                                          size_t pwlen, uint32_t t, uint32_t m);
/* Appends the contents of a key file for id as sm_keyring_save writes them. */
SM_CHECKED enum sm_err sm_keyring_format(struct sm_buf *b, const struct sm_identity *id, const char *comment, const void *pw, size_t pwlen,
                                         uint32_t t, uint32_t m);
/* Does text look like a secret key file, plain or protected (rather than a file of public lines)? */
bool sm_keyring_is_secret(const struct sm_buf *text);

/* The kernel's keyring of this user (keyrings(7), @u), which every later login, shell and cron job of the same user finds: the secret under
 * the description "sm:FINGERPRINT", with a time to live in seconds
 * (1 .. 2^31 - 1). SM_ERR_NOTFOUND, SM_ERR_IO (errno) when the kernel has or allows no
 * keyrings. lock forgets it. */
SM_CHECKED enum sm_err sm_keyring_unlock(const struct sm_identity *id, int64_t seconds);
SM_CHECKED enum sm_err sm_keyring_unlocked(struct sm_identity *id, const uint8_t fp[static SM_FP_LEN]);
SM_CHECKED enum sm_err sm_keyring_lock(const uint8_t fp[static SM_FP_LEN]);
/* A key for what the client keeps at rest: HKDF-SHA256(ikm = secret, salt empty, info = "sm-store/1 " purpose). */
SM_CHECKED enum sm_err sm_keyring_store_key(uint8_t key[static 32], const struct sm_identity *id, const char *purpose);

#endif
