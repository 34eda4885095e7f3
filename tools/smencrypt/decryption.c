/* The callbacks of lib/stream/open.h, for a person at the other end. */
#include "smencrypt/decryption.h"

#include "cli/diag.h"
#include "common/input.h"
#include "common/kept_key.h"

#include <string.h>

static enum sm_err ask(void *ctx, struct sm_buf *pw)
{
	struct sm_decryption *d = ctx;
	enum sm_err e = sm_passphrase(pw, &d->o->common.passphrase, "Passphrase for the envelope: ", false);

	d->said = e != SM_OK;
	return e;
}

static enum sm_err unlock(void *ctx, const struct sm_identity **id)
{
	struct sm_decryption *d = ctx;
	enum sm_err e = sm_unlock(&d->id, d->o->identity, &d->o->common);

	if ((d->said = e != SM_OK))
		return e;
	d->signers.self = &d->id.pub;
	*id = &d->id;
	return SM_OK;
}

/* A session's stanza has been opened once, by sminbox; its inbox has the key. */
static enum sm_err session(void *ctx, uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, size_t i)
{
	struct sm_decryption *d = ctx;
	const struct sm_identity *id = &d->id;
	enum sm_err e = d->id.secret.data ? SM_OK : unlock(d, &id);

	(void)i;
	if (e || !(e = sm_kept_key(file_key, h, id, d->o->common.profile)))
		return e;
	d->said = true;
	if (e == SM_ERR_NOTFOUND) {
		sm_error("%s came over a session: it opens here only while it is in the inbox (sminbox)", sm_input_name(d->o->input));
		return h->has_group ? SM_ERR_POLICY : SM_ERR_STANZA;
	}
	(void)sm_fail(e, "cannot look into the inbox");
	return e;
}

static enum sm_err find_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	struct sm_decryption *d = ctx;
	enum sm_err e = sm_signers_find(&d->signers, pub, fp);

	if (e && e != SM_ERR_NOTFOUND) {
		d->said = true;
		(void)sm_fail(e, "cannot look the signer up in the contacts");
	}
	return e;
}

static enum sm_err policy(void *ctx, const struct sm_header *h, enum sm_proof proof)
{
	struct sm_decryption *d = ctx;
	const struct options *o = d->o;
	struct sm_public pub;
	bool good = proof == SM_PROOF_PROVEN && (!o->signer || sm_who_find(&pub, &d->wanted, h->from.fp) == SM_OK);

	if (good || !(o->signer || o->require_signature))
		return SM_OK;
	d->said = true;
	if (proof == SM_PROOF_NONE)
		sm_error("%s is not signed: refused by policy", sm_input_name(o->input));
	else
		sm_error("%s is not signed by %s: refused by policy", sm_input_name(o->input), o->signer ? o->signer : "a contact");
	return SM_ERR_POLICY;
}

/* One line on how far the sender is proven, before the content. */
void sm_decryption_say_sender(const struct sm_decryption *d, const struct sm_opened *r)
{
	char fp[SM_FP_TEXT_LEN + 1];
	const char *claimed = r->header.from.address.text;

	sm_fp_format(fp, r->header.from.fp);
	if (r->proof == SM_PROOF_NONE)
		sm_warning("the sender is not proven: the envelope is not signed");
	else if (r->proof == SM_PROOF_UNKNOWN)
		sm_warning("the sender is not proven: it claims to be from %s, which is no contact's key", fp);
	else if (*claimed && *d->signers.address && strcmp(claimed, d->signers.address))
		sm_warning("signed by %s, though it says that it is from %s", d->signers.address, claimed);
	else
		sm_note("signed by %s %s", *d->signers.address ? d->signers.address : *claimed ? claimed : "key", fp);
}

void sm_decryption_say_failure(const struct sm_decryption *d, enum sm_err e, unsigned header_line)
{
	const char *name = sm_input_name(d->o->input);

	if (d->said)
		return;
	if ((e == SM_ERR_HEADER || e == SM_ERR_SUITE) && header_line)
		(void)sm_fail_plain(e, "%s: %s, line %u", name, sm_err_text(e), header_line);
	else if (e == SM_ERR_POLICY)
		(void)sm_fail_plain(e, "%s: not a recipient", name);
	else
		(void)sm_fail(e, "%s", name);
}

enum sm_err sm_decryption_init(struct sm_decryption *d, struct options *o)
{
	enum sm_err e;

	memset(d, 0, sizeof *d);
	d->o = o;
	d->opener = (struct sm_opener){
	        .unlock = unlock, .session = session, .ask = ask, .find_signer = find_signer, .policy = policy, .ctx = d};
	d->signers.profile = o->common.profile;
	if (!o->signer)
		return SM_OK;
	if (!(e = sm_who_resolve(&d->wanted, o->signer, o->common.profile, true)))
		d->signers.wanted = &d->wanted;
	return e;
}

void sm_decryption_release(struct sm_decryption *d) { sm_identity_release(&d->id); }
