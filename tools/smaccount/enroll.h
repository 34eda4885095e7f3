/* A device that the account does not have yet: let in by another device, or by the user key, as its recovery code or because it is the
 * device's own. */
#ifndef SM_SMACCOUNT_ENROLL_H
#define SM_SMACCOUNT_ENROLL_H

#include "smaccount/begin.h"

/* Does o give a recovery code, in whatever way? */
bool sm_enroll_by_code(const struct options *o);
/* With the password of b. Asks to be let in, and logs in. With the user key there is nobody to wait for: the list is shown and signed here.
 * Else prints the code and waits until it is approved (at most 15 minutes; 75 when it has not been, and at once with --no-wait).
 * kept: the profile was in this account before. refused: a login was refused just now; otherwise a device that is in already just logs in.
 * Exit codes; what is wrong is said, a wrong password too. */
int sm_enroll(struct sm_begin *b, struct options *o, bool kept, bool refused);

#endif
