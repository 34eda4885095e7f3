/* Rosters: one or two of them, a 0 byte between, which get their signatures. What parses is canonical: signing what it says gives the same
 * bytes. What the rules let follow is one epoch later in the same group, by somebody who was in it. */
#include "signed.h"

#include "wire/roster_rules.h"

/* Signs and parses; false when it is no roster. */
static bool read_one(struct sm_roster *r, const uint8_t *p, size_t n)
{
	struct sm_buf b, c;
	enum sm_err e;
	bool good;

	sm_buf_init(&b, SM_ROSTER_TEXT_MAX + 100);
	sm_buf_init(&c, SM_ROSTER_TEXT_MAX);
	e = sm_roster_parse(r, (const char *)p, n);
	CHECK(!e || e == SM_ERR_FORMAT);
	if (!e)
		sm_roster_release(r);
	sign_text(&b, SM_ROSTER_LABEL, p, n);
	e = sm_roster_parse(r, (const char *)b.data, b.len);
	good = !e;
	if (good) {
		CHECK(r->n >= 1 && r->n <= SM_ROSTER_MAX && r->epoch >= 1 && sm_roster_find(r, r->member[r->n - 1].address.text));
		CHECK(!sm_roster_verify(r, signer()->pub.ed25519));
		e = sm_roster_sign(&c, r, signer());
		CHECK(e ? e == SM_ERR_POLICY : (b.len == c.len && !memcmp(b.data, c.data, c.len)));
	}
	sm_buf_release(&b);
	sm_buf_release(&c);
	return good;
}

static void rules(const struct sm_roster *a, const struct sm_roster *b)
{
	if (!sm_roster_begins(a))
		CHECK(a->epoch == 1 && sm_roster_find(a, a->signer.text) && sm_roster_find(a, a->signer.text)->admin);
	if (!sm_roster_follows(a, b))
		CHECK(b->epoch == a->epoch + 1 && !memcmp(a->hash, b->previous, 32) && sm_roster_find(a, b->signer.text) &&
		      (sm_roster_find(a, b->signer.text)->admin || b->n + 1 == a->n));
	CHECK(sm_roster_follows(b, b) == SM_ERR_POLICY);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sm_roster a, b;
	const uint8_t *zero = n ? memchr(p, 0, n) : NULL;
	size_t first = zero ? (size_t)(zero - p) : n;

	if (n > SM_ROSTER_TEXT_MAX || !read_one(&a, p, first))
		return 0;
	/* the second cannot know the hash of the first, so it is given to it */
	if (zero && read_one(&b, zero + 1, n - first - 1)) {
		rules(&a, &b);
		memcpy(b.previous, a.hash, 32);
		rules(&a, &b);
		sm_roster_release(&b);
	}
	sm_roster_release(&a);
	return 0;
}
