/* The session file: one `key value` line for each field, all of them, in this order. */
#include "net/session.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/path.h"
#include "wire/lex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SESSION_MAGIC "sm-session/1"
#define SESSION_FILE_MAX 8192

/* The value of the next line, which must be `key value`. */
static bool take(struct sm_span *s, const char *key, struct sm_span *value)
{
	struct sm_span line;
	size_t n = strlen(key);
	if (!sm_span_take_line(s, &line) || line.n < n + 2 || memcmp(line.p, key, n) != 0 || line.p[n] != ' ')
		return false;
	*value = (struct sm_span){line.p + n + 1, line.n - n - 1};
	return true;
}

static bool take_text(struct sm_span *s, const char *key, char *out, size_t room)
{
	struct sm_span v;
	if (!take(s, key, &v) || v.n >= room || !sm_printable(v))
		return false;
	memcpy(out, v.p, v.n);
	out[v.n] = 0;
	return true;
}

static bool take_number(struct sm_span *s, const char *key, int64_t *out)
{
	struct sm_span v;
	uint64_t n;
	if (!take(s, key, &v) || !sm_decimal(&n, v, 0, SM_NUMBER_MAX))
		return false;
	*out = (int64_t)n;
	return true;
}

static bool parse(struct sm_session *r, struct sm_span s)
{
	struct sm_span line, v;
	int64_t device;
	if (!sm_span_take_line(&s, &line) || !sm_span_equals(line, SESSION_MAGIC))
		return false;
	if (!take_text(&s, "address", r->address, sizeof(r->address)) || !take(&s, "session", &v) || !sm_id_copy(r->sid, v))
		return false;
	if (!take_number(&s, "device", &device) || device > UINT32_MAX)
		return false;
	r->device = (uint32_t)device;
	if (!take(&s, "fingerprint", &v) || sm_fp_parse(r->device_fp, (const char *)v.p, v.n) != SM_OK)
		return false;
	if (!take_number(&s, "access-expires", &r->access_expires) || !take_text(&s, "access-token", r->access, sizeof(r->access)))
		return false;
	if (!take_number(&s, "refresh-expires", &r->refresh_expires) || !take_text(&s, "refresh-token", r->refresh, sizeof(r->refresh)))
		return false;
	return take(&s, "session-key", &v) && sm_base64_exact(r->key, sizeof(r->key), v) && !s.n;
}

enum sm_err sm_session_load(struct sm_session *s, const char *profile)
{
	struct sm_session r = {0};
	struct sm_buf text;
	char *path = NULL;
	sm_buf_init(&text, SESSION_FILE_MAX);
	enum sm_err e = sm_path(&path, SM_DIR_STATE, profile, "session", 0);
	if (e == SM_OK)
		e = sm_file_read(path, &text, true);
	if (e == SM_ERR_NOINPUT && (errno == ENOENT || errno == ENOTDIR))
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK && !parse(&r, (struct sm_span){text.data, text.len}))
		e = SM_ERR_FORMAT;
	if (e == SM_OK)
		*s = r;
	sm_wipe(&r, sizeof(r));
	sm_buf_release(&text);
	free(path);
	return e;
}

static enum sm_err format(struct sm_buf *b, const struct sm_session *s)
{
	char fp[SM_FP_TEXT_LEN + 1], key[SM_BASE64_PADDED_LEN(sizeof(s->key)) + 1];
	sm_fp_format(fp, s->device_fp);
	key[sm_base64_encode(key, s->key, sizeof(s->key), false)] = 0;
	enum sm_err e = sm_buf_addf(
	        b,
	        SESSION_MAGIC "\naddress %s\nsession %s\ndevice %u\nfingerprint %s\naccess-expires %lld\naccess-token %s\n"
	                      "refresh-expires %lld\nrefresh-token %s\nsession-key %s\n",
	        s->address, s->sid, s->device, fp, (long long)s->access_expires, s->access, (long long)s->refresh_expires, s->refresh, key);
	sm_wipe(key, sizeof(key));
	return e;
}

enum sm_err sm_session_save(const struct sm_session *s, const char *profile)
{
	struct sm_buf text;
	char *path = NULL;
	sm_buf_init(&text, SESSION_FILE_MAX);
	enum sm_err e = sm_path(&path, SM_DIR_STATE, profile, "session", 1);
	if (e == SM_OK)
		e = format(&text, s);
	if (e == SM_OK)
		e = sm_file_replace(path, text.data, text.len, 0600);
	sm_buf_release(&text);
	free(path);
	return e;
}

enum sm_err sm_session_remove(const char *profile)
{
	char *path = NULL;
	enum sm_err e = sm_path(&path, SM_DIR_STATE, profile, "session", 0);
	if (e == SM_OK && unlink(path) && errno != ENOENT && errno != ENOTDIR)
		e = SM_ERR_IO;
	free(path);
	return e;
}

enum sm_err sm_session_lock(int *fd, const char *profile)
{
	char *path = NULL;
	int lock = -1;
	enum sm_err e = sm_path(&path, SM_DIR_STATE, profile, "session.lock", 1);
	if (e == SM_OK && (lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		e = SM_ERR_CANTCREAT;
	while (e == SM_OK && flock(lock, LOCK_EX))
		if (errno != EINTR)
			e = SM_ERR_IO;
	if (e == SM_OK)
		*fd = lock;
	else if (lock >= 0)
		(void)close(lock);
	free(path);
	return e;
}

void sm_session_unlock(int fd) { (void)close(fd); }
