/* A private directory for a unit test, removed when the process that made it exits. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <dirent.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_dir[512];
static pid_t scratch_owner;

static int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void scratch_remove(void)
{
	if (getpid() == scratch_owner)
		nftw(scratch_dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool scratch_make(void)
{
	const char *top = getenv("TMPDIR");
	snprintf(scratch_dir, sizeof(scratch_dir), "%s/sm-unit.XXXXXX", top && *top ? top : "/tmp");
	scratch_owner = getpid();
	return mkdtemp(scratch_dir) && atexit(scratch_remove) == 0;
}

/* The path of name in it, in one of eight static buffers. */
__attribute__((unused)) static const char *scratch(const char *name)
{
	static char paths[8][1024];
	static unsigned next;
	char *p = paths[next++ % 8];
	snprintf(p, sizeof(paths[0]), "%s/%s", scratch_dir, name);
	return p;
}

/* How many names the directory has, temporary ones that should be gone included. */
__attribute__((unused)) static int scratch_count(const char *path)
{
	int n = 0;
	DIR *d = opendir(path);
	if (!d)
		return -1;
	for (struct dirent *e; (e = readdir(d));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

#endif
