/* Sender chains as rows: others' by (group, sender, id), with their skipped keys apart; of one's own only the newest of each group, and
 * to whom it has been given. */
#include "store/groups.h"

#include "base/secret.h"
#include "store/sealed.h"
#include "store/sql.h"

#include <string.h>

#define VERSION 1
#define PACKED_MAX 1024
#define AAD_MAX 256
#define CHAINS_KEEP 32 /* of one sender in one group: who makes more of them within a month does not need the oldest */
#define CHAIN_SECONDS ((int64_t)30 * 86400)
#define SKIPPED_MAX (SM_SKIPPED_PACKED(SM_SKIPPED_MAX) + SM_SEALED_OVERHEAD)
#define FPS_MAX ((size_t)1 << 20)
#define LIST_MAX ((size_t)16 << 20)

/* The table's name 0 | lp(group) | lp(chain) | sender (nothing for own chains) */
static enum sm_err make_aad(struct sm_buf *aad, const char *table, const char *group, const char *id, const uint8_t *sender)
{
	enum sm_err e = sm_buf_add(aad, table, strlen(table) + 1);
	if (e == SM_OK)
		e = sm_buf_add_lp(aad, group, strlen(group));
	if (e == SM_OK)
		e = sm_buf_add_lp(aad, id, strlen(id));
	return e == SM_OK && sender ? sm_buf_add(aad, sender, SM_PK_LEN) : e;
}

static enum sm_err pack(struct sm_buf *b, const struct sm_sender_chain *c)
{
	enum sm_err e = sm_buf_add_u8(b, VERSION);
	if (e == SM_OK)
		e = sm_buf_add_be32(b, c->n);
	if (e == SM_OK)
		e = sm_buf_add_be64(b, (uint64_t)c->created);
	if (e == SM_OK)
		e = sm_buf_add_be32(b, c->sender.device);
	if (e == SM_OK)
		e = sm_buf_add(b, c->sender.pk, SM_PK_LEN);
	if (e == SM_OK)
		e = sm_buf_add(b, c->ck, sizeof(c->ck));
	return e == SM_OK ? sm_buf_add_lp(b, c->sender.address.text, strlen(c->sender.address.text)) : e;
}

static bool unpack(struct sm_sender_chain *c, struct sm_span s)
{
	const uint8_t *version, *pk, *ck;
	struct sm_span address;
	uint64_t created;
	if (!sm_span_take(&s, 1, &version) || *version != VERSION || !sm_span_take_be32(&s, &c->n) || !sm_span_take_be64(&s, &created) ||
	    !sm_span_take_be32(&s, &c->sender.device) || !sm_span_take(&s, SM_PK_LEN, &pk) || !sm_span_take(&s, sizeof(c->ck), &ck) ||
	    !sm_span_take_lp(&s, &address) || s.n)
		return false;
	c->created = (int64_t)created;
	memcpy(c->sender.pk, pk, SM_PK_LEN);
	memcpy(c->ck, ck, sizeof(c->ck));
	return sm_address_parse(&c->sender.address, (const char *)address.p, address.n) == SM_OK;
}

static enum sm_err seal(struct sm_buf *out, const uint8_t key[static 32], const char *table, const struct sm_sender_chain *c,
                        const uint8_t *sender, struct sm_span row, const struct sm_rand *rand)
{
	struct sm_buf aad;
	sm_buf_init(&aad, AAD_MAX);
	enum sm_err e = make_aad(&aad, table, c->group, c->id, sender);
	if (e == SM_OK)
		e = sm_sealed_put(out, key, SM_SEALED_SESSIONS, (struct sm_span){aad.data, aad.len}, row, rand);
	sm_buf_release(&aad);
	return e;
}

static enum sm_err seal_chain(struct sm_buf *out, const uint8_t key[static 32], const char *table, const struct sm_sender_chain *c,
                              const uint8_t *sender, const struct sm_rand *rand)
{
	struct sm_buf row;
	sm_buf_init(&row, PACKED_MAX);
	enum sm_err e = pack(&row, c);
	if (e == SM_OK)
		e = seal(out, key, table, c, sender, (struct sm_span){row.data, row.len}, rand);
	sm_buf_release(&row);
	return e;
}

/* c: group and id set. SM_ERR_NOTFOUND for what does not open, or is no chain: it counts as not there. */
static enum sm_err open_chain(struct sm_sender_chain *c, const uint8_t key[static 32], const char *table, const uint8_t *sender,
                              struct sm_span sealed)
{
	struct sm_buf aad, row;
	sm_buf_init(&aad, AAD_MAX);
	sm_buf_init(&row, PACKED_MAX);
	enum sm_err e = make_aad(&aad, table, c->group, c->id, sender);
	if (e == SM_OK)
		e = sm_sealed_get(&row, key, SM_SEALED_SESSIONS, (struct sm_span){aad.data, aad.len}, sealed);
	if (e == SM_OK && (!unpack(c, (struct sm_span){row.data, row.len}) || (sender && memcmp(c->sender.pk, sender, SM_PK_LEN) != 0)))
		e = SM_ERR_NOTFOUND;
	sm_buf_release(&row);
	sm_buf_release(&aad);
	return e == SM_ERR_PASSPHRASE || e == SM_ERR_LIMIT ? SM_ERR_NOTFOUND : e;
}

/* Keys that cannot be read are keys that were not skipped. */
static enum sm_err open_skipped(struct sm_sender_chain *c, const uint8_t key[static 32], struct sm_span sealed)
{
	struct sm_buf aad, row;
	sm_buf_init(&aad, AAD_MAX);
	sm_buf_init(&row, SKIPPED_MAX);
	enum sm_err e = make_aad(&aad, "chain_skipped", c->group, c->id, c->sender.pk);
	if (e == SM_OK)
		e = sm_sealed_get(&row, key, SM_SEALED_SESSIONS, (struct sm_span){aad.data, aad.len}, sealed);
	if (e == SM_OK)
		e = sm_skipped_unpack(&c->skipped, row.data, row.len);
	sm_buf_release(&row);
	sm_buf_release(&aad);
	return e == SM_ERR_PASSPHRASE || e == SM_ERR_FORMAT || e == SM_ERR_LIMIT ? SM_OK : e;
}

static bool set_names(struct sm_sender_chain *c, const char *group, const char *id)
{
	if (strlen(group) != SM_ID_LEN || strlen(id) != SM_ID_LEN)
		return false;
	memcpy(c->group, group, sizeof(c->group));
	memcpy(c->id, id, sizeof(c->id));
	return true;
}

enum sm_err sm_chain_get(struct sm_sender_chain *c, struct sm_db *db, const uint8_t key[static 32], const char *group,
                         const uint8_t sender[static SM_PK_LEN], const char *chain)
{
	struct sm_sender_chain r = {0};
	sqlite3_stmt *q;
	bool row = false;
	if (!set_names(&r, group, chain))
		return SM_ERR_NOTFOUND;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "SELECT chain.sealed, chain_skipped.sealed FROM chain LEFT JOIN chain_skipped USING (n) "
	                               "WHERE team = ?1 AND sender = ?2 AND id = ?3");
	sm_sql_text(q, 1, group);
	sm_sql_blob(q, 2, sender, SM_PK_LEN);
	sm_sql_text(q, 3, chain);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK)
		e = row ? open_chain(&r, key, "chain", sender, sm_sql_get_blob(q, 0)) : SM_ERR_NOTFOUND;
	if (e == SM_OK && sqlite3_column_type(q, 1) != SQLITE_NULL)
		e = open_skipped(&r, key, sm_sql_get_blob(q, 1));
	sm_sql_done(q);
	if (e == SM_OK)
		*c = r;
	else
		sm_sender_chain_release(&r);
	sm_wipe(&r, sizeof(r));
	return e;
}

static enum sm_err insert(struct sm_db *db, const struct sm_sender_chain *c, const struct sm_buf *sealed)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "INSERT INTO chain (team, sender, id, address, at, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
	                               "ON CONFLICT (team, sender, id) DO UPDATE SET sealed = ?6");
	sm_sql_text(q, 1, c->group);
	sm_sql_blob(q, 2, c->sender.pk, SM_PK_LEN);
	sm_sql_text(q, 3, c->id);
	sm_sql_text(q, 4, c->sender.address.text);
	sm_sql_int(q, 5, c->created);
	sm_sql_blob(q, 6, sealed->data, sealed->len);
	return sm_sql_run(db, q, e, NULL);
}

static enum sm_err run_on(struct sm_db *db, const char *sql, const struct sm_sender_chain *c, const struct sm_buf *sealed)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	sm_sql_text(q, 1, c->group);
	sm_sql_blob(q, 2, c->sender.pk, SM_PK_LEN);
	sm_sql_text(q, 3, c->id);
	if (sealed)
		sm_sql_blob(q, 4, sealed->data, sealed->len);
	return sm_sql_run(db, q, e, NULL);
}

#define WHICH "SELECT n FROM chain WHERE team = ?1 AND sender = ?2 AND id = ?3"

static enum sm_err put_skipped(struct sm_db *db, const uint8_t key[static 32], const struct sm_sender_chain *c, const struct sm_rand *rand)
{
	struct sm_buf row, sealed;
	if (!c->skipped.n)
		return run_on(db, "DELETE FROM chain_skipped WHERE n = (" WHICH ")", c, NULL);
	sm_buf_init(&row, SKIPPED_MAX);
	sm_buf_init(&sealed, SKIPPED_MAX);
	enum sm_err e = sm_skipped_pack(&row, &c->skipped);
	if (e == SM_OK)
		e = seal(&sealed, key, "chain_skipped", c, c->sender.pk, (struct sm_span){row.data, row.len}, rand);
	if (e == SM_OK)
		e = run_on(db,
		           "INSERT OR REPLACE INTO chain_skipped (n, sealed) SELECT n, ?4 FROM chain "
		           "WHERE team = ?1 AND sender = ?2 AND id = ?3",
		           c, &sealed);
	sm_buf_release(&sealed);
	sm_buf_release(&row);
	return e;
}

static enum sm_err is_here(bool *here, struct sm_db *db, const uint8_t key[static 32], const struct sm_sender_chain *c)
{
	struct sm_sender_chain old;
	enum sm_err e = sm_chain_get(&old, db, key, c->group, c->sender.pk, c->id);
	*here = e == SM_OK;
	if (e == SM_OK)
		sm_sender_chain_release(&old);
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

/* Makes room first, so that a row which does not open any more is replaced together with its skipped keys. */
static enum sm_err make_room(struct sm_db *db, const struct sm_sender_chain *c)
{
	enum sm_err e = run_on(db, "DELETE FROM chain WHERE team = ?1 AND sender = ?2 AND id = ?3", c, NULL);
	if (e != SM_OK)
		return e;
	return run_on(db,
	              "DELETE FROM chain WHERE team = ?1 AND sender = ?2 AND n NOT IN "
	              "(SELECT n FROM chain WHERE team = ?1 AND sender = ?2 ORDER BY n DESC LIMIT 31)",
	              c, NULL);
}
_Static_assert(CHAINS_KEEP == 31 + 1, "the limit in the statement above");

enum sm_err sm_chain_put(struct sm_db *db, const uint8_t key[static 32], const struct sm_sender_chain *c, bool fresh,
                         const struct sm_rand *rand)
{
	struct sm_buf sealed;
	bool here = false;
	enum sm_err e = SM_OK;
	if (fresh) {
		e = is_here(&here, db, key, c);
		if (e == SM_OK && !here)
			e = make_room(db, c);
		if (e != SM_OK || here)
			return e;
	}
	sm_buf_init(&sealed, PACKED_MAX);
	e = seal_chain(&sealed, key, "chain", c, c->sender.pk, rand);
	if (e == SM_OK)
		e = insert(db, c, &sealed);
	if (e == SM_OK && c->skipped.changed)
		e = put_skipped(db, key, c, rand);
	sm_buf_release(&sealed);
	return e;
}

/* --- This device's own --- */

enum sm_err sm_chain_own(struct sm_sender_chain *c, struct sm_db *db, const uint8_t key[static 32], const char *group)
{
	struct sm_sender_chain r = {0};
	char id[SM_ID_LEN + 1];
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT id, sealed FROM own_chain WHERE team = ?1");
	sm_sql_text(q, 1, group);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && (!row || !sm_sql_get_text(q, 0, id, sizeof(id)) || !set_names(&r, group, id)))
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK)
		e = open_chain(&r, key, "own_chain", NULL, sm_sql_get_blob(q, 1));
	sm_sql_done(q);
	if (e == SM_OK)
		*c = r;
	sm_wipe(&r, sizeof(r));
	return e;
}

enum sm_err sm_chain_own_put(struct sm_db *db, const uint8_t key[static 32], const struct sm_sender_chain *c, const struct sm_rand *rand)
{
	struct sm_buf sealed;
	sqlite3_stmt *q = NULL;
	sm_buf_init(&sealed, PACKED_MAX);
	enum sm_err e = seal_chain(&sealed, key, "own_chain", c, NULL, rand);
	if (e == SM_OK)
		e = sm_sql_prepare(&q, db,
		                   "INSERT INTO own_chain (team, id, sealed) VALUES (?1, ?2, ?3) "
		                   "ON CONFLICT (team) DO UPDATE SET id = ?2, sealed = ?3");
	sm_sql_text(q, 1, c->group);
	sm_sql_text(q, 2, c->id);
	sm_sql_blob(q, 3, sealed.data, sealed.len);
	e = sm_sql_run(db, q, e, NULL);
	sm_buf_release(&sealed);
	return e;
}

enum sm_err sm_chain_given(struct sm_buf *fps, struct sm_db *db, const char *chain)
{
	uint8_t fp[SM_FP_LEN];
	struct sm_buf all;
	sqlite3_stmt *q;
	bool row = false;
	sm_buf_init(&all, FPS_MAX);
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT fp FROM chain_given WHERE chain = ?1 ORDER BY fp");
	sm_sql_text(q, 1, chain);
	while (e == SM_OK && (e = sm_sql_step(db, q, &row)) == SM_OK && row)
		e = sm_sql_get_exact(q, 0, fp, sizeof(fp)) ? sm_buf_add(&all, fp, sizeof(fp)) : SM_ERR_FORMAT;
	sm_sql_done(q);
	if (e == SM_OK)
		e = sm_buf_add(fps, all.data, all.len);
	sm_buf_release(&all);
	return e;
}

static enum sm_err run_given(struct sm_db *db, const char *sql, const char *chain, const uint8_t fp[static SM_FP_LEN])
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	sm_sql_text(q, 1, chain);
	sm_sql_blob(q, 2, fp, SM_FP_LEN);
	return sm_sql_run(db, q, e, NULL);
}

enum sm_err sm_chain_give(struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN])
{
	return run_given(db, "INSERT OR IGNORE INTO chain_given (chain, fp) VALUES (?1, ?2)", chain, fp);
}

enum sm_err sm_chain_ungive(struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN])
{
	return run_given(db, "DELETE FROM chain_given WHERE chain = ?1 AND fp = ?2", chain, fp);
}

/* --- Sweeping --- */

/* Appends lp() of each row's text; group NULL: the statement has no parameter. */
static enum sm_err texts(struct sm_buf *out, struct sm_db *db, const char *sql, const char *group)
{
	sqlite3_stmt *q;
	char text[SM_ADDRESS_MAX + 1];
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	if (group)
		sm_sql_text(q, 1, group);
	while (e == SM_OK && (e = sm_sql_step(db, q, &row)) == SM_OK && row)
		e = sm_sql_get_text(q, 0, text, sizeof(text)) ? sm_buf_add_lp(out, text, strlen(text) + 1) : SM_ERR_FORMAT;
	sm_sql_done(q);
	return e;
}

static enum sm_err drop_sender(struct sm_db *db, const char *group, const char *address)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "DELETE FROM chain WHERE team = ?1 AND address = ?2");
	sm_sql_text(q, 1, group);
	sm_sql_text(q, 2, address);
	return sm_sql_run(db, q, e, NULL);
}

static enum sm_err set_swept(struct sm_db *db, const char *group, uint64_t epoch)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "UPDATE team SET swept = ?2 WHERE id = ?1");
	sm_sql_text(q, 1, group);
	sm_sql_int(q, 2, (int64_t)epoch);
	return sm_sql_run(db, q, e, NULL);
}

static enum sm_err sweep_group(struct sm_db *db, const char *group)
{
	struct sm_roster r = {0};
	struct sm_buf senders;
	struct sm_span address;
	sm_buf_init(&senders, LIST_MAX);
	enum sm_err e = sm_group_roster(&r, NULL, db, group, 0);
	if (e == SM_OK)
		e = texts(&senders, db, "SELECT DISTINCT address FROM chain WHERE team = ?1", group);
	struct sm_span left = {senders.data, senders.len};
	while (e == SM_OK && sm_span_take_lp(&left, &address))
		if (!sm_roster_find(&r, (const char *)address.p))
			e = drop_sender(db, group, (const char *)address.p);
	if (e == SM_OK)
		e = set_swept(db, group, r.epoch);
	sm_roster_release(&r);
	sm_buf_release(&senders);
	return e;
}

static enum sm_err forget_old(struct sm_db *db, int64_t now)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "DELETE FROM chain WHERE at < ?1");
	sm_sql_int(q, 1, now - CHAIN_SECONDS);
	return sm_sql_run(db, q, e, NULL);
}

enum sm_err sm_chain_sweep(struct sm_db *db, int64_t now)
{
	struct sm_buf groups;
	struct sm_span group;
	sm_buf_init(&groups, LIST_MAX);
	enum sm_err e = forget_old(db, now);
	if (e == SM_OK)
		e = texts(&groups, db, "SELECT id FROM team WHERE swept < (SELECT max(epoch) FROM roster WHERE roster.team = team.id)",
		          NULL);
	struct sm_span left = {groups.data, groups.len};
	while (e == SM_OK && sm_span_take_lp(&left, &group))
		e = sweep_group(db, (const char *)group.p);
	sm_buf_release(&groups);
	return e;
}
