/* A copy of the default VFS with another xOpen: a journal that is there already is opened as such. */
#include "store/vfs.h"

#include <sqlite3.h>
#include <stdlib.h>

#define NAME "sm"

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
	const sqlite3_vfs *system = sqlite3_vfs_find(NULL);
	const int made = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_CREATE;
	if ((flags & made) == made && system->xOpen(vfs, path, file, flags & ~SQLITE_OPEN_CREATE, out) == SQLITE_OK) {
		if (!out || *out & SQLITE_OPEN_READWRITE)
			return SQLITE_OK;
		/* only for reading: let the usual way say what is wrong */
		(void)file->pMethods->xClose(file);
		file->pMethods = NULL;
	}
	return system->xOpen(vfs, path, file, flags, out);
}

const char *sm_vfs(void)
{
	const sqlite3_vfs *system = sqlite3_vfs_find(NULL);
	sqlite3_vfs *vfs;
	if (sqlite3_vfs_find(NAME))
		return NAME;
	/* SQLite keeps it in its list for as long as the process lives. */
	vfs = system ? malloc(sizeof(*vfs)) : NULL;
	if (!vfs)
		return NULL;
	*vfs = *system;
	vfs->zName = NAME;
	vfs->pNext = NULL;
	vfs->xOpen = open_file;
	if (sqlite3_vfs_register(vfs, 0) == SQLITE_OK)
		return NAME;
	free(vfs);
	return NULL;
}
