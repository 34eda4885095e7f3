/* One device for tests/interop/sessions.py: reads a command a line and answers each with a line, `ok ...` or `no`. Bytes are hex.
 *   device SEED ADDRESS NUMBER                            -> ok KEY
 *   prekeys ID CREATED OPK-ID                             -> ok SPK SIGNATURE OPK
 *   start KEY ADDRESS NUMBER ID CREATED SPK SIG OPK-ID|- OPK|-
 *   first KEY ADDRESS NUMBER HEADER BODY EKA ID OPK-ID|-  -> ok FILE-KEY: accepts the session, with the prekeys made above
 *   seal FILE-KEY                                         -> ok HEADER BODY EKA|- ID OPK-ID|-
 *   open HEADER BODY                                      -> ok FILE-KEY
 *   skipped                                               -> ok COUNT
 * After each message the session is packed and unpacked, as it is between two runs of a program. */
#include "base/base64.h"
#include "crypto/x25519.h"
#include "session/pair.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1790000000
#define WORDS 12

static struct sm_identity self;
static struct sm_end end;
static struct sm_pair pair;
static uint8_t spk_sk[32], opk_sk[32];

static void must(bool good, const char *what)
{
	if (!good)
		errx(1, "bad %s", what);
}

static void bytes(uint8_t *out, size_t n, const char *word) { must(!sm_hex_parse(out, n, word, strlen(word)), "bytes"); }
static uint32_t number(const char *word) { return (uint32_t)strtoul(word, NULL, 10); }
static bool none(const char *word) { return !strcmp(word, "-"); }

static void print(const void *p, size_t n)
{
	char text[2 * 128 + 1];
	must(n <= 128, "length");
	sm_hex(text, p, n);
	printf(" %s", text);
}

static struct sm_end other(char **w)
{
	struct sm_end e = {.device = number(w[2])};
	bytes(e.pk, sizeof e.pk, w[0]);
	must(!sm_address_parse(&e.address, w[1], strlen(w[1])), "address");
	return e;
}

/* What a program that stores its sessions does between two messages. */
static void store_and_load(void)
{
	struct sm_buf p, l;

	sm_buf_init(&p, SM_PAIR_PACKED_MAX);
	sm_buf_init(&l, SM_SKIPPED_PACKED(SM_SKIPPED_MAX));
	must(!sm_pair_pack(&p, &pair) && !sm_skipped_pack(&l, &pair.skipped), "pack");
	sm_pair_release(&pair);
	must(!sm_pair_unpack(&pair, p.data, p.len) && !sm_skipped_unpack(&pair.skipped, l.data, l.len), "unpack");
	sm_buf_release(&p);
	sm_buf_release(&l);
}

static bool cmd_device(char **w)
{
	uint8_t seed[32];
	bytes(seed, sizeof seed, w[0]);
	sm_identity_release(&self);
	must(!sm_identity_from_seed(&self, seed), "seed");
	char key[65];
	sm_hex(key, self.pub.ed25519, 32);
	end = other((char *[]){key, w[1], w[2]});
	printf("ok");
	print(end.pk, 32);
	return true;
}

static bool cmd_prekeys(char **w)
{
	struct sm_signed_prekey p = {.id = number(w[0]), .created = number(w[1])};
	uint8_t opk[32];

	sm_rand_fill(&sm_rand_system, spk_sk, 32);
	sm_rand_fill(&sm_rand_system, opk_sk, 32);
	sm_x25519_pk(p.key, spk_sk);
	sm_x25519_pk(opk, opk_sk);
	must(!sm_signed_prekey_sign(&p, end.device, &self), "identity");
	printf("ok");
	print(p.key, 32), print(p.sig, sizeof p.sig), print(opk, 32);
	return true;
}

static bool cmd_start(char **w)
{
	struct sm_bundle b = {.end = other(w), .spk = {.id = number(w[3]), .created = number(w[4])}, .has_opk = !none(w[7])};

	bytes(b.spk.key, 32, w[5]);
	bytes(b.spk.sig, sizeof b.spk.sig, w[6]);
	if (b.has_opk) {
		b.opk_id = number(w[7]);
		bytes(b.opk, 32, w[8]);
	}
	sm_pair_release(&pair);
	if (sm_bundle_check(&b, NOW) || sm_pair_start(&pair, &self, &end, &b, &sm_rand_system))
		return false;
	printf("ok");
	return true;
}

static bool opens(const struct sm_stanza *s)
{
	uint8_t key[SM_FILE_KEY];

	if (sm_pair_open(&pair, key, s, NOW, &sm_rand_system))
		return false;
	store_and_load();
	printf("ok");
	print(key, sizeof key);
	return true;
}

static struct sm_stanza stanza(char **w, uint8_t body[80])
{
	struct sm_stanza s = {.type = SM_STANZA_RATCHET, .ratchet = {.device = end.device}, .body = body, .bodylen = 80};
	bytes(s.ratchet.header, sizeof s.ratchet.header, w[0]);
	bytes(body, 80, w[1]);
	return s;
}

static bool cmd_first(char **w)
{
	struct sm_end from = other(w);
	uint8_t body[80];
	struct sm_stanza s = stanza(w + 3, body);

	s.ratchet.x3dh = true;
	bytes(s.ratchet.eka, 32, w[5]);
	s.ratchet.spk = number(w[6]);
	s.ratchet.has_opk = !none(w[7]);
	s.ratchet.opk = s.ratchet.has_opk ? number(w[7]) : 0;
	sm_pair_release(&pair);
	return !sm_pair_accept(&pair, &self, &end, &from, &s, spk_sk, s.ratchet.has_opk ? opk_sk : NULL) && opens(&s);
}

static bool cmd_open(char **w)
{
	uint8_t body[80];
	struct sm_stanza s = stanza(w, body);
	return opens(&s);
}

static bool cmd_seal(char **w)
{
	uint8_t key[SM_FILE_KEY];
	struct sm_stanza s;

	bytes(key, sizeof key, w[0]);
	if (sm_pair_seal(&pair, &s, 1, key, &sm_rand_system))
		return false;
	store_and_load();
	printf("ok");
	print(s.ratchet.header, sizeof s.ratchet.header), print(s.body, s.bodylen);
	if (s.ratchet.x3dh) {
		print(s.ratchet.eka, 32);
		printf(" %u ", (unsigned)s.ratchet.spk);
	} else {
		printf(" - 0 ");
	}
	if (s.ratchet.x3dh && s.ratchet.has_opk)
		printf("%u", (unsigned)s.ratchet.opk);
	else
		printf("-");
	free(s.body);
	return true;
}

static bool cmd_skipped(char **w)
{
	(void)w;
	printf("ok %zu", pair.skipped.n);
	return true;
}

static const struct {
	const char *name;
	int words;
	bool (*run)(char **w);
} commands[] = {
        {"device", 3, cmd_device}, {"prekeys", 3, cmd_prekeys}, {"start", 9, cmd_start},     {"first", 8, cmd_first},
        {"seal", 1, cmd_seal},     {"open", 2, cmd_open},       {"skipped", 0, cmd_skipped},
};

static void run(char *line)
{
	char *w[WORDS] = {0};
	int n = 0;

	line[strcspn(line, "\n")] = 0;
	while (line && n < WORDS)
		w[n++] = strsep(&line, " ");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(w[0], commands[i].name))
			continue;
		must(n - 1 == commands[i].words, "number of words");
		if (!commands[i].run(w + 1))
			printf("no");
		putchar('\n');
		fflush(stdout);
		return;
	}
	must(false, "command");
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		run(line);
	free(line);
	sm_pair_release(&pair);
	sm_identity_release(&self);
	return 0;
}
