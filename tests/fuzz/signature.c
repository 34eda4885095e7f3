/* Detached signatures: what parses is canonical, so writing its header gives the same bytes. The signature itself is somebody's at
 * random, so it never verifies. */
#include "check.h"

#include "wire/signature.h"

#include <string.h>

/* RFC 8032 section 7.1, test 1 */
static const uint8_t pk[SM_PK_LEN] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
                                      0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sm_detached d;
	struct sm_public signer;
	uint8_t hh[32];
	unsigned line = 0;
	struct sm_buf b;
	enum sm_err e;

	if (n > SM_SIGNATURE_FILE_MAX)
		return 0;
	e = sm_detached_parse(&d, &line, p, n);
	CHECK(!e || e == SM_ERR_PAYLOAD || e == SM_ERR_SIGNATURE || ((e == SM_ERR_HEADER || e == SM_ERR_SUITE) && line > 0));
	if (e)
		return 0;
	memcpy(hh, d.hh, sizeof hh);
	sm_buf_init(&b, SM_SIGNATURE_FILE_MAX);
	CHECK(!sm_detached_write_header(&b, &d) && b.len + 2 + d.siglen == n && !memcmp(b.data, p, b.len) && !memcmp(hh, d.hh, sizeof hh));
	CHECK(sm_signature_size_ok(d.suite, d.siglen) && !memcmp(d.sig, p + n - d.siglen, d.siglen));
	CHECK(!sm_public_from_ed25519(&signer, pk) && sm_signature_verify(&signer, d.hh, hh, d.sig, d.siglen) == SM_ERR_SIGNATURE);
	sm_buf_release(&b);
	return 0;
}
