/* From a fingerprint to a key that one has a reason to trust. */
#include "common/signers.h"

#include "base/path.h"
#include "cli/diag.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is(const struct sm_public *pub, const uint8_t *fp) { return pub && !memcmp(pub->fp, fp, SM_FP_LEN); }

/* Reading must not make a database where there is none. */
static bool have_contacts(const char *profile)
{
	char *path;
	bool have = !sm_path(&path, SM_DIR_DATA, profile, "sm.db", 0);

	if (have) {
		have = !access(path, F_OK);
		free(path);
	}
	return have;
}

static enum sm_err find_contact(struct sm_signers *s, struct sm_public *pub, const uint8_t *fp)
{
	struct sm_db db = {0};
	struct sm_contact c;
	enum sm_err e;

	if (!have_contacts(s->profile))
		return SM_ERR_NOTFOUND;
	if (!(e = sm_db_open(&db, s->profile)))
		e = sm_contact_by_fp(&c, &db, fp);
	sm_db_close(&db);
	if (e)
		return e;
	*pub = c.pub;
	memcpy(s->address, c.address, sizeof s->address);
	return SM_OK;
}

enum sm_err sm_signers_find(struct sm_signers *s, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	s->address[0] = 0;
	if (s->wanted && is(&s->wanted->pub, fp)) {
		*pub = s->wanted->pub;
		memcpy(s->address, s->wanted->party.address.text, sizeof s->address);
		return SM_OK;
	}
	if (is(s->self, fp)) {
		*pub = *s->self;
		return SM_OK;
	}
	return find_contact(s, pub, fp);
}
