/* The seeds of the local authenticator, in data/totp (0600): "sm-totp/1\n" | r 32 | AES-256-GCM of the entries' lines, aad the first line,
 * key | nonce = HKDF-SHA256(salt r, ikm sm_keyring_store_key(identity, "totp"), info "sm-totp/1", 44). r is random and new with each write:
 * a restored copy can never make a nonce repeat. Replaced atomically, under a lock (data/totp.lock), so no change is lost. */
#ifndef SM_STORE_TOTP_H
#define SM_STORE_TOTP_H

#include "wire/identity.h"
#include "wire/otpauth.h"

#define SM_TOTP_NAME_MAX 64
#define SM_TOTP_ENTRIES_MAX 1000

struct sm_totp_entry {
	char name[SM_TOTP_NAME_MAX + 1];
	struct sm_otpauth otp;
};

/* In order of name. Zero it first; release wipes. */
struct sm_totp_list {
	struct sm_totp_entry *entry; /* owned */
	size_t n;
};

/* 1..64 printable ASCII characters without space, the first not a hyphen. */
bool sm_totp_name_ok(const char *name);
/* SM_OK with an empty list when there is no file yet. SM_ERR_PERM, SM_ERR_FORMAT (not such a file, or damaged), SM_ERR_PAYLOAD (it belongs
 * to another identity, or was changed). */
SM_CHECKED enum sm_err sm_totp_read(struct sm_totp_list *l, const char *profile, const struct sm_identity *id);
/* NULL when there is none of that name. */
const struct sm_totp_entry *sm_totp_find(const struct sm_totp_list *l, const char *name);
void sm_totp_release(struct sm_totp_list *l);
/* SM_ERR_EXISTS when the name is taken, SM_ERR_LIMIT over SM_TOTP_ENTRIES_MAX; else as sm_totp_read, and the errors of writing. */
SM_CHECKED enum sm_err sm_totp_add(const char *profile, const struct sm_identity *id, const struct sm_totp_entry *entry,
                                   const struct sm_rand *rand);
/* SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_totp_remove(const char *profile, const struct sm_identity *id, const char *name, const struct sm_rand *rand);

#endif
