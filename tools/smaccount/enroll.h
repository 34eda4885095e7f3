/* A device that the account does not have yet: let in by another device, or by the recovery code. */
#ifndef SM_SMACCOUNT_ENROLL_H
#define SM_SMACCOUNT_ENROLL_H

#include "smaccount/begin.h"

/* After a refused login, with the same password. Exit codes; what is wrong is said, a wrong password too. */
/* Prints the code, waits until it is approved (at most 15 minutes; 75 when it has not been, and at once with --no-wait), and logs in. kept:
 * the profile was in this account before. */
int sm_enroll_and_wait(struct sm_begin *b, struct options *o, bool kept);
/* The user key comes as its recovery code: the list is signed here, and there is nobody to wait for. */
int sm_enroll_with_code(struct sm_begin *b, struct options *o);

#endif
