/* Writing a device list: needs the user key's secret, so smserver does not link it. */
#include "wire/devices.h"

#include "base/time.h"
#include "wire/signed_text.h"

#include <inttypes.h>

static enum sm_err write_key(struct sm_buf *b, const uint8_t pk[static SM_PK_LEN])
{
	enum sm_err e = sm_public_format_ed25519(b, pk);
	return e ? e : sm_buf_adds(b, "\n");
}

static enum sm_err write_lines(struct sm_buf *b, const struct sm_device_list *l)
{
	char date[SM_TIME_LEN + 1];
	enum sm_err e;

	sm_time_format(date, l->date);
	if ((e = sm_buf_addf(b, "sm-devices/1 %s\nuser ", l->address.text)) || (e = write_key(b, l->user)) ||
	    (e = sm_buf_addf(b, "version %" PRIu64 "\ndate %s\n", l->version, date)))
		return e;
	for (size_t i = 0; i < l->n; i++)
		if ((e = sm_buf_addf(b, "device %" PRIu32 " ", l->device[i].number)) || (e = write_key(b, l->device[i].pk)))
			return e;
	return SM_OK;
}

enum sm_err sm_device_list_sign(struct sm_buf *b, const struct sm_device_list *l, const struct sm_identity *user)
{
	struct sm_device_list again;
	uint8_t hash[32], sig[SM_SIG_LEN];
	size_t start = b->len;
	enum sm_err e;

	if (!sm_equal(user->pub.ed25519, l->user, SM_PK_LEN))
		return SM_ERR_POLICY;
	if (l->n > SM_DEVICES_LIST_MAX)
		return SM_ERR_FORMAT;
	if (!(e = write_lines(b, l)) && !(e = sm_signed_text_sign(b, start, hash, sig, SM_DEVICES_LABEL, user)))
		e = sm_device_list_parse(&again, (const char *)b->data + start, b->len - start);
	if (e)
		b->len = start;
	return e;
}
