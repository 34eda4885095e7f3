/* Routing. An envelope is stored only when every `to` line names a device of an account here and no device is left out, the sender's
 * other devices included; or, to a group, when it is meant for exactly the devices that the members have. */
#include "route_envelope.h"

#include "groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
	struct sm_account *account;
	uint32_t hit; /* devices named, a bit each */
};

struct routing {
	struct sm_routing *out;
	struct sm_server *server;
	struct sm_reader *reader;
	const struct sm_header *h;
	const struct sm_sender *from;
	struct place *place;
	size_t nplace;
	json_t *unknown, *missing, *extra;
};

static void refuse(struct sm_routing *out, int status, const char *code, const char *message)
{
	out->status = status;
	out->code = code;
	snprintf(out->message, sizeof out->message, "%s", message);
}

static bool here(const struct routing *x, const struct sm_party *p)
{
	return p->address.text[0] && !strcmp(p->address.host, x->server->origin);
}

/* The place of the account that the line names; NULL when there is no such account. */
static struct place *place_of(struct routing *x, const struct sm_party *to, enum sm_err *e)
{
	struct sm_account *a = NULL;

	if (!here(x, to))
		return NULL;
	for (size_t i = x->nplace; i-- > 0;) /* the lines of one address mostly stand together */
		if (!strcmp(x->place[i].account->name, to->address.name))
			return &x->place[i];
	*e = sm_accounts_get(x->server->accounts, x->reader, to->address.name, &a);
	if (*e == SM_ERR_NOTFOUND)
		*e = SM_OK;
	if (!a || a->disabled) {
		sm_account_release(a);
		return NULL;
	}
	x->place[x->nplace] = (struct place){.account = a};
	return &x->place[x->nplace++];
}

static void add_to(json_t **list, json_t *item)
{
	if (!*list)
		*list = json_array();
	(void)json_array_append_new(*list, item);
}

static void note_unknown(struct routing *x, const char *address)
{
	size_t i;
	json_t *v;

	json_array_foreach(x->unknown, i, v) if (!strcmp(json_string_value(v), address)) return;
	add_to(&x->unknown, json_string(address));
}

static enum sm_err place_line(struct routing *x, const struct sm_party *to)
{
	enum sm_err e = SM_OK;
	struct place *g = place_of(x, to, &e);
	char fp[SM_FP_TEXT_LEN + 1];

	if (e)
		return e;
	if (!g) {
		note_unknown(x, to->address.text);
		return SM_OK;
	}
	const struct sm_device *d = sm_account_device(g->account, to->fp);
	if (d) {
		g->hit |= 1U << (d - g->account->device);
		x->out->mailbox[x->out->nmailbox++] = d->mailbox;
		return SM_OK;
	}
	sm_fp_format(fp, to->fp);
	add_to(&x->extra, json_pack("{s:s,s:s}", "address", to->address.text, "fingerprint", fp));
	return SM_OK;
}

/* Of the sender's own devices the sending one is never missing. */
static bool needed(const struct routing *x, const struct place *g, const struct sm_device *d)
{
	if (g->account->id != x->from->account->id)
		return true;
	return !x->from->query.self_none && d->mailbox != x->from->device->mailbox;
}

static void note_missing(struct routing *x, const struct place *g)
{
	char address[SM_ADDRESS_MAX + 1];
	struct sm_buf b;

	snprintf(address, sizeof address, "%s@%s", g->account->name, x->server->origin);
	for (size_t i = 0; i < g->account->ndevice; i++) {
		if (g->hit & 1U << i || !needed(x, g, &g->account->device[i]))
			continue;
		sm_buf_init(&b, SM_PUBLIC_LINE_MAX);
		if (!sm_public_format_ed25519(&b, g->account->device[i].key.pk))
			add_to(&x->missing, json_pack("{s:s,s:s%}", "address", address, "identity", (const char *)b.data, b.len));
		sm_buf_release(&b);
	}
}

/* An account of several devices keeps all of them informed of what one of them sends. */
static void note_all_missing(struct routing *x)
{
	bool own = x->from->account->ndevice < 2;

	for (size_t i = 0; i < x->nplace; i++) {
		note_missing(x, &x->place[i]);
		own |= x->place[i].account->id == x->from->account->id;
	}
	if (!own)
		note_missing(x, &(struct place){.account = x->from->account});
}

static void judge(struct routing *x)
{
	if (!x->from->query.partial)
		note_all_missing(x);
	if (x->unknown) {
		refuse(x->out, 404, "no_such_recipient", "somebody it is for has no account here");
		x->out->extra = json_pack("{s:O}", "recipients", x->unknown);
	} else if (x->missing || x->extra) {
		refuse(x->out, 409, "stale_devices", "it is not for exactly the devices that its recipients and its sender have now");
		x->out->extra = json_pack("{s:o,s:o}", "missing", x->missing ? json_incref(x->missing) : json_array(), "extra",
		                          x->extra ? json_incref(x->extra) : json_array());
	}
}

static void fail(struct sm_routing *out) { refuse(out, 500, "internal", "something failed inside the server"); }

static void place(struct routing *x)
{
	const struct sm_header *h = x->h;
	enum sm_err e = SM_OK;

	x->place = calloc(h->nto, sizeof *x->place);
	x->out->mailbox = calloc(h->nto, sizeof *x->out->mailbox);
	if (!x->place || !x->out->mailbox)
		e = SM_ERR_NOMEM;
	for (size_t i = 0; i < h->nto && !e; i++)
		e = place_line(x, &h->to[i]);
	if (e)
		fail(x->out);
	else
		judge(x);
	for (size_t i = 0; i < x->nplace; i++)
		sm_account_release(x->place[i].account);
	free(x->place);
	json_decref(x->unknown);
	json_decref(x->missing);
	json_decref(x->extra);
}

/* All the mailboxes of the group but the sender's. */
static void place_members(struct routing *x, const struct sm_group *g)
{
	struct sm_routing *out = x->out;

	out->mailbox = calloc(g->nmailbox + 1, sizeof *out->mailbox);
	if (!out->mailbox) {
		fail(out);
		return;
	}
	for (size_t i = 0; i < g->nmailbox; i++)
		if (g->mailbox[i] != x->from->device->mailbox)
			out->mailbox[out->nmailbox++] = g->mailbox[i];
}

static void judge_group(struct routing *x, const struct sm_group *g)
{
	if (!sm_group_has(g, x->from->account->id)) {
		refuse(x->out, 403, "not_member", "the sender is not one of the group");
	} else if (g->row.epoch != x->h->group.epoch || !sm_equal(g->row.hash, x->h->group.roster, 32)) {
		refuse(x->out, 409, "stale_group", "the group has another roster now");
		x->out->extra = json_pack("{s:I}", "epoch", (json_int_t)g->row.epoch);
	} else if (!sm_equal(g->devices, x->from->query.devices, 32)) {
		refuse(x->out, 409, "stale_group_devices", "the members have other devices now");
	} else {
		place_members(x, g);
	}
}

static void place_group(struct routing *x)
{
	struct sm_group *g = NULL;
	enum sm_err e;

	if (x->from->batch || !x->from->query.has_devices) {
		refuse(x->out, 400, "bad_request", "an envelope for a group is sent alone, with devices= and 64 hexadecimal digits");
		return;
	}
	e = sm_groups_get(x->server->groups, x->server->accounts, x->reader, x->h->group.id, &g);
	if (e == SM_ERR_NOTFOUND)
		refuse(x->out, 404, "no_such_group", "there is no such group");
	else if (e)
		fail(x->out);
	else
		judge_group(x, g);
	sm_group_release(g);
}

/* The sender's own line lets it read what it sent, and it has asked not to get that delivered, unless there is nobody else. */
static void drop_own(struct sm_routing *out, int64_t own)
{
	size_t n = 0;

	if (out->nmailbox < 2)
		return;
	for (size_t i = 0; i < out->nmailbox; i++)
		if (out->mailbox[i] != own)
			out->mailbox[n++] = out->mailbox[i];
	out->nmailbox = n;
}

static bool from_sender(const struct routing *x, const struct sm_sender *from)
{
	const struct sm_party *p = &x->h->from;

	return here(x, p) && !strcmp(p->address.name, from->account->name) && p->has_fp && from->device &&
	       !memcmp(p->fp, from->device->key.fp, SM_FP_LEN);
}

/* Every line has to say where to. */
static bool deliverable(const struct sm_header *h)
{
	bool good = h->nto > 0;

	for (size_t i = 0; i < h->nto; i++)
		good &= h->to[i].has_fp && h->to[i].address.text[0];
	return good;
}

static bool read_header(struct sm_routing *out, struct sm_header *h, const uint8_t *p, size_t n)
{
	unsigned line = 1;
	size_t len;
	enum sm_err e = sm_header_find(&len, p, n);

	if (e == SM_OK)
		e = sm_header_parse(h, &line, p, len);
	if (e == SM_OK)
		return true;
	out->status = 400;
	out->code = "bad_envelope";
	if (e == SM_ERR_NOTFOUND)
		snprintf(out->message, sizeof out->message, "the header does not end");
	else
		snprintf(out->message, sizeof out->message, "line %u: %s", line, sm_err_text(e));
	return false;
}

void sm_route_envelope(struct sm_routing *out, struct sm_server *s, struct sm_reader *r, const struct sm_sender *from, const uint8_t *p,
                       size_t n)
{
	struct sm_header h;
	struct routing x = {.out = out, .server = s, .reader = r, .h = &h, .from = from};

	*out = (struct sm_routing){0};
	if (n > s->cfg->message_bytes) {
		refuse(out, 413, "too_large", "the envelope is larger than this server takes");
		return;
	}
	if (!read_header(out, &h, p, n))
		return;
	memcpy(out->id, h.id, sizeof out->id);
	if (!from_sender(&x, from))
		refuse(out, 403, "wrong_sender", "its `from` line is not the account and device that are signed in");
	else if (h.has_group)
		place_group(&x);
	else if (!deliverable(&h))
		refuse(out, 400, "no_recipient", "an envelope under a passphrase or without addresses cannot be delivered");
	else
		place(&x);
	if (!out->status && from->query.not_self && !h.has_group)
		drop_own(out, from->device->mailbox);
	sm_header_release(&h);
}

void sm_routing_release(struct sm_routing *x)
{
	free(x->mailbox);
	json_decref(x->extra);
	*x = (struct sm_routing){0};
}
