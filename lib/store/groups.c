/* Groups and their rosters. A group's epoch is that of its newest stored roster, so that the two cannot disagree; a roster is only ever
 * added behind the newest one, by its hash. Chains are groups_chain.c's. */
#include "store/groups.h"

#include "store/sql.h"

#include <stdio.h>
#include <string.h>

#define ALIASES_MAX 100000
#define LIST_MAX ((size_t)16 << 20)
#define ROSTER_BYTES ((size_t)16 << 20) /* of a group's rosters whose text is kept */

#define SELECT_GROUP                                                                                                                       \
	"SELECT id, alias, state, expect, expected, (SELECT coalesce(max(epoch), 0) FROM roster WHERE roster.team = team.id), teller, "    \
	"chosen "                                                                                                                          \
	"FROM team "

static enum sm_err read_group(struct sm_group *g, sqlite3_stmt *q)
{
	struct sm_group r = {.expect = (uint64_t)sqlite3_column_int64(q, 3), .epoch = (uint64_t)sqlite3_column_int64(q, 5)};
	int state = sqlite3_column_int(q, 2);
	if (!sm_sql_get_text(q, 0, r.id, sizeof(r.id)) || !sm_sql_get_text(q, 1, r.alias, sizeof(r.alias)) ||
	    !sm_sql_get_exact(q, 4, r.expected, sizeof(r.expected)) || !sm_sql_get_text(q, 6, r.teller, sizeof(r.teller)) ||
	    state < SM_GROUP_INVITED || state > SM_GROUP_LEFT)
		return SM_ERR_FORMAT;
	r.state = (enum sm_group_state)state;
	r.chosen = sqlite3_column_int(q, 7) != 0;
	*g = r;
	return SM_OK;
}

static enum sm_err find(struct sm_group *g, struct sm_db *db, const char *sql, const char *what)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	sm_sql_text(q, 1, what);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK)
		e = row ? read_group(g, q) : SM_ERR_NOTFOUND;
	sm_sql_done(q);
	return e;
}

enum sm_err sm_group_get(struct sm_group *g, struct sm_db *db, const char *id) { return find(g, db, SELECT_GROUP "WHERE id = ?1", id); }

enum sm_err sm_group_by_alias(struct sm_group *g, struct sm_db *db, const char *alias)
{
	return find(g, db, SELECT_GROUP "WHERE alias = ?1 AND alias <> ''", alias);
}

/* The first of alias, alias-2, alias-3 ... that no other group has; the alias is cut where it would become too long. */
static enum sm_err choose_alias(char out[static SM_NAME_MAX + 1], struct sm_db *db, const struct sm_group *g)
{
	struct sm_group other;
	char suffix[16] = "", name[SM_NAME_MAX + 1];
	for (unsigned i = 2; i < ALIASES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%.*s%s", (int)(SM_NAME_MAX - strlen(suffix)), g->alias, suffix);
		enum sm_err e = sm_group_by_alias(&other, db, name);
		if (e == SM_ERR_NOTFOUND || (e == SM_OK && !strcmp(other.id, g->id))) {
			memcpy(out, name, sizeof(name));
			return SM_OK;
		}
		if (e != SM_OK)
			return e;
		(void)snprintf(suffix, sizeof(suffix), "-%u", i);
	}
	return SM_ERR_LIMIT;
}

enum sm_err sm_group_put(struct sm_db *db, struct sm_group *g)
{
	sqlite3_stmt *q;
	char alias[SM_NAME_MAX + 1];
	enum sm_err e = choose_alias(alias, db, g);
	if (e != SM_OK)
		return e;
	e = sm_sql_prepare(&q, db,
	                   "INSERT INTO team (id, alias, state, expect, expected, teller, chosen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
	                   "ON CONFLICT (id) DO UPDATE SET alias = ?2, state = ?3, expect = ?4, expected = ?5, teller = ?6, chosen = ?7");
	sm_sql_text(q, 1, g->id);
	sm_sql_text(q, 2, alias);
	sm_sql_int(q, 3, g->state);
	sm_sql_int(q, 4, (int64_t)g->expect);
	sm_sql_blob(q, 5, g->expected, sizeof(g->expected));
	sm_sql_text(q, 6, g->teller);
	sm_sql_int(q, 7, g->chosen);
	e = sm_sql_run(db, q, e, NULL);
	if (e == SM_OK)
		memcpy(g->alias, alias, sizeof(alias));
	return e;
}

static enum sm_err ids(struct sm_buf *out, struct sm_db *db)
{
	sqlite3_stmt *q;
	char id[SM_ID_LEN + 1];
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT id FROM team ORDER BY alias, id");
	while (e == SM_OK && (e = sm_sql_step(db, q, &row)) == SM_OK && row)
		e = sm_sql_get_text(q, 0, id, sizeof(id)) ? sm_buf_add(out, id, sizeof(id)) : SM_ERR_FORMAT;
	sm_sql_done(q);
	return e;
}

/* The ids first, then each by itself: fn may use the database, and take its time. */
enum sm_err sm_group_each(struct sm_db *db, sm_group_fn *fn, void *ctx)
{
	struct sm_group g;
	struct sm_buf list;
	const uint8_t *id;
	sm_buf_init(&list, LIST_MAX);
	enum sm_err e = ids(&list, db);
	struct sm_span left = {list.data, list.len};
	while (e == SM_OK && sm_span_take(&left, SM_ID_LEN + 1, &id)) {
		e = sm_group_get(&g, db, (const char *)id);
		if (e == SM_OK)
			e = fn(ctx, &g);
		else if (e == SM_ERR_NOTFOUND)
			e = SM_OK; /* forgotten meanwhile */
	}
	sm_buf_release(&list);
	return e;
}

/* --- Rosters --- */

/* SM_ERR_NOTFOUND. */
static enum sm_err hash_of(uint8_t hash[static 32], struct sm_db *db, const char *group, uint64_t epoch)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT hash FROM roster WHERE team = ?1 AND epoch = ?2");
	sm_sql_text(q, 1, group);
	sm_sql_int(q, 2, (int64_t)epoch);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && !row)
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK && !sm_sql_get_exact(q, 0, hash, 32))
		e = SM_ERR_FORMAT;
	sm_sql_done(q);
	return e;
}

static enum sm_err insert_roster(struct sm_db *db, const struct sm_roster *r, const char *text, size_t n)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "INSERT INTO roster (team, epoch, hash, text) VALUES (?1, ?2, ?3, ?4)");
	sm_sql_text(q, 1, r->group);
	sm_sql_int(q, 2, (int64_t)r->epoch);
	sm_sql_blob(q, 3, r->hash, sizeof(r->hash));
	sm_sql_blob(q, 4, text, n);
	return sm_sql_run(db, q, e, NULL);
}

/* Old ones say nothing that a message of these days needs; their hashes stay, as the chain that the newest hangs on. */
static enum sm_err trim(struct sm_db *db, const struct sm_roster *r, size_t n)
{
	sqlite3_stmt *q;
	uint64_t keep = ROSTER_BYTES / (n + 1) + 2;
	if (r->epoch <= keep)
		return SM_OK;
	enum sm_err e =
	        sm_sql_prepare(&q, db, "UPDATE roster SET text = NULL WHERE team = ?1 AND epoch <= ?2 AND epoch > ?3 AND text NOT NULL");
	sm_sql_text(q, 1, r->group);
	sm_sql_int(q, 2, (int64_t)(r->epoch - keep));
	sm_sql_int(q, 3, r->epoch > 4 * keep ? (int64_t)(r->epoch - 4 * keep) : 0);
	return sm_sql_run(db, q, e, NULL);
}

enum sm_err sm_group_roster_put(struct sm_db *db, const struct sm_roster *r, const char *text, size_t n)
{
	uint8_t hash[32];
	if (!r->epoch || r->epoch > INT64_MAX || n > SM_ROSTER_TEXT_MAX)
		return SM_ERR_LIMIT;
	enum sm_err e = hash_of(hash, db, r->group, r->epoch);
	if (e == SM_OK)
		return memcmp(hash, r->hash, sizeof(hash)) == 0 ? SM_OK : SM_ERR_POLICY;
	if (e == SM_ERR_NOTFOUND && r->epoch > 1) {
		e = hash_of(hash, db, r->group, r->epoch - 1);
		if (e == SM_ERR_NOTFOUND || (e == SM_OK && memcmp(hash, r->previous, sizeof(hash)) != 0))
			e = SM_ERR_POLICY;
	} else if (e == SM_ERR_NOTFOUND) {
		e = SM_OK;
	}
	if (e == SM_OK)
		e = insert_roster(db, r, text, n);
	return e == SM_OK ? trim(db, r, n) : e;
}

enum sm_err sm_group_roster(struct sm_roster *r, struct sm_buf *text, struct sm_db *db, const char *group, uint64_t epoch)
{
	sqlite3_stmt *q;
	struct sm_roster read = {0};
	struct sm_span bytes = {0};
	bool row = false;
	if (epoch > INT64_MAX)
		return SM_ERR_NOTFOUND;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               epoch ? "SELECT text FROM roster WHERE team = ?1 AND epoch = ?2"
	                                     : "SELECT text FROM roster WHERE team = ?1 AND epoch > ?2 ORDER BY epoch DESC LIMIT 1");
	sm_sql_text(q, 1, group);
	sm_sql_int(q, 2, (int64_t)epoch);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && (!row || sqlite3_column_type(q, 0) == SQLITE_NULL))
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK) {
		bytes = sm_sql_get_blob(q, 0);
		e = sm_roster_parse(&read, (const char *)bytes.p, bytes.n);
	}
	if (e == SM_OK && text && (e = sm_buf_add(text, bytes.p, bytes.n)) != SM_OK)
		sm_roster_release(&read);
	if (e == SM_OK)
		*r = read;
	sm_sql_done(q);
	return e;
}

enum sm_err sm_group_forget(struct sm_db *db, const char *group)
{
	static const char *const sql[] = {"DELETE FROM team WHERE id = ?1", "DELETE FROM roster WHERE team = ?1",
	                                  "DELETE FROM chain WHERE team = ?1", "DELETE FROM own_chain WHERE team = ?1"};
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < sizeof(sql) / sizeof(sql[0]); i++) {
		sqlite3_stmt *q;
		e = sm_sql_prepare(&q, db, sql[i]);
		sm_sql_text(q, 1, group);
		e = sm_sql_run(db, q, e, NULL);
	}
	return e;
}
