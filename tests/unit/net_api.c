/* Keys, devices, enrolling and groups against a server that answers whatever the test wants: what is asked for, what is made of good
 * answers, and that each value which is not as it must be is refused. */
#include "scratch.h"
#include "tap.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/time.h"
#include "net/enroll.h"
#include "net/groups.h"
#include "net/json.h"
#include "net/mailbox.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HOST "127.0.0.1"

static void must(bool good)
{
	if (!good)
		abort();
}

/* --- The server: a process that answers each request with the file "answer", and keeps the request --- */

static size_t body_length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");
	return at ? (size_t)strtoul(at + 17, NULL, 10) : 0;
}

static void put_file(const char *name, const void *p, size_t n)
{
	FILE *f = fopen(scratch(name), "w");
	must(f && fwrite(p, 1, n, f) == n && !fclose(f));
}

static size_t get_file(const char *name, char *out, size_t room)
{
	FILE *f = fopen(scratch(name), "r");
	must(f != NULL);
	size_t n = fread(out, 1, room - 1, f);
	out[n] = 0;
	must(!fclose(f));
	return n;
}

static void serve_one(int fd)
{
	static char in[1 << 20], out[1 << 20];
	size_t n = 0, want = 0;
	const char *end = NULL;
	while (!end || n < want) {
		ssize_t r = read(fd, in + n, sizeof(in) - 1 - n);
		if (r <= 0)
			return;
		n += (size_t)r;
		in[n] = 0;
		if (!end && (end = strstr(in, "\r\n\r\n")))
			want = (size_t)(end + 4 - in) + body_length(in);
	}
	put_file("request", in, n);
	size_t len = get_file("answer", out, sizeof(out));
	must(write(fd, out, len) == (ssize_t)len);
}

static pid_t serve(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	must(listening >= 0 && !bind(listening, (struct sockaddr *)&a, n) && !listen(listening, 8) &&
	     !getsockname(listening, (struct sockaddr *)&a, &n));
	*port = ntohs(a.sin_port);
	pid_t pid = fork();
	while (!pid) {
		int fd = accept(listening, NULL, NULL);
		if (fd < 0)
			_exit(1);
		serve_one(fd);
		(void)shutdown(fd, SHUT_RDWR);
		(void)close(fd);
	}
	(void)close(listening);
	return pid;
}

static void answer(int status, const char *body)
{
	static char text[1 << 20];
	int n = snprintf(text, sizeof(text),
	                 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
	                 strlen(body), body);
	must(n > 0 && (size_t)n < sizeof(text));
	put_file("answer", text, (size_t)n);
}

/* Did the last request begin so, and does its body hold this? */
static bool asked(const char *line, const char *body)
{
	static char text[1 << 20];
	(void)get_file("request", text, sizeof(text));
	const char *end = strstr(text, "\r\n\r\n");
	return !strncmp(text, line, strlen(line)) && text[strlen(line)] == ' ' && end && (!body || strstr(end, body));
}

/* --- What is in the answers --- */

static struct sm_client client;
static struct sm_identity alice, tablet, bob;
static struct sm_address address;
static char list[SM_DEVICES_TEXT_MAX + 1];      /* alice's, version 3: herself and the tablet */
static char list_json[2 * SM_DEVICES_TEXT_MAX]; /* the same as a JSON string, with the quotes */

static const char *text_of(const struct sm_identity *id)
{
	static char text[4][128];
	static unsigned next;
	char *p = text[next++ % 4];
	struct sm_buf b;
	sm_buf_init(&b, 200);
	must(!sm_public_format(&b, &id->pub) && b.len < sizeof(text[0]));
	memcpy(p, b.data, b.len);
	p[b.len] = 0;
	sm_buf_release(&b);
	return p;
}

static const char *b64(uint8_t byte, size_t n)
{
	static char text[4][128];
	static unsigned next;
	char *p = text[next++ % 4];
	uint8_t bytes[64];
	memset(bytes, byte, sizeof(bytes));
	p[sm_base64_encode(p, bytes, n, false)] = 0;
	return p;
}

static void make_list(void)
{
	struct sm_device_list l = {.version = 3, .date = 1790000000, .n = 2, .address = address};
	struct sm_buf b;
	sm_buf_init(&b, SM_DEVICES_TEXT_MAX);
	memcpy(l.user, alice.pub.ed25519, 32);
	l.device[0].number = 1;
	l.device[1].number = 4;
	memcpy(l.device[0].pk, alice.pub.ed25519, 32);
	memcpy(l.device[1].pk, tablet.pub.ed25519, 32);
	must(!sm_device_list_sign(&b, &l, &alice));
	memcpy(list, b.data, b.len);
	json_t *j = json_stringn((const char *)b.data, b.len);
	char *dump = json_dumps(j, JSON_ENCODE_ANY);
	must(dump && strlen(dump) < sizeof(list_json));
	memcpy(list_json, dump, strlen(dump) + 1);
	free(dump);
	json_decref(j);
	sm_buf_release(&b);
}

/* $A $T $B: keys of alice, the tablet and bob; $L: the list; $2 $6: 32 and 64 bytes in base64. */
static const char *fill(const char *t)
{
	static char out[1 << 20];
	char *p = out;
	for (; *t; t++) {
		const char *put = *t != '$'     ? NULL
		                  : t[1] == 'A' ? text_of(&alice)
		                  : t[1] == 'T' ? text_of(&tablet)
		                  : t[1] == 'B' ? text_of(&bob)
		                  : t[1] == 'L' ? list_json
		                  : t[1] == '2' ? b64(9, 32)
		                                : b64(8, 64);
		if (!put) {
			*p++ = *t;
			continue;
		}
		memcpy(p, put, strlen(put));
		p += strlen(put);
		t++;
	}
	*p = 0;
	return out;
}

/* One good answer, and the same with each part replaced in turn. */
struct fault {
	const char *name, *part, *instead;
};

static const char *replaced(const char *good, const struct fault *f)
{
	static char out[1 << 16];
	const char *at = strstr(good, f->part);
	must(at != NULL);
	int n = snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - good), good, f->instead, at + strlen(f->part));
	must(n > 0 && (size_t)n < sizeof(out));
	return out;
}

static void refuses(const char *call, const char *good, const struct fault *f, size_t n, enum sm_err (*fn)(void))
{
	answer(200, fill(good));
	ok(fn() == SM_OK, "%s: the good answer", call);
	for (size_t i = 0; i < n; i++) {
		answer(200, fill(replaced(good, &f[i])));
		enum sm_err e = fn();
		ok(e == SM_ERR_PROTOCOL, "%s: %s is refused (%s)", call, f[i].name, sm_err_text(e));
	}
}
#define REFUSES(call, good, faults, fn) refuses(call, good, faults, sizeof(faults) / sizeof((faults)[0]), fn)

/* --- Keys --- */

static struct sm_user_key user_key;
static enum sm_err get_key(void) { return sm_net_user_key(&user_key, &client, &address); }

static void test_user_key(void)
{
	static const char good[] = "{\"user\":\"alice\",\"address\":\"alice@" HOST "\",\"identity\":\"$A\",\"list\":$L,\"devices\":["
	                           "{\"id\":1,\"identity\":\"$A\"},{\"id\":4,\"identity\":\"$T\"}]}";
	static const char implied[] =
	        "{\"address\":\"alice@" HOST "\",\"identity\":\"$A\",\"list\":null,\"devices\":[{\"id\":7,\"identity\":\"$A\"}]}";
	static const struct fault faults[] = {
	        {"another address", "alice@", "alicf@"},
	        {"another user key", "\"identity\":\"$A\"", "\"identity\":\"$B\""},
	        {"no key", "\"identity\":\"$A\"", "\"identity\":\"sm1\""},
	        {"no list for two devices", "$L", "null"},
	        {"a list that is none", "$L", "\"x\""},
	        {"a list that is a number", "$L", "7"},
	        {"another number", "\"id\":4", "\"id\":5"},
	        {"a number out of range", "\"id\":4", "\"id\":4294967300"},
	        {"a key that is not listed", "$T", "$B"},
	        {"one device twice", "{\"id\":4,\"identity\":\"$T\"}", "{\"id\":1,\"identity\":\"$A\"}"},
	        {"a device too few", ",{\"id\":4,\"identity\":\"$T\"}", ""},
	        {"no devices", "\"devices\"", "\"device\""},
	};
	static const struct fault of_implied[] = {
	        {"another device key", "\"id\":7,\"identity\":\"$A\"", "\"id\":7,\"identity\":\"$B\""},
	        {"a second device", "]}", ",{\"id\":8,\"identity\":\"$T\"}]}"},
	        {"none", "{\"id\":7,\"identity\":\"$A\"}", ""},
	};
	REFUSES("keys", good, faults, get_key);
	answer(200, fill(good));
	ok(!get_key() && asked("GET /api/v1/keys/alice", NULL) && user_key.list.version == 3 && user_key.list.n == 2 &&
	           !strcmp(user_key.text, list) && !memcmp(user_key.pub.fp, alice.pub.fp, 32),
	   "a user with a list");
	REFUSES("keys, implied", implied, of_implied, get_key);
	answer(200, fill(implied));
	ok(!get_key() && user_key.list.version == 0 && user_key.list.n == 1 && !*user_key.text && user_key.list.device[0].number == 1,
	   "a user without");
	answer(404, "{\"error\":\"no_such_user\"}");
	user_key.address[0] = '!';
	ok(get_key() == SM_ERR_NOTFOUND && user_key.address[0] == '!', "nobody, and nothing is touched");
}

/* --- Bundles --- */

static struct sm_bundle bundles[8];
static size_t nbundle;

static enum sm_err take_bundle(void *ctx, const struct sm_bundle *b)
{
	(void)ctx;
	must(nbundle < 8);
	bundles[nbundle++] = *b;
	return SM_OK;
}

static enum sm_err get_bundles(void)
{
	struct sm_want want[2] = {{.address = address, .device = {1, 4}, .n = 2}, {.device = {1}, .n = 1}};
	must(!sm_address_parse(&want[1].address, "bob@" HOST, sizeof("bob@" HOST) - 1));
	nbundle = 0;
	return sm_net_bundles(&client, want, 2, take_bundle, NULL);
}

#define SPK "{\"id\":5,\"created\":1790000000,\"key\":\"$2\",\"signature\":\"$6\"}"

static void test_bundles(void)
{
	static const char good[] = "{\"bundles\":[{\"user\":\"bob\",\"address\":\"bob@" HOST
	                           "\",\"devices\":[{\"id\":1,\"identity\":\"$B\",\"signed_prekey\":" SPK
	                           ",\"one_time_prekey\":null}]},{\"address\":\"alice@" HOST
	                           "\",\"devices\":[{\"id\":4,\"identity\":\"$T\",\"signed_prekey\":" SPK
	                           ",\"one_time_prekey\":{\"id\":0,\"key\":\"$2\"}},{\"id\":1,\"identity\":\"$A\",\"signed_prekey\":null,"
	                           "\"one_time_prekey\":null}]}]}";
	static const struct fault faults[] = {
	        {"somebody who was not asked for", "bob@", "eve@"},
	        {"somebody twice", "bob@", "alice@"},
	        {"a device that was not asked for", "\"id\":4", "\"id\":2"},
	        {"a device twice", "\"id\":4,\"identity\":\"$T\"", "\"id\":1,\"identity\":\"$A\""},
	        {"a key that is none", "$T", "sm1qqqq"},
	        {"a prekey that is too short", "\"key\":\"$2\"", "\"key\":\"AAAA\""},
	        {"no signature", "\"signature\"", "\"sig\""},
	        {"a prekey id out of range", "\"id\":5", "\"id\":4294967296"},
	        {"a prekey id below 0", "\"id\":5", "\"id\":-1"},
	        {"a time that is none", "1790000000", "\"now\""},
	        {"a one-time prekey without key", "{\"id\":0,\"key\":\"$2\"}", "{\"id\":0}"},
	        {"no one-time prekey, and not null", "\"one_time_prekey\":{\"id\":0,\"key\":\"$2\"}", "\"x\":1"},
	        {"no devices", "\"devices\"", "\"device\""},
	        {"no bundles", "\"bundles\"", "\"bundle\""},
	};
	REFUSES("bundles", good, faults, get_bundles);
	answer(200, fill(good));
	ok(!get_bundles() &&
	           asked("POST /api/v1/keys/bundles",
	                 "{\"want\":[{\"user\":\"alice\",\"devices\":[1,4]},{\"user\":\"bob\",\"devices\":[1]}]}") &&
	           nbundle == 2,
	   "two bundles, and one that has no prekey is left out");
	ok(!strcmp(bundles[0].end.address.text, "bob@" HOST) && bundles[0].end.device == 1 && !bundles[0].has_opk &&
	           bundles[0].spk.id == 5 && bundles[0].spk.created == 1790000000 && !memcmp(bundles[0].end.pk, bob.pub.ed25519, 32) &&
	           bundles[1].end.device == 4 && bundles[1].has_opk && bundles[1].opk_id == 0 && bundles[1].opk[31] == 9 &&
	           bundles[1].spk.sig[63] == 8,
	   "with all that is in them");
	answer(200, "{\"bundles\":[]}");
	ok(!get_bundles() && nbundle == 0, "nobody is there");
	answer(429, "{\"error\":\"rate_limited\"}");
	ok(get_bundles() == SM_ERR_BUSY, "too often");
}

/* --- Prekeys --- */

static struct sm_prekey_count counted;
static enum sm_err get_count(void) { return sm_net_prekey_count(&counted, &client); }

static void test_prekeys(void)
{
	static const char good[] = "{\"signed_prekey\":{\"id\":6,\"created\":1790000000},\"one_time\":12,\"highest\":99}";
	static const struct fault faults[] = {{"no number", "12", "\"12\""},
	                                      {"a number below 0", "12", "-1"},
	                                      {"a highest below -1", "99", "-2"},
	                                      {"a highest out of range", "99", "4294967296"},
	                                      {"an id out of range", "6,", "4294967296,"},
	                                      {"no time", "\"created\"", "\"x\""}};
	struct sm_signed_prekey p = {.id = 3, .created = 1790000000, .key = {1}, .sig = {2}};
	static const uint32_t id[2] = {7, 4294967295};
	static const uint8_t pk[2][32] = {{1}, {2}};
	REFUSES("count", good, faults, get_count);
	answer(200, good);
	ok(!get_count() && counted.has_signed && counted.signed_id == 6 && counted.signed_created == 1790000000 && counted.one_time == 12 &&
	           counted.highest == 99,
	   "what the server has");
	answer(200, "{\"signed_prekey\":null,\"one_time\":0,\"highest\":-1}");
	ok(!get_count() && !counted.has_signed && counted.highest == -1, "and when it has none");
	answer(200, "{}");
	ok(!sm_net_signed_prekey_put(&client, &p) &&
	           asked("PUT /api/v1/keys/signed-prekey", "\"id\":3,\"created\":1790000000,\"key\":\"AQAA"),
	   "a signed prekey");
	ok(!sm_net_prekeys_put(&client, id, pk, 2) && asked("POST /api/v1/keys/one-time-prekeys", "{\"id\":4294967295,\"key\":\"AgAA"),
	   "one-time prekeys");
	answer(409, "{\"error\":\"prekey_id\"}");
	ok(sm_net_prekeys_put(&client, id, pk, 2) == SM_ERR_CONFLICT && !strcmp(client.error.code, "prekey_id"),
	   "with an id that is taken");
}

/* --- Devices --- */

static struct sm_own_devices own;
static enum sm_err get_devices(void) { return sm_net_devices(&own, &client, &address); }

static void test_devices(void)
{
	static const char good[] = "{\"list\":$L,\"version\":3,\"next\":5,\"user\":\"$A\",\"devices\":["
	                           "{\"id\":1,\"identity\":\"$A\",\"label\":\"desk\",\"created\":5,\"current\":true},"
	                           "{\"id\":4,\"identity\":\"$T\",\"label\":\"\",\"created\":6,\"current\":false}],"
	                           "\"waiting\":[{\"identity\":\"$B\",\"label\":\"phone\",\"created\":7,\"expires\":8}]}";
	static const struct fault faults[] = {
	        {"another version", "\"version\":3", "\"version\":2"},
	        {"no list", "$L", "null"},
	        {"no next number", "\"next\":5", "\"next\":0"},
	        {"another user", "\"user\":\"$A\"", "\"user\":\"$B\""},
	        {"a device that is not listed", "\"identity\":\"$T\"", "\"identity\":\"$B\""},
	        {"another number", "\"id\":4", "\"id\":3"},
	        {"a device twice", "\"id\":4,\"identity\":\"$T\"", "\"id\":1,\"identity\":\"$A\""},
	        {"a label that is none", "\"desk\"", "7"},
	        {"a label that is too long", "desk", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	        {"nobody waiting, and not said so", "\"waiting\"", "\"wait\""},
	        {"one who waits for ever", ",\"expires\":8", ""},
	};
	REFUSES("devices", good, faults, get_devices);
	answer(200, fill(good));
	ok(!get_devices() && asked("GET /api/v1/devices", NULL) && own.n == 3 && own.next == 5 && own.list.version == 3 &&
	           !strcmp(own.text, list) && own.device[0].current && !strcmp(own.device[0].label, "desk") && own.device[1].number == 4 &&
	           own.device[2].number == 0 && own.device[2].expires == 8 && !memcmp(own.device[2].fp, bob.pub.fp, 32),
	   "two devices, and one that waits");
	ok(!sm_net_devices_put(&client, list) && asked("PUT /api/v1/devices", "{\"list\":\"sm-devices/1 alice@" HOST "\\nuser "),
	   "a new list");
	answer(409, "{\"error\":\"stale_list\",\"version\":4}");
	ok(sm_net_devices_put(&client, list) == SM_ERR_CONFLICT && !strcmp(client.error.code, "stale_list"), "one that comes too late");
	answer(200, "{}");
	ok(!sm_net_devices_refuse(&client) && asked("DELETE /api/v1/devices/waiting", NULL), "nobody waits any more");
}

/* --- Enrolling: the server's proof cannot be had by answering as one likes --- */

static void test_enroll(void)
{
	static const char challenge[] =
	        "{\"nonce\":\"$2\",\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"expires\":1790000000,"
	        "\"kdf\":{\"name\":\"argon2id\",\"t\":1,\"m\":19456},\"server_signature\":\"$2\",\"enrollment\":\"" ID "\","
	        "\"identity\":\"$A\",\"list\":$L,\"version\":3,\"next\":5}";
	struct sm_enrollment r = {.next = 77};
	struct sm_login l = {.address = address, .id = &tablet, .password = "secret", .n = 6, .label = "tablet"};
	answer(200, fill(challenge));
	ok(sm_net_enroll(&r, &client, &l, list) == SM_ERR_PROTOCOL && r.next == 77,
	   "a server that does not know the password is not believed");
	ok(asked("POST /api/v1/enroll", "\"label\":\"tablet\"") && asked("POST /api/v1/enroll", "\"list\":\"sm-devices/1 ") &&
	           asked("POST /api/v1/enroll", text_of(&tablet)),
	   "it was asked with label, list and key");
	answer(409, "{\"error\":\"known_device\"}");
	ok(sm_net_enroll(&r, &client, &l, NULL) == SM_ERR_CONFLICT, "a conflict of another call is one");
	answer(200, "{\"state\":\"waiting\"}");
	ok(sm_net_enroll_state(&client, ID) == SM_ERR_BUSY && asked("GET /api/v1/enroll/" ID, NULL), "waiting");
	answer(200, "{\"state\":\"approved\"}");
	ok(!sm_net_enroll_state(&client, ID), "approved");
	answer(200, "{\"state\":\"maybe\"}");
	ok(sm_net_enroll_state(&client, ID) == SM_ERR_PROTOCOL, "neither");
	answer(404, "{\"error\":\"no_such_enrollment\"}");
	ok(sm_net_enroll_state(&client, ID) == SM_ERR_NOTFOUND, "refused or expired");
	answer(200, "{\"state\":\"approved\"}");
	ok(sm_net_enroll_state(&client, "../keys/alice") == SM_ERR_NOTFOUND && sm_net_enroll_state(&client, "") == SM_ERR_NOTFOUND,
	   "what cannot be an id is not asked for");
}

/* --- Groups --- */

static char taken[256];
static size_t ntaken;

static enum sm_err take_text(void *ctx, struct sm_span text)
{
	(void)ctx;
	must(ntaken + text.n < sizeof(taken));
	memcpy(taken + ntaken, text.p, text.n);
	ntaken += text.n;
	taken[ntaken] = 0;
	return SM_OK;
}

static enum sm_err get_rosters(void)
{
	ntaken = 0;
	return sm_net_group_rosters(&client, ID, 5, take_text, NULL);
}

static enum sm_err take_group(void *ctx, const char *group, uint64_t epoch)
{
	(void)ctx;
	ntaken += (size_t)snprintf(taken + ntaken, sizeof(taken) - ntaken, "%s %d;", group, (int)epoch);
	return SM_OK;
}

static enum sm_err get_groups(void)
{
	ntaken = 0;
	return sm_net_groups(&client, take_group, NULL);
}

static enum sm_err take_member(void *ctx, const struct sm_user_key *k)
{
	(void)ctx;
	ntaken += (size_t)snprintf(taken + ntaken, sizeof(taken) - ntaken, "%s %d;", k->address, (int)k->list.n);
	return SM_OK;
}

static uint64_t epoch;
static enum sm_err get_members(void)
{
	ntaken = 0;
	return sm_net_group_members(&epoch, &client, ID, HOST, take_member, NULL);
}

static void test_groups(void)
{
	static const char rosters[] = "{\"group\":\"" ID "\",\"epoch\":7,\"rosters\":[\"six\",\"seven\"],\"more\":false}";
	static const struct fault of_rosters[] = {
	        {"more than there are", "7", "6"},
	        {"a roster that is none", "\"six\"", "6"},
	        {"no rosters", "\"rosters\"", "\"r\""},
	        {"more without end", "\"rosters\":[\"six\",\"seven\"],\"more\":false", "\"rosters\":[],\"more\":true"},
	        {"more, said with a number", "false", "0"},
	        {"no epoch", "\"epoch\"", "\"e\""}};
	static const char groups[] = "{\"groups\":[{\"group\":\"" ID "\",\"epoch\":7,\"name\":\"ops\"}]}";
	static const struct fault of_groups[] = {
	        {"an id that is none", "aaaa", "../x"}, {"no epoch", "7", "-7"}, {"no groups", "groups", "group"}};
	static const char members[] =
	        "{\"group\":\"" ID "\",\"epoch\":7,\"members\":[{\"user\":\"alice\",\"address\":\"alice@" HOST
	        "\",\"identity\":\"$A\",\"list\":$L},{\"address\":\"bob@" HOST "\",\"identity\":\"$B\",\"list\":null}]}";
	static const struct fault of_members[] = {{"an address elsewhere", "bob@" HOST, "bob@elsewhere"},
	                                          {"a list of somebody else", "null", "$L"},
	                                          {"another key than the list's", "\"identity\":\"$A\"", "\"identity\":\"$B\""},
	                                          {"no members", "\"members\"", "\"m\""},
	                                          {"no epoch", "\"epoch\"", "\"e\""}};
	REFUSES("rosters", rosters, of_rosters, get_rosters);
	answer(200, rosters);
	ok(!get_rosters() && asked("GET /api/v1/groups/" ID "?after=5", NULL) && !strcmp(taken, "sixseven"), "rosters, in order");
	answer(200, "{\"group\":\"" ID "\",\"epoch\":4,\"rosters\":[],\"more\":false}");
	ok(!get_rosters() && !ntaken, "none that are new");
	REFUSES("groups", groups, of_groups, get_groups);
	ok(asked("GET /api/v1/groups", NULL), "one's own groups");
	REFUSES("members", members, of_members, get_members);
	answer(200, fill(members));
	ok(!get_members() && asked("GET /api/v1/groups/" ID "/members", NULL) && epoch == 7 &&
	           !strcmp(taken, "alice@" HOST " 2;bob@" HOST " 1;"),
	   "members and their devices");
	answer(201, "{\"group\":\"" ID "\",\"epoch\":1}");
	ok(!sm_net_group_create(&client, "a\nb\n") && asked("POST /api/v1/groups", "{\"roster\":\"a\\nb\\n\"}"), "made");
	ok(!sm_net_group_put(&client, ID, "c") && asked("PUT /api/v1/groups/" ID, "{\"roster\":\"c\"}"), "changed");
	ok(!sm_net_group_end(&client, ID) && asked("DELETE /api/v1/groups/" ID, NULL), "ended");
	ok(sm_net_group_put(&client, "../keys/identity", "c") == SM_ERR_NOTFOUND && sm_net_group_end(&client, "x") == SM_ERR_NOTFOUND,
	   "what cannot be an id is not asked for");
	answer(409, "{\"error\":\"stale_group\",\"epoch\":9}");
	ok(sm_net_group_put(&client, ID, "c") == SM_ERR_CONFLICT && !strcmp(client.error.code, "stale_group"), "too late");
}

static void test_send(void)
{
	struct sm_sent s;
	answer(200, "{\"id\":\"" ID "\",\"stored\":true}");
	ok(!sm_net_send(&s, &client, "k", NULL, "e", 1) && asked("POST /api/v1/messages", "e"), "a message without a query");
	ok(!sm_net_send(&s, &client, "k", "partial=yes&self=none", "e", 1) && asked("POST /api/v1/messages?partial=yes&self=none", "e"),
	   "and with one");
}

int main(void)
{
	char url[64];
	int port, status;
	(void)signal(SIGPIPE, SIG_IGN);
	if (!scratch_make() || chmod(scratch_dir, 0700) || setenv("SM_HOME", scratch_dir, 1) || sm_secret_harden())
		return 1;
	pid_t server = serve(&port);
	snprintf(url, sizeof(url), "http://" HOST ":%d", port);
	must(!sm_client_open(&client, &(struct sm_server){.url = url}, NULL));
	client.session = (struct sm_session *)(void *)client.memory.data;
	memcpy(client.session->sid, ID, SM_ID_LEN);
	memcpy(client.session->access, "token", 6);
	client.session->access_expires = sm_time_now() + 86400;
	must(!sm_address_parse(&address, "alice@" HOST, sizeof("alice@" HOST) - 1));
	must(!sm_identity_generate(&alice, &sm_rand_system) && !sm_identity_generate(&tablet, &sm_rand_system) &&
	     !sm_identity_generate(&bob, &sm_rand_system));
	make_list();
	test_user_key();
	test_bundles();
	test_prekeys();
	test_devices();
	test_enroll();
	test_groups();
	test_send();
	sm_client_close(&client);
	sm_identity_release(&alice);
	sm_identity_release(&tablet);
	sm_identity_release(&bob);
	(void)kill(server, SIGTERM);
	(void)waitpid(server, &status, 0);
	return tap_done();
}
