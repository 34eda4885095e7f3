/* The cache of accounts: a table of buckets under one lock. A drop bumps the generation, and what a loop has read from the
 * store before the drop is then not kept, so the cache never holds older data than the last commit. */
#include "accounts.h"

#include "crypto/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 16384, MOST = 65536 };

struct sm_accounts {
	pthread_mutex_t lock;
	atomic_ulong generation;
	size_t n;
	struct sm_account *bucket[BUCKETS];
};

static size_t slot(const char *name)
{
	uint32_t x = 2166136261U;

	for (; *name; name++)
		x = (x ^ (uint8_t)*name) * 16777619U;
	return (x ^ x >> 15) % BUCKETS;
}

struct sm_accounts *sm_accounts_new(void)
{
	struct sm_accounts *a = calloc(1, sizeof *a);

	if (a)
		pthread_mutex_init(&a->lock, NULL);
	return a;
}

static void forget_all(struct sm_accounts *a)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct sm_account *x = a->bucket[i], *next; x; x = next) {
			next = x->next;
			sm_account_release(x);
		}
	memset(a->bucket, 0, sizeof a->bucket);
	a->n = 0;
}

void sm_accounts_free(struct sm_accounts *a)
{
	if (!a)
		return;
	forget_all(a);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void sm_account_release(struct sm_account *a)
{
	if (a && atomic_fetch_sub(&a->refs, 1) == 1)
		free(a);
}

static struct sm_account *find(struct sm_accounts *a, const char *name)
{
	struct sm_account *x;

	for (x = a->bucket[slot(name)]; x && strcmp(x->name, name); x = x->next)
		;
	return x;
}

/* Keys were checked when they came in; checking them again here would make the first look at a large group slow. */
static void load_key(struct sm_account_key *k, const uint8_t pk[static SM_PK_LEN])
{
	memcpy(k->pk, pk, sizeof k->pk);
	sm_sha256(k->fp, pk, SM_PK_LEN);
}

/* All that the store has of one account, from one moment. */
struct rows {
	struct sm_account_row account;
	struct sm_list_row list;
	struct sm_device_row device[SM_DEVICES_MAX];
	size_t ndevice;
};

static enum sm_err load_rows(struct sm_reader *r, const char *name, struct rows *x)
{
	enum sm_err e = sm_reader_begin(r);

	if (!e)
		e = sm_reader_account(r, name, &x->account);
	if (!e)
		e = sm_reader_list(r, x->account.id, &x->list);
	if (!e)
		e = sm_reader_devices(r, x->account.id, x->device, &x->ndevice);
	sm_reader_end(r);
	return e;
}

static enum sm_err load(struct sm_reader *r, const char *name, struct sm_account **out)
{
	struct rows rows;
	enum sm_err e = load_rows(r, name, &rows);
	struct sm_account *x;

	if (e)
		return e;
	x = calloc(1, sizeof *x + strlen(rows.list.text) + 1);
	if (!x)
		return SM_ERR_NOMEM;
	atomic_init(&x->refs, 1);
	x->id = rows.account.id, x->created = rows.account.created, x->changed = rows.account.changed;
	x->disabled = rows.account.disabled;
	memcpy(x->name, rows.account.name, sizeof x->name);
	load_key(&x->identity, rows.account.pk);
	x->ndevice = rows.ndevice;
	for (size_t i = 0; i < rows.ndevice; i++) {
		x->device[i].mailbox = rows.device[i].id;
		x->device[i].number = rows.device[i].number;
		load_key(&x->device[i].key, rows.device[i].pk);
	}
	x->version = rows.list.version;
	x->next_device = rows.list.next;
	memcpy(x->list, rows.list.text, strlen(rows.list.text) + 1);
	sm_wipe(&rows.account, sizeof rows.account);
	*out = x;
	return SM_OK;
}

static void keep(struct sm_accounts *a, struct sm_account *x)
{
	size_t i = slot(x->name);

	if (a->n >= MOST)
		forget_all(a);
	atomic_fetch_add(&x->refs, 1);
	x->next = a->bucket[i];
	a->bucket[i] = x;
	a->n++;
}

enum sm_err sm_accounts_get(struct sm_accounts *a, struct sm_reader *r, const char *name, struct sm_account **out)
{
	struct sm_account *x;
	unsigned long generation;
	enum sm_err e;

	pthread_mutex_lock(&a->lock);
	x = find(a, name);
	if (x)
		atomic_fetch_add(&x->refs, 1);
	generation = atomic_load(&a->generation);
	pthread_mutex_unlock(&a->lock);
	if (x) {
		*out = x;
		return SM_OK;
	}
	e = load(r, name, &x);
	if (e)
		return e;
	pthread_mutex_lock(&a->lock);
	if (generation == atomic_load(&a->generation) && !find(a, name))
		keep(a, x);
	pthread_mutex_unlock(&a->lock);
	*out = x;
	return SM_OK;
}

void sm_accounts_drop(struct sm_accounts *a, const char *name)
{
	pthread_mutex_lock(&a->lock);
	atomic_fetch_add(&a->generation, 1);
	for (struct sm_account **p = &a->bucket[slot(name)], *x; (x = *p); p = &x->next)
		if (!strcmp(x->name, name)) {
			*p = x->next;
			a->n--;
			sm_account_release(x);
			break;
		}
	pthread_mutex_unlock(&a->lock);
}

void sm_accounts_changing(struct sm_accounts *a) { atomic_fetch_add(&a->generation, 1); }
void sm_accounts_changed(struct sm_accounts *a) { atomic_fetch_add(&a->generation, 1); }
unsigned long sm_accounts_generation(struct sm_accounts *a) { return atomic_load(&a->generation); }

const struct sm_device *sm_account_device(const struct sm_account *a, const uint8_t fp[static SM_FP_LEN])
{
	for (size_t i = 0; i < a->ndevice; i++)
		if (!memcmp(a->device[i].key.fp, fp, SM_FP_LEN)) /* public */
			return &a->device[i];
	return NULL;
}

const struct sm_device *sm_account_device_mailbox(const struct sm_account *a, int64_t mailbox)
{
	for (size_t i = 0; i < a->ndevice; i++)
		if (a->device[i].mailbox == mailbox)
			return &a->device[i];
	return NULL;
}
