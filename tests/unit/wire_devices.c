/* Device lists: good ones, one fault at a time with a signature that is right, faults of the signature, and which list replaces which. */
#include "signed_lines.h"
#include "tap.h"

#include "wire/devices.h"

#include <stdlib.h>
#include <string.h>

static lines two = {
        "sm-devices/1 alice@example.org:8443",
        "user $0",
        "version 7",
        "date 2026-11-20T10:00:00Z",
        "device 1 $0",
        "device 4294967295 $1",
        "---",
};

static enum sm_err parse(struct sm_device_list *l, const struct sm_buf *b)
{
	char *p = exact(b);
	enum sm_err e = sm_device_list_parse(l, p, b->len);
	free(p);
	return e;
}

static enum sm_err parse_lines(struct sm_device_list *l, unsigned at, const char *instead)
{
	struct sm_buf b;
	sm_buf_init(&b, 1 << 16);
	add_lines(&b, two, at, instead);
	add_signature(&b, "SM-devices-v1", 0);
	enum sm_err e = parse(l, &b);
	sm_buf_release(&b);
	return e;
}

static void takes(const char *name, unsigned at, const char *instead)
{
	struct sm_device_list l;
	enum sm_err e = parse_lines(&l, at, instead);
	ok(e == SM_OK, "takes %s (%s)", name, sm_err_text(e));
}

static void refuses(const char *name, unsigned at, const char *instead)
{
	struct sm_device_list l;
	enum sm_err e = parse_lines(&l, at, instead);
	ok(e == SM_ERR_FORMAT, "refuses %s (%s)", name, sm_err_text(e));
}

static void meaning(void)
{
	struct sm_device_list l;
	if (!ok(parse_lines(&l, 0, NULL) == SM_OK, "a list"))
		return;
	ok(!strcmp(l.address.text, "alice@example.org:8443") && !strcmp(l.address.name, "alice"), "whose it is");
	ok(l.version == 7 && l.date == 1795168800 && l.n == 2, "version, date and number of devices");
	ok(!memcmp(l.user, key[0].pub.ed25519, 32) && !memcmp(l.device[1].pk, key[1].pub.ed25519, 32), "its keys");
	ok(!memcmp(l.device[1].fp, key[1].pub.fp, 32) && l.device[1].number == UINT32_MAX, "a device's fingerprint and number");
	ok(sm_device_list_find(&l, key[1].pub.fp) == &l.device[1] && !sm_device_list_find(&l, key[2].pub.fp), "find by fingerprint");
	ok(sm_device_list_number(&l, 1) == &l.device[0] && !sm_device_list_number(&l, 2), "find by number");
}

static void head(void)
{
	refuses("another version of the format", 1, "sm-devices/2 alice@example.org");
	refuses("no first line", 1, NULL);
	refuses("a bare name", 1, "sm-devices/1 alice");
	refuses("an address in upper case", 1, "sm-devices/1 Alice@example.org");
	refuses("no address", 1, "sm-devices/1");
	refuses("two spaces", 1, "sm-devices/1  alice@example.org");
	refuses("a space at the end", 1, "sm-devices/1 alice@example.org ");
	refuses("CRLF", 1, "sm-devices/1 alice@example.org\r");
	refuses("an empty line first", 1, "\nsm-devices/1 alice@example.org");
	refuses("no user", 2, NULL);
	refuses("two users", 2, "user $0\nuser $0");
	refuses("a user that is no point", 2, "user sm1qgqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq77n75t");
	refuses("a user of small order", 2, "user sm1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq552dnr");
	refuses("a comment behind the user", 2, "user $0 alice");
	refuses("user and version the other way around", 2, "version 7\nuser $0");
	takes("version 1", 3, "version 1");
	takes("the last version", 3, "version 9223372036854775807");
	refuses("version 0", 3, "version 0");
	refuses("a version too large", 3, "version 9223372036854775808");
	refuses("a version with a zero before", 3, "version 07");
	refuses("a version with a sign", 3, "version +7");
	refuses("no version", 3, NULL);
	refuses("a date that does not exist", 4, "date 2026-02-29T10:00:00Z");
	refuses("no date", 4, NULL);
	refuses("an unknown line", 4, "date 2026-11-20T10:00:00Z\nlabel home");
}

static void devices(void)
{
	takes("one device", 5, NULL);
	takes("none of them the user key", 5, "device 1 $2");
	refuses("a number twice", 6, "device 1 $1");
	refuses("numbers that go down", 5, "device 2 $1\ndevice 1 $2");
	refuses("device 0", 5, "device 0 $0");
	refuses("a number too large", 6, "device 4294967296 $1");
	refuses("a number with a zero before", 5, "device 01 $0");
	refuses("a key twice", 6, "device 2 $0");
	refuses("a key of the other suite", 6, "device 2 sm-rsa AAAA");
	refuses("a key in upper case", 6, "device 2 SM132YW8HT5P8CETL2JMVKNEWJAWT9XWZDLRK2PYXLNWJYQRDQ0DAWQYGCZ3");
	refuses("a key of small order", 6, "device 2 sm1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq552dnr");
	refuses("a word behind", 6, "device 2 $1 x");
	refuses("no key", 6, "device 2");
	refuses("an empty line between", 5, "device 1 $0\n");
	takes("three devices", 5, "device 1 $9\ndevice 2 $0");
	refuses("no end", 7, NULL);
	refuses("an end that is another", 7, "----");
	refuses("the end twice", 7, "---\n---");
}

static void limits(void)
{
	static lines none = {"sm-devices/1 alice@x", "user $0", "version 7", "date 2026-11-20T10:00:00Z", "---"};
	struct sm_device_list l;
	struct sm_buf empty;
	sm_buf_init(&empty, 1 << 16);
	add_lines(&empty, none, 0, NULL);
	add_signature(&empty, "SM-devices-v1", 0);
	ok(parse(&l, &empty) == SM_ERR_FORMAT, "no device");
	sm_buf_release(&empty);
	for (unsigned n = 16; n <= 17; n++) {
		struct sm_identity id;
		struct sm_buf b;
		sm_buf_init(&b, 1 << 16);
		add_line(&b, "sm-devices/1 a@x\nuser $0\nversion 1\ndate 2026-11-20T10:00:00Z");
		for (unsigned i = 0; i < n; i++) {
			uint8_t seed[32] = {0xaa, (uint8_t)i};
			must(sm_identity_from_seed(&id, seed));
			must(sm_buf_addf(&b, "device %u ", i + 1));
			must(sm_public_format(&b, &id.pub));
			must(sm_buf_adds(&b, "\n"));
			sm_identity_release(&id);
		}
		add_line(&b, "---");
		add_signature(&b, "SM-devices-v1", 0);
		ok(parse(&l, &b) == (n == 16 ? SM_OK : SM_ERR_FORMAT), "%u devices", n);
		sm_buf_release(&b);
	}
}

static void signatures(void)
{
	struct sm_device_list l = {.n = 99};
	struct sm_buf b;
	sm_buf_init(&b, 1 << 16);
	add_lines(&b, two, 0, NULL);
	size_t n = b.len;

	ok(parse(&l, &b) == SM_ERR_FORMAT, "unsigned");
	must(sm_buf_adds(&b, "\n"));
	ok(parse(&l, &b) == SM_ERR_FORMAT, "an empty signature");
	b.len = n;
	add_signature(&b, "SM-devices-v1", 1);
	ok(parse(&l, &b) == SM_ERR_SIGNATURE, "signed by another key, a device of the list");
	b.len = n;
	add_signature(&b, "SM-roster-v1", 0);
	ok(parse(&l, &b) == SM_ERR_SIGNATURE, "signed as something else");
	b.len = n;
	add_signature(&b, "SM-devices-v1", 0);
	size_t whole = b.len;
	b.len--;
	ok(parse(&l, &b) == SM_ERR_FORMAT, "without the last LF");
	b.len = whole;
	must(sm_buf_adds(&b, "\n"));
	ok(parse(&l, &b) == SM_ERR_FORMAT, "an empty line behind");
	b.len = whole - 1;
	must(sm_buf_adds(&b, "=\n"));
	ok(parse(&l, &b) == SM_ERR_FORMAT, "padding");
	b.len = whole;
	b.data[whole - 1] = '\n';
	uint8_t *version = memmem(b.data, b.len, "version 7", 9);
	version[8] = '8';
	ok(parse(&l, &b) == SM_ERR_SIGNATURE, "a version that was changed");
	version[8] = '7';
	uint8_t *one = memmem(b.data, b.len, "device 1", 8);
	one[7] = '2';
	ok(parse(&l, &b) == SM_ERR_SIGNATURE, "a number that was changed");
	one[7] = '1';
	ok(l.n == 99, "nothing is set by what is refused");
	ok(parse(&l, &b) == SM_OK && l.n == 2, "as it was: good");

	bool good = true;
	for (size_t cut = 0; cut < whole; cut++) {
		b.len = cut;
		good = good && parse(&l, &b) != SM_OK;
	}
	ok(good, "no beginning of it is a list");
	sm_buf_release(&b);
}

static void over_the_size(void)
{
	struct sm_device_list l;
	char *p = calloc(1, SM_DEVICES_TEXT_MAX + 1);
	if (!p)
		abort();
	memset(p, 'a', SM_DEVICES_TEXT_MAX + 1);
	ok(sm_device_list_parse(&l, p, SM_DEVICES_TEXT_MAX + 1) == SM_ERR_FORMAT, "too large");
	free(p);
}

static void list_of(struct sm_device_list *l, const char *address, int user)
{
	struct sm_address a;
	must(sm_address_parse(&a, address, strlen(address)));
	sm_device_list_implied(l, &a, key[user].pub.ed25519);
}

static void add_device(struct sm_device_list *l, uint32_t number, int k)
{
	l->device[l->n].number = number;
	memcpy(l->device[l->n].pk, key[k].pub.ed25519, 32);
	memcpy(l->device[l->n].fp, key[k].pub.fp, 32);
	l->n++;
}

static void follows(void)
{
	struct sm_device_list none, a, b;
	list_of(&none, "alice@x", 0);
	ok(none.version == 0 && none.n == 1 && none.device[0].number == 1 && !memcmp(none.device[0].fp, key[0].pub.fp, 32),
	   "who has no list has one device");
	a = none;
	ok(!sm_device_list_follows(&none, &a), "no list after none");
	a.version = 1;
	add_device(&a, 2, 1);
	ok(!sm_device_list_follows(&none, &a), "the first list");
	ok(sm_device_list_follows(&a, &none) == SM_ERR_POLICY, "none after a list is a rollback");
	b = a;
	ok(!sm_device_list_follows(&a, &b), "the same again");
	b.device[1].number = 3;
	ok(sm_device_list_follows(&a, &b) == SM_ERR_POLICY, "the same version with another number is a fork");
	b = a;
	b.n = 1;
	ok(sm_device_list_follows(&a, &b) == SM_ERR_POLICY, "the same version with a device less is a fork");
	b.version = 9;
	ok(!sm_device_list_follows(&a, &b), "a later one with a device less");
	ok(sm_device_list_follows(&b, &a) == SM_ERR_POLICY, "an older one is a rollback");
	memcpy(b.device[0].pk, key[3].pub.ed25519, 32);
	ok(sm_device_list_follows(&a, &b) == SM_ERR_POLICY, "a number that names another key");
	b = a;
	b.version = 2;
	memcpy(b.user, key[2].pub.ed25519, 32);
	ok(sm_device_list_follows(&a, &b) == SM_ERR_POLICY, "another user key");
	list_of(&b, "bob@x", 0);
	b.version = 2;
	ok(sm_device_list_follows(&a, &b) == SM_ERR_POLICY, "another address");
}

static void signing(void)
{
	struct sm_device_list l, again;
	struct sm_buf b;
	sm_buf_init(&b, 1 << 16);
	list_of(&l, "alice@example.org:8443", 0);
	l.version = 7;
	l.date = 1795168800;
	add_device(&l, UINT32_MAX, 1);
	must(sm_buf_adds(&b, "before"));
	ok(!sm_device_list_sign(&b, &l, &key[0]), "sign");
	sm_buf_consume(&b, 6);
	ok(parse(&again, &b) == SM_OK && again.n == 2 && !sm_device_list_follows(&l, &again), "and read back");
	struct sm_buf c;
	sm_buf_init(&c, 1 << 16);
	add_lines(&c, two, 0, NULL);
	add_signature(&c, "SM-devices-v1", 0);
	ok(b.len == c.len && !memcmp(b.data, c.data, c.len), "as the format writes it");
	size_t n = b.len;
	ok(sm_device_list_sign(&b, &l, &key[1]) == SM_ERR_POLICY && b.len == n, "not with another key");
	l.device[1].number = 1;
	ok(sm_device_list_sign(&b, &l, &key[0]) == SM_ERR_FORMAT && b.len == n, "not what would not be read back");
	l.device[1].number = 2;
	l.version = 0;
	ok(sm_device_list_sign(&b, &l, &key[0]) == SM_ERR_FORMAT && b.len == n, "not the implied one");
	l.version = 1;
	l.n = SM_DEVICES_LIST_MAX + 1;
	ok(sm_device_list_sign(&b, &l, &key[0]) == SM_ERR_FORMAT && b.len == n, "not too many");
	sm_buf_release(&b);
	sm_buf_release(&c);
}

static void codes(void)
{
	struct sm_address a;
	char one[SM_ENROLL_CODE_LEN + 1], other[SM_ENROLL_CODE_LEN + 1];
	must(sm_address_parse(&a, "alice@example.org", 17));
	sm_enroll_code(one, &a, key[0].pub.ed25519);
	ok(strlen(one) == 19 && strspn(one, "abcdefghijklmnopqrstuvwxyz234567-") == 19 && one[4] == '-' && one[9] == '-' && one[14] == '-',
	   "a short code: %s", one);
	ok(!strcmp(one, "px5q-kvzn-wpwq-ozao"), "the code of a known key");
	sm_enroll_code(other, &a, key[1].pub.ed25519);
	ok(strcmp(one, other) != 0, "another key, another code");
	must(sm_address_parse(&a, "alicf@example.org", 17));
	sm_enroll_code(other, &a, key[0].pub.ed25519);
	ok(strcmp(one, other) != 0, "another address, another code");
}

int main(void)
{
	keys_make();
	meaning();
	head();
	devices();
	limits();
	signatures();
	over_the_size();
	follows();
	signing();
	codes();
	keys_release();
	return tap_done();
}
