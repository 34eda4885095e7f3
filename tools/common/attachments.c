/* Names come from whoever sealed the envelope: sm-format(5) keeps them within one directory, and here they become harmless in it. */
#include "common/attachments.h"

#include "base/file.h"
#include "base/path.h"
#include "cli/diag.h"
#include "common/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE "application/octet-stream"

void sm_attachments_add(struct sm_attachments *a, const struct sm_opts *o, const char *path)
{
	if (a->n == SM_ATTACH_MAX)
		sm_usage(o, "more than %d attachments", SM_ATTACH_MAX);
	a->path[a->n++] = path;
}

static enum sm_err open_one(struct sm_attachments *a, size_t i)
{
	const char *slash = strrchr(a->path[i], '/'), *name = slash ? slash + 1 : a->path[i];
	int fd;
	enum sm_err e;

	if (!sm_filename_ok(name, strlen(name)) || !strcmp(name, "-")) {
		sm_error("'%s' cannot be an attachment's name: 1 to 255 bytes of UTF-8 without / \\ or control characters", a->path[i]);
		return SM_ERR_FORMAT;
	}
	if ((e = sm_input_open(&fd, a->path[i])))
		return e;
	sm_source_fd(&a->in[i], fd, false);
	a->seal[i] = (struct sm_seal_attachment){&a->in[i], name, TYPE};
	a->opened++;
	return SM_OK;
}

enum sm_err sm_attachments_open(struct sm_attachments *a)
{
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < a->n; i++)
		e = open_one(a, i);
	return e;
}

void sm_attachments_release(struct sm_attachments *a)
{
	for (size_t i = 0; i < a->opened; i++) {
		close(a->in[i].fd);
		sm_source_release(&a->in[i]);
	}
	a->opened = 0;
}

static bool taken(char *const *paths, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(paths[i], path))
			return true;
	return false;
}

/* dir/name, or dir/name.N when an earlier attachment has that name already. */
static char *choose(const char *dir, const char *name, char *const *paths, size_t n)
{
	char safe[256 + 8];
	char *path = NULL;

	for (unsigned k = 0; k <= n; k++) {
		int len = k ? snprintf(safe, sizeof safe, "%s.%u", name, k) : snprintf(safe, sizeof safe, "%s", name);
		if (len < 0 || (size_t)len >= sizeof safe)
			return NULL;
		if (strchr(".-~", safe[0]))
			safe[0] = '_';
		free(path);
		path = sm_path_join(dir, safe);
		if (!path || !taken(paths, n, path))
			return path;
	}
	return path;
}

static enum sm_err save_one(struct sm_opened *r, size_t i, const char *path)
{
	struct sm_outfile out = {.fd = -1};
	struct sm_sink sink = {0};
	enum sm_err e;

	if ((e = sm_outfile_create(&out, path, 0600))) {
		(void)sm_fail(e, "cannot create '%s'", path);
		return e;
	}
	sm_outfile_guard(&out);
	sm_sink_fd(&sink, out.fd, NULL);
	if ((e = sm_open_attachment(r, i, &sink)) || (e = sm_outfile_commit(&out)))
		(void)sm_fail(e, "cannot write '%s'", path);
	sm_sink_release(&sink);
	sm_outfile_abandon(&out);
	return e;
}

enum sm_err sm_attachments_save(struct sm_opened *r, const char *dir)
{
	char *paths[SM_ATTACH_MAX] = {0};
	struct stat st;
	size_t n = r->header.nattach;
	enum sm_err e = SM_OK;

	for (size_t i = 0; !e && i < n; i++) {
		if (!(paths[i] = choose(dir, r->fields->attach[i].name, paths, i)))
			e = SM_ERR_NOMEM;
		else if (!lstat(paths[i], &st))
			e = SM_ERR_EXISTS;
		if (e)
			(void)sm_fail_plain(e, "cannot write '%s': %s", paths[i] ? paths[i] : dir, sm_err_text(e));
	}
	for (size_t i = 0; !e && i < n; i++)
		if (!(e = save_one(r, i, paths[i])))
			sm_note("attachment %s", paths[i]);
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	return e;
}
