/* smencrypt --inspect: what an envelope says of itself to anybody, without a key. Claims, all of it: nothing is verified. */
#include "base/base64.h"
#include "base/file.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "common/json.h"
#include "smencrypt/verbs.h"
#include "stream/header_read.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char *stanza_name(enum sm_stanza_type t)
{
	static const char *const names[] = {
	        [SM_STANZA_HPKE] = "hpke",     [SM_STANZA_RSA] = "rsa",         [SM_STANZA_ARGON2ID] = "argon2id",
	        [SM_STANZA_PBKDF2] = "pbkdf2", [SM_STANZA_RATCHET] = "ratchet", [SM_STANZA_SENDERKEY] = "senderkey"};
	return names[t];
}

static enum sm_err json_party(struct sm_buf *b, const struct sm_party *p)
{
	char fp[SM_FP_TEXT_LEN + 1];
	enum sm_err e = sm_buf_adds(b, "{");

	sm_fp_format(fp, p->fp);
	if (!e && *p->address.text)
		e = sm_buf_addf(b, "\"address\":\"%s\"%s", p->address.text, p->has_fp ? "," : "");
	if (!e && p->has_fp)
		e = sm_buf_addf(b, "\"fingerprint\":\"%s\"", fp);
	return e ? e : sm_buf_adds(b, "}");
}

static enum sm_err json_lists(struct sm_buf *b, const struct sm_header *h)
{
	char digest[65];
	enum sm_err e = sm_buf_adds(b, "\"to\":[");

	for (size_t i = 0; !e && i < h->nto; i++)
		if (!(e = sm_buf_adds(b, i ? "," : "")))
			e = json_party(b, &h->to[i]);
	if (!e)
		e = sm_buf_adds(b, "],\"attachments\":[");
	for (size_t i = 0; !e && i < h->nattach; i++) {
		sm_hex(digest, h->attach[i].digest, 32);
		e = sm_buf_addf(b, "%s{\"bytes\":%" PRIu64 ",\"digest\":\"%s\"}", i ? "," : "", h->attach[i].bytes, digest);
	}
	if (!e)
		e = sm_buf_adds(b, "],\"stanzas\":[");
	for (size_t i = 0; !e && i < h->nstanza; i++)
		e = sm_buf_addf(b, "%s\"%s\"", i ? "," : "", stanza_name(h->stanza[i].type));
	return e ? e : sm_buf_adds(b, "]");
}

static enum sm_err json(struct sm_buf *b, const struct sm_header *h)
{
	char date[SM_TIME_LEN + 1];
	enum sm_err e;

	sm_time_format(date, h->date);
	if ((e = sm_buf_addf(b, "{\"v\":1,\"suite\":\"%s\",\"from\":", h->suite->id)) || (e = json_party(b, &h->from)) ||
	    (e = sm_buf_adds(b, ",")) || (e = json_lists(b, h)))
		return e;
	if (h->has_group && (e = sm_buf_addf(b, ",\"group\":\"%s\",\"epoch\":%" PRIu64, h->group.id, h->group.epoch)))
		return e;
	return sm_buf_addf(b, ",\"id\":\"%s\",\"date\":\"%s\"}\n", h->id, date);
}

/* The header is printable ASCII and LF, or it has not been parsed: it can be shown as it is. */
static enum sm_err inspect(const struct options *o, struct sm_source *in)
{
	struct sm_header h = {0};
	struct sm_buf text, out;
	unsigned line = 0;
	enum sm_err e;

	sm_buf_init(&text, SM_HEADER_MAX);
	sm_buf_init(&out, 4 * SM_HEADER_MAX);
	if ((e = sm_header_read(&h, &line, in, &text)))
		(void)(line ? sm_fail_plain(e, "%s: %s, line %u", sm_input_name(o->input), sm_err_text(e), line)
		            : sm_fail(e, "%s", sm_input_name(o->input)));
	else if ((e = o->json ? json(&out, &h) : sm_buf_add(&out, text.data, text.len)) ||
	         (e = sm_write_full(STDOUT_FILENO, out.data, out.len)))
		(void)sm_fail(e, "cannot write");
	sm_header_release(&h);
	sm_buf_release(&text);
	sm_buf_release(&out);
	return e;
}

int sm_inspect(struct options *o)
{
	struct sm_source in;
	int fd;
	enum sm_err e;

	if ((e = sm_input_open(&fd, o->input)))
		return sm_exit_code(e);
	sm_source_fd(&in, fd, true);
	e = inspect(o, &in);
	sm_source_release(&in);
	if (fd > 0)
		close(fd);
	return sm_exit_code(e);
}
