/* What the tests of lib/store share: a database of their own, and damage to its rows. */
#ifndef STORE_H
#define STORE_H

#include "base/secret.h"
#include "store/sql.h"

#include "scratch.h"

#include <sys/stat.h>
#include <sys/wait.h>

static const uint8_t key[32] __attribute__((unused)) = {1}, other_key[32] __attribute__((unused)) = {2};

/* As sm_db_open; no power is lost in these tests, so no disk is waited for. */
__attribute__((unused)) static enum sm_err store_open(struct sm_db *db, const char *profile)
{
	enum sm_err e = sm_db_open(db, profile);
	if (!e && sqlite3_exec(db->sqlite, "PRAGMA synchronous = OFF", NULL, NULL, NULL) != SQLITE_OK)
		abort();
	return e;
}

__attribute__((unused)) static bool store_begin(struct sm_db *db)
{
	/* what is said before an abort is to be seen */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	return scratch_make() && !chmod(scratch_dir, 0700) && !setenv("SM_HOME", scratch_dir, 1) && !sm_secret_harden() &&
	       !store_open(db, NULL);
}

/* Changes rows behind the store's back. */
__attribute__((unused)) static bool store_run(struct sm_db *db, const char *sql)
{
	return sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK;
}

__attribute__((unused)) static int64_t store_number(struct sm_db *db, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int64_t v = -1;
	if (sqlite3_prepare_v2(db->sqlite, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return v;
}

/* Does the plan of sql go through all of a table? */
__attribute__((unused)) static bool store_scans(struct sm_db *db, const char *sql)
{
	sqlite3_stmt *q = NULL;
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	bool scans = sqlite3_prepare_v2(db->sqlite, explain, -1, &q, NULL) != SQLITE_OK;
	while (q && sqlite3_step(q) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(q, 3);
		scans |= !strncmp(detail, "SCAN", 4) && !strstr(detail, "USING") && !strstr(detail, "CONSTANT") && !strstr(detail, "next");
	}
	sqlite3_finalize(q);
	sqlite3_free(explain);
	return scans;
}

/* Is needle on disk, in the database or its journal? */
__attribute__((unused)) static bool store_disk_has(const struct sm_db *db, const void *needle, size_t n)
{
	static char bytes[4 << 20];
	FILE *f = fopen(db->path, "r");
	size_t len = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
	if (f)
		(void)fclose(f);
	return memmem(bytes, len, needle, n) != NULL;
}

/* n processes at once run fn(i); how many did not end with 0. */
__attribute__((unused)) static int store_processes(int n, int (*fn)(int i))
{
	int failed = 0, status;
	fflush(stdout);
	for (int i = 0; i < n; i++)
		if (!fork())
			_exit(fn(i));
	for (int i = 0; i < n; i++)
		failed += wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	return failed;
}

#endif
