/* The schema in numbered steps: user_version counts those a database has had. A step is never edited once released.
 *
 * Payloads, deliveries and idempotency records are heaps ordered by rowid, so that what arrives together is written together;
 * only the index over (mailbox, seq) is touched at as many places as there are mailboxes. refs has a row for payloads with
 * more than one delivery alone. */
#include "store_sqlite.h"

const char *const sm_migrations[] = {
        "CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, changed INTEGER NOT NULL,"
        "  disabled INTEGER NOT NULL DEFAULT 0, pk BLOB NOT NULL, salt BLOB NOT NULL, t INTEGER NOT NULL, m INTEGER NOT NULL,"
        "  stored_key BLOB NOT NULL, server_key BLOB NOT NULL) STRICT;"
        "CREATE TABLE device(id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, number INTEGER NOT NULL, pk BLOB NOT NULL,"
        "  fp BLOB NOT NULL, label TEXT NOT NULL, created INTEGER NOT NULL, UNIQUE(account, number)) STRICT;"
        "CREATE TABLE mailbox(device INTEGER PRIMARY KEY, reserved_seq INTEGER NOT NULL) STRICT;"
        "CREATE TABLE session(sid TEXT PRIMARY KEY, account INTEGER NOT NULL, device INTEGER NOT NULL, created INTEGER NOT NULL,"
        "  used INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL,"
        "  current BLOB NOT NULL, previous BLOB NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE INDEX session_account ON session(account);"
        "CREATE TABLE invite(hash BLOB PRIMARY KEY, name TEXT, uses INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE TABLE payload(id INTEGER PRIMARY KEY, sender INTEGER NOT NULL, received INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
        "CREATE TABLE refs(payload INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
        "CREATE TABLE delivery(id INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL, seq INTEGER NOT NULL, payload INTEGER NOT NULL,"
        "  shared INTEGER NOT NULL) STRICT;"
        "CREATE UNIQUE INDEX delivery_mailbox ON delivery(mailbox, seq);"
        "CREATE TABLE sent(id INTEGER PRIMARY KEY, account INTEGER NOT NULL, key TEXT NOT NULL, hash BLOB NOT NULL,"
        "  envelope TEXT NOT NULL, at INTEGER NOT NULL) STRICT;"
        "CREATE UNIQUE INDEX sent_key ON sent(key, account);",

        /* Sessions, devices, groups. account.list is the signed text of version `version`; next is the number of the next device. dead: the
         * mailboxes of removed devices, until they are swept. grp.maker counts towards the limit of groups made. */
        "ALTER TABLE account ADD COLUMN list TEXT;"
        "ALTER TABLE account ADD COLUMN version INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE account ADD COLUMN next INTEGER NOT NULL DEFAULT 2;"
        "ALTER TABLE device ADD COLUMN opk_highest INTEGER NOT NULL DEFAULT -1;"
        "CREATE TABLE spk(device INTEGER PRIMARY KEY, id INTEGER NOT NULL, created INTEGER NOT NULL, key BLOB NOT NULL,"
        "  signature BLOB NOT NULL) STRICT;"
        "CREATE TABLE opk(device INTEGER NOT NULL, id INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY(device, id)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE waiting(id TEXT PRIMARY KEY, account INTEGER NOT NULL, pk BLOB NOT NULL, label TEXT NOT NULL,"
        "  created INTEGER NOT NULL, expires INTEGER NOT NULL, approved INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
        "CREATE INDEX waiting_account ON waiting(account);"
        "CREATE TABLE dead(mailbox INTEGER PRIMARY KEY) STRICT;"
        "CREATE TABLE grp(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, title TEXT NOT NULL, epoch INTEGER NOT NULL,"
        "  hash BLOB NOT NULL, maker INTEGER NOT NULL) STRICT;"
        "CREATE INDEX grp_maker ON grp(maker);"
        "CREATE TABLE roster(id INTEGER PRIMARY KEY, grp INTEGER NOT NULL, epoch INTEGER NOT NULL, at INTEGER NOT NULL,"
        "  text TEXT NOT NULL, UNIQUE(grp, epoch)) STRICT;"
        "CREATE TABLE member(grp INTEGER NOT NULL, account INTEGER NOT NULL, PRIMARY KEY(grp, account)) STRICT, WITHOUT ROWID;"
        "CREATE INDEX member_account ON member(account);",
};
const int sm_nmigrations = sizeof sm_migrations / sizeof *sm_migrations;
