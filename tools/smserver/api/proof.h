/* What a login and the enrolment of a device prove alike: the password, by SCRAM's algebra, and a device's key (sm-protocol(7), "Password
 * values"). Whoever is named, known or not, the same work is done. */
#ifndef SM_SMSERVER_API_PROOF_H
#define SM_SMSERVER_API_PROOF_H

#include "../challenge.h"
#include "api.h"

/* The first seven are the request's; device is a fingerprint. */
struct sm_proof {
	char origin[262], user[SM_NAME_MAX + 1];
	uint8_t device[32], nonce[32], cnonce[32], proof[32], signature[64];
	uint8_t server_signature[32]; /* set by sm_proof_check */
	struct sm_challenge challenge;
};

/* The members of a request that fill p: origin, user, nonce, cnonce, proof, signature. */
#define SM_PROOF_MEMBERS(p)                                                                                                                \
	{"origin", SM_JSON_TEXT, (p)->origin, sizeof(p)->origin, false, NULL},                                                             \
	        {"user", SM_JSON_TEXT, (p)->user, sizeof(p)->user, false, "bad_name"},                                                     \
	        {"nonce", SM_JSON_BYTES, (p)->nonce, sizeof(p)->nonce, false, NULL},                                                       \
	        {"cnonce", SM_JSON_BYTES, (p)->cnonce, sizeof(p)->cnonce, false, NULL},                                                    \
	        {"proof", SM_JSON_BYTES, (p)->proof, sizeof(p)->proof, false, NULL},                                                       \
	{                                                                                                                                  \
		"signature", SM_JSON_BYTES, (p)->signature, sizeof(p)->signature, false, NULL                                              \
	}

/* Is p for this server, and its user a name? Answers 400 and returns false. */
bool sm_proof_form(struct sm_req *req, const struct sm_proof *p);
/* From the store and not from the cache, which would tell by its speed. False: *a is nobody's, whom no proof fits. */
bool sm_proof_account(struct sm_req *req, const struct sm_proof *p, struct sm_account_row *a);
/* Uses the challenge up and checks both proofs, that of the device under pk. SM_ERR_DENIED; SM_ERR_BUSY: too many challenges are used. */
SM_CHECKED enum sm_err sm_proof_check(struct sm_server *s, struct sm_proof *p, enum sm_purpose purpose, const struct sm_account_row *a,
                                      bool known, const uint8_t pk[static SM_PK_LEN]);
/* 401 login_refused. */
void sm_proof_refuse(struct sm_req *req);

#endif
