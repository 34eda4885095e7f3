/* The cache of groups: a table of buckets under one lock. An entry counts for the generation of accounts it was made in, so nothing has to
 * be dropped when a member's devices change. */
#include "groups.h"

#include "crypto/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, MOST_MAILBOXES = 1 << 20, NAMES_STEP = 64 };

struct sm_groups {
	pthread_mutex_t lock;
	size_t nmailbox; /* in all of them, and one for each */
	struct sm_group *bucket[BUCKETS];
};

static size_t slot(const char *group)
{
	uint32_t x = 2166136261U;

	for (; *group; group++)
		x = (x ^ (uint8_t)*group) * 16777619U;
	return (x ^ x >> 15) % BUCKETS;
}

struct sm_groups *sm_groups_new(void)
{
	struct sm_groups *g = calloc(1, sizeof *g);

	if (g)
		pthread_mutex_init(&g->lock, NULL);
	return g;
}

void sm_group_release(struct sm_group *g)
{
	if (!g || atomic_fetch_sub(&g->refs, 1) != 1)
		return;
	free(g->member);
	free(g);
}

static void forget_all(struct sm_groups *g)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct sm_group *x = g->bucket[i], *next; x; x = next) {
			next = x->next;
			sm_group_release(x);
		}
	memset(g->bucket, 0, sizeof g->bucket);
	g->nmailbox = 0;
}

void sm_groups_free(struct sm_groups *g)
{
	if (!g)
		return;
	forget_all(g);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* ---- members as accounts */

struct names {
	char (*name)[SM_NAME_MAX + 1];
	size_t n, cap;
	enum sm_err err;
};

static bool add_name(void *ctx, const char *name)
{
	struct names *x = ctx;

	if (x->n == x->cap) {
		void *more = realloc(x->name, (x->cap + NAMES_STEP) * 2 * sizeof *x->name);
		if (!more) {
			x->err = SM_ERR_NOMEM;
			return false;
		}
		x->name = more;
		x->cap = (x->cap + NAMES_STEP) * 2;
	}
	memcpy(x->name[x->n++], name, strlen(name) + 1);
	return true;
}

/* Row and names are of one moment; the accounts are looked up after it, each from the cache or in a transaction of its own. */
static enum sm_err load_names(struct sm_reader *r, const char *group, struct sm_group_row *row, struct names *x)
{
	enum sm_err e = sm_reader_begin(r);

	if (!e)
		e = sm_reader_group(r, group, row);
	if (!e)
		e = sm_reader_group_members(r, row->id, add_name, x);
	sm_reader_end(r);
	return e ? e : x->err;
}

enum sm_err sm_group_people_load(struct sm_group_people *p, struct sm_accounts *accounts, struct sm_reader *r, const char *group)
{
	struct names names = {0};
	enum sm_err e;

	sm_group_people_release(p);
	p->generation = sm_accounts_generation(accounts);
	e = load_names(r, group, &p->row, &names);
	if (!e && !(p->account = calloc(names.n ? names.n : 1, sizeof(*p->account))))
		e = SM_ERR_NOMEM;
	for (size_t i = 0; i < names.n && !e; i++) {
		e = sm_accounts_get(accounts, r, names.name[i], &p->account[i]);
		if (!e)
			p->n++;
	}
	free(names.name);
	return e;
}

void sm_group_people_release(struct sm_group_people *p)
{
	for (size_t i = 0; i < p->n; i++)
		sm_account_release(p->account[i]);
	free(p->account);
	*p = (struct sm_group_people){0};
}

static size_t count_devices(const struct sm_group_people *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->account[i]->ndevice;
	return n;
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, SM_FP_LEN); }

enum sm_err sm_group_people_devices(const struct sm_group_people *p, uint8_t out[static 32])
{
	size_t n = 0;
	uint8_t(*fp)[SM_FP_LEN] = calloc(count_devices(p) + 1, sizeof *fp);

	if (!fp)
		return SM_ERR_NOMEM;
	for (size_t i = 0; i < p->n; i++)
		for (size_t j = 0; j < p->account[i]->ndevice; j++)
			memcpy(fp[n++], p->account[i]->device[j].key.fp, SM_FP_LEN);
	qsort(fp, n, sizeof *fp, by_bytes);
	sm_sha256(out, fp, n * sizeof *fp);
	free(fp);
	return SM_OK;
}

/* ---- for delivery */

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static enum sm_err make(struct sm_accounts *accounts, struct sm_reader *r, const char *group, struct sm_group **out)
{
	struct sm_group_people p = {0};
	struct sm_group *g = calloc(1, sizeof *g);
	enum sm_err e = g ? sm_group_people_load(&p, accounts, r, group) : SM_ERR_NOMEM;

	if (!e)
		e = sm_group_people_devices(&p, g->devices);
	if (!e && !(g->member = calloc(p.n + count_devices(&p) + 1, sizeof *g->member)))
		e = SM_ERR_NOMEM;
	if (!e) {
		atomic_init(&g->refs, 1);
		g->generation = p.generation;
		g->row = p.row;
		g->mailbox = g->member + p.n;
		for (size_t i = 0; i < p.n; i++) {
			g->member[g->nmember++] = p.account[i]->id;
			for (size_t j = 0; j < p.account[i]->ndevice; j++)
				g->mailbox[g->nmailbox++] = p.account[i]->device[j].mailbox;
		}
		qsort(g->member, g->nmember, sizeof *g->member, by_number);
		/* In the order of the index that deliveries are filed under. */
		qsort(g->mailbox, g->nmailbox, sizeof *g->mailbox, by_number);
		*out = g;
	} else {
		free(g);
	}
	sm_group_people_release(&p);
	return e;
}

static struct sm_group **find(struct sm_groups *g, const char *group)
{
	struct sm_group **x;

	for (x = &g->bucket[slot(group)]; *x && strcmp((*x)->row.group, group); x = &(*x)->next)
		;
	return x;
}

static void keep(struct sm_groups *g, struct sm_group *x)
{
	struct sm_group **old = find(g, x->row.group);

	if (*old) {
		struct sm_group *gone = *old;
		*old = gone->next;
		g->nmailbox -= gone->nmailbox + 1;
		sm_group_release(gone);
	}
	if (g->nmailbox + x->nmailbox >= MOST_MAILBOXES)
		forget_all(g);
	atomic_fetch_add(&x->refs, 1);
	x->next = g->bucket[slot(x->row.group)];
	g->bucket[slot(x->row.group)] = x;
	g->nmailbox += x->nmailbox + 1;
}

enum sm_err sm_groups_get(struct sm_groups *g, struct sm_accounts *accounts, struct sm_reader *r, const char *group, struct sm_group **out)
{
	unsigned long generation = sm_accounts_generation(accounts);
	struct sm_group *x;
	enum sm_err e;

	pthread_mutex_lock(&g->lock);
	x = *find(g, group);
	if (x && x->generation != generation)
		x = NULL;
	if (x)
		atomic_fetch_add(&x->refs, 1);
	pthread_mutex_unlock(&g->lock);
	if (x) {
		*out = x;
		return SM_OK;
	}
	e = make(accounts, r, group, &x);
	if (e)
		return e;
	pthread_mutex_lock(&g->lock);
	keep(g, x);
	pthread_mutex_unlock(&g->lock);
	*out = x;
	return SM_OK;
}

bool sm_group_has(const struct sm_group *g, int64_t account)
{
	return bsearch(&account, g->member, g->nmember, sizeof account, by_number) != NULL;
}
