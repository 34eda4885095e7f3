/* Inside lib/store: SQLite's own file system layer, but for one thing. It syncs the folder whenever it opens a rollback journal, in case
 * that is new; ours stays (journal_mode TRUNCATE), so it was synced when it was made, and every commit would pay for it again. */
#ifndef SM_STORE_VFS_H
#define SM_STORE_VFS_H

/* The name for sqlite3_open_v2; NULL, the default one, where there is none. */
const char *sm_vfs(void);

#endif
