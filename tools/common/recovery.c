/* From what somebody wrote down to an identity. */
#include "common/recovery.h"

#include "cli/diag.h"
#include "wire/recovery.h"

#define TRIES 3

static enum sm_err say(enum sm_err e, size_t at)
{
	if (e == SM_ERR_FORMAT)
		sm_error("not a recovery code: its group %zu has a character that no code has", at);
	else if (e == SM_ERR_LIMIT)
		sm_error("not a recovery code: %zu characters, where a code has %d", at, SM_RECOVERY_CHARS);
	else
		sm_error("the recovery code has a mistake in it: its checksum is wrong");
	return SM_ERR_FORMAT;
}

static enum sm_err from_text(struct sm_identity *id, const struct sm_buf *text)
{
	uint8_t seed[SM_SEED_LEN];
	size_t at;
	enum sm_err e = sm_recovery_parse(seed, &at, (const char *)text->data, text->len);
	if (e != SM_OK)
		return say(e, at);
	e = sm_identity_from_seed(id, seed);
	if (e != SM_OK)
		(void)sm_fail(e, "cannot use the recovery code");
	sm_wipe(seed, sizeof(seed));
	return e;
}

enum sm_err sm_recovery_read(struct sm_identity *id, struct sm_passphrase_source *src)
{
	bool scripted = src->file || src->fd >= 0;
	struct sm_buf text;
	enum sm_err e = SM_ERR_FORMAT;
	sm_buf_init(&text, SM_PASSPHRASE_MAX);
	for (int i = 0; e == SM_ERR_FORMAT && i < (scripted ? 1 : TRIES); i++) {
		sm_buf_clear(&text);
		e = scripted ? sm_passphrase(&text, src, "", false)
		             : sm_passphrase_tty(&text, "Recovery code: ", "--recovery-file or --recovery-fd", false);
		if (e == SM_OK)
			e = from_text(id, &text);
		else if (e == SM_ERR_FORMAT)
			break;
	}
	sm_buf_release(&text);
	return e;
}
