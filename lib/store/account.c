/* The account file, and the one of an account that has been asked for: four keys, written whole and read strictly. */
#include "store/account.h"

#include "base/config.h"
#include "base/file.h"
#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCOUNT_FILE_MAX 8192
#define ACCOUNT "account"
#define ASKED "account.asked"

static bool copy_value(char *out, size_t room, const char *value)
{
	size_t n = strlen(value);
	if (n >= room)
		return false;
	memcpy(out, value, n + 1);
	return true;
}

static bool set_flag(bool *out, const char *value)
{
	*out = !strcmp(value, "yes");
	return *out || !strcmp(value, "no");
}

static enum sm_err set_key(void *ctx, const char *section, const char *key, const char *value, char *why)
{
	struct sm_account *a = ctx;
	struct sm_address parsed;
	bool good = !*section;
	if (good && !strcmp(key, "address"))
		good = copy_value(a->address, sizeof(a->address), value) && sm_address_parse(&parsed, value, strlen(value)) == SM_OK;
	else if (good && !strcmp(key, "url"))
		good = copy_value(a->url, sizeof(a->url), value);
	else if (good && !strcmp(key, "cacert"))
		good = copy_value(a->cacert, sizeof(a->cacert), value);
	else if (good && !strcmp(key, "insecure_http"))
		good = set_flag(&a->insecure_http, value);
	else
		good = false;
	if (!good)
		memcpy(why, "not a line of an account file", sizeof("not a line of an account file"));
	return good ? SM_OK : SM_ERR_CONFIG;
}

static enum sm_err load(struct sm_account *a, const char *profile, const char *name)
{
	struct sm_account read = {0};
	char *path = NULL, why[256];
	int line = 0;
	enum sm_err e = sm_path(&path, SM_DIR_CONFIG, profile, name, 0);
	if (e == SM_OK)
		e = sm_config_read(path, set_key, &read, &line, why);
	if (e == SM_ERR_NOINPUT && (errno == ENOENT || errno == ENOTDIR))
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK && (!*read.address || !*read.url))
		e = SM_ERR_CONFIG;
	if (e == SM_OK)
		*a = read;
	free(path);
	return e;
}

/* A value survives inih only without line ends, comment signs and white space around it. */
static bool writable(const char *s)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == ';' || s[i] == '#')
			return false;
	return !n || (s[0] != ' ' && s[n - 1] != ' ');
}

static enum sm_err save(const struct sm_account *a, const char *profile, const char *name)
{
	struct sm_buf text;
	char *path = NULL;
	enum sm_err e = SM_ERR_FORMAT;
	sm_buf_init(&text, ACCOUNT_FILE_MAX);
	if (!writable(a->address) || !writable(a->url) || !writable(a->cacert))
		goto out;
	e = sm_buf_addf(&text, "# Written by smaccount.\naddress = %s\nurl = %s\n", a->address, a->url);
	if (e == SM_OK && *a->cacert)
		e = sm_buf_addf(&text, "cacert = %s\n", a->cacert);
	if (e == SM_OK && a->insecure_http)
		e = sm_buf_adds(&text, "insecure_http = yes\n");
	if (e == SM_OK)
		e = sm_path(&path, SM_DIR_CONFIG, profile, name, 1);
	if (e == SM_OK)
		e = sm_file_replace(path, text.data, text.len, 0600);
out:
	free(path);
	sm_buf_release(&text);
	return e;
}

enum sm_err sm_account_load(struct sm_account *a, const char *profile) { return load(a, profile, ACCOUNT); }
enum sm_err sm_account_save(const struct sm_account *a, const char *profile) { return save(a, profile, ACCOUNT); }
enum sm_err sm_account_asked_load(struct sm_account *a, const char *profile) { return load(a, profile, ASKED); }
enum sm_err sm_account_asked_save(const struct sm_account *a, const char *profile) { return save(a, profile, ASKED); }

enum sm_err sm_account_asked_forget(const char *profile)
{
	char *path = NULL;
	enum sm_err e = sm_path(&path, SM_DIR_CONFIG, profile, ASKED, 0);
	if (e == SM_OK && unlink(path) && errno != ENOENT && errno != ENOTDIR)
		e = SM_ERR_IO;
	free(path);
	return e;
}
