/* A ready envelope: from this device, signed, and to all devices of exactly those that are named. */
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "common/net_post.h"
#include "smsend/send.h"
#include "stream/resign.h"

#include <string.h>

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

static bool has_line(const struct sm_header *h, const char *address, const uint8_t fp[static SM_FP_LEN])
{
	int at = sm_header_find_to(h, fp);
	return at >= 0 && !strcmp(h->to[at].address.text, address);
}

/* All devices of one of those named. */
static int check_peer(const struct sm_user_key *k, const struct sm_header *h)
{
	for (size_t i = 0; i < k->list.n; i++)
		if (!has_line(h, k->address, k->list.device[i].fp)) {
			sm_error("the envelope is not encrypted to %s (to all of the present keys, under this address)", k->address);
			return SM_EXIT_DATA;
		}
	return SM_EXIT_OK;
}

/* The sender's own lines, by which its devices can read what it sent: smencrypt writes them. Its other devices are the server's to check.
 */
static bool is_self(const struct sm_header *h, size_t i) { return !strcmp(h->to[i].address.text, h->from.address.text); }

/* Its `to` lines must be the keys of exactly those that the command line names, and perhaps the sender's. */
static int check_recipients(const char **query, const struct sending *s, const struct sm_header *h)
{
	char fp[SM_FP_TEXT_LEN + 1];
	size_t self = 0, want = 0;
	for (size_t i = 0; i < s->nto; i++) {
		int code = check_peer(&s->peer[i], h);
		if (code != SM_EXIT_OK)
			return code;
		want += s->peer[i].list.n;
	}
	for (size_t i = 0; i < h->nto; i++) {
		if (send_is_named(s, h->to[i].address.text))
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
	if (h->nto > want + self) {
		sm_error("the envelope names an address with more keys than it has");
		return SM_EXIT_DATA;
	}
	/* Delivered to oneself only when that was asked for. */
	*query = send_is_named(s, h->from.address.text) ? NULL : self ? "self=no" : "self=none";
	return SM_EXIT_OK;
}

static int check_scanned(const char **query, const struct sending *s, const struct sm_scanned *scan)
{
	const struct sm_header *h = &scan->header;
	if (h->has_group || !h->nto || !h->to[0].has_fp) {
		sm_error("the envelope is under a passphrase or to a group: it has no recipients that a server could deliver to");
		return SM_EXIT_NORECIPIENT;
	}
	int code = check_sender(s, scan);
	return code == SM_EXIT_OK ? check_recipients(query, s, h) : code;
}

static int take_envelope(const char **query, char id[static SM_ID_LEN + 1], struct sending *s)
{
	struct sm_scanned scan = {0};
	struct sm_source in;
	struct sm_sink out;
	int code;
	sm_source_mem(&in, s->text.data, s->text.len, true);
	sm_sink_mem(&out, &s->envelope, NULL);
	enum sm_err e = sm_scan(&scan, &in, &out, NULL);
	if (e == SM_OK)
		e = sm_sink_finish(&out);
	if (e == SM_OK) {
		memcpy(id, scan.header.id, sizeof(scan.header.id));
		code = check_scanned(query, s, &scan);
	} else if ((e == SM_ERR_HEADER || e == SM_ERR_SUITE) && scan.header_line)
		code = sm_fail_plain(e, "%s: %s, line %u", sm_input_name(s->o->input), sm_err_text(e), scan.header_line);
	else
		code = sm_fail(e, "%s", sm_input_name(s->o->input));
	sm_header_release(&scan.header);
	sm_sink_release(&out);
	sm_source_release(&in);
	return code;
}

int send_ready(struct sending *s)
{
	const char *query = NULL;
	char id[SM_ID_LEN + 1];
	int code;
	if (s->o->subject || s->o->name || s->o->type || s->o->attach.n)
		sm_usage(&s->o->opts, "-s, -n, -m and -A belong into the content, and that is encrypted already");
	if ((code = send_resolve(s)) != SM_EXIT_OK || (code = take_envelope(&query, id, s)) != SM_EXIT_OK)
		return code;
	enum sm_err e = sm_post(&s->sent, &s->online.client, s->key, query, &s->envelope);
	return e == SM_OK ? send_report(s, id) : sm_post_say(&s->online.client, e, s->key, &s->envelope);
}
