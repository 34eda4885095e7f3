/* smsend: one message, to people or to a group. Plaintext is sealed over sessions and signed; a ready envelope is checked and sent as it
 * is. */
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "smsend/send.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 3 /* a server that is being started again is waited for, two seconds in all */

enum { OPT_ID = SM_OPT_LONG, OPT_UNSIGNED, OPT_JSON };

static const struct sm_opt options_table[] = {{'s', "subject", "TEXT", "give it a subject"},
                                              {'n', "name", "NAME", "name the content"},
                                              {'m', "type", "MIME", "say of what type the content is"},
                                              {'A', "attach", "FILE", "attach FILE"},
                                              {'i', "identity", "FILE", "use the identity in FILE instead of the profile's"},
                                              {OPT_ID, "id", "KEY", "send under KEY: the same bytes under it are stored once"},
                                              {OPT_UNSIGNED, "unsigned", NULL, "send it without a signature"},
                                              {OPT_JSON, "json", NULL, "say what was sent, as one JSON object"},
                                              SM_COMMON_OPTS,
                                              {0}};

/* The last operand is a file when it cannot be a name: "-", something with a slash, or with letters that no name has. */
static bool is_file(const char *operand)
{
	struct sm_address a;
	size_t n = strlen(operand);
	if (*operand == '@')
		return false;
	return !strcmp(operand, "-") || strchr(operand, '/') || (!sm_name_valid(operand, n) && sm_address_parse(&a, operand, n) != SM_OK);
}

static void take_operands(struct options *o, int argc, char **argv)
{
	o->who = argv + o->opts.index;
	o->nwho = (size_t)(argc - o->opts.index);
	if (o->nwho > 1 && is_file(o->who[o->nwho - 1]))
		o->input = o->who[--o->nwho];
	if (!o->nwho)
		sm_usage(&o->opts, "to whom?");
	for (size_t i = 0; i < o->nwho; i++)
		if (o->who[i][0] == '@' && o->nwho > 1)
			sm_usage(&o->opts, "a group stands alone: %s", o->who[i]);
	if (o->who[0][0] == '@' && o->no_signature)
		sm_usage(&o->opts, "--unsigned is not for groups: all of %s hold the key, and nobody would take it", o->who[0]);
	if (o->nwho > SM_TO_MAX)
		sm_usage(&o->opts, "more than %d recipients", SM_TO_MAX);
}

static void parse(struct options *o, int argc, char **argv)
{
	int c;
	o->opts = (struct sm_opts){.usage = "WHO...|@GROUP [-s SUBJECT] [-n NAME] [-A FILE]... [FILE]",
	                           .about = "send stdin or FILE to WHO (a name, or name@host): text, or an envelope made before",
	                           .table = options_table};
	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1) {
		switch (c) {
		case 's': sm_opt_once(&o->opts, &o->subject); break;
		case 'n': sm_opt_once(&o->opts, &o->name); break;
		case 'm': sm_opt_once(&o->opts, &o->type); break;
		case 'A': sm_attachments_add(&o->attach, &o->opts, o->opts.arg); break;
		case 'i': sm_opt_once(&o->opts, &o->identity); break;
		case OPT_ID: sm_opt_once(&o->opts, &o->key); break;
		case OPT_UNSIGNED: o->no_signature = true; break;
		case OPT_JSON: o->json = true; break;
		default: (void)sm_common_opt(&o->common, &o->opts, c);
		}
	}
	if (o->key && !sm_key_valid(o->key))
		sm_usage(&o->opts, "--id wants 1 to %d of A-Z a-z 0-9 . _ : -", SM_KEY_MAX);
	take_operands(o, argc, argv);
}

/* --- Recipients --- */

bool send_is_named(const struct sending *s, const char *address)
{
	for (size_t i = 0; i < s->nto; i++)
		if (!strcmp(s->to[i].text, address))
			return true;
	return false;
}

int send_name(struct sending *s)
{
	struct sm_address a;
	int code = SM_EXIT_OK;
	for (size_t i = 0; code == SM_EXIT_OK && i < s->o->nwho; i++) {
		code = sm_peer_address(&a, &s->online, s->o->who[i]);
		if (code == SM_EXIT_OK && !send_is_named(s, a.text))
			s->to[s->nto++] = a;
	}
	return code;
}

int send_resolve(struct sending *s)
{
	const char *last = s->o->who[s->o->nwho - 1];
	int code = SM_EXIT_OK;
	for (size_t i = 0; code == SM_EXIT_OK && i < s->nto; i++) {
		code = sm_peer_resolve(&s->peer[i], NULL, &s->online, &s->db, s->to[i].text);
		if (code == SM_EXIT_NORECIPIENT && i && !strcmp(last, s->to[i].name) && access(last, F_OK) == 0)
			sm_error("(if the file is meant: ./%s)", last);
	}
	return code;
}

/* --- Sending --- */

struct sm_sealing send_sealing(struct sending *s)
{
	return (struct sm_sealing){.self = &s->self,
	                           .db = &s->db,
	                           .fields = s->fields,
	                           .content = {s->text.data, s->text.len},
	                           .attach = s->attach,
	                           .nattach = s->o->attach.n,
	                           .no_signature = s->o->no_signature,
	                           .now = sm_time_now(),
	                           .rand = &sm_rand_system};
}

/* Who sends. */
static int load_self(struct sending *s)
{
	const struct sm_session *session = s->online.client.session;
	enum sm_err e = sm_unlock(&s->id, s->o->identity, &s->o->common);
	if (e != SM_OK)
		return sm_exit_code(e);
	if (!sm_equal(s->id.pub.fp, session->device_fp, SM_FP_LEN)) {
		sm_error("the identity is not the one that logged in as %s: run 'smaccount login'", s->online.self.text);
		return SM_EXIT_REFUSED;
	}
	e = sm_self_load(&s->self, &s->id, &s->db, &s->online.self, session->device);
	if (e == SM_ERR_POLICY)
		return sm_fail_plain(SM_ERR_DENIED, "this device has been removed from the devices of %s", s->online.self.text);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot read '%s'", s->db.path);
}

static int send_text(struct sending *s)
{
	int code = send_content(s);
	if (code == SM_EXIT_OK)
		code = load_self(s);
	if (code != SM_EXIT_OK)
		return code;
	code = s->o->who[0][0] == '@' ? send_group(s) : send_people(s);
	/* It is no reason to fail that others will find fewer of them. */
	if (code == SM_EXIT_OK && sm_prekeys_keep(&s->online, &s->db, &s->self, false) != SM_OK)
		sm_note("prekeys could not be brought up to date at the server");
	return code;
}

static int send_it(struct sending *s)
{
	int code = send_read(s);
	if (code == SM_EXIT_OK && s->ready && s->o->who[0][0] == '@')
		code = sm_fail_plain(SM_ERR_FORMAT, "the input is an envelope already: only text can be sent to a group");
	if (code == SM_EXIT_OK)
		code = sm_online_start(&s->online, s->o->common.profile);
	if (code != SM_EXIT_OK)
		return code;
	s->online.client.patience = PATIENCE;
	enum sm_err e = sm_db_open(&s->db, s->o->common.profile);
	if (e != SM_OK)
		return sm_fail(e, "cannot open the contacts");
	if (s->o->key)
		(void)snprintf(s->key, sizeof(s->key), "%s", s->o->key);
	else
		sm_key_make(s->key, sm_time_now_ms(), &sm_rand_system);
	if (s->o->who[0][0] != '@' && (code = send_name(s)) != SM_EXIT_OK)
		return code;
	return s->ready ? send_ready(s) : send_text(s);
}

int main(int argc, char **argv)
{
	struct options o = {.common = SM_COMMON_INIT};
	struct sending *s = calloc(1, sizeof(*s));
	int code;
	sm_diag_init(argv[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	enum sm_err e = sm_secret_harden();
	if (e != SM_OK || !s)
		return sm_fail(s ? e : SM_ERR_NOMEM, "cannot protect this process's memory");
	parse(&o, argc, argv);
	s->o = &o;
	sm_buf_init(&s->text, INPUT_MAX);
	sm_buf_init(&s->envelope, ENVELOPE_MAX);
	s->to = calloc(o.nwho, sizeof(*s->to));
	s->peer = calloc(o.nwho, sizeof(*s->peer));
	code = s->to && s->peer ? send_it(s) : sm_fail(SM_ERR_NOMEM, "cannot start");
	send_release(s);
	free(s->to);
	free(s->peer);
	sm_db_close(&s->db);
	sm_online_close(&s->online);
	free(s);
	return code;
}
