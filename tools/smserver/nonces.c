/* Open addressing, at most half full. */
#include "nonces.h"

#include "crypto/rand.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 64, FIRST_CAP = 32 };

static const uint8_t empty[SM_NONCE];

static size_t place(const struct sm_nonces *s, const struct sm_nonce_window *w, const uint8_t nonce[static SM_NONCE], bool *there)
{
	uint64_t a, b;

	memcpy(&a, nonce, 8);
	memcpy(&b, nonce + 8, 8);
	a = (a ^ s->salt) * UINT64_C(0x9e3779b97f4a7c15);
	b = (b ^ a ^ a >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	size_t i = (size_t)(b ^ b >> 32) & (w->cap - 1);
	for (;; i = (i + 1) & (w->cap - 1)) {
		if (!memcmp(w->slot[i], empty, SM_NONCE))
			return *there = false, i;
		if (!memcmp(w->slot[i], nonce, SM_NONCE)) /* nonces are public */
			return *there = true, i;
	}
}

static enum sm_err grow(const struct sm_nonces *s, struct sm_nonce_window *w)
{
	struct sm_nonce_window bigger = {.window = w->window, .n = w->n, .cap = w->cap ? w->cap * 2 : FIRST_CAP};
	bool there;

	bigger.slot = calloc(bigger.cap, SM_NONCE);
	if (!bigger.slot)
		return SM_ERR_NOMEM;
	for (size_t i = 0; i < w->cap; i++)
		if (memcmp(w->slot[i], empty, SM_NONCE) != 0)
			memcpy(bigger.slot[place(s, &bigger, w->slot[i], &there)], w->slot[i], SM_NONCE);
	free(w->slot);
	*w = bigger;
	return SM_OK;
}

enum sm_err sm_nonces_use(struct sm_nonces *s, const uint8_t nonce[static SM_NONCE], int64_t created)
{
	int64_t window = created / WINDOW;
	struct sm_nonce_window *w = &s->w[window & 1];
	bool there;

	if (!memcmp(nonce, empty, SM_NONCE))
		return SM_ERR_EXISTS; /* not random; and it means an empty slot */
	if (!s->salt)
		sm_rand_fill(&sm_rand_system, &s->salt, sizeof s->salt);
	if (w->window != window) {
		free(w->slot);
		*w = (struct sm_nonce_window){.window = window};
	}
	if (s->w[0].n + s->w[1].n >= (s->max ? s->max : SM_NONCES_MAX))
		return SM_ERR_LIMIT;
	if (w->n * 2 >= w->cap) {
		enum sm_err e = grow(s, w);
		if (e)
			return e;
	}
	size_t i = place(s, w, nonce, &there);
	if (there)
		return SM_ERR_EXISTS;
	memcpy(w->slot[i], nonce, SM_NONCE);
	w->n++;
	return SM_OK;
}

void sm_nonces_release(struct sm_nonces *s)
{
	free(s->w[0].slot);
	free(s->w[1].slot);
	*s = (struct sm_nonces){0};
}
