/* bech32 (BIP-173). Secret keys pass through here, so the alphabet is searched whole for every character and temporaries are wiped;
 * the only branches are on validity and length. */
#include "base/secret.h"
#include "wire/identity.h"

#include <string.h>

#define CHECKSUM 6
#define DATA_MAX 64                     /* bytes */
#define DATA_CHARS(n) (((n)*8 + 4) / 5) /* five-bit groups for n bytes */
#define GROUPS_MAX (DATA_CHARS(DATA_MAX) + CHECKSUM)

static const char alphabet[32] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod(uint32_t c, uint8_t v)
{
	static const uint32_t gen[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
	uint32_t top = c >> 25;
	c = (c & 0x1ffffff) << 5 ^ v;
	for (unsigned i = 0; i < 5; i++)
		c ^= gen[i] & (0 - (top >> i & 1));
	return c;
}

/* The checksum's state after the prefix and n groups. */
static uint32_t checksum(const char *hrp, const uint8_t *group, size_t n)
{
	uint32_t c = 1;
	for (const char *p = hrp; *p; p++)
		c = polymod(c, (uint8_t)*p >> 5);
	c = polymod(c, 0);
	for (const char *p = hrp; *p; p++)
		c = polymod(c, (uint8_t)*p & 31);
	for (size_t i = 0; i < n; i++)
		c = polymod(c, group[i]);
	return c;
}

static size_t to_groups(uint8_t *group, const uint8_t *in, size_t n)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t out = 0;
	for (size_t i = 0; i < n; i++) {
		acc = (acc << 8 | in[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			group[out++] = acc >> (bits - 5) & 31;
	}
	if (bits)
		group[out++] = (uint8_t)(acc << (5 - bits) & 31);
	return out;
}

/* False when the bits left over are not zero. */
static bool from_groups(uint8_t *out, size_t n, const uint8_t *group, size_t groups)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t at = 0;
	for (size_t i = 0; i < groups; i++) {
		acc = (acc << 5 | group[i]) & 0xfff;
		bits += 5;
		if (bits >= 8 && at < n)
			out[at++] = (uint8_t)(acc >> (bits -= 8));
	}
	return at == n && !(acc & ((1u << bits) - 1));
}

/* ASCII letters only, which hrp and the alphabet are. */
static char cased(char c, bool upper) { return upper && c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }

static char group_char(uint8_t v, bool upper)
{
	unsigned c = 0;
	for (unsigned i = 0; i < 32; i++)
		c |= (uint8_t)alphabet[i] & (0 - (unsigned)(i == v));
	return cased((char)c, upper);
}

/* 32 when c is not in the alphabet in that case. */
static uint8_t char_group(char c, bool upper)
{
	unsigned v = 32;
	for (unsigned i = 0; i < 32; i++)
		v ^= (v ^ i) & (0 - (unsigned)(cased(alphabet[i], upper) == c));
	return (uint8_t)v;
}

enum sm_err sm_bech32_encode(struct sm_buf *b, const char *hrp, const uint8_t *in, size_t n, bool upper)
{
	uint8_t group[GROUPS_MAX] = {0}, *out;
	size_t groups, hrplen = strlen(hrp);
	enum sm_err e = SM_ERR_LIMIT;
	uint32_t c;

	if (n > DATA_MAX)
		goto out;
	groups = to_groups(group, in, n);
	/* the checksum is computed with six zero groups in its place */
	c = checksum(hrp, group, groups + CHECKSUM) ^ 1;
	for (unsigned i = 0; i < CHECKSUM; i++)
		group[groups + i] = c >> 5 * (CHECKSUM - 1 - i) & 31;
	groups += CHECKSUM;
	if ((e = sm_buf_reserve(b, hrplen + 1 + groups, &out)))
		goto out;
	for (size_t i = 0; i < hrplen; i++)
		*out++ = (uint8_t)cased(hrp[i], upper);
	*out++ = '1';
	for (size_t i = 0; i < groups; i++)
		*out++ = (uint8_t)group_char(group[i], upper);
	b->len += hrplen + 1 + groups;
out:
	sm_wipe(group, sizeof group);
	return e;
}

enum sm_err sm_bech32_decode(uint8_t *out, size_t n, const char *hrp, const char *s, size_t slen, bool upper)
{
	uint8_t group[GROUPS_MAX], bytes[DATA_MAX];
	size_t hrplen = strlen(hrp), groups = DATA_CHARS(n) + CHECKSUM;
	enum sm_err e = SM_ERR_FORMAT;

	if (n > DATA_MAX || slen != hrplen + 1 + groups || s[hrplen] != '1')
		return SM_ERR_FORMAT;
	for (size_t i = 0; i < hrplen; i++)
		if (s[i] != cased(hrp[i], upper))
			return SM_ERR_FORMAT;
	for (size_t i = 0; i < groups; i++)
		if ((group[i] = char_group(s[hrplen + 1 + i], upper)) > 31)
			goto out;
	if (checksum(hrp, group, groups) != 1 || !from_groups(bytes, n, group, groups - CHECKSUM))
		goto out;
	memcpy(out, bytes, n);
	e = SM_OK;
out:
	sm_wipe(group, sizeof group);
	sm_wipe(bytes, sizeof bytes);
	return e;
}
