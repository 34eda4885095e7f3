/* master.key and what is derived from it. */
#include "keys.h"

#include "base/file.h"
#include "base/path.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/rand.h"
#include "wire/header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MASTER = 32, NKEYS = 4 };

static enum sm_err create_master(const char *path)
{
	uint8_t fresh[MASTER];
	enum sm_err e;

	sm_rand_fill(&sm_rand_system, fresh, sizeof fresh);
	e = sm_file_create(path, fresh, sizeof fresh, 0600);
	sm_wipe(fresh, sizeof fresh);
	return e == SM_ERR_EXISTS ? SM_OK : e;
}

static enum sm_err derive(struct sm_keys *k, const uint8_t master[static MASTER])
{
	static const char *const info[NKEYS] = {"sm jwt v1", "sm unknown salt v1", "sm session key v1", "sm refresh v1"};
	struct sm_secret s = {0};
	enum sm_err e = sm_secret_alloc(&s, NKEYS * 32);

	for (size_t i = 0; i < NKEYS && !e; i++)
		e = sm_hkdf_sha256(s.data + i * 32, 32, NULL, 0, master, MASTER, info[i], strlen(info[i]));
	if (e) {
		sm_secret_release(&s);
		return e;
	}
	*k = (struct sm_keys){.secret = s, .jwt = s.data, .unknown_salt = s.data + 32, .session = s.data + 64, .refresh = s.data + 96};
	return SM_OK;
}

enum sm_err sm_keys_load(struct sm_keys *k, const char *dir, bool create)
{
	char *path = sm_path_join(dir, "master.key");
	struct sm_buf b;
	enum sm_err e;

	if (!path)
		return SM_ERR_NOMEM;
	sm_buf_init(&b, 4096);
	e = sm_file_read(path, &b, true);
	if (e == SM_ERR_NOINPUT && errno == ENOENT) {
		e = create ? create_master(path) : SM_ERR_NOTFOUND;
		if (!e)
			e = sm_file_read(path, &b, true);
	}
	if (!e && b.len != MASTER)
		e = SM_ERR_FORMAT;
	if (!e)
		e = derive(k, b.data);
	sm_buf_release(&b);
	free(path);
	return e;
}

void sm_keys_release(struct sm_keys *k)
{
	sm_secret_release(&k->secret);
	*k = (struct sm_keys){0};
}

void sm_keys_session(const struct sm_keys *k, uint8_t out[static 32], const char *sid)
{
	sm_hmac_sha256(out, k->session, 32, sid, SM_ID_LEN);
}
