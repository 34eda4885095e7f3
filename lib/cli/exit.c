/* Library errors to exit codes: the one table behind sm(7), "EXIT STATUS". */
#include "cli/exit.h"

int sm_exit_code(enum sm_err e)
{
	switch (e) {
	case SM_OK: return SM_EXIT_OK;
	case SM_ERR_ARMOR:
	case SM_ERR_HEADER:
	case SM_ERR_SUITE:
	case SM_ERR_STANZA:
	case SM_ERR_COMMITMENT:
	case SM_ERR_PAYLOAD:
	case SM_ERR_SIGNATURE:
	case SM_ERR_POLICY:
	case SM_ERR_FORMAT:
	case SM_ERR_LIMIT:
	case SM_ERR_CONFLICT: return SM_EXIT_DATA;
	case SM_ERR_NOINPUT:
	case SM_ERR_NOTFOUND: return SM_EXIT_NOINPUT;
	case SM_ERR_NET: return SM_EXIT_UNAVAILABLE;
	case SM_ERR_CANTCREAT:
	case SM_ERR_EXISTS: return SM_EXIT_CANTCREAT;
	case SM_ERR_IO:
	case SM_ERR_PIPE: return SM_EXIT_IO;
	case SM_ERR_BUSY: return SM_EXIT_TEMP;
	case SM_ERR_PROTOCOL: return SM_EXIT_PROTOCOL;
	case SM_ERR_PASSPHRASE:
	case SM_ERR_PERM:
	case SM_ERR_CHANGED:
	case SM_ERR_DENIED: return SM_EXIT_REFUSED;
	case SM_ERR_CONFIG: return SM_EXIT_CONFIG;
	case SM_ERR_NOMEM:
	case SM_ERR_CRYPTO:
	case SM_ERR_BUG: return SM_EXIT_BUG;
	}
	return SM_EXIT_BUG;
}
