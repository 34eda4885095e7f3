/* Writing a roster: needs a member's secret key, so smserver does not link it. */
#include "wire/roster.h"

#include "base/base64.h"
#include "base/time.h"
#include "wire/signed_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int by_address(const void *a, const void *b)
{
	return strcmp(((const struct sm_member *)a)->address.text, ((const struct sm_member *)b)->address.text);
}

static enum sm_err write_head(struct sm_buf *b, const struct sm_roster *r)
{
	char date[SM_TIME_LEN + 1], previous[65] = "-";

	sm_time_format(date, r->date);
	if (r->epoch != 1)
		sm_hex(previous, r->previous, sizeof(r->previous));
	return sm_buf_addf(b, "sm-roster/1 %s\nepoch %" PRIu64 "\nprevious %s\nname %s\ndate %s\n", r->group, r->epoch, previous, r->name,
	                   date);
}

static enum sm_err write_lines(struct sm_buf *b, const struct sm_roster *r)
{
	enum sm_err e = write_head(b, r);
	for (size_t i = 0; !e && i < r->n; i++) {
		const struct sm_member *m = &r->member[i];
		if ((e = sm_buf_addf(b, "member %s ", m->address.text)) || (e = sm_public_format_ed25519(b, m->pk)))
			break;
		e = sm_buf_adds(b, m->admin ? " admin\n" : "\n");
	}
	return e ? e : sm_buf_addf(b, "signer %s\n", r->signer.text);
}

static enum sm_err reads_back(const char *text, size_t n)
{
	struct sm_roster again;
	enum sm_err e = sm_roster_parse(&again, text, n);
	if (!e)
		sm_roster_release(&again);
	return e;
}

enum sm_err sm_roster_sign(struct sm_buf *b, struct sm_roster *r, const struct sm_identity *user)
{
	uint8_t hash[32], sig[SM_SIG_LEN];
	const struct sm_member *signer;
	size_t start = b->len;
	enum sm_err e;

	if (!r->n || r->n > SM_ROSTER_MAX)
		return SM_ERR_FORMAT;
	qsort(r->member, r->n, sizeof(*r->member), by_address);
	if ((signer = sm_roster_find(r, r->signer.text)) && !sm_equal(signer->pk, user->pub.ed25519, SM_PK_LEN))
		return SM_ERR_POLICY;
	if (!(e = write_lines(b, r)) && !(e = sm_signed_text_sign(b, start, hash, sig, SM_ROSTER_LABEL, user)))
		e = reads_back((const char *)b->data + start, b->len - start);
	if (e) {
		b->len = start;
		return e;
	}
	memcpy(r->hash, hash, sizeof(hash));
	memcpy(r->sig, sig, sizeof(sig));
	return SM_OK;
}
