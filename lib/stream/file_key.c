/* Which stanza is mine, and who may be asked to open it. */
#include "stream/file_key.h"

#include <string.h>

#define PASSPHRASE_MAX 4096

static enum sm_err find(uint8_t *key, const struct sm_header *h, const struct sm_opener *o)
{
	const struct sm_identity *id = o->id;
	struct sm_buf pw;
	int at;
	enum sm_err e;

	if (o->file_key) {
		memcpy(key, o->file_key, SM_FILE_KEY);
		return SM_OK;
	}
	if (h->has_group)
		return o->session ? o->session(o->ctx, key, h, 0) : SM_ERR_POLICY;
	if (h->to[0].has_fp) {
		if (!id && o->unlock && (e = o->unlock(o->ctx, &id)))
			return e;
		if (!id || (at = sm_header_find_to(h, id->pub.fp)) < 0)
			return SM_ERR_POLICY;
		if (h->stanza[at].type == SM_STANZA_RATCHET)
			return o->session ? o->session(o->ctx, key, h, (size_t)at) : SM_ERR_STANZA;
		return sm_unwrap_identity(key, h, (size_t)at, id);
	}
	if (!o->ask)
		return SM_ERR_PASSPHRASE;
	sm_buf_init(&pw, PASSPHRASE_MAX);
	if (!(e = o->ask(o->ctx, &pw)))
		e = sm_unwrap_passphrase(key, h, pw.data, pw.len);
	sm_buf_release(&pw);
	return e;
}

enum sm_err sm_file_key(struct sm_secret *key, const struct sm_header *h, const struct sm_opener *o)
{
	struct sm_secret k = {0};
	enum sm_err e = sm_secret_alloc(&k, SM_FILE_KEY);

	if (!e)
		e = find(k.data, h, o);
	if (e)
		sm_secret_release(&k);
	else
		*key = k;
	return e;
}
