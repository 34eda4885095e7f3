/* Keys and prekeys. Of a device list only the signed text counts; what else an answer says of devices has to agree with it. */
#include "net/keys.h"

#include "net/json.h"
#include "net/keys_read.h"

#include <stdio.h>
#include <string.h>

#define KEYS "/api/v1/keys/"
#define WANT_MAX 1024 /* accounts in one call */

/* --- Reading --- */

bool sm_read_u32(const json_t *o, const char *name, uint32_t *out)
{
	int64_t v;
	if (!sm_json_number(o, name, &v) || v < 1 || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

bool sm_read_identity(struct sm_public *pub, const json_t *o, const char *name)
{
	char text[SM_PUBLIC_TEXT_MAX + 1];
	return sm_json_text(o, name, text, sizeof(text)) && sm_public_parse(pub, text, strlen(text)) == SM_OK &&
	       pub->suite == &sm_suite_x25519;
}

bool sm_read_list(struct sm_device_list *l, char text[static SM_DEVICES_TEXT_MAX + 1], const json_t *o, const struct sm_address *who,
                  const uint8_t user[static SM_PK_LEN])
{
	const json_t *v = json_object_get(o, "list");
	if (!v || json_is_null(v)) {
		*text = 0;
		sm_device_list_implied(l, who, user);
		return true;
	}
	return sm_json_text(o, "list", text, SM_DEVICES_TEXT_MAX + 1) && sm_device_list_parse(l, text, strlen(text)) == SM_OK &&
	       !strcmp(l->address.text, who->text) && !memcmp(l->user, user, SM_PK_LEN);
}

bool sm_read_user(struct sm_user_key *k, const json_t *o, const struct sm_address *who)
{
	return sm_json_text(o, "address", k->address, sizeof(k->address)) && !strcmp(k->address, who->text) &&
	       sm_read_identity(&k->pub, o, "identity") && sm_read_list(&k->list, k->text, o, who, k->pub.ed25519);
}

/* The devices that an answer speaks of are those of the list, each once. An implied list knows no numbers. */
static bool devices_agree(const struct sm_device_list *l, const json_t *devices)
{
	struct sm_public pub;
	const json_t *o;
	size_t i;
	uint32_t number, seen = 0;
	if (json_array_size(devices) != l->n)
		return false;
	json_array_foreach(devices, i, o)
	{
		if (!sm_read_u32(o, "id", &number) || !sm_read_identity(&pub, o, "identity"))
			return false;
		const struct sm_listed_device *d = sm_device_list_find(l, pub.fp);
		if (!d || (l->version && d->number != number) || seen >> (d - l->device) & 1)
			return false;
		seen |= (uint32_t)1 << (d - l->device);
	}
	return true;
}
_Static_assert(SM_DEVICES_LIST_MAX <= 32, "a bit for each device");

enum sm_err sm_net_user_key(struct sm_user_key *k, struct sm_client *c, const struct sm_address *who)
{
	struct sm_user_key r;
	char path[64];
	json_t *j = NULL;
	(void)snprintf(path, sizeof(path), KEYS "%s", who->name);
	enum sm_err e = sm_client_json(c, true, "GET", path, NULL, &j);
	if (e != SM_OK)
		return e;
	if (!sm_read_user(&r, j, who) || !devices_agree(&r.list, json_object_get(j, "devices")))
		e = SM_ERR_PROTOCOL;
	else
		*k = r;
	json_decref(j);
	return e;
}

/* --- Bundles --- */

struct bundling {
	const struct sm_want *want;
	size_t n;
	enum sm_err (*fn)(void *ctx, const struct sm_bundle *b);
	void *ctx;
};

static json_t *ask_for(const struct sm_want *w)
{
	json_t *devices = json_array();
	for (size_t i = 0; i < w->n; i++)
		if (json_array_append_new(devices, json_integer(w->device[i]))) {
			json_decref(devices);
			return NULL;
		}
	return json_pack("{s:s, s:o}", "user", w->address.name, "devices", devices);
}

static json_t *ask_for_all(const struct bundling *b)
{
	json_t *list = json_array();
	for (size_t i = 0; i < b->n; i++)
		if (json_array_append_new(list, ask_for(&b->want[i]))) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{s:o}", "want", list);
}

static bool read_signed(struct sm_signed_prekey *p, const json_t *o)
{
	int64_t id;
	if (!sm_json_number(o, "id", &id) || id > UINT32_MAX || !sm_json_number(o, "created", &p->created))
		return false;
	p->id = (uint32_t)id;
	return sm_json_bytes(o, "key", p->key, sizeof(p->key)) && sm_json_bytes(o, "signature", p->sig, sizeof(p->sig));
}

static bool read_one_time(struct sm_bundle *b, const json_t *o)
{
	int64_t id;
	b->has_opk = !json_is_null(o);
	if (!b->has_opk)
		return true;
	if (!sm_json_number(o, "id", &id) || id > UINT32_MAX)
		return false;
	b->opk_id = (uint32_t)id;
	return sm_json_bytes(o, "key", b->opk, sizeof(b->opk));
}

/* The key is only decoded: it counts where it is one that a signed list has. */
static bool read_key(uint8_t pk[static SM_PK_LEN], const json_t *o)
{
	char text[80];
	return sm_json_text(o, "identity", text, sizeof(text)) && sm_bech32_decode(pk, SM_PK_LEN, "sm", text, strlen(text), false) == SM_OK;
}

/* left: the numbers that were asked for and not given yet; each is taken out as it comes. */
static enum sm_err take_device(const struct bundling *x, const struct sm_want *w, uint32_t *left, const json_t *o)
{
	struct sm_bundle b = {.end.address = w->address};
	const json_t *spk = json_object_get(o, "signed_prekey");
	size_t i = 0;
	if (!sm_read_u32(o, "id", &b.end.device) || !read_key(b.end.pk, o))
		return SM_ERR_PROTOCOL;
	while (i < w->n && w->device[i] != b.end.device)
		i++;
	if (i == w->n || !(*left >> i & 1))
		return SM_ERR_PROTOCOL;
	*left &= ~((uint32_t)1 << i);
	if (json_is_null(spk))
		return SM_OK;
	if (!read_signed(&b.spk, spk) || !read_one_time(&b, json_object_get(o, "one_time_prekey")))
		return SM_ERR_PROTOCOL;
	return x->fn(x->ctx, &b);
}

/* The answer has the accounts in an order of its own. */
static size_t which(const struct bundling *x, const char *address)
{
	size_t i = 0;
	while (i < x->n && strcmp(x->want[i].address.text, address) != 0)
		i++;
	return i;
}

static enum sm_err take_account(const struct bundling *x, bool *given, const json_t *o)
{
	char address[SM_ADDRESS_MAX + 1];
	const json_t *d, *devices = json_object_get(o, "devices");
	size_t i, at = x->n;
	uint32_t left = UINT32_MAX;
	enum sm_err e = SM_OK;
	if (sm_json_text(o, "address", address, sizeof(address)))
		at = which(x, address);
	if (at == x->n || given[at] || !json_is_array(devices))
		return SM_ERR_PROTOCOL;
	given[at] = true;
	json_array_foreach(devices, i, d) if (e == SM_OK) e = take_device(x, &x->want[at], &left, d);
	return e;
}

static enum sm_err take_all(const struct bundling *x, const json_t *answer)
{
	bool given[WANT_MAX] = {0};
	const json_t *o, *list = json_object_get(answer, "bundles");
	size_t i;
	enum sm_err e = json_is_array(list) ? SM_OK : SM_ERR_PROTOCOL;
	json_array_foreach(list, i, o) if (e == SM_OK) e = take_account(x, given, o);
	return e;
}

static enum sm_err one_call(struct sm_client *c, const struct bundling *x)
{
	json_t *ask = ask_for_all(x), *answer = NULL;
	enum sm_err e = ask ? sm_client_json(c, true, "POST", KEYS "bundles", ask, &answer) : SM_ERR_NOMEM;
	if (e == SM_OK)
		e = take_all(x, answer);
	json_decref(answer);
	json_decref(ask);
	return e;
}

enum sm_err sm_net_bundles(struct sm_client *c, const struct sm_want *want, size_t n,
                           enum sm_err (*fn)(void *ctx, const struct sm_bundle *b), void *ctx)
{
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < n; i += WANT_MAX) {
		struct bundling x = {.want = want + i, .n = n - i < WANT_MAX ? n - i : WANT_MAX, .fn = fn, .ctx = ctx};
		e = one_call(c, &x);
	}
	return e;
}

/* --- This device's prekeys --- */

static bool read_count(struct sm_prekey_count *n, const json_t *j)
{
	const json_t *spk = json_object_get(j, "signed_prekey"), *highest = json_object_get(j, "highest");
	int64_t id;
	n->has_signed = !json_is_null(spk);
	if (n->has_signed) {
		if (!sm_json_number(spk, "id", &id) || id > UINT32_MAX || !sm_json_number(spk, "created", &n->signed_created))
			return false;
		n->signed_id = (uint32_t)id;
	}
	if (!sm_json_number(j, "one_time", &n->one_time) || !json_is_integer(highest))
		return false;
	n->highest = json_integer_value(highest);
	return n->highest >= -1 && n->highest <= UINT32_MAX;
}

enum sm_err sm_net_prekey_count(struct sm_prekey_count *n, struct sm_client *c)
{
	struct sm_prekey_count r = {0};
	json_t *j = NULL;
	enum sm_err e = sm_client_json(c, true, "GET", KEYS "count", NULL, &j);
	if (e == SM_OK && !read_count(&r, j))
		e = SM_ERR_PROTOCOL;
	if (e == SM_OK)
		*n = r;
	json_decref(j);
	return e;
}

enum sm_err sm_net_signed_prekey_put(struct sm_client *c, const struct sm_signed_prekey *p)
{
	json_t *ask = json_pack("{s:I, s:I, s:o, s:o}", "id", (json_int_t)p->id, "created", (json_int_t)p->created, "key",
	                        sm_json_base64(p->key, sizeof(p->key)), "signature", sm_json_base64(p->sig, sizeof(p->sig)));
	enum sm_err e = ask ? sm_client_json(c, true, "PUT", KEYS "signed-prekey", ask, NULL) : SM_ERR_NOMEM;
	json_decref(ask);
	return e;
}

enum sm_err sm_net_prekeys_put(struct sm_client *c, const uint32_t *id, const uint8_t (*pk)[32], size_t n)
{
	json_t *list = json_array(), *ask;
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < n; i++)
		if (json_array_append_new(list, json_pack("{s:I, s:o}", "id", (json_int_t)id[i], "key", sm_json_base64(pk[i], 32))))
			e = SM_ERR_NOMEM;
	ask = json_pack("{s:o}", "keys", list);
	if (e == SM_OK)
		e = ask ? sm_client_json(c, true, "POST", KEYS "one-time-prekeys", ask, NULL) : SM_ERR_NOMEM;
	json_decref(ask);
	return e;
}
