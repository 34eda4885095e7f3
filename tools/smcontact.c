/* smcontact: whose key is whose. Keys are pinned on first use; a changed one is taken only by its fingerprint, given by hand. */
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/verb.h"
#include "common/net_keys.h"
#include "common/who.h"
#include "smcontact/verbs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OPT_JSON = SM_OPT_LONG };

static const struct sm_opt plain_table[] = {SM_COMMON_OPTS, {0}};
static const struct sm_opt json_table[] = {{OPT_JSON, "json", NULL, "one JSON object a line"}, SM_COMMON_OPTS, {0}};

static const char *const lines[] = {"add WHO [KEY]            pin WHO's key, asked of the server or given as sm1...",
                                    "list                     all contacts",
                                    "show WHO                 one contact",
                                    "verify WHO [DIGITS]      show the safety number, or compare it with DIGITS",
                                    "accept WHO FINGERPRINT   take WHO's new key after a change",
                                    "remove WHO               forget WHO's key",
                                    "import [FILE]            pin what a file says that export wrote",
                                    "export                   all contacts, for import",
                                    NULL};

int sm_contacts_open(struct options *o)
{
	enum sm_err e = sm_db_open(&o->db, o->common.profile);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot open the contacts");
}

/* --- add --- */

static int add_given(struct options *o)
{
	struct sm_address a;
	struct sm_public pub;
	enum sm_err e = sm_who_address(&a, o->arg[0], o->common.profile);
	if (e != SM_OK)
		return sm_exit_code(e);
	e = sm_public_parse(&pub, o->arg[1], strlen(o->arg[1]));
	if (e != SM_OK)
		return sm_fail_plain(e, "'%s' is not a public key (sm1...)", o->arg[1]);
	int code = sm_contacts_open(o);
	if (code != SM_EXIT_OK)
		return code;
	e = sm_contact_pin(&o->db, a.text, &pub, sm_time_now(), NULL);
	if (e == SM_ERR_CHANGED)
		return sm_peer_say_changed(&o->db, a.text);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot write '%s'", o->db.path);
}

static int add_asked(struct options *o)
{
	struct sm_online on = {0};
	struct sm_user_key k;
	char fp[SM_FP_TEXT_LEN + 1];
	bool added = false;
	int code = sm_online_start(&on, o->common.profile);
	if (code == SM_EXIT_OK)
		code = sm_contacts_open(o);
	if (code == SM_EXIT_OK)
		code = sm_peer_resolve(&k, &added, &on, &o->db, o->arg[0]);
	if (code == SM_EXIT_OK) {
		sm_fp_format(fp, k.pub.fp);
		sm_note("%s %s %s", added ? "pinned" : "unchanged", k.address, fp);
	}
	sm_online_close(&on);
	return code;
}

static int verb_add(struct options *o) { return o->narg > 1 ? add_given(o) : add_asked(o); }

/* --- what all verbs use --- */

int sm_contacts_print(const struct sm_buf *b)
{
	enum sm_err e = sm_put_text(STDOUT_FILENO, b->data, b->len);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot write to standard output");
}

int sm_contacts_missing(struct options *o, enum sm_err e, const char *address)
{
	if (e != SM_ERR_NOTFOUND)
		return sm_fail(e, "cannot use '%s'", o->db.path);
	sm_error("'%s' is no contact", address);
	return SM_EXIT_NOINPUT;
}

int sm_contacts_find(struct options *o, struct sm_address *a)
{
	enum sm_err e = sm_who_address(a, o->arg[0], o->common.profile);
	return e == SM_OK ? sm_contacts_open(o) : sm_exit_code(e);
}

/* --- accept, remove --- */

static int verb_accept(struct options *o)
{
	struct sm_address a;
	uint8_t fp[SM_FP_LEN];
	if (sm_fp_parse(fp, o->arg[1], strlen(o->arg[1])) != SM_OK)
		return sm_fail_plain(SM_ERR_FORMAT, "'%s' is not a fingerprint (SHA256:...)", o->arg[1]);
	int code = sm_contacts_find(o, &a);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_contact_accept(&o->db, a.text, fp, sm_time_now());
	if (e == SM_ERR_POLICY) {
		sm_error("that is not the key that was seen for %s: 'smcontact show %s' has it", a.text, a.text);
		return SM_EXIT_REFUSED;
	}
	return e == SM_OK ? SM_EXIT_OK : sm_contacts_missing(o, e, a.text);
}

static int verb_remove(struct options *o)
{
	struct sm_address a;
	int code = sm_contacts_find(o, &a);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_contact_remove(&o->db, a.text);
	return e == SM_OK ? SM_EXIT_OK : sm_contacts_missing(o, e, a.text);
}

/* --- */

static const struct sm_verb table[] = {
        {"add", "WHO [KEY]", "pin WHO's key: the one that the account's server names, or KEY (sm1...)", plain_table, 1, 2, verb_add},
        {"list", "[--json]", "all contacts: address, fingerprint, trust", json_table, 0, 0, sm_verb_list},
        {"show", "WHO [--json]", "one contact: key, trust, safety number, devices", json_table, 1, 1, sm_verb_show},
        {"verify", "WHO [DIGITS...]", "show the safety number with WHO; with DIGITS, compare it: right ones mark WHO's key verified",
         plain_table, 1, 1 + SM_SAFETY_DIGITS, sm_verb_verify},
        {"accept", "WHO FINGERPRINT", "take WHO's new key after a change", plain_table, 2, 2, verb_accept},
        {"remove", "WHO", "forget WHO's key: the next one seen is pinned", plain_table, 1, 1, verb_remove},
        {"import", "[FILE]", "pin what FILE says, one line each: ADDRESS KEY, and the word verified", plain_table, 0, 1, sm_verb_import},
        {"export", "", "all contacts, as import reads them", plain_table, 0, 0, sm_verb_export},
};

static const struct sm_verbs verbs = {table, sizeof(table) / sizeof(table[0]), "add|list|show|verify|accept|remove|import|export ...",
                                      "whose key is whose", lines};

static void parse(struct options *o, const struct sm_verb *v, int argc, char **argv)
{
	int c;
	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1) {
		if (c == OPT_JSON)
			o->json = true;
		else
			(void)sm_common_opt(&o->common, &o->opts, c);
	}
	o->narg = sm_verb_operands(&o->opts, v, argc);
	o->arg = argv + o->opts.index;
}

int main(int argc, char **argv)
{
	struct options o = {.common = SM_COMMON_INIT};
	sm_diag_init(argv[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	enum sm_err e = sm_secret_harden();
	if (e != SM_OK)
		return sm_fail(e, "cannot protect this process's memory");
	const struct sm_verb *v = sm_verb_find(&o.opts, &verbs, argc, argv);
	parse(&o, v, argc - 1, argv + 1);
	int code = v->run(&o);
	sm_db_close(&o.db);
	return code;
}
