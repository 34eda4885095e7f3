/* people N: SQL that makes N accounts u0001 ... in a server's database, each with a device, a signed prekey and two one-time prekeys, as if
 * they had registered: for groups that are larger than what a test has time to register. Nobody has their keys. The server must not be
 * running. */
#include "crypto/hash.h"
#include "crypto/x25519.h"
#include "session/x3dh.h"

#include "base/time.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

static void put_hex(const char *before, const uint8_t *p, size_t n)
{
	printf("%sx'", before);
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
	printf("'");
}

static void make_seed(uint8_t seed[static 32], unsigned i, unsigned use)
{
	uint8_t in[8];

	sm_put_be32(in, i);
	sm_put_be32(in + 4, use);
	sm_sha256(seed, in, sizeof(in));
}

static void put_account(unsigned i, const struct sm_identity *id, long long now)
{
	uint8_t zero[32] = {0};

	printf("INSERT INTO account(id, name, created, changed, pk, salt, t, m, stored_key, server_key) VALUES (%u, 'u%04u', %lld, %lld, ",
	       100000 + i, i, now, now);
	put_hex("", id->pub.ed25519, SM_PK_LEN);
	put_hex(", ", zero, 16);
	printf(", 3, 65536, ");
	put_hex("", zero, 32);
	put_hex(", ", zero, 32);
	printf(");\nINSERT INTO device(id, account, number, pk, fp, label, created, opk_highest) VALUES (%u, %u, 1, ", 100000 + i,
	       100000 + i);
	put_hex("", id->pub.ed25519, SM_PK_LEN);
	put_hex(", ", id->pub.fp, SM_FP_LEN);
	printf(", '', %lld, 1);\nINSERT INTO mailbox(device, reserved_seq) VALUES (%u, 0);\n", now, 100000 + i);
}

static void put_prekeys(unsigned i, const struct sm_identity *id, long long now)
{
	struct sm_signed_prekey spk = {.id = 0, .created = now};
	uint8_t sk[32], pk[32];

	make_seed(sk, i, 1);
	sm_x25519_pk(spk.key, sk);
	if (sm_signed_prekey_sign(&spk, 1, id))
		errx(1, "cannot sign");
	printf("INSERT INTO spk(device, id, created, key, signature) VALUES (%u, 0, %lld, ", 100000 + i, now);
	put_hex("", spk.key, 32);
	put_hex(", ", spk.sig, SM_SIG_LEN);
	printf(");\n");
	for (unsigned k = 0; k < 2; k++) {
		make_seed(sk, i, 2 + k);
		sm_x25519_pk(pk, sk);
		printf("INSERT INTO opk(device, id, key) VALUES (%u, %u, ", 100000 + i, k);
		put_hex("", pk, 32);
		printf(");\n");
	}
}

int main(int argc, char **argv)
{
	long n = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	long long now = sm_time_now();

	if (n < 1 || n > 9999)
		errx(64, "usage: people N");
	if (sm_secret_harden())
		errx(1, "cannot start");
	printf("BEGIN;\n");
	for (unsigned i = 1; i <= (unsigned)n; i++) {
		struct sm_identity id = {0};
		uint8_t seed[32];
		make_seed(seed, i, 0);
		if (sm_identity_from_seed(&id, seed))
			errx(1, "cannot make an identity");
		put_account(i, &id, now);
		put_prekeys(i, &id, now);
		sm_identity_release(&id);
	}
	printf("COMMIT;\n");
	return 0;
}
