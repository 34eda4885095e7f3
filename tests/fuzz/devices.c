/* Device lists: raw bytes, and the same as lines that get a signature. What parses is canonical: signing what it says gives the same
 * bytes. It follows itself and what there is without a list. */
#include "signed.h"

#include "wire/devices.h"

static void whole(const uint8_t *p, size_t n)
{
	struct sm_device_list l, none;
	struct sm_buf b;
	enum sm_err e = sm_device_list_parse(&l, (const char *)p, n);

	CHECK(!e || e == SM_ERR_FORMAT || e == SM_ERR_SIGNATURE);
	if (e)
		return;
	CHECK(l.n >= 1 && l.n <= SM_DEVICES_LIST_MAX && l.version >= 1);
	CHECK(sm_device_list_find(&l, l.device[l.n - 1].fp) == &l.device[l.n - 1]);
	CHECK(!sm_device_list_follows(&l, &l));
	sm_device_list_implied(&none, &l.address, l.user);
	CHECK(sm_device_list_follows(&l, &none) == SM_ERR_POLICY);
	sm_buf_init(&b, SM_DEVICES_TEXT_MAX);
	e = sm_device_list_sign(&b, &l, signer());
	CHECK(!e || (e == SM_ERR_POLICY && memcmp(l.user, signer()->pub.ed25519, SM_PK_LEN) != 0));
	CHECK(e || (b.len == n && !memcmp(b.data, p, n)));
	sm_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sm_buf b;

	if (n > SM_DEVICES_TEXT_MAX)
		return 0;
	whole(p, n);
	sm_buf_init(&b, SM_DEVICES_TEXT_MAX + 100);
	sign_text(&b, SM_DEVICES_LABEL, p, n);
	whole(b.data, b.len);
	sm_buf_release(&b);
	return 0;
}
