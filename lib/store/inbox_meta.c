/* The sealed half of an inbox row: written as lp() values in a fixed order. */
#include "store/inbox_meta.h"

#include "base/secret.h"
#include "store/sealed.h"

#include <string.h>

#define META_VERSION 2 /* 1 had not what stands behind type */
#define INFO "sm-inbox/1"

/* What a problem is called on disk is its place here, whatever becomes of enum sm_err. Only ever add at the end. */
static const enum sm_err problems[] = {
        SM_OK,          SM_ERR_ARMOR,     SM_ERR_HEADER, SM_ERR_SUITE,  SM_ERR_STANZA, SM_ERR_PASSPHRASE, SM_ERR_COMMITMENT,
        SM_ERR_PAYLOAD, SM_ERR_SIGNATURE, SM_ERR_POLICY, SM_ERR_FORMAT, SM_ERR_LIMIT};
#define NPROBLEMS (sizeof(problems) / sizeof(problems[0]))

static enum sm_err add_problem(struct sm_buf *b, enum sm_err problem)
{
	for (uint8_t i = 0; i < NPROBLEMS; i++)
		if (problems[i] == problem)
			return sm_buf_add_u8(b, i);
	return SM_ERR_BUG;
}

static enum sm_err add_text(struct sm_buf *b, const char *s) { return sm_buf_add_lp(b, s, strlen(s)); }

static enum sm_err write_meta(struct sm_buf *b, const struct sm_inbox_meta *m)
{
	enum sm_err e = sm_buf_add_u8(b, META_VERSION);
	if (e == SM_OK)
		e = add_problem(b, m->problem);
	if (e == SM_OK)
		e = sm_buf_add_u8(b, (uint8_t)m->proof);
	if (e == SM_OK)
		e = sm_buf_add_be64(b, (uint64_t)m->date);
	if (e == SM_OK)
		e = sm_buf_add_be64(b, m->size);
	if (e == SM_OK)
		e = sm_buf_add(b, m->file_key, SM_FILE_KEY);
	if (e == SM_OK)
		e = add_text(b, m->from.address.text);
	if (e == SM_OK)
		e = sm_buf_add_lp(b, m->from.fp, m->from.has_fp ? SM_FP_LEN : 0);
	if (e == SM_OK)
		e = add_text(b, m->id);
	if (e == SM_OK)
		e = add_text(b, m->subject);
	if (e == SM_OK)
		e = add_text(b, m->name);
	if (e == SM_OK)
		e = add_text(b, m->type);
	if (e == SM_OK)
		e = sm_buf_add_u8(b, (uint8_t)m->why);
	if (e == SM_OK)
		e = sm_buf_add_lp(b, m->user, m->has_user ? SM_FP_LEN : 0);
	if (e == SM_OK)
		e = add_text(b, m->group);
	return e == SM_OK ? add_text(b, m->original) : e;
}

static bool take_text(struct sm_span *s, char *out, size_t room)
{
	struct sm_span v;
	if (!sm_span_take_lp(s, &v) || v.n >= room)
		return false;
	if (v.n)
		memcpy(out, v.p, v.n);
	out[v.n] = 0;
	return true;
}

static bool take_party(struct sm_span *s, struct sm_party *p)
{
	char text[SM_ADDRESS_MAX + 1];
	struct sm_span fp;
	if (!take_text(s, text, sizeof(text)) || !sm_span_take_lp(s, &fp) || (fp.n && fp.n != SM_FP_LEN))
		return false;
	if (*text && sm_address_parse(&p->address, text, strlen(text)) != SM_OK)
		return false;
	p->has_fp = fp.n != 0;
	if (p->has_fp)
		memcpy(p->fp, fp.p, SM_FP_LEN);
	return true;
}

/* What version 2 has added. */
static bool take_more(struct sm_span *s, struct sm_inbox_meta *m)
{
	const uint8_t *why;
	struct sm_span user;
	if (!sm_span_take(s, 1, &why) || *why > SM_INBOX_WHY_UNSIGNED || !sm_span_take_lp(s, &user) || (user.n && user.n != SM_FP_LEN))
		return false;
	m->why = (enum sm_inbox_why) * why;
	m->has_user = user.n != 0;
	if (m->has_user)
		memcpy(m->user, user.p, SM_FP_LEN);
	return take_text(s, m->group, sizeof(m->group)) && take_text(s, m->original, sizeof(m->original));
}

static bool read_meta(struct sm_inbox_meta *m, struct sm_span s)
{
	const uint8_t *fixed, *key;
	uint64_t date;
	if (!sm_span_take(&s, 3, &fixed) || fixed[0] < 1 || fixed[0] > META_VERSION || fixed[1] >= NPROBLEMS || fixed[2] > SM_INBOX_CHANGED)
		return false;
	if (!sm_span_take_be64(&s, &date) || !sm_span_take_be64(&s, &m->size) || !sm_span_take(&s, SM_FILE_KEY, &key))
		return false;
	m->problem = problems[fixed[1]];
	m->proof = (enum sm_inbox_proof)fixed[2];
	m->date = (int64_t)date;
	memcpy(m->file_key, key, SM_FILE_KEY);
	return take_party(&s, &m->from) && take_text(&s, m->id, sizeof(m->id)) && take_text(&s, m->subject, sizeof(m->subject)) &&
	       take_text(&s, m->name, sizeof(m->name)) && take_text(&s, m->type, sizeof(m->type)) && (fixed[0] == 1 || take_more(&s, m)) &&
	       !s.n;
}

/* 40 bytes that tie the meta to its envelope and place. */
static void make_aad(uint8_t aad[static 40], uint64_t seq, const uint8_t hash[static 32])
{
	sm_put_be64(aad, seq);
	memcpy(aad + 8, hash, 32);
}

enum sm_err sm_inbox_seal(struct sm_buf *out, const struct sm_inbox_meta *m, const uint8_t key[static 32], uint64_t seq,
                          const uint8_t hash[static 32], const struct sm_rand *rand)
{
	uint8_t aad[40];
	struct sm_buf plain;
	sm_buf_init(&plain, SM_INBOX_META_MAX);
	make_aad(aad, seq, hash);
	enum sm_err e = write_meta(&plain, m);
	if (e == SM_OK)
		e = sm_sealed_put(out, key, INFO, (struct sm_span){aad, sizeof(aad)}, (struct sm_span){plain.data, plain.len}, rand);
	sm_buf_release(&plain);
	return e;
}

enum sm_err sm_inbox_unseal(struct sm_inbox_meta *m, struct sm_span sealed, const uint8_t key[static 32], uint64_t seq,
                            const uint8_t hash[static 32])
{
	uint8_t aad[40];
	struct sm_inbox_meta r = {0};
	struct sm_buf plain;
	enum sm_err e;
	if (sealed.n < SM_SEALED_OVERHEAD || sealed.n > SM_INBOX_META_MAX)
		return SM_ERR_FORMAT;
	sm_buf_init(&plain, SM_INBOX_META_MAX);
	make_aad(aad, seq, hash);
	e = sm_sealed_get(&plain, key, INFO, (struct sm_span){aad, sizeof(aad)}, sealed);
	if (e == SM_OK && !read_meta(&r, (struct sm_span){plain.data, plain.len}))
		e = SM_ERR_FORMAT;
	if (e == SM_OK)
		*m = r;
	sm_buf_release(&plain);
	sm_wipe(&r, sizeof(r));
	return e;
}
