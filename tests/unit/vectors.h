/* Published test vectors: JSON files in the directory that $SM_VECTORS names, hexadecimal strings in them as bytes of exactly
 * their size on the heap, so that valgrind and ASan see an overread. */
#ifndef VECTORS_H
#define VECTORS_H

#include "tap.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t *p;
	size_t n;
};

static struct bytes vectors_kept[64];
static size_t vectors_count;

/* n bytes that vectors_free gives back. */
static inline struct bytes bytes_new(size_t n)
{
	struct bytes b = {malloc(n ? n : 1), n};

	if (!b.p || vectors_count == sizeof vectors_kept / sizeof *vectors_kept)
		abort();
	return vectors_kept[vectors_count++] = b;
}

/* Everything handed out since the last call; once for each case. */
static inline void vectors_free(void)
{
	while (vectors_count)
		free(vectors_kept[--vectors_count].p);
}

static inline unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	abort();
}

static inline struct bytes unhex(const char *s)
{
	struct bytes b = bytes_new(strlen(s) / 2);

	for (size_t i = 0; i < b.n; i++)
		b.p[i] = (uint8_t)(hex_digit(s[2 * i]) << 4 | hex_digit(s[2 * i + 1]));
	return b;
}

__attribute__((unused)) static struct bytes json_hex(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? unhex(s) : (struct bytes){NULL, 0};
}

__attribute__((unused)) static long long json_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

__attribute__((unused)) static bool json_is(const json_t *object, const char *key, const char *value)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s && strcmp(s, value) == 0;
}

__attribute__((unused)) static bool json_has(const json_t *object, const char *key, const char *value)
{
	const json_t *array = json_object_get(object, key), *v;
	size_t i;

	json_array_foreach(array, i, v)
	{
		if (strcmp(json_string_value(v), value) == 0)
			return true;
	}
	return false;
}

static inline bool bytes_equal(const void *a, const void *b, size_t n) { return n == 0 || memcmp(a, b, n) == 0; }

/* The file's root, for json_decref; NULL with the reason said in TAP. */
__attribute__((unused)) static json_t *vectors_load(const char *name)
{
	const char *dir = getenv("SM_VECTORS");
	char path[4096];
	json_error_t error;
	json_t *root;

	if (!dir) {
		tap_skip("%s: SM_VECTORS does not name the vectors' directory", name);
		return NULL;
	}
	snprintf(path, sizeof path, "%s/%s", dir, name);
	root = json_load_file(path, 0, &error);
	if (!root)
		ok(false, "%s: %s", path, error.text);
	return root;
}

/* Counts of one run over a file; say() turns them into one TAP line. */
struct tally {
	int run, bad;
};

static inline void tally(struct tally *t, const json_t *vector, bool good)
{
	t->run++;
	if (good)
		return;
	t->bad++;
	printf("# case %lld (%s) fails\n", vector ? json_number(vector, "tcId") : t->run,
	       vector && json_object_get(vector, "comment") ? json_string_value(json_object_get(vector, "comment")) : "");
}

#define tally_ok(t, name) ok((t)->bad == 0 && (t)->run > 0, "%s: %d cases", (name), (t)->run)

/* Calls fn with every group and test of a Wycheproof file. */
__attribute__((unused)) static void wycheproof(const char *name, void (*fn)(struct tally *, const json_t *group, const json_t *test))
{
	json_t *root = vectors_load(name), *group, *test;
	struct tally t = {0, 0};
	size_t i, j;

	if (!root)
		return;
	json_array_foreach(json_object_get(root, "testGroups"), i, group)
	{
		json_array_foreach(json_object_get(group, "tests"), j, test)
		{
			fn(&t, group, test);
			vectors_free();
		}
	}
	tally_ok(&t, name);
	json_decref(root);
}

#endif
