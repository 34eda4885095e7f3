/* Open invitations: rows of team in the state INVITED, in the order in which they were told of (column told). */
#include "store/invitations.h"

#include "store/sql.h"

/* The oldest beyond those that are kept. SM_ERR_NOTFOUND. */
static enum sm_err beyond(char id[static SM_ID_LEN + 1], struct sm_db *db, const char *teller)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e =
	        sm_sql_prepare(&q, db, "SELECT id FROM team WHERE state = ?1 AND teller = ?2 ORDER BY told DESC, id LIMIT 1 OFFSET ?3");
	sm_sql_int(q, 1, SM_GROUP_INVITED);
	sm_sql_text(q, 2, teller);
	sm_sql_int(q, 3, SM_INVITATIONS_MAX);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && (!row || !sm_sql_get_text(q, 0, id, SM_ID_LEN + 1)))
		e = SM_ERR_NOTFOUND;
	sm_sql_done(q);
	return e;
}

static enum sm_err drop(struct sm_db *db, const char *id)
{
	struct sm_group g;
	enum sm_err e = sm_group_get(&g, db, id);
	if (e != SM_OK)
		return e;
	if (!g.epoch)
		return sm_group_forget(db, id);
	g.state = SM_GROUP_LEFT;
	return sm_group_put(db, &g);
}

enum sm_err sm_invitations_trim(struct sm_db *db, const char *teller)
{
	char id[SM_ID_LEN + 1];
	enum sm_err e;
	while ((e = beyond(id, db, teller)) == SM_OK)
		if ((e = drop(db, id)) != SM_OK)
			return e;
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}
