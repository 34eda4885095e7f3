/* The authenticator's file. Inside, one line an entry: `NAME HASH DIGITS PERIOD KEY ISSUER ACCOUNT`, the last three in unpadded base64,
 * `-` for an empty text. */
#include "store/totp.h"

#include "base/base64.h"
#include "base/file.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "store/keyring.h"
#include "wire/lex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MAGIC "sm-totp/1\n"
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define INFO "sm-totp/1"
#define SALT_LEN 32
#define OVERHEAD (MAGIC_LEN + SALT_LEN + SM_AEAD_TAG)
#define FILE_MAX (2u << 20)

bool sm_totp_name_ok(const char *name)
{
	size_t n = strlen(name);
	if (n < 1 || n > SM_TOTP_NAME_MAX || name[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return true;
}

const struct sm_totp_entry *sm_totp_find(const struct sm_totp_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->entry[i].name, name))
			return &l->entry[i];
	return NULL;
}

void sm_totp_release(struct sm_totp_list *l)
{
	if (!l || !l->entry)
		return;
	sm_wipe(l->entry, l->n * sizeof(*l->entry));
	free(l->entry);
	*l = (struct sm_totp_list){0};
}

/* --- Lines --- */

static enum sm_err add_text(struct sm_buf *b, const char *s, const char *end)
{
	enum sm_err e = *s ? sm_buf_add_base64(b, (const uint8_t *)s, strlen(s)) : sm_buf_adds(b, "-");
	return e ? e : sm_buf_adds(b, end);
}

static enum sm_err write_entry(struct sm_buf *b, const struct sm_totp_entry *t)
{
	enum sm_err e = sm_buf_addf(b, "%s %s %u %u ", t->name, sm_otp_hash_name(t->otp.hash), t->otp.digits, t->otp.period);
	if (!e)
		e = sm_buf_add_base64(b, t->otp.key, t->otp.keylen);
	if (!e)
		e = sm_buf_adds(b, " ");
	if (!e)
		e = add_text(b, t->otp.issuer, " ");
	return e ? e : add_text(b, t->otp.account, "\n");
}

static bool read_text(char out[static SM_OTPAUTH_TEXT_MAX + 1], struct sm_span s)
{
	struct sm_buf text;
	if (sm_span_equals(s, "-")) {
		out[0] = 0;
		return true;
	}
	sm_buf_init(&text, SM_OTPAUTH_TEXT_MAX);
	bool good = sm_buf_add_decoded64(&text, (const char *)s.p, s.n) == SM_OK && sm_value_ok((struct sm_span){text.data, text.len});
	if (good) {
		memcpy(out, text.data, text.len);
		out[text.len] = 0;
	}
	sm_buf_release(&text);
	return good;
}

static bool read_key(struct sm_otpauth *o, struct sm_span s)
{
	struct sm_buf key;
	sm_buf_init(&key, SM_OTP_KEY_MAX);
	bool good = sm_buf_add_decoded64(&key, (const char *)s.p, s.n) == SM_OK && key.len;
	if (good) {
		memcpy(o->key, key.data, key.len);
		o->keylen = key.len;
	}
	sm_buf_release(&key);
	return good;
}

static bool read_entry(struct sm_totp_entry *t, struct sm_span line)
{
	struct sm_span w[7];
	uint32_t digits, period;
	if (sm_words(w, 7, line) != 7 || w[0].n > SM_TOTP_NAME_MAX)
		return false;
	memcpy(t->name, w[0].p, w[0].n);
	t->name[w[0].n] = 0;
	if (!sm_totp_name_ok(t->name) || sm_otp_hash_parse(&t->otp.hash, (const char *)w[1].p, w[1].n) ||
	    !sm_decimal32(&digits, w[2], 6, 8) || !sm_decimal32(&period, w[3], 1, 3600))
		return false;
	t->otp.digits = digits;
	t->otp.period = period;
	return read_key(&t->otp, w[4]) && read_text(t->otp.issuer, w[5]) && read_text(t->otp.account, w[6]);
}

static enum sm_err grow(struct sm_totp_list *l, size_t room)
{
	struct sm_totp_entry *bigger = calloc(room, sizeof(*bigger)); /* not realloc, which leaves seeds behind */
	if (!bigger)
		return SM_ERR_NOMEM;
	size_t n = l->n;
	if (n)
		memcpy(bigger, l->entry, n * sizeof(*bigger));
	sm_totp_release(l);
	*l = (struct sm_totp_list){bigger, n};
	return SM_OK;
}

static enum sm_err read_lines(struct sm_totp_list *l, struct sm_span text)
{
	struct sm_span line, counted = text;
	size_t lines = 0;
	while (sm_span_take_line(&counted, &line))
		lines++;
	if (counted.n || lines > SM_TOTP_ENTRIES_MAX)
		return SM_ERR_FORMAT;
	enum sm_err e = grow(l, lines + 1); /* room for the one that sm_totp_add adds */
	while (!e && sm_span_take_line(&text, &line)) {
		if (!read_entry(&l->entry[l->n], line) || (l->n && strcmp(l->entry[l->n - 1].name, l->entry[l->n].name) >= 0))
			e = SM_ERR_FORMAT;
		l->n++; /* also the one that failed, to be wiped */
	}
	return e;
}

/* --- The file --- */

static enum sm_err derive(uint8_t okm[static SM_AEAD_KEY + SM_AEAD_NONCE], const struct sm_identity *id,
                          const uint8_t salt[static SALT_LEN])
{
	uint8_t key[32];
	enum sm_err e = sm_keyring_store_key(key, id, "totp");
	if (!e)
		e = sm_hkdf_sha256(okm, SM_AEAD_KEY + SM_AEAD_NONCE, salt, SALT_LEN, key, sizeof(key), INFO, strlen(INFO));
	sm_wipe(key, sizeof(key));
	return e;
}

static enum sm_err open_file(struct sm_totp_list *l, const struct sm_buf *file, const struct sm_identity *id)
{
	uint8_t okm[SM_AEAD_KEY + SM_AEAD_NONCE], *where;
	struct sm_buf plain;
	if (file->len < OVERHEAD || !sm_span_starts((struct sm_span){file->data, file->len}, MAGIC))
		return SM_ERR_FORMAT;
	const uint8_t *salt = file->data + MAGIC_LEN;
	size_t sealed = file->len - MAGIC_LEN - SALT_LEN;
	sm_buf_init(&plain, FILE_MAX);
	enum sm_err e = derive(okm, id, salt);
	if (!e)
		e = sm_buf_reserve(&plain, sealed, &where);
	if (!e)
		e = sm_aead_open(where, okm, okm + SM_AEAD_KEY, MAGIC, MAGIC_LEN, salt + SALT_LEN, sealed);
	if (!e) {
		plain.len = sealed - SM_AEAD_TAG;
		e = read_lines(l, (struct sm_span){plain.data, plain.len});
	}
	sm_wipe(okm, sizeof(okm));
	sm_buf_release(&plain);
	return e;
}

static enum sm_err seal_file(struct sm_buf *file, const struct sm_totp_list *l, const struct sm_identity *id, const struct sm_rand *rand)
{
	uint8_t okm[SM_AEAD_KEY + SM_AEAD_NONCE], salt[SALT_LEN], *where;
	struct sm_buf plain;
	enum sm_err e = SM_OK;
	sm_buf_init(&plain, FILE_MAX - OVERHEAD);
	sm_rand_fill(rand, salt, sizeof(salt));
	for (size_t i = 0; !e && i < l->n; i++)
		e = write_entry(&plain, &l->entry[i]);
	if (!e)
		e = derive(okm, id, salt);
	if (!e)
		e = sm_buf_adds(file, MAGIC);
	if (!e)
		e = sm_buf_add(file, salt, sizeof(salt));
	if (!e)
		e = sm_buf_reserve(file, plain.len + SM_AEAD_TAG, &where);
	if (!e)
		e = sm_aead_seal(where, okm, okm + SM_AEAD_KEY, MAGIC, MAGIC_LEN, plain.data, plain.len);
	if (!e)
		file->len += plain.len + SM_AEAD_TAG;
	sm_wipe(okm, sizeof(okm));
	sm_buf_release(&plain);
	return e;
}

static enum sm_err read_path(struct sm_totp_list *l, const char *path, const struct sm_identity *id)
{
	struct sm_buf file;
	sm_buf_init(&file, FILE_MAX);
	enum sm_err e = sm_file_read(path, &file, true);
	if (!e)
		e = open_file(l, &file, id);
	else if (e == SM_ERR_NOINPUT && (errno == ENOENT || errno == ENOTDIR))
		e = read_lines(l, (struct sm_span){NULL, 0});
	else if (e == SM_ERR_LIMIT)
		e = SM_ERR_FORMAT;
	sm_buf_release(&file);
	if (e)
		sm_totp_release(l);
	return e;
}

enum sm_err sm_totp_read(struct sm_totp_list *l, const char *profile, const struct sm_identity *id)
{
	char *path;
	struct sm_totp_list got = {0};
	enum sm_err e = sm_path(&path, SM_DIR_DATA, profile, "totp", 0);
	if (e)
		return e;
	e = read_path(&got, path, id);
	free(path);
	if (!e)
		*l = got;
	return e;
}

static enum sm_err write_path(const char *path, const struct sm_totp_list *l, const struct sm_identity *id, const struct sm_rand *rand)
{
	struct sm_buf file;
	sm_buf_init(&file, FILE_MAX);
	enum sm_err e = seal_file(&file, l, id, rand);
	if (!e)
		e = sm_file_replace(path, file.data, file.len, 0600);
	sm_buf_release(&file);
	return e;
}

/* --- Changes --- */

/* Held until *fd is closed. The lock is a file of its own because the other one is replaced. */
static enum sm_err take_lock(int *fd, const char *profile)
{
	char *path;
	enum sm_err e = sm_path(&path, SM_DIR_DATA, profile, "totp.lock", 1);
	if (e)
		return e;
	int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	if (f < 0)
		return SM_ERR_CANTCREAT;
	while (flock(f, LOCK_EX) < 0)
		if (errno != EINTR) {
			close(f);
			return SM_ERR_IO;
		}
	*fd = f;
	return SM_OK;
}

/* Where name stands, or would stand. */
static size_t place_of(const struct sm_totp_list *l, const char *name)
{
	size_t i = 0;
	while (i < l->n && strcmp(l->entry[i].name, name) < 0)
		i++;
	return i;
}

static enum sm_err insert(struct sm_totp_list *l, const struct sm_totp_entry *entry)
{
	if (sm_totp_find(l, entry->name))
		return SM_ERR_EXISTS;
	if (l->n == SM_TOTP_ENTRIES_MAX)
		return SM_ERR_LIMIT;
	size_t at = place_of(l, entry->name);
	memmove(&l->entry[at + 1], &l->entry[at], (l->n - at) * sizeof(*l->entry));
	l->entry[at] = *entry;
	l->n++;
	return SM_OK;
}

static enum sm_err take_out(struct sm_totp_list *l, const char *name)
{
	if (!sm_totp_find(l, name))
		return SM_ERR_NOTFOUND;
	size_t at = place_of(l, name);
	l->n--;
	memmove(&l->entry[at], &l->entry[at + 1], (l->n - at) * sizeof(*l->entry));
	sm_wipe(&l->entry[l->n], sizeof(*l->entry));
	return SM_OK;
}

/* Reads, adds entry or takes name out, and writes, all under the lock. */
static enum sm_err change(const char *profile, const struct sm_identity *id, const struct sm_totp_entry *entry, const char *name,
                          const struct sm_rand *rand)
{
	struct sm_totp_list l = {0};
	char *path = NULL;
	int lock = -1;
	enum sm_err e = take_lock(&lock, profile);
	if (!e)
		e = sm_path(&path, SM_DIR_DATA, profile, "totp", 1);
	if (!e)
		e = read_path(&l, path, id);
	if (!e)
		e = entry ? insert(&l, entry) : take_out(&l, name);
	if (!e)
		e = write_path(path, &l, id, rand);
	int saved = errno;
	sm_totp_release(&l);
	free(path);
	if (lock >= 0)
		close(lock);
	errno = saved;
	return e;
}

enum sm_err sm_totp_add(const char *profile, const struct sm_identity *id, const struct sm_totp_entry *entry, const struct sm_rand *rand)
{
	return sm_totp_name_ok(entry->name) ? change(profile, id, entry, NULL, rand) : SM_ERR_FORMAT;
}

enum sm_err sm_totp_remove(const char *profile, const struct sm_identity *id, const char *name, const struct sm_rand *rand)
{
	return change(profile, id, NULL, name, rand);
}
