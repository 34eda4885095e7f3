/* Runs a fuzzer's corpus without libFuzzer, so that `make check` needs no clang: `replay/NAME FOLDER`. Each file goes in whole, cut
 * short, and with single bytes changed, always the same ones. A finding is a crash, an abort or a sanitizer's report; TAP otherwise. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define INPUT_MAX (8u << 20)
#define VARIANTS 48u      /* of each kind, for one file */
#define VARIED_MAX 16384u /* larger files go in whole only */

/* A copy of exactly n bytes, so that a sanitizer or valgrind sees a read past the end. */
static void one(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (copy == NULL) {
		perror("malloc");
		exit(70);
	}
	if (n > 0)
		memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static unsigned varied(uint8_t *p, size_t n)
{
	size_t step = n / VARIANTS + 1;
	unsigned runs = 0;
	for (size_t i = 0; i < n; i += step, runs += 2) {
		uint8_t was = p[i];
		one(p, i);
		p[i] ^= (uint8_t)(1u << (i % 8));
		one(p, n);
		p[i] = was;
	}
	return runs;
}

static unsigned file(const char *dir, const char *name, uint8_t *buf)
{
	char path[4096];
	FILE *f;
	size_t n;

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path || (f = fopen(path, "rb")) == NULL) {
		fprintf(stderr, "cannot open '%s/%s'\n", dir, name);
		exit(66);
	}
	n = fread(buf, 1, INPUT_MAX, f);
	fclose(f);
	one(buf, n);
	return 1 + (n <= VARIED_MAX ? varied(buf, n) : 0);
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "";
	uint8_t *buf = malloc(INPUT_MAX);
	DIR *d = opendir(dir);
	unsigned files = 0, runs = 1;

	if (buf == NULL || d == NULL) {
		fprintf(stderr, "no corpus in '%s'\n", dir);
		free(buf);
		return 66;
	}
	one(buf, 0);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			files++, runs += file(dir, e->d_name, buf);
	closedir(d);
	free(buf);
	printf("%s 1 - %u files of the corpus, %u runs\n1..1\n", files > 0 ? "ok" : "not ok", files, runs);
	return files == 0;
}
