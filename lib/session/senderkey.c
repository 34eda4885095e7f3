/* Sender keys: the chain of a sending device in a group, and its stanzas. */
#include "session/senderkey.h"

#include "base/base64.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY (SM_FILE_KEY + SM_CHAIN_OVERHEAD)
#define NAME_MAX (SM_ADDRESS_MAX + 11)
#define AAD_MAX (sizeof aad_label + 1 + SM_PK_LEN + 2 + NAME_MAX + SM_ID_LEN + 8 + 32 + SM_ID_LEN + 4)

static const char aad_label[] = "SM-SK-v1", message_info[] = "SM-SK-message-v1"; /* the label's 0 byte belongs to it */
static const uint8_t no_pub[32];
enum { KEY_ED25519 = 1 };

void sm_sender_chain_new(struct sm_sender_chain *c, const char *group, const struct sm_end *self, int64_t now, const struct sm_rand *rand)
{
	uint8_t id[16];

	*c = (struct sm_sender_chain){.sender = *self, .created = now};
	memcpy(c->group, group, SM_ID_LEN);
	sm_rand_fill(rand, id, sizeof id);
	sm_base32_id(c->id, id);
	sm_rand_fill(rand, c->ck, sizeof c->ck);
}

bool sm_sender_chain_old(const struct sm_sender_chain *c, int64_t now)
{
	return c->n >= SM_CHAIN_MESSAGES || now - c->created >= SM_CHAIN_SECONDS || c->created - now > SM_SPK_AHEAD;
}

void sm_sender_chain_release(struct sm_sender_chain *c)
{
	if (!c)
		return;
	sm_skipped_release(&c->skipped);
	sm_wipe(c, sizeof *c);
}

static void put(uint8_t **at, const void *p, size_t n)
{
	memcpy(*at, p, n);
	*at += n;
}

/* Of message n; returns its length. */
static size_t make_aad(uint8_t out[static AAD_MAX], const struct sm_sender_chain *c, const struct sm_header *h, uint32_t n)
{
	char name[NAME_MAX + 1];
	uint8_t *at = out;

	snprintf(name, sizeof name, "%s/%u", c->sender.address.text, (unsigned)c->sender.device);
	put(&at, aad_label, sizeof aad_label);
	*at++ = KEY_ED25519;
	put(&at, c->sender.pk, SM_PK_LEN);
	sm_put_be16(at, (uint16_t)strlen(name));
	at += 2;
	put(&at, name, strlen(name));
	put(&at, h->group.id, SM_ID_LEN);
	sm_put_be64(at, h->group.epoch);
	at += 8;
	put(&at, h->group.roster, sizeof h->group.roster);
	put(&at, c->id, SM_ID_LEN);
	sm_put_be32(at, n);
	return (size_t)(at + 4 - out);
}

static bool same_id(const char a[static SM_ID_LEN], const char b[static SM_ID_LEN]) { return !memcmp(a, b, SM_ID_LEN); }

enum sm_err sm_sender_chain_seal(struct sm_sender_chain *c, struct sm_stanza *s, const struct sm_header *h,
                                 const uint8_t file_key[static SM_FILE_KEY], const struct sm_rand *rand)
{
	struct sm_stanza made = {.type = SM_STANZA_SENDERKEY, .senderkey = {.device = c->sender.device, .n = c->n}, .bodylen = BODY};
	uint8_t aad[AAD_MAX], ck[32], mk[32];
	size_t n;
	enum sm_err e;

	if (!h->has_group || !same_id(h->group.id, c->group))
		return SM_ERR_BUG;
	if (c->n == UINT32_MAX)
		return SM_ERR_LIMIT;
	if (!(made.body = malloc(BODY)))
		return SM_ERR_NOMEM;
	memcpy(made.senderkey.chain, c->id, SM_ID_LEN);
	memcpy(ck, c->ck, sizeof ck);
	sm_chain_step(ck, mk);
	n = make_aad(aad, c, h, c->n);
	if ((e = sm_chain_seal(made.body, mk, message_info, file_key, SM_FILE_KEY, (struct sm_span){aad, n}, (struct sm_span){0}, rand)))
		goto out;
	memcpy(c->ck, ck, sizeof ck);
	c->n++;
	*s = made;
	made.body = NULL;
out:
	free(made.body);
	sm_wipe(ck, sizeof ck);
	sm_wipe(mk, sizeof mk);
	return e;
}

static bool belongs(const struct sm_sender_chain *c, const struct sm_stanza *s, const struct sm_header *h)
{
	return s->type == SM_STANZA_SENDERKEY && s->bodylen == BODY && h->has_group && same_id(h->group.id, c->group) &&
	       same_id(s->senderkey.chain, c->id) && s->senderkey.device == c->sender.device;
}

static enum sm_err open_body(const struct sm_sender_chain *c, uint8_t key[static SM_FILE_KEY], const uint8_t mk[static 32],
                             const struct sm_stanza *s, const struct sm_header *h)
{
	uint8_t aad[AAD_MAX];
	size_t n = make_aad(aad, c, h, s->senderkey.n);

	return sm_chain_open(key, mk, message_info, s->body, s->bodylen, (struct sm_span){aad, n}, (struct sm_span){0});
}

static enum sm_err open_skipped(struct sm_sender_chain *c, uint8_t key[static SM_FILE_KEY], const struct sm_stanza *s,
                                const struct sm_header *h, int64_t now)
{
	int i = sm_skipped_find(&c->skipped, no_pub, s->senderkey.n, now);
	enum sm_err e;

	if (i < 0)
		return SM_ERR_STANZA;
	if ((e = open_body(c, key, c->skipped.v[i].mk, s, h)))
		return e;
	sm_skipped_remove(&c->skipped, (size_t)i);
	sm_skipped_make_room(&c->skipped, 0, now);
	return SM_OK;
}

static void keep(struct sm_sender_chain *c, uint32_t count, int64_t now)
{
	uint8_t mk[32];

	sm_skipped_make_room(&c->skipped, count, now);
	for (; count; count--) {
		sm_chain_step(c->ck, mk);
		sm_skipped_add(&c->skipped, no_pub, c->n++, mk, now);
	}
	sm_wipe(mk, sizeof mk);
}

static enum sm_err open_next(struct sm_sender_chain *c, uint8_t key[static SM_FILE_KEY], const struct sm_stanza *s,
                             const struct sm_header *h, int64_t now)
{
	uint8_t ck[32], mk[32];
	uint32_t skip = s->senderkey.n - c->n;
	enum sm_err e;

	/* no sender gets to the last number, and n must not come round */
	if (skip > SM_RATCHET_JUMP || s->senderkey.n == UINT32_MAX)
		return SM_ERR_STANZA;
	memcpy(ck, c->ck, sizeof ck);
	for (uint32_t i = 0; i <= skip; i++)
		sm_chain_step(ck, mk);
	if ((e = open_body(c, key, mk, s, h)) || (e = sm_skipped_reserve(&c->skipped, skip)))
		goto out;
	keep(c, skip, now);
	memcpy(c->ck, ck, sizeof ck);
	c->n++;
out:
	sm_wipe(ck, sizeof ck);
	sm_wipe(mk, sizeof mk);
	return e;
}

enum sm_err sm_sender_chain_open(struct sm_sender_chain *c, uint8_t file_key[static SM_FILE_KEY], const struct sm_stanza *s,
                                 const struct sm_header *h, int64_t now)
{
	uint8_t key[SM_FILE_KEY];
	enum sm_err e;

	if (!belongs(c, s, h))
		return SM_ERR_STANZA;
	if (!(e = s->senderkey.n < c->n ? open_skipped(c, key, s, h, now) : open_next(c, key, s, h, now)))
		memcpy(file_key, key, sizeof key);
	sm_wipe(key, sizeof key);
	return e;
}
