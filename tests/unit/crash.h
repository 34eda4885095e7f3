/* For a test that kills its own children at every write: the shim tests/crash/crash.c, under which the test starts itself again. */
#ifndef CRASH_H
#define CRASH_H

#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void (*crash_arm)(long k, bool half);
static long (*crash_calls)(void);

/* The shim stands beside the unit tests in the build folder. */
static void crash_again(char **argv)
{
	char self[3072], path[4096], options[512];
	const char *asan = getenv("ASAN_OPTIONS");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = n > 0 ? (self[n] = 0, strrchr(self, '/')) : NULL;
	if (!slash || getenv("LD_PRELOAD"))
		return;
	*slash = 0;
	snprintf(path, sizeof(path), "%s/../crash/crash.so", self);
	snprintf(options, sizeof(options), "%s%sverify_asan_link_order=0", asan ? asan : "", asan ? ":" : "");
	if (!access(path, R_OK) && !setenv("LD_PRELOAD", path, 1) && !setenv("ASAN_OPTIONS", options, 1))
		execv("/proc/self/exe", argv);
}

/* First in main. False: there is no shim. */
static bool crash_begin(char **argv)
{
	void *arm = dlsym(RTLD_DEFAULT, "sm_crash_arm"), *calls = dlsym(RTLD_DEFAULT, "sm_crash_calls");
	if (!arm || !calls) {
		crash_again(argv);
		return false;
	}
	memcpy(&crash_arm, &arm, sizeof(arm));
	memcpy(&crash_calls, &calls, sizeof(calls));
	return !unsetenv("LD_PRELOAD");
}

/* Runs fn in a child that is killed at call k. 1: it was; 0: it came to its end, and fn gave 0; -1: anything else. */
static int crash_run(int (*fn)(void *), void *ctx, long k, bool half)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		crash_arm(k, half);
		_exit(fn(ctx));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return 1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

#endif
