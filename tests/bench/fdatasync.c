/* fdatasync FILE TIMES: what the disk costs. Appends 1 KiB and calls fdatasync, so many times; prints `p50_us N p99_us N`. FILE must be
 * new. */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	int64_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	char block[1024];
	long n = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	if (n < 1 || n > 1000000)
		errx(64, "usage: fdatasync FILE TIMES");
	int64_t *took = calloc((size_t)n, sizeof(*took));
	int fd = open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || !took)
		err(1, "cannot create '%s'", argv[1]);
	memset(block, 'x', sizeof(block));
	for (long i = 0; i < n; i++) {
		int64_t start = now_us();
		if (write(fd, block, sizeof(block)) != sizeof(block) || fdatasync(fd))
			err(1, "cannot write '%s'", argv[1]);
		took[i] = now_us() - start;
	}
	qsort(took, (size_t)n, sizeof(*took), compare);
	printf("p50_us %lld p99_us %lld\n", (long long)took[(n - 1) / 2], (long long)took[(n * 99 + 99) / 100 - 1]);
	free(took);
	return close(fd) ? 1 : 0;
}
