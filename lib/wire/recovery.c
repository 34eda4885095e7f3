/* Recovery codes. Everything here is as secret as the seed itself, so what is left on the stack is wiped. */
#include "wire/recovery.h"

#include "base/secret.h"
#include "crypto/hash.h"

#include <stdbool.h>
#include <string.h>

#define SUM 5
#define BYTES (SM_SEED_LEN + SUM)

static void checksum(uint8_t out[static SUM], const uint8_t *seed)
{
	static const char label[] = "SM-recovery-v1"; /* its 0 byte belongs to it */
	uint8_t m[sizeof(label) + SM_SEED_LEN], hash[SM_HASH_LEN];
	memcpy(m, label, sizeof(label));
	memcpy(m + sizeof(label), seed, SM_SEED_LEN);
	sm_sha256(hash, m, sizeof(m));
	memcpy(out, hash, SUM);
	sm_wipe(m, sizeof(m));
	sm_wipe(hash, sizeof(hash));
}

/* The i-th 5 bits; beyond the end there are zeros. */
static unsigned take(const uint8_t bytes[static BYTES], size_t i)
{
	unsigned bit = (unsigned)(i * 5) % 8, v = (unsigned)bytes[i * 5 / 8] << 8;
	if (i * 5 / 8 + 1 < BYTES)
		v |= bytes[i * 5 / 8 + 1];
	return v >> (11 - bit) & 31;
}

static void put(uint8_t bytes[static BYTES + 1], size_t i, unsigned v)
{
	unsigned bit = (unsigned)(i * 5) % 8, shifted = v << (11 - bit);
	bytes[i * 5 / 8] |= (uint8_t)(shifted >> 8);
	bytes[i * 5 / 8 + 1] |= (uint8_t)shifted;
}

void sm_recovery_format(char out[static SM_RECOVERY_LEN + 1], const uint8_t seed[static SM_SEED_LEN])
{
	uint8_t bytes[BYTES];
	size_t o = 0;
	memcpy(bytes, seed, SM_SEED_LEN);
	checksum(bytes + SM_SEED_LEN, seed);
	for (size_t i = 0; i < SM_RECOVERY_CHARS; i++) {
		unsigned v = take(bytes, i);
		if (i && i % SM_RECOVERY_GROUP == 0)
			out[o++] = '-';
		out[o++] = (char)(v < 26 ? 'A' + v : '2' + (v - 26));
	}
	out[o] = 0;
	sm_wipe(bytes, sizeof(bytes));
}

/* -1 for what no code has. */
static int value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return c == '0' ? 'O' - 'A' : c == '1' ? 'I' - 'A' : c == '8' ? 'B' - 'A' : -1;
}

static bool between(char c) { return c == '-' || c == ' ' || (c >= '\t' && c <= '\r'); }

/* Room for one byte more than there is: the last 4 bits fall into it. */
static enum sm_err read_chars(uint8_t bytes[static BYTES + 1], size_t *at, const char *s, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		int v = value(s[i]);
		if (between(s[i]))
			continue;
		if (v < 0) {
			*at = count / SM_RECOVERY_GROUP + 1;
			return SM_ERR_FORMAT;
		}
		if (count < SM_RECOVERY_CHARS)
			put(bytes, count, (unsigned)v);
		count++;
	}
	*at = count == SM_RECOVERY_CHARS ? 0 : count;
	return count == SM_RECOVERY_CHARS ? SM_OK : SM_ERR_LIMIT;
}

enum sm_err sm_recovery_parse(uint8_t seed[static SM_SEED_LEN], size_t *at, const char *s, size_t n)
{
	uint8_t bytes[BYTES + 1] = {0}, sum[SUM];
	size_t where = 0;
	enum sm_err e = read_chars(bytes, &where, s, n);
	if (e == SM_OK) {
		checksum(sum, bytes);
		/* the last 4 bits are in the byte after the checksum, where nothing else is */
		if (!sm_equal(sum, bytes + SM_SEED_LEN, SUM) || bytes[BYTES])
			e = SM_ERR_PAYLOAD;
	}
	if (e == SM_OK)
		memcpy(seed, bytes, SM_SEED_LEN);
	if (at)
		*at = where;
	sm_wipe(bytes, sizeof(bytes));
	sm_wipe(sum, sizeof(sum));
	return e;
}
