/* The handlers, one file an area. Each owns its request until it has replied. */
#ifndef SM_SMSERVER_API_H
#define SM_SMSERVER_API_H

#include "../accounts.h"
#include "../json.h"
#include "../queue.h"
#include "../server.h"
#include "../session.h"
#include "../worker.h"

#include <stdio.h>

/* A change asked for by a request: what most writing handlers keep. Allocated by sm_api_op, freed with the request. */
struct sm_api_op {
	struct sm_op op; /* first: the op is the whole */
	struct sm_req *req;
	enum sm_err answer; /* what the store said, for done to tell the client */
};
/* size bytes, zeroed, starting with a struct sm_api_op; req->ctx owns them. Answers 500 and returns NULL when out of memory. */
void *sm_api_op(struct sm_req *req, size_t size, enum sm_err (*run)(struct sm_op *, struct sm_store *), void (*done)(struct sm_op *));
/* Queues it, or answers 503. */
void sm_api_submit(struct sm_req *req, void *op);
/* In done: true when it is committed; else the problem has been answered. */
bool sm_api_committed(const struct sm_api_op *x);
/* name@origin */
void sm_api_address(const struct sm_server *s, char out[static SM_ADDRESS_MAX + 1], const char *name);
/* The value of a query member that is a decimal number from min to max; fallback when it is not there. Answers 400 and returns false. */
bool sm_api_query_number(struct sm_req *req, const char *name, uint64_t fallback, uint64_t min, uint64_t max, uint64_t *out);
/* No member of the query twice, and not more than 16. */
bool sm_api_query_clear(const struct sm_req *req);
/* Is it there, in whatever form? */
bool sm_api_query_has(const struct sm_req *req, const char *name);
/* Copies the raw value of a query member. false when absent, or longer than size - 1. */
bool sm_api_query(const struct sm_req *req, const char *name, char *out, size_t size);
/* The account of that name; NULL: 404 has been answered, for a disabled one too. The caller's reference. */
struct sm_account *sm_api_account(struct sm_req *req, const char *name);
/* The session's own account (the caller's reference) and its device in there. NULL: the device has gone meanwhile, or there was another
 * problem, and it has been answered. */
const struct sm_device *sm_api_own_device(struct sm_req *req, struct sm_account **account);
/* The signed device list, or null. */
json_t *sm_api_list(const struct sm_account *a);
json_t *sm_api_fingerprint(const uint8_t fp[static SM_FP_LEN]);
json_t *sm_api_identity(const uint8_t pk[static SM_PK_LEN]);
/* "SM-AUTH-v1\0" | lp(purpose) | lp(origin) | lp(user) | device | nonce | be64 expires: the bytes a device signs. */
struct sm_challenge;
SM_CHECKED enum sm_err sm_api_signed(struct sm_buf *b, const struct sm_server *s, const struct sm_challenge *c);
/* Uses up the challenge and checks the signature over it. SM_ERR_DENIED; SM_ERR_BUSY. */
SM_CHECKED enum sm_err sm_api_prove(struct sm_server *s, struct sm_challenge *c, const uint8_t sig[static 64],
                                    const uint8_t pk[static SM_PK_LEN]);
/* What sm_api_prove said: true, or the problem has been answered. */
bool sm_api_proven(struct sm_req *req, enum sm_err e);
/* Printable ASCII? */
bool sm_api_label_ok(const char *s);
/* An unknown person's login: salt and kdf are fixed by the name, so that asking twice tells nothing. Sets c->salt, t and m; row NULL:
 * unknown. */
void sm_api_login_kdf(const struct sm_server *s, struct sm_challenge *c, const struct sm_account_row *row);

void sm_api_policy(struct sm_req *req);
void sm_api_healthz(struct sm_req *req);
void sm_api_readyz(struct sm_req *req);
void sm_api_challenge(struct sm_req *req);
void sm_api_register(struct sm_req *req);
void sm_api_login(struct sm_req *req);
void sm_api_refresh(struct sm_req *req);
void sm_api_logout(struct sm_req *req);
void sm_api_sessions_get(struct sm_req *req);
void sm_api_session_delete(struct sm_req *req);
void sm_api_sessions_delete(struct sm_req *req);
void sm_api_keys_get(struct sm_req *req);
void sm_api_identity_put(struct sm_req *req);
void sm_api_users_get(struct sm_req *req);
void sm_api_user_get(struct sm_req *req);
void sm_api_spk_put(struct sm_req *req);
void sm_api_opks_post(struct sm_req *req);
void sm_api_keys_count(struct sm_req *req);
void sm_api_bundle_get(struct sm_req *req);
void sm_api_bundles_post(struct sm_req *req);
void sm_api_devices_get(struct sm_req *req);
void sm_api_devices_put(struct sm_req *req);
void sm_api_waiting_delete(struct sm_req *req);
void sm_api_enroll(struct sm_req *req);
void sm_api_enroll_get(struct sm_req *req);
void sm_api_groups_post(struct sm_req *req);
void sm_api_groups_get(struct sm_req *req);
void sm_api_group_put(struct sm_req *req);
void sm_api_group_get(struct sm_req *req);
void sm_api_group_delete(struct sm_req *req);
void sm_api_group_members(struct sm_req *req);
void sm_api_messages_post(struct sm_req *req);
void sm_api_messages_get(struct sm_req *req);
void sm_api_messages_delete(struct sm_req *req);
void sm_api_stream(struct sm_req *req);

#endif
