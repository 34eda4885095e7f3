/* measure [-n TIMES] [-m] [-i FILE] [-o FILE] COMMAND [ARG]...: runs COMMAND so many times, one after another, with stdin and stdout from
 * and to the files or /dev/null, and prints the mean wall-clock time in seconds, or with -m the largest resident set in KiB. A command that
 * fails ends it. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Returns the peak resident set in KiB. */
static long run(char **argv, const posix_spawn_file_actions_t *files)
{
	struct rusage usage;
	pid_t pid;
	int status, e = posix_spawnp(&pid, argv[0], files, NULL, argv, environ);
	if (e) {
		errno = e;
		err(1, "cannot run '%s'", argv[0]);
	}
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			err(1, "wait4");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "'%s' failed with status %d", argv[0], WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return usage.ru_maxrss;
}

static int usage(void)
{
	(void)fputs("usage: measure [-n TIMES] [-m] [-i FILE] [-o FILE] COMMAND [ARG]...\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t files;
	const char *input = "/dev/null", *output = "/dev/null";
	bool memory = false;
	long times = 1, peak = 0;
	int o;
	while ((o = getopt(argc, argv, "+n:mi:o:")) != -1)
		switch (o) {
		case 'n': times = strtol(optarg, NULL, 10); break;
		case 'm': memory = true; break;
		case 'i': input = optarg; break;
		case 'o': output = optarg; break;
		default: return usage();
		}
	if (optind == argc || times < 1)
		return usage();
	if (posix_spawn_file_actions_init(&files) || posix_spawn_file_actions_addopen(&files, 0, input, O_RDONLY, 0) ||
	    posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600))
		errx(1, "out of memory");
	double start = now();
	for (long i = 0; i < times; i++) {
		long kib = run(argv + optind, &files);
		if (kib > peak)
			peak = kib;
	}
	if (memory)
		printf("%ld\n", peak);
	else
		printf("%.6f\n", (now() - start) / (double)times);
	(void)posix_spawn_file_actions_destroy(&files);
	return 0;
}
