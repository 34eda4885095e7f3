/* smencrypt: content in, envelope out, and with -d the other way. The work is lib/stream's; here are the options and the words. */
#include "base/secret.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "crypto/pwhash.h"
#include "smencrypt/verbs.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARGON2_T 3
#define ARGON2_M 65536

enum {
	OPT_ANONYMOUS = SM_OPT_LONG,
	OPT_REQUIRE_SIGNATURE,
	OPT_SUBJECT,
	OPT_NO_PAD,
	OPT_NO_SELF,
	OPT_ARGON2,
	OPT_ATTACHMENTS,
	OPT_RANGE,
	OPT_EARLY,
	OPT_REKEY,
	OPT_INSPECT,
	OPT_JSON,
	OPT_NO_PROGRESS
};

static const struct sm_opt table[] = {{'r', "recipient", "WHO", "encrypt to WHO: a key (sm1...), a contact, or name@host"},
                                      {'R', "recipients-file", "FILE", "encrypt to every key in FILE"},
                                      {'p', "passphrase", NULL, "encrypt under a passphrase"},
                                      {'i', "identity", "FILE", "use the identity in FILE instead of the profile's"},
                                      {OPT_ANONYMOUS, "anonymous", NULL, "name no sender"},
                                      {'S', "sign", NULL, "sign too"},
                                      {'n', "name", "NAME", "name the content"},
                                      {'m', "type", "MIME", "say of what type the content is"},
                                      {OPT_SUBJECT, "subject", "TEXT", "give it a subject"},
                                      {OPT_NO_PAD, "no-pad", NULL, "do not hide the size of the content"},
                                      {OPT_NO_SELF, "no-self", NULL, "do not encrypt to the sender as well"},
                                      {OPT_ARGON2, "argon2", "T,M", "passes and KiB of memory for -p (3,65536)"},
                                      {'A', "attach", "FILE", "attach FILE"},
                                      {'b', "binary", NULL, "write binary instead of armor"},
                                      {'d', "decrypt", NULL, "open an envelope"},
                                      {'s', "signer", "WHO", "with -d: only if WHO has signed it"},
                                      {OPT_REQUIRE_SIGNATURE, "require-signature", NULL, "with -d: only if a contact has signed it"},
                                      {OPT_ATTACHMENTS, "attachments", "DIR", "with -d: write the attachments into DIR"},
                                      {OPT_RANGE, "range", "A-B", "with -d: only bytes A to B of a binary envelope in a file"},
                                      {OPT_EARLY, "early", NULL, "with -d: write before all has verified"},
                                      {OPT_REKEY, "rekey", NULL, "open an envelope and seal it for new recipients"},
                                      {OPT_INSPECT, "inspect", NULL, "show an envelope's header; no key is needed"},
                                      {OPT_JSON, "json", NULL, "with --inspect: as JSON"},
                                      {'o', "output", "FILE", "write to FILE instead of stdout"},
                                      {OPT_NO_PROGRESS, "no-progress", NULL, "show no progress on a terminal"},
                                      SM_COMMON_OPTS,
                                      {0}};

static bool encrypt_option(struct options *o, int c)
{
	switch (c) {
	case 'r': sm_recipients_who(&o->to, &o->opts, o->opts.arg); break;
	case 'R': sm_recipients_file(&o->to, &o->opts, o->opts.arg); break;
	case 'p': o->passphrase = true; break;
	case 'A': sm_attachments_add(&o->attach, &o->opts, o->opts.arg); break;
	case 'S': o->sign = true; break;
	case 'b': o->binary = true; break;
	case 'n': sm_opt_once(&o->opts, &o->name); break;
	case 'm': sm_opt_once(&o->opts, &o->type); break;
	case OPT_SUBJECT: sm_opt_once(&o->opts, &o->subject); break;
	case OPT_ANONYMOUS: o->anonymous = true; break;
	case OPT_NO_PAD: o->no_pad = true; break;
	case OPT_NO_SELF: o->no_self = true; break;
	case OPT_ARGON2: sm_opt_once(&o->opts, &o->argon2); break;
	default: return false;
	}
	return true;
}

/* Which options go with which of: encrypt, -d, --rekey, --inspect. */
static void check_verb(const struct options *o, bool encrypting)
{
	bool checks = o->signer || o->require_signature, opens = o->decrypt || o->rekey;

	if (o->decrypt + o->rekey + o->inspect > 1)
		sm_usage(&o->opts, "-d, --rekey and --inspect exclude each other");
	if (o->decrypt && encrypting)
		sm_usage(&o->opts, "-d takes no option that is for encrypting");
	if (o->inspect && (encrypting || checks || o->identity || o->output))
		sm_usage(&o->opts, "--inspect takes --json and a FILE");
	if (!opens && (checks || o->attachments))
		sm_usage(&o->opts, "-s, --require-signature and --attachments go with -d (to sign: -S; to attach: -A)");
	if (!o->decrypt && (o->ranged || o->early || o->attachments))
		sm_usage(&o->opts, "--range, --early and --attachments go with -d");
	if (!o->inspect && o->json)
		sm_usage(&o->opts, "--json goes with --inspect");
	if (o->signer && o->require_signature)
		sm_usage(&o->opts, "-s says it all: leave out --require-signature");
	if (o->ranged && (checks || o->early || o->attachments))
		sm_usage(&o->opts, "--range does not read the signature or the attachments: it goes with no option that wants them");
	if (o->early && o->attachments)
		sm_usage(&o->opts, "--early writes no attachments: they come last");
	if (o->rekey && (o->passphrase || o->anonymous || o->attach.n || o->name || o->type || o->subject || !o->to.given))
		sm_usage(&o->opts, "--rekey takes -r or -R for whom, and leaves the rest as it was");
}

/* A-B, or A- for the rest: bytes of the content counted from 0, both ends included. */
static void parse_range(struct options *o)
{
	char from[24];
	const char *dash = strchr(o->opts.arg, '-');
	size_t n = dash ? (size_t)(dash - o->opts.arg) : 0;

	if (o->ranged)
		sm_usage(&o->opts, "option --range given twice");
	if (!n || n >= sizeof from)
		sm_usage(&o->opts, "--range wants A-B or A-: the first and the last byte, counted from 0");
	memcpy(from, o->opts.arg, n);
	from[n] = 0;
	o->ranged = true;
	o->range_from = sm_opt_number(&o->opts, "the first byte", from, 0, INT64_MAX);
	o->range_to = dash[1] ? sm_opt_number(&o->opts, "the last byte", dash + 1, o->range_from, INT64_MAX) : INT64_MAX;
}

static void parse(struct options *o, int argc, char **argv)
{
	int c;
	bool encrypting = false;

	o->opts = (struct sm_opts){.usage = "(-r WHO)... [-R FILE] [-p] [-S] [-o FILE] [FILE] | -d [-s WHO] [-o FILE] [FILE]",
	                           .about = "encrypt to people's keys or under a passphrase; open with -d",
	                           .table = table};
	while ((c = sm_opt_next(&o->opts, argc, argv)) != -1) {
		if (encrypt_option(o, c))
			encrypting = true;
		else if (c == 'd')
			o->decrypt = true;
		else if (c == 'i')
			sm_opt_once(&o->opts, &o->identity);
		else if (c == 'o')
			sm_opt_once(&o->opts, &o->output);
		else if (c == 's')
			sm_opt_once(&o->opts, &o->signer);
		else if (c == OPT_REQUIRE_SIGNATURE)
			o->require_signature = true;
		else if (c == OPT_ATTACHMENTS)
			sm_opt_once(&o->opts, &o->attachments);
		else if (c == OPT_RANGE)
			parse_range(o);
		else if (c == OPT_EARLY)
			o->early = true;
		else if (c == OPT_REKEY)
			o->rekey = true;
		else if (c == OPT_INSPECT)
			o->inspect = true;
		else if (c == OPT_JSON)
			o->json = true;
		else if (c == OPT_NO_PROGRESS)
			o->no_progress = true;
		else
			sm_common_opt(&o->common, &o->opts, c);
	}
	if (argc - o->opts.index > 1)
		sm_usage(&o->opts, "more than one FILE");
	o->input = argv[o->opts.index];
	check_verb(o, encrypting);
}

static void parse_argon2(struct options *o)
{
	char t[3];
	const char *comma = o->argon2 ? strchr(o->argon2, ',') : NULL;

	o->t = ARGON2_T, o->m = ARGON2_M;
	if (!o->argon2)
		return;
	if (!comma || comma == o->argon2 || comma - o->argon2 >= (ptrdiff_t)sizeof t)
		sm_usage(&o->opts, "--argon2 wants T,M: passes, and KiB of memory");
	memcpy(t, o->argon2, (size_t)(comma - o->argon2));
	t[comma - o->argon2] = 0;
	o->t = (uint32_t)sm_opt_number(&o->opts, "passes", t, 1, SM_ARGON2_T_MAX);
	o->m = (uint32_t)sm_opt_number(&o->opts, "KiB of memory", comma + 1, SM_ARGON2_M_MIN, SM_ARGON2_M_MAX);
}

/* What -r, -R, -p, -S and --anonymous may not do together. */
static void check_encrypt(struct options *o)
{
	if (!o->passphrase && !o->to.given)
		sm_usage(&o->opts, "to whom? give -r WHO, -R FILE or -p");
	if (o->passphrase && o->to.given)
		sm_usage(&o->opts, "-p is the only way in: it goes with no -r or -R");
	if (o->anonymous && (o->sign || o->identity))
		sm_usage(&o->opts, "--anonymous names no sender: it goes with neither -S nor -i");
	if (o->argon2 && !o->passphrase)
		sm_usage(&o->opts, "--argon2 goes with -p");
	parse_argon2(o);
}

int main(int argc, char **argv)
{
	static struct options o = {.common = SM_COMMON_INIT};
	enum sm_err e;
	int status;

	sm_diag_init(argv[0]);
	if ((e = sm_secret_harden()))
		return sm_fail(e, "cannot start");
	parse(&o, argc, argv);
	if (o.inspect)
		return sm_inspect(&o);
	if (o.decrypt)
		return o.ranged ? sm_decrypt_range(&o) : sm_decrypt(&o);
	if (!o.rekey)
		check_encrypt(&o);
	status = o.rekey ? sm_rekey(&o) : sm_encrypt(&o);
	sm_recipients_release(&o.to);
	return status;
}
