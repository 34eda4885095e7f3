/* smsend: one message to people. Plaintext is sealed and signed here; a ready envelope is checked and sent as it is. */
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/attachments.h"
#include "common/input.h"
#include "common/json.h"
#include "common/net_keys.h"
#include "common/net_post.h"
#include "common/unlock.h"
#include "stream/resign.h"
#include "stream/seal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)96 << 20)    /* bytes read: an armored envelope of the largest size, or a text */
#define ENVELOPE_MAX ((size_t)64 << 20) /* bytes posted */

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

struct options {
	struct sm_opts opts;
	struct sm_common common;
	const char *subject, *name, *type, *identity, *key, *input;
	struct sm_attachments attach;
	bool no_signature, json;
	char **who;
	size_t nwho;
};

/* What a run works with. */
#define PATIENCE 3 /* a server that is being started again is waited for, two seconds in all */

struct sending {
	struct options *o;
	struct sm_online online;
	struct sm_db db;
	struct sm_user_key *peer; /* o->nwho of them at most, each once */
	size_t npeer;
	struct sm_buf text;     /* the input */
	struct sm_buf envelope; /* what is posted */
	char key[SM_KEY_MAX + 1];
	bool ready;        /* the input was an envelope */
	const char *query; /* of the POST: "self=no" when its `to` names the sender too, who was not asked for */
};

/* The last operand is a file when it cannot be a name: "-", something with a slash, or with letters that no name has. */
static bool is_file(const char *operand)
{
	struct sm_address a;
	size_t n = strlen(operand);
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
	if (o->nwho > SM_TO_MAX)
		sm_usage(&o->opts, "more than %d recipients", SM_TO_MAX);
}

static void parse(struct options *o, int argc, char **argv)
{
	int c;
	o->opts = (struct sm_opts){.usage = "WHO... [-s SUBJECT] [-n NAME] [-A FILE]... [FILE]",
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

/* --- Input --- */

static int read_input(struct sending *s)
{
	struct sm_source in;
	int fd;
	enum sm_err e = sm_input_open(&fd, s->o->input);
	if (e != SM_OK)
		return sm_exit_code(e);
	e = sm_read_all(fd, &s->text);
	if (fd > 0)
		(void)close(fd);
	if (e == SM_ERR_LIMIT)
		return sm_fail_plain(e, "%s is too large for a message", sm_input_name(s->o->input));
	if (e != SM_OK)
		return sm_fail(e, "cannot read %s", sm_input_name(s->o->input));
	sm_source_mem(&in, s->text.data, s->text.len, false);
	e = sm_source_is_envelope(&in, &s->ready);
	sm_source_release(&in);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot read %s", sm_input_name(s->o->input));
}

/* --- Recipients --- */

static bool have_peer(const struct sending *s, const char *address)
{
	for (size_t i = 0; i < s->npeer; i++)
		if (!strcmp(s->peer[i].address, address))
			return true;
	return false;
}

static int resolve(struct sending *s)
{
	struct sm_user_key k;
	s->npeer = 0;
	for (size_t i = 0; i < s->o->nwho; i++) {
		const char *who = s->o->who[i];
		int code = sm_peer_resolve(&k, NULL, &s->online, &s->db, who);
		if (code == SM_EXIT_NORECIPIENT && i && access(who, F_OK) == 0)
			sm_error("(if the file is meant: ./%s)", who);
		if (code != SM_EXIT_OK)
			return code;
		if (!have_peer(s, k.address))
			s->peer[s->npeer++] = k;
	}
	return SM_EXIT_OK;
}

/* --- A ready envelope --- */

static int check_sender(const struct sending *s, const struct sm_scanned *scan)
{
	const struct sm_party *from = &scan->header.from;
	const struct sm_session *session = s->online.client.session;
	if (strcmp(from->address.text, session->address) != 0 || !from->has_fp || !sm_equal(from->fp, session->device_fp, SM_FP_LEN)) {
		sm_error("the envelope is from %s, not from this account's %s and its key",
		         *from->address.text ? from->address.text : "nobody", session->address);
		return SM_EXIT_DATA;
	}
	if (!scan->siglen && !s->o->no_signature) {
		sm_error("the envelope is not signed: sign it with smsign, or send it --unsigned");
		return SM_EXIT_DATA;
	}
	return SM_EXIT_OK;
}

/* The sender's own line, by which it can read what it sent: smencrypt writes one. */
static bool is_self(const struct sm_header *h, size_t i)
{
	return !memcmp(h->to[i].fp, h->from.fp, SM_FP_LEN) && !strcmp(h->to[i].address.text, h->from.address.text);
}

/* Its `to` lines must be the keys of exactly those that the command line names, and perhaps the sender's. */
static int check_recipients(struct sending *s, const struct sm_header *h)
{
	char fp[SM_FP_TEXT_LEN + 1];
	for (size_t i = 0; i < s->npeer; i++) {
		int at = sm_header_find_to(h, s->peer[i].pub.fp);
		if (at < 0 || strcmp(h->to[at].address.text, s->peer[i].address) != 0) {
			sm_error("the envelope is not encrypted to %s (to the present key, under this address)", s->peer[i].address);
			return SM_EXIT_DATA;
		}
	}
	size_t self = 0;
	for (size_t i = 0; i < h->nto; i++) {
		if (have_peer(s, h->to[i].address.text))
			continue;
		if (is_self(h, i)) {
			self++;
			continue;
		}
		sm_fp_format(fp, h->to[i].fp);
		sm_error("the envelope is encrypted to %s too, which is not among the recipients given",
		         *h->to[i].address.text ? h->to[i].address.text : fp);
		return SM_EXIT_DATA;
	}
	s->query = self ? "self=no" : NULL;
	if (h->nto > s->npeer + self) {
		sm_error("the envelope names an address with more keys than it has");
		return SM_EXIT_DATA;
	}
	return SM_EXIT_OK;
}

static int check_scanned(struct sending *s, const struct sm_scanned *scan)
{
	const struct sm_header *h = &scan->header;
	if (h->has_group || !h->nto || !h->to[0].has_fp) {
		sm_error("the envelope is under a passphrase or to a group: it has no recipients that a server could deliver to");
		return SM_EXIT_NORECIPIENT;
	}
	int code = check_sender(s, scan);
	return code == SM_EXIT_OK ? check_recipients(s, h) : code;
}

static int take_envelope(struct sending *s)
{
	struct sm_scanned scan = {0};
	struct sm_source in;
	struct sm_sink out;
	int code;
	if (s->o->subject || s->o->name || s->o->type || s->o->attach.n)
		sm_usage(&s->o->opts, "-s, -n, -m and -A belong into the content, and that is encrypted already");
	sm_source_mem(&in, s->text.data, s->text.len, true);
	sm_sink_mem(&out, &s->envelope, NULL);
	enum sm_err e = sm_scan(&scan, &in, &out, NULL);
	if (e == SM_OK)
		e = sm_sink_finish(&out);
	if (e == SM_OK)
		code = check_scanned(s, &scan);
	else if ((e == SM_ERR_HEADER || e == SM_ERR_SUITE) && scan.header_line)
		code = sm_fail_plain(e, "%s: %s, line %u", sm_input_name(s->o->input), sm_err_text(e), scan.header_line);
	else
		code = sm_fail(e, "%s", sm_input_name(s->o->input));
	sm_header_release(&scan.header);
	sm_sink_release(&out);
	sm_source_release(&in);
	return code;
}

/* --- Plaintext --- */

/* The name of the content: -n, else the last part of FILE's path when that can be one. */
static bool set_name(struct sm_fields *f, const struct options *o)
{
	const char *slash = o->input ? strrchr(o->input, '/') : NULL, *base = slash ? slash + 1 : o->input;
	f->name = o->name;
	if (o->name)
		return sm_filename_ok(o->name, strlen(o->name));
	if (base && strcmp(base, "-") != 0 && sm_filename_ok(base, strlen(base)))
		f->name = base;
	return true;
}

static int fill_fields(struct sm_fields *f, const struct sending *s)
{
	const struct options *o = s->o;
	struct sm_buf trial;
	f->type = o->type ? o->type : sm_utf8_valid(s->text.data, s->text.len) ? "text/plain" : "application/octet-stream";
	f->subject = o->subject;
	if (!set_name(f, o))
		return sm_fail_plain(SM_ERR_FORMAT, "'%s' cannot be a name: 1 to 255 bytes of UTF-8 without / \\ or control characters",
		                     o->name);
	sm_buf_init(&trial, 4 + SM_FIELDS_MAX);
	enum sm_err e = sm_fields_write(&trial, f);
	sm_buf_release(&trial);
	return e == SM_OK ? SM_EXIT_OK : sm_fail_plain(e, "the subject or the type is too long, or has characters that cannot stand there");
}

static enum sm_err seal_to(struct sending *s, const struct sm_identity *id, const struct sm_fields *fields, struct sm_party *to,
                           struct sm_public *pub)
{
	struct sm_seal job = {
	        .to = to, .to_pub = pub, .nto = s->npeer, .fields = fields, .date = sm_time_now(), .rand = &sm_rand_system, .threads = 1};
	struct sm_source in;
	struct sm_sink out;
	enum sm_err e = SM_OK;
	job.attach = s->o->attach.seal, job.nattach = s->o->attach.n;
	job.signer = s->o->no_signature ? NULL : id;
	job.from = (struct sm_party){.address = s->online.self, .has_fp = true};
	memcpy(job.from.fp, id->pub.fp, SM_FP_LEN);
	for (size_t i = 0; e == SM_OK && i < s->npeer; i++) {
		pub[i] = s->peer[i].pub;
		to[i].has_fp = true;
		memcpy(to[i].fp, pub[i].fp, SM_FP_LEN);
		e = sm_address_parse(&to[i].address, s->peer[i].address, strlen(s->peer[i].address));
	}
	if (e != SM_OK)
		return e;
	sm_buf_clear(&s->envelope);
	sm_source_mem(&in, s->text.data, s->text.len, false);
	sm_sink_mem(&out, &s->envelope, NULL);
	e = sm_seal(&job, &in, &out, NULL, NULL);
	sm_sink_release(&out);
	sm_source_release(&in);
	return e;
}

static int seal(struct sending *s, const struct sm_fields *fields)
{
	struct sm_identity id = {0};
	struct sm_party *to = calloc(s->npeer, sizeof(*to));
	struct sm_public *pub = calloc(s->npeer, sizeof(*pub));
	enum sm_err e = to && pub ? sm_unlock(&id, s->o->identity, &s->o->common) : SM_ERR_NOMEM;
	int code = sm_exit_code(e);
	if (e == SM_OK && !sm_equal(id.pub.fp, s->online.client.session->device_fp, SM_FP_LEN)) {
		sm_error("the identity is not the one that logged in as %s: run 'smaccount login'", s->online.self.text);
		code = SM_EXIT_REFUSED;
	} else if (e == SM_OK && (e = seal_to(s, &id, fields, to, pub)) != SM_OK) {
		code = e == SM_ERR_LIMIT ? sm_fail_plain(e, "%s is too large for a message", sm_input_name(s->o->input))
		                         : sm_fail(e, "cannot encrypt");
	}
	sm_identity_release(&id);
	free(to);
	free(pub);
	return code;
}

static int make_envelope(struct sending *s)
{
	struct sm_fields fields = {0};
	int code = fill_fields(&fields, s);
	if (code != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_attachments_open(&s->o->attach);
	code = e == SM_OK ? seal(s, &fields) : sm_exit_code(e);
	sm_attachments_release(&s->o->attach);
	return code;
}

/* --- Sending --- */

static enum sm_err describe(struct sm_buf *b, const struct sending *s, const struct sm_sent *sent)
{
	enum sm_err e = sm_buf_adds(b, "{\"v\":1,");
	if (e == SM_OK)
		e = sm_json_member(b, "id", sent->id);
	if (e == SM_OK)
		e = sm_buf_adds(b, ",");
	if (e == SM_OK)
		e = sm_json_member(b, "key", s->key);
	for (size_t i = 0; e == SM_OK && i < s->npeer; i++) {
		e = sm_buf_adds(b, i ? "," : ",\"to\":[");
		if (e == SM_OK)
			e = sm_json_string(b, s->peer[i].address, strlen(s->peer[i].address));
	}
	return e == SM_OK ? sm_buf_addf(b, "],\"stored\":%s}\n", sent->stored ? "true" : "false") : e;
}

static int report(const struct sending *s, const struct sm_sent *sent)
{
	struct sm_buf line;
	enum sm_err e;
	for (size_t i = 0; i < s->npeer; i++)
		sm_note("%s: %s under key %s as %s", s->peer[i].address, sent->stored ? "stored" : "stored before", s->key, sent->id);
	if (!s->o->json)
		return SM_EXIT_OK;
	sm_buf_init(&line, (size_t)1 << 20);
	e = describe(&line, s, sent);
	if (e == SM_OK)
		e = sm_write_full(STDOUT_FILENO, line.data, line.len);
	sm_buf_release(&line);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "it is sent, but standard output cannot be written");
}

/* A recipient's key may change between asking and sending: then ask again, once. */
static int post(struct sending *s)
{
	struct sm_sent sent;
	struct sm_client *c = &s->online.client;
	enum sm_err e = sm_post(&sent, c, s->key, s->query, &s->envelope);
	if (e == SM_ERR_CONFLICT && !s->ready && !strcmp(c->error.code, "stale_devices")) {
		int code = resolve(s);
		if (code == SM_EXIT_OK)
			code = make_envelope(s);
		if (code != SM_EXIT_OK)
			return code;
		e = sm_post(&sent, c, s->key, s->query, &s->envelope);
	}
	return e == SM_OK ? report(s, &sent) : sm_post_say(c, e, s->key, &s->envelope);
}

static int send_it(struct sending *s)
{
	int code = read_input(s);
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
	code = resolve(s);
	if (code == SM_EXIT_OK)
		code = s->ready ? take_envelope(s) : make_envelope(s);
	return code == SM_EXIT_OK ? post(s) : code;
}

int main(int argc, char **argv)
{
	struct options o = {.common = SM_COMMON_INIT};
	struct sending s = {.o = &o};
	int code;
	sm_diag_init(argv[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	enum sm_err e = sm_secret_harden();
	if (e != SM_OK)
		return sm_fail(e, "cannot protect this process's memory");
	parse(&o, argc, argv);
	sm_buf_init(&s.text, INPUT_MAX);
	sm_buf_init(&s.envelope, ENVELOPE_MAX);
	s.peer = calloc(o.nwho, sizeof(*s.peer));
	code = s.peer ? send_it(&s) : sm_fail(SM_ERR_NOMEM, "cannot start");
	sm_buf_release(&s.text);
	sm_buf_release(&s.envelope);
	free(s.peer);
	sm_db_close(&s.db);
	sm_online_close(&s.online);
	return code;
}
