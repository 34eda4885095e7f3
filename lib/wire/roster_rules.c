/* The rules of a roster's chain. What the server and a member each refuse is the same code. */
#include "wire/roster_rules.h"

#include <string.h>

static bool zeros(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static bool has_admin(const struct sm_roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->member[i].admin)
			return true;
	return false;
}

static bool same_key(const struct sm_member *a, const struct sm_member *b) { return sm_equal(a->pk, b->pk, SM_PK_LEN); }

/* Whose address was in before keeps its key. */
static bool keys_kept(const struct sm_roster *before, const struct sm_roster *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct sm_member *was = sm_roster_find(before, r->member[i].address.text);
		if (was && !same_key(was, &r->member[i]))
			return false;
	}
	return true;
}

/* Who was not in before (NULL: nobody was) has a good key. */
static bool keys_good(const struct sm_roster *before, const struct sm_roster *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!(before && sm_roster_find(before, r->member[i].address.text)) && sm_pk_check(r->member[i].pk) != SM_OK)
			return false;
	return true;
}

/* next is r without who, and nothing else is different. */
static bool is_leave(const struct sm_roster *r, const struct sm_roster *next, const struct sm_member *who)
{
	if (next->n + 1 != r->n || strcmp(r->name, next->name) != 0)
		return false;
	for (size_t i = 0, j = 0; i < r->n; i++) {
		const struct sm_member *was = &r->member[i], *is = &next->member[j];
		if (was == who)
			continue;
		if (j == next->n || strcmp(was->address.text, is->address.text) != 0 || was->admin != is->admin)
			return false;
		j++;
	}
	return true;
}

enum sm_err sm_roster_begins_known(const struct sm_roster *r)
{
	const struct sm_member *signer = sm_roster_find(r, r->signer.text);
	if (r->epoch != 1 || !zeros(r->previous, sizeof(r->previous)) || !signer || !signer->admin)
		return SM_ERR_POLICY;
	return sm_roster_verify(r, signer->pk);
}

enum sm_err sm_roster_begins(const struct sm_roster *r)
{
	enum sm_err e = sm_roster_begins_known(r);
	return e == SM_OK && !keys_good(NULL, r) ? SM_ERR_POLICY : e;
}

enum sm_err sm_roster_follows_known(const struct sm_roster *r, const struct sm_roster *next)
{
	const struct sm_member *signer = sm_roster_find(r, next->signer.text);
	if (strcmp(r->group, next->group) != 0 || next->epoch != r->epoch + 1 || !sm_equal(next->previous, r->hash, sizeof(r->hash)))
		return SM_ERR_POLICY;
	if (!signer || !has_admin(next) || !keys_kept(r, next) || (!signer->admin && !is_leave(r, next, signer)))
		return SM_ERR_POLICY;
	return sm_roster_verify(next, signer->pk);
}

enum sm_err sm_roster_follows(const struct sm_roster *r, const struct sm_roster *next)
{
	enum sm_err e = sm_roster_follows_known(r, next);
	return e == SM_OK && !keys_good(r, next) ? SM_ERR_POLICY : e;
}
