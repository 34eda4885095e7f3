/* The contacts as lines, and one of them with all that is known of it. */
#include "smcontact/verbs.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/json.h"
#include "store/devices.h"

#include <inttypes.h>
#include <string.h>

static const char *trust_word(enum sm_trust t)
{
	return t == SM_TRUST_VERIFIED ? "verified" : t == SM_TRUST_CHANGED ? "changed" : "unverified";
}

/* Without the brace that ends it. */
static enum sm_err add_json(struct sm_buf *b, const struct sm_contact *c, const char *fp, const char *seen)
{
	enum sm_err e = sm_buf_adds(b, "{\"v\":1,");
	if (e == SM_OK)
		e = sm_json_member(b, "address", c->address);
	if (e == SM_OK)
		e = sm_buf_addf(b, ",\"fingerprint\":\"%s\",\"identity\":\"", fp);
	if (e == SM_OK)
		e = sm_public_format(b, &c->pub);
	if (e == SM_OK)
		e = sm_buf_addf(b, "\",\"trust\":\"%s\",\"pinned\":%" PRId64, trust_word(c->trust), c->pinned);
	if (e == SM_OK && c->has_seen)
		e = sm_buf_addf(b, ",\"seen\":\"%s\"", seen);
	return e;
}

static enum sm_err add_text(struct sm_buf *b, const struct sm_contact *c, const char *fp, const char *seen)
{
	enum sm_err e = sm_buf_addf(b, "%s\t%s\t%s", c->address, fp, trust_word(c->trust));
	if (e == SM_OK && c->has_seen)
		e = sm_buf_addf(b, "\tnow %s", seen);
	return e == SM_OK ? sm_buf_adds(b, "\n") : e;
}

struct listing {
	struct sm_buf text;
	bool json;
};

static enum sm_err on_contact(void *ctx, const struct sm_contact *c)
{
	struct listing *l = ctx;
	char fp[SM_FP_TEXT_LEN + 1], seen[SM_FP_TEXT_LEN + 1] = "";
	sm_fp_format(fp, c->pub.fp);
	if (c->has_seen)
		sm_fp_format(seen, c->seen_fp);
	if (!l->json)
		return add_text(&l->text, c, fp, seen);
	enum sm_err e = add_json(&l->text, c, fp, seen);
	return e == SM_OK ? sm_buf_adds(&l->text, "}\n") : e;
}

int sm_verb_list(struct options *o)
{
	struct listing l = {.json = o->json};
	sm_buf_init(&l.text, SM_CONTACTS_TEXT_MAX);
	int code = sm_contacts_open(o);
	if (code == SM_EXIT_OK) {
		enum sm_err e = sm_contact_each(&o->db, on_contact, &l);
		code = e == SM_OK ? sm_contacts_print(&l.text) : sm_fail(e, "cannot read '%s'", o->db.path);
	}
	sm_buf_release(&l.text);
	return code;
}

/* --- one of them --- */

struct details {
	struct sm_contact c;
	struct sm_device_list devices; /* n 0: an identity of a suite without devices */
	bool has_safety;
	char safety[SM_SAFETY_DIGITS + 1];
	char fp[SM_FP_TEXT_LEN + 1], seen[SM_FP_TEXT_LEN + 1];
};

static enum sm_err get_details(struct details *d, struct options *o, const struct sm_address *a)
{
	bool said;
	enum sm_err e = sm_contact_get(&d->c, &o->db, a->text);
	if (e != SM_OK)
		return e;
	d->devices.n = 0;
	if (d->c.pub.suite == &sm_suite_x25519 && (e = sm_devices_of(&d->devices, &o->db, a, d->c.pub.ed25519)) != SM_OK)
		return e;
	sm_fp_format(d->fp, d->c.pub.fp);
	*d->seen = 0;
	if (d->c.has_seen)
		sm_fp_format(d->seen, d->c.seen_fp);
	/* Left out where there is none to be had, and after a change, when there is nothing to compare. */
	d->has_safety = !d->c.has_seen && sm_contacts_safety(d->safety, &said, o, &d->c, false) == SM_OK;
	return SM_OK;
}

static enum sm_err details_json(struct sm_buf *b, const struct details *d)
{
	char fp[SM_FP_TEXT_LEN + 1];
	enum sm_err e = add_json(b, &d->c, d->fp, d->seen);
	if (e == SM_OK && d->has_safety)
		e = sm_buf_addf(b, ",\"safety\":\"%s\"", d->safety);
	if (e == SM_OK)
		e = sm_buf_adds(b, ",\"devices\":[");
	for (size_t i = 0; e == SM_OK && i < d->devices.n; i++) {
		sm_fp_format(fp, d->devices.device[i].fp);
		e = sm_buf_addf(b, "%s{\"number\":%" PRIu32 ",\"fingerprint\":\"%s\"}", i ? "," : "", d->devices.device[i].number, fp);
	}
	return e == SM_OK ? sm_buf_adds(b, "]}\n") : e;
}

static enum sm_err details_text(struct sm_buf *b, const struct details *d)
{
	char fp[SM_FP_TEXT_LEN + 1], text[SM_SAFETY_TEXT + 1], date[SM_TIME_LEN + 1];
	enum sm_err e;
	sm_time_format(date, d->c.pinned);
	e = sm_buf_addf(b, "address      %s\nfingerprint  %s\ntrust        %s\n", d->c.address, d->fp, trust_word(d->c.trust));
	if (e == SM_OK && d->c.has_seen)
		e = sm_buf_addf(b, "now          %s\n", d->seen);
	if (e == SM_OK)
		e = sm_buf_addf(b, "pinned       %s\n", date);
	if (e == SM_OK && d->has_safety) {
		sm_safety_format(text, d->safety);
		e = sm_buf_addf(b, "safety       %s\n", text);
	}
	for (size_t i = 0; e == SM_OK && i < d->devices.n; i++) {
		sm_fp_format(fp, d->devices.device[i].fp);
		e = sm_buf_addf(b, "device %-5" PRIu32 " %s\n", d->devices.device[i].number, fp);
	}
	return e;
}

int sm_verb_show(struct options *o)
{
	struct sm_address a;
	struct details d;
	struct sm_buf b;
	int code = sm_contacts_find(o, &a);
	if (code != SM_EXIT_OK)
		return code;
	sm_buf_init(&b, SM_CONTACTS_TEXT_MAX);
	enum sm_err e = get_details(&d, o, &a);
	if (e == SM_OK)
		e = o->json ? details_json(&b, &d) : details_text(&b, &d);
	code = e == SM_OK ? sm_contacts_print(&b) : sm_contacts_missing(o, e, a.text);
	sm_buf_release(&b);
	return code;
}
