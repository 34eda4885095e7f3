/* Showing the recovery code: the one place where a secret key goes to a terminal, because paper is where it belongs. */
#include "smkeygen/recovery.h"

#include "base/file.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/who.h"
#include "wire/recovery.h"

#include <sys/stat.h>
#include <unistd.h>

static int print(const struct sm_identity *id)
{
	char line[SM_RECOVERY_LEN + 1];
	struct stat st;
	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO))
		sm_warning("writing a recovery code to a file that everybody may read");
	sm_recovery_format(line, id->secret.data);
	line[SM_RECOVERY_LEN] = '\n';
	enum sm_err e = sm_write_full(STDOUT_FILENO, line, sizeof(line));
	sm_wipe(line, sizeof(line));
	return e ? sm_fail(e, "cannot write the recovery code to standard output") : SM_EXIT_OK;
}

/* On a device that was let in the user key is another's, and that one's code is what should be written down. */
static void warn_of_device(const struct sm_identity *id, const char *profile)
{
	struct sm_address self;
	struct sm_contact pin;
	struct sm_db db = {0};
	if (sm_who_self(&self, profile) != SM_OK || !*self.text || !sm_who_have_store(profile))
		return;
	if (sm_db_open(&db, profile) == SM_OK && sm_contact_get(&pin, &db, self.text) == SM_OK &&
	    !sm_equal(pin.pub.fp, id->pub.fp, SM_FP_LEN))
		sm_warning("this is not the user key of %s but one device's: its code brings back the device, and not the account",
		           self.text);
	sm_db_close(&db);
}

int sm_keygen_recovery(const char *path, struct sm_common *c)
{
	struct sm_identity id = {0};
	bool protected = false;
	enum sm_err e = sm_unlock_with(&id, path, c, NULL, &protected);
	int code = sm_exit_code(e);
	if (e == SM_OK && id.pub.suite != &sm_suite_x25519)
		code = sm_fail_plain(SM_ERR_SUITE, "an identity of %s is too long for a recovery code: keep a copy of its file",
		                     id.pub.suite->id);
	else if (e == SM_OK && (code = print(&id)) == SM_EXIT_OK && !path)
		warn_of_device(&id, c->profile);
	sm_identity_release(&id);
	return code;
}
