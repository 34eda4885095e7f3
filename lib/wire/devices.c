/* Device lists: the reader, and which list may replace which. One function a line kind, in the order of the format. */
#include "wire/devices.h"

#include "base/base64.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "wire/signed_text.h"

#include <string.h>

static bool same_key(const uint8_t *a, const uint8_t *b) { return sm_equal(a, b, SM_PK_LEN); }

static bool parse_key(uint8_t pk[static SM_PK_LEN], struct sm_span s) { return sm_signed_text_key(pk, s) && !sm_pk_check(pk); }

static bool parse_head(struct sm_device_list *l, struct sm_lines *in)
{
	struct sm_span v;
	if (!sm_signed_text_value(in, "sm-devices/1", &v) || sm_address_parse(&l->address, (const char *)v.p, v.n))
		return false;
	if (!sm_signed_text_value(in, "user", &v) || !parse_key(l->user, v))
		return false;
	if (!sm_signed_text_value(in, "version", &v) || !sm_decimal(&l->version, v, 1, SM_NUMBER_MAX))
		return false;
	return sm_signed_text_value(in, "date", &v) && !sm_time_parse(&l->date, (const char *)v.p, v.n);
}

static bool parse_device(struct sm_device_list *l, const struct sm_lines *in)
{
	struct sm_listed_device *d = &l->device[l->n];
	struct sm_span w[3];
	if (l->n == SM_DEVICES_LIST_MAX || !sm_lines_words(in, w, 3, "device") || !sm_decimal32(&d->number, w[1], 1, UINT32_MAX) ||
	    !parse_key(d->pk, w[2]))
		return false;
	if (l->n && d->number <= l->device[l->n - 1].number)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (same_key(l->device[i].pk, d->pk))
			return false;
	sm_sha256(d->fp, d->pk, SM_PK_LEN);
	l->n++;
	return true;
}

enum sm_err sm_device_list_parse(struct sm_device_list *l, const char *text, size_t n)
{
	struct sm_lines in = {.rest = {(const uint8_t *)text, n}};
	struct sm_device_list got = {0};
	uint8_t hash[32], sig[SM_SIG_LEN];

	if (n > SM_DEVICES_TEXT_MAX || !parse_head(&got, &in) || !sm_lines_next(&in))
		return SM_ERR_FORMAT;
	while (!sm_span_equals(in.line, "---"))
		if (!parse_device(&got, &in) || !sm_lines_next(&in))
			return SM_ERR_FORMAT;
	if (!got.n || !sm_signed_text_end(hash, sig, &in, (const uint8_t *)text))
		return SM_ERR_FORMAT;
	if (sm_signed_text_verify(SM_DEVICES_LABEL, hash, sig, got.user))
		return SM_ERR_SIGNATURE;
	*l = got;
	return SM_OK;
}

void sm_device_list_implied(struct sm_device_list *l, const struct sm_address *address, const uint8_t user[static SM_PK_LEN])
{
	struct sm_device_list got = {.address = *address, .n = 1, .device = {{.number = 1}}};
	memcpy(got.user, user, SM_PK_LEN);
	memcpy(got.device[0].pk, user, SM_PK_LEN);
	sm_sha256(got.device[0].fp, user, SM_PK_LEN);
	*l = got;
}

static bool same_devices(const struct sm_device_list *a, const struct sm_device_list *b)
{
	if (a->n != b->n || a->date != b->date)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->device[i].number != b->device[i].number || !same_key(a->device[i].pk, b->device[i].pk))
			return false;
	return true;
}

enum sm_err sm_device_list_follows(const struct sm_device_list *known, const struct sm_device_list *next)
{
	if (strcmp(known->address.text, next->address.text) != 0 || !same_key(known->user, next->user) || next->version < known->version)
		return SM_ERR_POLICY;
	if (next->version == known->version)
		return same_devices(known, next) ? SM_OK : SM_ERR_POLICY;
	for (size_t i = 0; i < next->n; i++) {
		const struct sm_listed_device *was = sm_device_list_number(known, next->device[i].number);
		if (was && !same_key(was->pk, next->device[i].pk))
			return SM_ERR_POLICY;
	}
	return SM_OK;
}

const struct sm_listed_device *sm_device_list_find(const struct sm_device_list *l, const uint8_t fp[static SM_FP_LEN])
{
	for (size_t i = 0; i < l->n; i++)
		if (sm_equal(l->device[i].fp, fp, SM_FP_LEN))
			return &l->device[i];
	return NULL;
}

const struct sm_listed_device *sm_device_list_number(const struct sm_device_list *l, uint32_t number)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->device[i].number == number)
			return &l->device[i];
	return NULL;
}

void sm_enroll_code(char out[static SM_ENROLL_CODE_LEN + 1], const struct sm_address *address, const uint8_t pk[static SM_PK_LEN])
{
	static const char label[] = "SM-enroll-v1"; /* its 0 byte belongs to it */
	uint8_t m[sizeof(label) + 4 + SM_ADDRESS_MAX + SM_PK_LEN], hash[SM_HASH_LEN];
	size_t n = strlen(address->text), at = sizeof(label);
	char text[27];

	memcpy(m, label, at);
	sm_put_be32(m + at, (uint32_t)n);
	memcpy(m + at + 4, address->text, n);
	memcpy(m + at + 4 + n, pk, SM_PK_LEN);
	sm_sha256(hash, m, at + 4 + n + SM_PK_LEN);
	sm_base32_id(text, hash);
	for (size_t i = 0, o = 0; i < 16; i++) {
		if (i && i % 4 == 0)
			out[o++] = '-';
		out[o++] = text[i];
	}
	out[SM_ENROLL_CODE_LEN] = 0;
}
