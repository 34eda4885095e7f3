/* group -u http://HOST:PORT [-m MEMBERS] [-n COUNT] [-s BYTES]: COUNT messages, one after another, from one member to a group of so many,
 * each with a sender key's stanza. Prints one line; the times are from the request to the answer, so the commit and the sync are in them.
 */
#include "client.h"

#include "base/base64.h"
#include "net/groups.h"
#include "net/mailbox.h"
#include "wire/header.h"

struct options {
	const char *url;
	size_t members, bytes;
	long count;
};

struct group {
	struct bench bench;
	const struct options *o;
	struct sm_roster roster;
	char query[80]; /* devices=HEX */
};

static void make_roster(struct group *g)
{
	struct sm_roster *r = &g->roster;
	struct sm_buf text;
	uint8_t raw[16];
	sm_rand_fill(&sm_rand_system, raw, sizeof(raw));
	sm_base32_id(r->group, raw);
	r->epoch = 1;
	r->date = sm_time_now();
	(void)snprintf(r->name, sizeof(r->name), "bench");
	r->signer = g->bench.user[0].address;
	r->member = bench_alloc(g->o->members, sizeof(*r->member));
	r->n = g->o->members;
	for (size_t i = 0; i < r->n; i++) {
		r->member[i].address = g->bench.user[i].address;
		memcpy(r->member[i].pk, g->bench.user[i].id.pub.ed25519, SM_PK_LEN);
		r->member[i].admin = i == 0;
	}
	sm_buf_init(&text, SM_ROSTER_TEXT_MAX + 1);
	bench_need(sm_roster_sign(&text, r, &g->bench.user[0].id), NULL, "roster");
	bench_as(&g->bench, &g->bench.user[0]);
	bench_need(sm_net_group_create(&g->bench.client, sm_buf_str(&text)), &g->bench.client, "group");
	sm_buf_release(&text);
}

static void ask_devices(struct group *g)
{
	char path[128], hex[65];
	json_t *j = NULL;
	(void)snprintf(path, sizeof(path), BENCH_API "groups/%s/members", g->roster.group);
	bench_need(sm_client_json(&g->bench.client, true, "GET", path, NULL, &j), &g->bench.client, "members");
	if (!sm_json_text(j, "devices", hex, sizeof(hex)))
		errx(1, "malformed list of members");
	(void)snprintf(g->query, sizeof(g->query), "devices=%s", hex);
	json_decref(j);
}

/* The header is true; the server looks no further. */
static void make_envelope(struct group *g, struct sm_buf *out)
{
	const struct bench_user *u = &g->bench.user[0];
	struct sm_header h = {.suite = &sm_suite_x25519, .from = bench_party(&u->address, &u->id.pub), .has_group = true, .nstanza = 1};
	struct sm_stanza stanza = {.type = SM_STANZA_SENDERKEY, .bodylen = 80};
	uint8_t raw[16], body[80], *p;
	sm_rand_fill(&sm_rand_system, raw, sizeof(raw));
	sm_rand_fill(&sm_rand_system, body, sizeof(body));
	sm_base32_id(h.id, raw);
	h.date = sm_time_now();
	memcpy(h.group.id, g->roster.group, sizeof(h.group.id));
	h.group.epoch = g->roster.epoch;
	memcpy(h.group.roster, g->roster.hash, sizeof(h.group.roster));
	stanza.senderkey.device = 1;
	memcpy(stanza.senderkey.chain, h.id, sizeof(h.id));
	stanza.body = body;
	h.stanza = &stanza;
	sm_buf_clear(out);
	bench_need(sm_header_write(out, &h), NULL, "header");
	size_t rest = g->o->bytes > out->len ? g->o->bytes - out->len : 0;
	bench_need(sm_buf_reserve(out, rest, &p), NULL, "envelope");
	sm_rand_fill(&sm_rand_system, p, rest);
	out->len += rest;
}

static void run(struct group *g, uint32_t *took)
{
	struct sm_buf envelope;
	sm_buf_init(&envelope, 1 << 20);
	for (long i = 0; i < g->o->count; i++) {
		char key[SM_ID_LEN + 1];
		struct sm_sent sent;
		make_envelope(g, &envelope);
		sm_key_make(key, sm_time_now_ms(), &sm_rand_system);
		int64_t start = bench_now();
		bench_need(sm_net_send(&sent, &g->bench.client, key, g->query, envelope.data, envelope.len), &g->bench.client, "send");
		took[i] = (uint32_t)((bench_now() - start) / 1000);
		if (!sent.stored)
			errx(1, "the server says that it has had the message before");
	}
	sm_buf_release(&envelope);
}

static int usage(void)
{
	(void)fputs("usage: group -u URL [-m MEMBERS] [-n COUNT] [-s BYTES]\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	struct options o = {.members = 200, .bytes = 1024, .count = 500};
	struct group g = {.o = &o};
	uint32_t *took;
	int c;
	while ((c = getopt(argc, argv, "u:m:n:s:")) != -1)
		switch (c) {
		case 'u': o.url = optarg; break;
		case 'm': o.members = (size_t)bench_number(optarg, "-m"); break;
		case 'n': o.count = bench_number(optarg, "-n"); break;
		case 's': o.bytes = (size_t)bench_number(optarg, "-s"); break;
		default: return usage();
		}
	if (!o.url || optind != argc || o.members > SM_ROSTER_MAX)
		return usage();
	bench_open(&g.bench, o.url);
	bench_users(&g.bench, "group", o.members);
	make_roster(&g);
	ask_devices(&g);
	took = bench_alloc((size_t)o.count, sizeof(*took));
	run(&g, took);
	qsort(took, (size_t)o.count, sizeof(*took), bench_compare);
	printf("sends %ld members %zu p50_us %u p99_us %u max_us %u bytes %zu\n", o.count, o.members,
	       bench_percentile(took, (size_t)o.count, 50), bench_percentile(took, (size_t)o.count, 99), took[o.count - 1], o.bytes);
	free(took);
	sm_roster_release(&g.roster);
	bench_close(&g.bench);
	return 0;
}
