/* ratchet ours|olm one-way|ping-pong COUNT: so many messages of 1 KiB, each sealed and opened, in memory on one core; prints messages a
 * second. One-way: one chain. Ping-pong: each message answers the last, so each is a turn of the ratchet. Built without libolm, `olm` is
 * status 77. */
#include "crypto/x25519.h"
#include "session/pair.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE 1024
#define NOW 1790000000

static const uint8_t text[SIZE] = "of 1 KiB";
static uint8_t opened[SIZE];

/* From one end (0 or 1) to the other. */
typedef void message(int from);

static void must(int good, const char *what)
{
	if (!good)
		errx(1, "%s failed", what);
}

/* ---- ours, with the AD that two accounts of usual length have */

static struct sm_ratchet side[2];
static struct sm_skipped_list skipped[2];
static const uint8_t ad[110] = {1};

static void ours(int from)
{
	uint8_t header[SM_RATCHET_HEADER], body[SIZE + SM_RATCHET_OVERHEAD];
	int to = !from;

	must(!sm_ratchet_seal(&side[from], header, body, text, SIZE, ad, sizeof ad, &sm_rand_system), "seal");
	must(!sm_ratchet_open(&side[to], &skipped[to], opened, header, body, sizeof body, ad, sizeof ad, NOW, &sm_rand_system), "open");
}

static message *ours_begin(void)
{
	uint8_t sk[32], spk_sk[32], spk[32];

	sm_rand_fill(&sm_rand_system, sk, sizeof sk);
	sm_rand_fill(&sm_rand_system, spk_sk, sizeof spk_sk);
	sm_x25519_pk(spk, spk_sk);
	must(!sm_ratchet_initiator(&side[0], sk, spk, &sm_rand_system), "session");
	sm_ratchet_responder(&side[1], sk, spk_sk, spk);
	ours(0);
	ours(1);
	return ours;
}

/* ---- libolm */

#if __has_include(<olm/olm.h>)
#include <olm/olm.h>

#define RANDOM 512

static OlmSession *session[2];

static void *make(size_t n)
{
	void *p = calloc(1, n);
	must(p != NULL, "malloc");
	return p;
}

/* Enough for any of its calls: it takes what it needs. */
static void *noise(size_t n)
{
	static uint8_t r[RANDOM];
	must(n <= sizeof r, "randomness");
	sm_rand_fill(&sm_rand_system, r, n);
	return r;
}

static void olm_good(size_t result, const char *what) { must(result != olm_error(), what); }

static OlmAccount *account(void)
{
	OlmAccount *a = olm_account(make(olm_account_size()));
	size_t n = olm_create_account_random_length(a);

	olm_good(olm_create_account(a, noise(n), n), "olm_create_account");
	return a;
}

/* The value behind the last `":"` that follows name in its JSON: the only key there is. */
static void key_of(char out[44], char *json, const char *name)
{
	char *p = strstr(json, name);

	p = p ? strstr(p, "\":\"") : NULL;
	must(p && strlen(p) > 46, "olm's keys");
	memcpy(out, p + 3, 43);
	out[43] = 0;
}

static void keys(OlmAccount *a, char identity[44], char one_time[44])
{
	size_t n = olm_account_generate_one_time_keys_random_length(a, 1), len;
	char json[512] = {0};

	olm_good(olm_account_generate_one_time_keys(a, 1, noise(n), n), "olm_account_generate_one_time_keys");
	len = olm_account_identity_keys_length(a);
	must(len < sizeof json, "olm's keys");
	olm_good(olm_account_identity_keys(a, json, len), "olm_account_identity_keys");
	key_of(identity, json, "\"curve25519\"");
	memset(json, 0, sizeof json);
	len = olm_account_one_time_keys_length(a);
	must(len < sizeof json, "olm's keys");
	olm_good(olm_account_one_time_keys(a, json, len), "olm_account_one_time_keys");
	key_of(one_time, json, "\"curve25519\":{\"");
}

static uint8_t wire[8192], copy[8192], plain[8192];

static size_t olm_put(int from, size_t *type)
{
	size_t n = olm_encrypt_random_length(session[from]), len = olm_encrypt_message_length(session[from], SIZE);

	must(len <= sizeof wire, "length");
	*type = olm_encrypt_message_type(session[from]);
	olm_good(olm_encrypt(session[from], text, SIZE, noise(n), n, wire, len), "olm_encrypt");
	return len;
}

static void olm(int from)
{
	size_t type, len = olm_put(from, &type), n = olm_decrypt(session[!from], type, wire, len, plain, sizeof plain);

	olm_good(n, "olm_decrypt");
	memcpy(opened, plain, SIZE);
}

static message *olm_begin(void)
{
	OlmAccount *a = account(), *b = account();
	char identity[44], one_time[44];
	size_t n, len, type;

	for (int i = 0; i < 2; i++)
		session[i] = olm_session(make(olm_session_size()));
	keys(b, identity, one_time);
	n = olm_create_outbound_session_random_length(session[0]);
	olm_good(olm_create_outbound_session(session[0], a, identity, 43, one_time, 43, noise(n), n), "olm_create_outbound_session");
	len = olm_put(0, &type);
	memcpy(copy, wire, len);
	olm_good(olm_create_inbound_session(session[1], b, copy, len), "olm_create_inbound_session");
	olm_good(olm_decrypt(session[1], type, wire, len, plain, sizeof plain), "olm_decrypt");
	olm(1);
	free(a), free(b);
	return olm;
}
#else
static message *olm_begin(void) { errx(77, "built without libolm"); }
#endif

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	if (count < 1) {
		(void)fputs("usage: ratchet ours|olm one-way|ping-pong COUNT\n", stderr);
		return 64;
	}
	message *run = strcmp(argv[1], "olm") ? ours_begin() : olm_begin();
	int turns = !strcmp(argv[2], "ping-pong");
	double start = now();
	for (long i = 0; i < count; i++)
		run(turns ? (int)(i & 1) : 0);
	double took = now() - start;
	must(!memcmp(opened, text, SIZE), "comparison");
	printf("%.1f\n", (double)count / took);
	return 0;
}
