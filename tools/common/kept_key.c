/* The inbox knows messages of sessions by sender and id; that the body is the same one is the commitment's to say. */
#include "common/kept_key.h"

#include "base/secret.h"
#include "store/healing.h"
#include "store/keyring.h"

#include <string.h>

enum sm_err sm_kept_key(uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, const struct sm_identity *id, const char *profile)
{
	uint8_t key[32], ref[SM_INBOX_REF_LEN];
	struct sm_db db = {0};
	enum sm_err e = sm_keyring_store_key(key, id, "inbox");
	if (e == SM_OK)
		e = sm_db_open(&db, profile);
	if (e == SM_OK) {
		sm_inbox_ref(ref, h->from.address.text, h->id);
		e = sm_inbox_file_key(file_key, &db, key, ref);
	}
	sm_db_close(&db);
	sm_wipe(key, sizeof(key));
	return e;
}
