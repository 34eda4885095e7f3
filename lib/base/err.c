/* The words for the error codes. Tools add what a person needs: which file, which recipient. */
#include "base/err.h"

const char *sm_err_text(enum sm_err e)
{
	switch (e) {
	case SM_OK: return "no error";
	case SM_ERR_ARMOR: return "malformed armor";
	case SM_ERR_HEADER: return "malformed envelope";
	case SM_ERR_SUITE: return "unsupported suite";
	case SM_ERR_STANZA: return "no stanza for me";
	case SM_ERR_PASSPHRASE: return "wrong passphrase";
	case SM_ERR_COMMITMENT: return "key commitment does not match";
	case SM_ERR_PAYLOAD: return "damaged payload";
	case SM_ERR_SIGNATURE: return "bad signature";
	case SM_ERR_POLICY: return "refused by policy";
	case SM_ERR_FORMAT: return "malformed input";
	case SM_ERR_LIMIT: return "too large";
	case SM_ERR_NOMEM: return "out of memory";
	case SM_ERR_IO: return "input/output error";
	case SM_ERR_NOINPUT: return "cannot open input";
	case SM_ERR_CANTCREAT: return "cannot create output";
	case SM_ERR_PIPE: return "the reader went away";
	case SM_ERR_NOTFOUND: return "not found";
	case SM_ERR_EXISTS: return "already exists";
	case SM_ERR_PERM: return "permissions too loose";
	case SM_ERR_CHANGED: return "a pinned key changed";
	case SM_ERR_DENIED: return "denied by the server";
	case SM_ERR_NET: return "no connection";
	case SM_ERR_BUSY: return "temporarily unavailable";
	case SM_ERR_CONFLICT: return "conflict";
	case SM_ERR_PROTOCOL: return "protocol violated by the other side";
	case SM_ERR_CONFIG: return "bad configuration";
	case SM_ERR_CRYPTO: return "cryptographic operation failed";
	case SM_ERR_BUG: return "internal error";
	}
	return "unknown error";
}
