/* Opening, migrating and transactions. Migrations are appended and never changed: user_version counts how many have run. */
#include "store/db.h"

#include "base/path.h"
#include "store/sql.h"
#include "store/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 10000

static const char *const migrations[] = {
        "CREATE TABLE contact ("
        " address TEXT PRIMARY KEY,"
        " identity TEXT NOT NULL,"
        " fp BLOB NOT NULL,"
        " trust INTEGER NOT NULL,"
        " seen TEXT,"
        " pinned INTEGER NOT NULL);"
        "CREATE INDEX contact_fp ON contact (fp);"
        "CREATE TABLE inbox ("
        " n INTEGER PRIMARY KEY AUTOINCREMENT,"
        " account TEXT NOT NULL,"
        " seq INTEGER NOT NULL,"
        " hash BLOB NOT NULL,"
        " received INTEGER NOT NULL,"
        " state INTEGER NOT NULL,"
        " meta BLOB NOT NULL,"
        " envelope BLOB NOT NULL,"
        " UNIQUE (account, seq, hash));"
        "CREATE INDEX inbox_state ON inbox (state, n);",
        /* Sessions and groups. Columns named sealed are store/sealed.h's; what a sweep or an order needs stands beside them. */
        "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
        "INSERT INTO counter VALUES ('one-time prekey', 0), ('signed prekey', 0), ('prekeys asked', 0);"
        "CREATE TABLE prekey ("
        " signed INTEGER NOT NULL,"
        " id INTEGER NOT NULL,"
        " created INTEGER NOT NULL,"
        " sent INTEGER NOT NULL,"
        " sealed BLOB NOT NULL,"
        " PRIMARY KEY (signed, id)) WITHOUT ROWID;"
        "CREATE TABLE first_seen ("
        " peer BLOB NOT NULL,"
        " eka BLOB NOT NULL,"
        " spk INTEGER NOT NULL,"
        " at INTEGER NOT NULL,"
        " PRIMARY KEY (peer, eka)) WITHOUT ROWID;"
        "CREATE TABLE pair ("
        " n INTEGER PRIMARY KEY,"
        " peer BLOB NOT NULL,"
        " eka BLOB NOT NULL,"
        " received INTEGER NOT NULL," /* grows with each reception among those of a peer; 0: nothing was */
        " made INTEGER NOT NULL,"     /* grows with each session of a peer */
        " sealed BLOB NOT NULL,"
        " UNIQUE (peer, eka));"
        /* Apart, because it may be a hundred times as long, and changes seldom. */
        "CREATE TABLE pair_skipped (n INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
        "CREATE TRIGGER pair_gone AFTER DELETE ON pair BEGIN DELETE FROM pair_skipped WHERE n = OLD.n; END;"
        "CREATE TABLE device_list ("
        " address TEXT PRIMARY KEY,"
        " user BLOB NOT NULL,"
        " version INTEGER NOT NULL,"
        " text BLOB) WITHOUT ROWID;"
        "CREATE TABLE listed_device (fp BLOB NOT NULL, address TEXT NOT NULL, PRIMARY KEY (fp, address)) WITHOUT ROWID;"
        "CREATE INDEX listed_device_address ON listed_device (address);"
        "CREATE TABLE outbox ("
        " n INTEGER PRIMARY KEY AUTOINCREMENT,"
        " account TEXT NOT NULL,"
        " key TEXT NOT NULL,"
        " id TEXT NOT NULL,"
        " created INTEGER NOT NULL,"
        " state INTEGER NOT NULL,"
        " part INTEGER NOT NULL,"
        " parent TEXT NOT NULL,"
        " query TEXT NOT NULL,"
        " bytes INTEGER NOT NULL,"
        " sealed BLOB NOT NULL,"
        " envelope BLOB NOT NULL,"
        " UNIQUE (account, key));"
        "CREATE INDEX outbox_id ON outbox (id);"
        "CREATE INDEX outbox_part ON outbox (parent, part) WHERE part > 0;"
        "CREATE INDEX outbox_age ON outbox (created);"
        "CREATE INDEX outbox_sent ON outbox (n, bytes) WHERE state = 1;"
        "CREATE TABLE heal ("
        " asked INTEGER NOT NULL,"
        " fp BLOB NOT NULL,"
        " id TEXT NOT NULL,"
        " count INTEGER NOT NULL,"
        " at INTEGER NOT NULL,"
        " PRIMARY KEY (asked, fp, id)) WITHOUT ROWID;"
        "CREATE INDEX heal_age ON heal (at);"
        "CREATE TABLE team ("
        " id TEXT PRIMARY KEY,"
        " alias TEXT NOT NULL,"
        " state INTEGER NOT NULL,"
        " expect INTEGER NOT NULL,"
        " expected BLOB NOT NULL,"
        " swept INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;" /* the epoch for which removed members' chains are gone */
        "CREATE UNIQUE INDEX team_alias ON team (alias) WHERE alias <> '';"
        "CREATE TABLE roster ("
        " n INTEGER PRIMARY KEY,"
        " team TEXT NOT NULL,"
        " epoch INTEGER NOT NULL,"
        " hash BLOB NOT NULL,"
        " text BLOB," /* NULL where it is too old to be of use */
        " UNIQUE (team, epoch));"
        "CREATE TABLE chain ("
        " n INTEGER PRIMARY KEY,"
        " team TEXT NOT NULL,"
        " sender BLOB NOT NULL,"
        " id TEXT NOT NULL,"
        " address TEXT NOT NULL," /* the sender's, for the sweep */
        " at INTEGER NOT NULL,"
        " sealed BLOB NOT NULL,"
        " UNIQUE (team, sender, id));"
        "CREATE INDEX chain_age ON chain (at);"
        "CREATE TABLE chain_skipped (n INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
        "CREATE TRIGGER chain_gone AFTER DELETE ON chain BEGIN DELETE FROM chain_skipped WHERE n = OLD.n; END;"
        "CREATE TABLE own_chain (team TEXT PRIMARY KEY, id TEXT NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE chain_given (chain TEXT NOT NULL, fp BLOB NOT NULL, PRIMARY KEY (chain, fp)) WITHOUT ROWID;"
        "CREATE TRIGGER own_chain_gone AFTER DELETE ON own_chain"
        " BEGIN DELETE FROM chain_given WHERE chain = OLD.id; END;"
        "CREATE TRIGGER own_chain_new AFTER UPDATE OF id ON own_chain WHEN NEW.id <> OLD.id"
        " BEGIN DELETE FROM chain_given WHERE chain = OLD.id; END;",
        /* Messages by whose they are (store/healing.h); waits: 1 for those that may be asked for, 2 for others that did not open. And what
         * others have asked for. */
        "ALTER TABLE inbox ADD COLUMN ref BLOB;"
        "ALTER TABLE inbox ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;"
        "CREATE INDEX inbox_ref ON inbox (ref) WHERE ref IS NOT NULL;"
        "CREATE INDEX inbox_ref_hash ON inbox (hash) WHERE ref IS NOT NULL;"
        "CREATE INDEX inbox_waits ON inbox (n) WHERE waits = 1;"
        "CREATE TABLE wanted ("
        " n INTEGER PRIMARY KEY,"
        " address TEXT NOT NULL,"
        " fp BLOB NOT NULL,"
        " id TEXT NOT NULL,"
        " key TEXT NOT NULL," /* the idempotency key of what answers it */
        " at INTEGER NOT NULL,"
        " UNIQUE (fp, id));",
        "ALTER TABLE team ADD COLUMN teller TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE team ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0;",
        /* What came is remembered by its bytes, whatever it was. Who could read a group's messages when they were sent: chains of this
         * device, also those that others have taken the place of (until: when), and the last row of the outbox that was made before the
         * device was one of the readers. Invitations have an order. */
        "DROP INDEX inbox_ref_hash;"
        "CREATE INDEX inbox_hash ON inbox (hash);"
        "CREATE TABLE chain_reader ("
        " chain TEXT NOT NULL,"
        " fp BLOB NOT NULL,"
        " since INTEGER NOT NULL,"
        " until INTEGER NOT NULL DEFAULT 0,"
        " PRIMARY KEY (chain, fp)) WITHOUT ROWID;"
        "CREATE INDEX chain_reader_until ON chain_reader (until) WHERE until > 0;"
        "INSERT INTO chain_reader (chain, fp, since) SELECT chain, fp, (SELECT ifnull(max(n), 0) FROM outbox) FROM chain_given;"
        "CREATE TRIGGER chain_read AFTER INSERT ON chain_given BEGIN"
        " INSERT OR IGNORE INTO chain_reader (chain, fp, since)"
        " VALUES (NEW.chain, NEW.fp, (SELECT ifnull(max(n), 0) FROM outbox)); END;"
        "CREATE TRIGGER own_chain_readers_old AFTER UPDATE OF id ON own_chain WHEN NEW.id <> OLD.id BEGIN"
        " UPDATE chain_reader SET until = CAST(strftime('%s', 'now') AS INTEGER) WHERE chain = OLD.id;"
        " DELETE FROM chain_reader WHERE until > 0 AND until < CAST(strftime('%s', 'now') AS INTEGER) - 14 * 86400; END;" /* SM_OUTBOX_DAYS
                                                                                                                           */
        "CREATE TRIGGER own_chain_readers_gone AFTER DELETE ON own_chain"
        " BEGIN DELETE FROM chain_reader WHERE chain = OLD.id; END;"
        "ALTER TABLE team ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
        "CREATE TRIGGER team_told AFTER INSERT ON team"
        " BEGIN UPDATE team SET told = (SELECT max(told) + 1 FROM team) WHERE id = NEW.id; END;",
};
#define NMIGRATIONS ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

static enum sm_err run(struct sm_db *db, const char *sql) { return sm_sql_error(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL)); }

static enum sm_err version(struct sm_db *db, int64_t *v)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "PRAGMA user_version");
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK)
		*v = row ? sqlite3_column_int64(q, 0) : 0;
	sm_sql_done(q);
	return e;
}

/* Under the write lock the version is read again: another process may have migrated meanwhile. */
static enum sm_err migrate(struct sm_db *db)
{
	int64_t v = 0;
	char set[64];
	enum sm_err e = sm_db_begin(db);
	if (e == SM_OK)
		e = version(db, &v);
	for (; e == SM_OK && v < NMIGRATIONS; v++)
		e = run(db, migrations[v]);
	if (e == SM_OK) {
		(void)sqlite3_snprintf(sizeof(set), set, "PRAGMA user_version = %lld", (long long)v);
		e = run(db, set);
	}
	if (e == SM_OK)
		e = sm_db_commit(db);
	if (e != SM_OK)
		sm_db_rollback(db);
	return e;
}

/* SQLite would make the file with the umask's mode; ours is 0600 from its first byte, and a looser one is refused. */
static enum sm_err make_private(const char *path)
{
	struct stat st;
	enum sm_err e = SM_OK;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return SM_ERR_CANTCREAT;
	if (fstat(fd, &st))
		e = SM_ERR_IO;
	else if (st.st_mode & 077)
		e = SM_ERR_PERM;
	(void)close(fd);
	return e;
}

static enum sm_err attach(struct sm_db *db)
{
	sqlite3 *handle = NULL;
	int rc = sqlite3_open_v2(db->path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, sm_vfs());
	db->sqlite = handle; /* also when it failed: it holds the reason, and wants closing */
	return sm_sql_error(db, rc);
}

enum sm_err sm_db_open(struct sm_db *db, const char *profile)
{
	struct sm_db d = {0};
	int64_t v = 0;
	enum sm_err e = sm_path(&d.path, SM_DIR_DATA, profile, "sm.db", 1);
	if (e == SM_OK)
		e = make_private(d.path);
	if (e == SM_OK)
		e = attach(&d);
	if (e == SM_OK)
		e = sm_sql_error(&d, sqlite3_busy_timeout(d.sqlite, BUSY_MS));
	if (e == SM_OK)
		e = run(&d, "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
	if (e == SM_OK)
		e = version(&d, &v);
	if (e == SM_OK && v > NMIGRATIONS)
		e = SM_ERR_FORMAT;
	if (e == SM_OK && v < NMIGRATIONS)
		e = migrate(&d);
	if (e == SM_OK)
		*db = d;
	else
		sm_db_close(&d);
	return e;
}

void sm_db_close(struct sm_db *db)
{
	int keep = errno;
	sqlite3_stmt *q;
	while (db->sqlite && (q = sqlite3_next_stmt(db->sqlite, NULL)))
		(void)sqlite3_finalize(q);
	if (db->sqlite)
		(void)sqlite3_close(db->sqlite);
	free(db->parsed);
	free(db->path);
	*db = (struct sm_db){0};
	errno = keep;
}

enum sm_err sm_db_begin(struct sm_db *db)
{
	enum sm_err e = run(db, db->depth ? "SAVEPOINT sm" : "BEGIN IMMEDIATE");
	db->depth += e == SM_OK;
	return e;
}

enum sm_err sm_db_commit(struct sm_db *db)
{
	enum sm_err e = run(db, db->depth > 1 ? "RELEASE sm" : "COMMIT");
	db->depth -= e == SM_OK;
	return e;
}

/* SQLite may have rolled everything back by itself already. */
void sm_db_rollback(struct sm_db *db)
{
	int keep = errno;
	db->depth -= db->depth > 0;
	if (!sqlite3_get_autocommit(db->sqlite))
		(void)sqlite3_exec(db->sqlite, db->depth ? "ROLLBACK TO sm; RELEASE sm" : "ROLLBACK", NULL, NULL, NULL);
	errno = keep;
}
