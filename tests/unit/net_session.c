/* The session file: what is saved is loaded, anything else is refused. */
#include "net/session.h"

#include "scratch.h"
#include "tap.h"

#include <sys/stat.h>

static bool rewrite(const char *from, const char *to)
{
	char text[8192], out[8192];
	FILE *f = fopen(scratch("state/session"), "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (f)
		(void)fclose(f);
	text[n] = 0;
	char *at = strstr(text, from);
	if (!at || !(f = fopen(scratch("state/session"), "w")))
		return false;
	int len = snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	bool good = fwrite(out, 1, (size_t)len, f) == (size_t)len;
	return fclose(f) == 0 && good;
}

static bool refuses(const struct sm_session *s, const char *from, const char *to)
{
	struct sm_session r;
	return sm_session_save(s, NULL) == SM_OK && rewrite(from, to) && sm_session_load(&r, NULL) == SM_ERR_FORMAT;
}

int main(void)
{
	struct sm_session s = {.sid = "aaaaaaaaaaaaaaaaaaaaaaaaaa",
	                       .address = "alice@localhost:80",
	                       .device = 1,
	                       .access_expires = 1700000900,
	                       .refresh_expires = 1702592000,
	                       .access = "e30.e30.AAAA",
	                       .refresh = "opaque-token"},
	                  r;
	struct stat st;
	int fd;
	if (!scratch_make() || chmod(scratch_dir, 0700) || setenv("SM_HOME", scratch_dir, 1) || sm_secret_harden() != SM_OK)
		return 1;
	memset(s.key, 7, sizeof(s.key));
	memset(s.device_fp, 8, sizeof(s.device_fp));
	ok(sm_session_load(&r, NULL) == SM_ERR_NOTFOUND, "none at first");
	ok(sm_session_remove(NULL) == SM_OK, "removing none is fine");
	ok(sm_session_save(&s, NULL) == SM_OK && sm_session_load(&r, NULL) == SM_OK, "saved and loaded");
	ok(!memcmp(r.key, s.key, 32) && !memcmp(r.device_fp, s.device_fp, 32) && !strcmp(r.sid, s.sid) && !strcmp(r.access, s.access) &&
	           !strcmp(r.refresh, s.refresh) && !strcmp(r.address, s.address) && r.device == 1 &&
	           r.access_expires == s.access_expires && r.refresh_expires == s.refresh_expires,
	   "all of it");
	ok(stat(scratch("state/session"), &st) == 0 && (st.st_mode & 0777) == 0600, "in a private file");
	ok(chmod(scratch("state/session"), 0640) == 0 && sm_session_load(&r, NULL) == SM_ERR_PERM, "one that others may read is refused");
	ok(refuses(&s, "sm-session/1", "sm-session/2"), "another version");
	ok(refuses(&s, "session aaaa", "session AAAA"), "a session id that is none");
	ok(refuses(&s, "device 1\n", "device 01\n"), "a number with a zero in front");
	ok(refuses(&s, "session-key ", "session-key A"), "a key of another size");
	ok(refuses(&s, "refresh-token opaque-token\n", ""), "a line left out");
	ok(refuses(&s, "access-token", "access_token"), "a line of another name");
	ok(sm_session_lock(&fd, NULL) == SM_OK, "locked");
	sm_session_unlock(fd);
	ok(sm_session_remove(NULL) == SM_OK && sm_session_load(&r, NULL) == SM_ERR_NOTFOUND, "removed");
	return tap_done();
}
