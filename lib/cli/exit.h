/* The exit codes of sm(7), and which library error ends in which. */
#ifndef SM_CLI_EXIT_H
#define SM_CLI_EXIT_H

#include "base/err.h"

enum sm_exit {
	SM_EXIT_OK = 0,
	SM_EXIT_NO = 1, /* the answer is no: bad signature, wrong code, nothing new */
	SM_EXIT_USAGE = 64,
	SM_EXIT_DATA = 65, /* malformed or inauthentic input */
	SM_EXIT_NOINPUT = 66,
	SM_EXIT_NORECIPIENT = 67,
	SM_EXIT_UNAVAILABLE = 69, /* service unavailable, not spooled */
	SM_EXIT_BUG = 70,
	SM_EXIT_CANTCREAT = 73,
	SM_EXIT_IO = 74,
	SM_EXIT_TEMP = 75, /* spooled or worth a retry */
	SM_EXIT_PROTOCOL = 76,
	SM_EXIT_REFUSED = 77, /* passphrase, permission, changed key, login needed */
	SM_EXIT_CONFIG = 78,
};

/* As the comments in base/err.h say. */
int sm_exit_code(enum sm_err e);

#endif
