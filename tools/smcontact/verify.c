/* Safety numbers: shown, and compared with the digits that somebody read out. */
#include "smcontact/verbs.h"

#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/qr.h"
#include "common/net_keys.h"
#include "common/who.h"
#include "store/keyring.h"

#include <string.h>
#include <unistd.h>

static enum sm_err never_ask(void *ctx, struct sm_buf *pw, const char *path)
{
	(void)ctx, (void)pw, (void)path;
	return SM_ERR_PASSPHRASE;
}

/* The account's user key: the one pinned under its own address, as a device that was added later has it; else this device's. */
static enum sm_err own_key(struct sm_public *pub, bool *said, struct options *o, const struct sm_address *self, bool ask)
{
	struct sm_contact pin;
	enum sm_err e = sm_contact_get(&pin, &o->db, self->text);
	if (e == SM_OK && pin.has_seen)
		return SM_ERR_CHANGED;
	if (e == SM_OK)
		*pub = pin.pub;
	if (e != SM_ERR_NOTFOUND)
		return e;
	struct sm_buf comment;
	sm_buf_init(&comment, SM_PUBLIC_LINE_MAX);
	e = ask ? sm_unlock_public(pub, &comment, NULL, &o->common)
	        : sm_keyring_public(pub, &comment, NULL, o->common.profile, never_ask, NULL);
	*said = ask && e != SM_OK;
	sm_buf_release(&comment);
	return e;
}

enum sm_err sm_contacts_safety(char digits[static SM_SAFETY_DIGITS + 1], bool *said, struct options *o, const struct sm_contact *c,
                               bool ask)
{
	struct sm_address self, other;
	struct sm_public own;
	enum sm_err e = sm_who_self(&self, o->common.profile);
	*said = e != SM_OK;
	if (e != SM_OK)
		return e;
	if (!*self.text)
		return SM_ERR_NOTFOUND;
	if (!strcmp(self.text, c->address))
		return SM_ERR_POLICY;
	if ((e = own_key(&own, said, o, &self, ask)) != SM_OK || (e = sm_address_parse(&other, c->address, strlen(c->address))) != SM_OK)
		return e;
	sm_safety_number(digits, &self, sm_safety_key(&own), &other, sm_safety_key(&c->pub));
	return SM_OK;
}

/* The contact and its number, or the reason why not. */
static int number_of(char digits[static SM_SAFETY_DIGITS + 1], struct sm_contact *c, struct options *o)
{
	struct sm_address a, self;
	bool said = false;
	int code = sm_contacts_find(o, &a);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_contact_get(c, &o->db, a.text);
	if (e != SM_OK)
		return sm_contacts_missing(o, e, a.text);
	if (c->has_seen)
		return sm_peer_say_changed(&o->db, a.text);
	e = sm_contacts_safety(digits, &said, o, c, true);
	if (e == SM_OK || said)
		return sm_exit_code(e);
	if (e == SM_ERR_NOTFOUND)
		return sm_fail_plain(SM_ERR_CONFIG,
		                     "a safety number is made of two accounts, and this profile has none: 'smaccount register'");
	if (e == SM_ERR_POLICY)
		return sm_fail_plain(SM_ERR_FORMAT, "%s is this account itself: a safety number is made with another one", a.text);
	if (e == SM_ERR_CHANGED && sm_who_self(&self, o->common.profile) == SM_OK)
		return sm_peer_say_changed(&o->db, self.text);
	return sm_fail(e, "cannot make the safety number of %s", a.text);
}

/* All operands behind WHO, without white space: SM_SAFETY_DIGITS digits. */
static bool given_digits(char out[static SM_SAFETY_DIGITS + 1], const struct options *o)
{
	size_t n = 0;
	for (int i = 1; i < o->narg; i++)
		for (const char *s = o->arg[i]; *s; s++) {
			if (strchr(" \t\r\n", *s))
				continue;
			if (*s < '0' || *s > '9' || n == SM_SAFETY_DIGITS)
				return false;
			out[n++] = *s;
		}
	out[n] = 0;
	return n == SM_SAFETY_DIGITS;
}

static int show_number(const char *digits)
{
	char text[SM_SAFETY_TEXT + 1];
	struct sm_buf b;
	enum sm_err e = sm_is_tty(STDOUT_FILENO) ? sm_qr_print(STDOUT_FILENO, digits) : SM_OK;
	if (e != SM_OK)
		return sm_fail(e, "cannot write to standard output");
	sm_safety_format(text, digits);
	sm_buf_init(&b, 2 * sizeof(text));
	e = sm_buf_addf(&b, "%s\n", text);
	int code = e == SM_OK ? sm_contacts_print(&b) : sm_fail(e, "cannot show the safety number");
	sm_buf_release(&b);
	return code;
}

static int set_verified(struct options *o, const struct sm_contact *c)
{
	enum sm_err e = sm_contact_set_verified(&o->db, c->address, c->pub.fp);
	if (e == SM_OK)
		sm_note("%s is verified", c->address);
	return e == SM_OK            ? SM_EXIT_OK
	       : e == SM_ERR_CHANGED ? sm_peer_say_changed(&o->db, c->address)
	                             : sm_contacts_missing(o, e, c->address);
}

int sm_verb_verify(struct options *o)
{
	struct sm_contact c;
	char number[SM_SAFETY_DIGITS + 1], given[SM_SAFETY_DIGITS + 1];
	bool compare = o->narg > 1;
	if (compare && !given_digits(given, o))
		return sm_fail_plain(SM_ERR_FORMAT, "a safety number is %d digits", SM_SAFETY_DIGITS);
	int code = number_of(number, &c, o);
	if (code != SM_EXIT_OK)
		return code;
	if (!compare)
		return show_number(number);
	if (!strcmp(given, number))
		return set_verified(o, &c);
	sm_error("these are not the digits of %s: one of you two has another key than the other one thinks, or they were misread",
	         c.address);
	return SM_EXIT_NO;
}
