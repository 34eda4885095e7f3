/* One call to a running smserver, honest or broken on purpose. Prints the status, then the body.
 *   apiclient URL register NAME PASSWORD [FAULT]...
 *   apiclient URL people PREFIX COUNT PASSWORD          registers PREFIX1 .. PREFIXCOUNT
 *   apiclient URL login NAME PASSWORD [FAULT]...        keeps the session in $CLIENTS/NAME.session
 *   apiclient URL refresh NAME [token=T] [keep]         keep: do not take over the new tokens
 *   apiclient URL identity NAME NEWNAME [FAULT]...      NAME's key becomes the one in NEWNAME.key
 *   apiclient URL call NAME METHOD TARGET [body=FILE] [type=T] [header=K: V]... [created=+N] [at=TIME] [nonce=N] [token=T] [digest=D]
 *                                         [signature=S] [keyid=K] [no-token] [unsigned] [again] [head]
 *   apiclient URL stream NAME COUNT [after=N]           prints events until COUNT messages or the end; "closed" at the end
 *   apiclient URL envelope NAME BYTES ADDRESS[=KEYOWNER]...   writes an envelope to stdout; the key is KEYOWNER's (default: the name's)
 *   apiclient URL batch FILE...                         frames files with their names as keys
 *   apiclient URL show NAME sid|token|refresh|fp|identity
 *   apiclient URL enroll NAME PASSWORD [list=FILE] [label=L] [FAULT]...
 *   apiclient URL list NAME VERSION NUMBER=KEYOWNER... [user=KEYOWNER] [address=A]     a device list of NAME's account, signed by its key
 *   apiclient URL roster NAME GROUP EPOCH PREVIOUS|- TITLE MEMBER[!][=KEYOWNER]... [signer=ADDRESS]   signed by NAME; ! is an admin
 *   apiclient URL roster-hash FILE
 *   apiclient URL spk NAME DEVICE ID [created=N] [bad-signature] [high-bit]            the body of PUT keys/signed-prekey
 *   apiclient URL opks NAME FIRST COUNT [seed=N]        the body of POST keys/one-time-prekeys, made up from seed and id
 *   apiclient URL group-envelope NAME BYTES GROUP EPOCH HASH
 *   apiclient URL raw FILE [keep]                       writes FILE to a connection, prints what comes back; keep: without ending its side
 */
#include "client.h"
#include "wire/devices.h"
#include "wire/roster.h"

static const char *option(int argc, char **argv, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return NULL;
}

static bool flag(int argc, char **argv, const char *name)
{
	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return false;
}

static int print(struct answer *a)
{
	printf("%d\n", a->status);
	if (a->body.len)
		fwrite(a->body.data, 1, a->body.len, stdout);
	if (a->body.len && a->body.data[a->body.len - 1] != '\n')
		putchar('\n');
	return 0;
}

static struct faults faults_of(int argc, char **argv)
{
	return (struct faults){.origin = option(argc, argv, "origin"),
	                       .invite = option(argc, argv, "invite"),
	                       .label = option(argc, argv, "label"),
	                       .identity = option(argc, argv, "identity"),
	                       .replay = flag(argc, argv, "replay") ? "" : NULL,
	                       .bad_signature = flag(argc, argv, "bad-signature"),
	                       .bad_salt = flag(argc, argv, "bad-salt"),
	                       .wrong_purpose = flag(argc, argv, "wrong-purpose"),
	                       .bad_proof = flag(argc, argv, "bad-proof"),
	                       .other_device = flag(argc, argv, "other-device"),
	                       .extra_member = flag(argc, argv, "extra-member")};
}

static int refresh(const struct server *s, struct person *p, int argc, char **argv)
{
	const char *token = option(argc, argv, "token");
	struct answer a = ask_json(s, p, "POST", "/api/v1/refresh", json_pack("{s:s}", "refresh_token", token ? token : p->refresh), true);

	if (a.status == 200 && !flag(argc, argv, "keep")) {
		json_t *o = json_of(&a);
		snprintf(p->token, sizeof p->token, "%s", json_string_value(json_object_get(o, "access_token")));
		snprintf(p->refresh, sizeof p->refresh, "%s", json_string_value(json_object_get(o, "refresh_token")));
		person_save(p);
		json_decref(o);
	}
	return print(&a);
}

static int identity(const struct server *s, struct person *p, const char *newname, int argc, char **argv)
{
	const struct faults f = faults_of(argc, argv);
	struct person fresh;
	struct challenge c;
	struct sm_buf b, line;
	uint8_t sig[64];

	person_load(&fresh, newname);
	struct answer a = get_challenge(s, f.wrong_purpose ? "login" : "identity", p->origin, p->name, fresh.id.pub.fp, &c);
	if (a.status != 200)
		return print(&a);
	sm_buf_init(&b, 4096);
	sm_buf_init(&line, 4096);
	signed_bytes(&b, "identity", p->origin, p->name, fresh.id.pub.fp, c.nonce, c.expires);
	must(sm_sign(sig, b.data, b.len, fresh.id.secret.data));
	sig[0] ^= f.bad_signature;
	must(sm_public_format(&line, &fresh.id.pub));
	a = ask_json(s, p, "PUT", "/api/v1/keys/identity",
	             json_pack("{s:s,s:o,s:o}", "identity", sm_buf_str(&line), "nonce", b64(c.nonce, 32), "signature", b64(sig, 64)),
	             false);
	return print(&a);
}

static int call(const struct server *s, struct person *p, const char *method, const char *target, int argc, char **argv)
{
	char headers[4096] = "";
	const char *body = option(argc, argv, "body"), *created = option(argc, argv, "created"), *type = option(argc, argv, "type");
	struct sm_buf b;
	struct request r = {.method = method,
	                    .target = target,
	                    .headers = headers,
	                    .nonce = option(argc, argv, "nonce"),
	                    .token = option(argc, argv, "token"),
	                    .digest = option(argc, argv, "digest"),
	                    .signature = option(argc, argv, "signature"),
	                    .keyid = option(argc, argv, "keyid"),
	                    .no_token = flag(argc, argv, "no-token"),
	                    .unsigned_ = flag(argc, argv, "unsigned")};

	sm_buf_init(&b, 64u << 20);
	if (body)
		must(sm_file_read(body, &b, false));
	r.body = b.data, r.n = b.len;
	if (created)
		r.created = sm_time_now() + strtoll(created, NULL, 10);
	if (option(argc, argv, "at"))
		r.created = strtoll(option(argc, argv, "at"), NULL, 10);
	if (type)
		snprintf(headers, sizeof headers, "Content-Type: %s\r\n", type);
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "header=", 7))
			snprintf(headers + strlen(headers), sizeof headers - strlen(headers), "%s\r\n", argv[i] + 7);
	char nonce[32];
	uint8_t raw[16];
	sm_rand_fill(&sm_rand_system, raw, 16);
	nonce[sm_base64_encode(nonce, raw, 16, false)] = '\0';
	if (flag(argc, argv, "again")) { /* the very same request twice: the second answer is shown */
		r.nonce = nonce;
		r.created = sm_time_now();
		(void)ask(s, p, &r);
	}
	struct answer a = ask(s, p, &r);
	if (flag(argc, argv, "head"))
		fputs(a.head, stdout);
	return print(&a);
}

/* Chunked coding aside, a stream is lines; chunk sizes are lines of their own and fall through. */
static int stream(const struct server *s, struct person *p, long count, int argc, char **argv)
{
	char target[128], line[400000];
	const char *after = option(argc, argv, "after"), *last = option(argc, argv, "last");
	char headers[128] = "";
	struct sm_buf out;
	int fd = server_connect(s);
	FILE *f = fdopen(fd, "r+");

	snprintf(target, sizeof target, "/api/v1/stream%s%s", after ? "?after=" : "", after ? after : "");
	if (last)
		snprintf(headers, sizeof headers, "Last-Event-ID: %s\r\n", last);
	sm_buf_init(&out, 65536);
	build_request(&out, s, p, &(struct request){.method = "GET", .target = target, .headers = headers});
	must(sm_write_full(fd, out.data, out.len));
	while (count > 0 && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!strncmp(line, "HTTP/1.1 ", 9))
			printf("%.3s\n", line + 9);
		else if (!strncmp(line, "id: ", 4) || line[0] == ':' || line[0] == '{')
			puts(line);
		else if (!strncmp(line, "data: ", 6))
			count--;
		fflush(stdout);
	}
	if (count > 0)
		puts("closed");
	fclose(f);
	return 0;
}

static int envelope(const struct person *from, size_t bytes, int argc, char **argv)
{
	const char *to[SM_TO_MAX];
	static uint8_t fp[SM_TO_MAX][32];
	struct sm_buf out;

	for (int i = 0; i < argc; i++) {
		char name[64], *owner = strchr(argv[i], '=');
		struct person p;
		if (owner)
			*owner++ = '\0';
		snprintf(name, sizeof name, "%.*s", (int)strcspn(argv[i], "@"), argv[i]);
		person_load(&p, owner ? owner : name);
		memcpy(fp[i], p.id.pub.fp, 32);
		to[i] = argv[i];
	}
	sm_buf_init(&out, 64u << 20);
	make_envelope(&out, from, to, (const uint8_t(*)[32])fp, (size_t)argc, bytes);
	must(sm_write_full(STDOUT_FILENO, out.data, out.len));
	return 0;
}

static int batch(int argc, char **argv)
{
	struct sm_buf out;

	sm_buf_init(&out, 64u << 20);
	for (int i = 0; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/'), *key = slash ? slash + 1 : argv[i];
		struct sm_buf b;
		sm_buf_init(&b, 64u << 20);
		must(sm_file_read(argv[i], &b, false));
		must(sm_buf_add_be16(&out, (uint16_t)strlen(key)));
		must(sm_buf_adds(&out, key));
		must(sm_buf_add_lp(&out, b.data, b.len));
		sm_buf_release(&b);
	}
	must(sm_write_full(STDOUT_FILENO, out.data, out.len));
	return 0;
}

static int show(const struct person *p, const char *what)
{
	char fp[SM_FP_TEXT_LEN + 1];
	struct sm_buf b;

	sm_fp_format(fp, p->id.pub.fp);
	sm_buf_init(&b, 4096);
	must(sm_public_format(&b, &p->id.pub));
	puts(!strcmp(what, "sid")       ? p->sid
	     : !strcmp(what, "token")   ? p->token
	     : !strcmp(what, "refresh") ? p->refresh
	     : !strcmp(what, "fp")      ? fp
	                                : sm_buf_str(&b));
	return 0;
}

static int enroll(const struct server *s, struct person *p, const char *password, int argc, char **argv)
{
	const struct faults f = faults_of(argc, argv);
	const char *file = option(argc, argv, "list");
	struct sm_buf b;

	sm_buf_init(&b, 65536);
	if (file)
		must(sm_file_read(file, &b, false));
	struct answer a = do_enroll(s, p, password, file ? sm_buf_str(&b) : NULL, &f);
	return print(&a);
}

static int device_list(const struct person *p, const char *version, int argc, char **argv)
{
	struct sm_device_list l = {.version = strtoull(version, NULL, 10), .date = sm_time_now()};
	char address[SM_ADDRESS_MAX + 1];
	const char *user = option(argc, argv, "user"), *other = option(argc, argv, "address");
	struct person signer;
	struct sm_buf b;

	snprintf(address, sizeof address, "%s@%s", p->name, p->origin);
	must(sm_address_parse(&l.address, other ? other : address, strlen(other ? other : address)));
	person_load(&signer, user ? user : p->file);
	memcpy(l.user, signer.id.pub.ed25519, 32);
	for (int i = 0; i < argc; i++) {
		struct person d;
		char *eq = strchr(argv[i], '=');
		if (!eq || argv[i][0] < '0' || argv[i][0] > '9')
			continue;
		person_load(&d, eq + 1);
		l.device[l.n].number = (uint32_t)strtoul(argv[i], NULL, 10);
		memcpy(l.device[l.n].fp, d.id.pub.fp, 32);
		memcpy(l.device[l.n++].pk, d.id.pub.ed25519, 32);
	}
	sm_buf_init(&b, 65536);
	must(sm_device_list_sign(&b, &l, &signer.id));
	must(sm_write_full(STDOUT_FILENO, b.data, b.len));
	return 0;
}

static void add_member(struct sm_member *m, const char *origin, char *text)
{
	char address[SM_ADDRESS_MAX + 1], *owner = strchr(text, '='), *mark;
	struct person p;

	if (owner)
		*owner++ = '\0';
	mark = strchr(text, '!');
	m->admin = mark != NULL;
	if (mark)
		*mark = '\0';
	if (strchr(text, '@'))
		snprintf(address, sizeof address, "%s", text);
	else
		snprintf(address, sizeof address, "%s@%s", text, origin);
	must(sm_address_parse(&m->address, address, strlen(address)));
	person_load(&p, owner ? owner : m->address.name);
	memcpy(m->pk, p.id.pub.ed25519, 32);
}

static int roster(const struct person *p, int argc, char **argv)
{
	struct sm_roster r = {.epoch = strtoull(argv[1], NULL, 10), .date = sm_time_now()};
	const char *signer = option(argc, argv, "signer");
	char address[SM_ADDRESS_MAX + 1];
	struct sm_buf b;

	snprintf(r.group, sizeof r.group, "%s", argv[0]);
	snprintf(r.name, sizeof r.name, "%s", argv[3]);
	if (strcmp(argv[2], "-") != 0)
		must(sm_hex_parse(r.previous, 32, argv[2], strlen(argv[2])));
	snprintf(address, sizeof address, "%s@%s", p->name, p->origin);
	must(sm_address_parse(&r.signer, signer ? signer : address, strlen(signer ? signer : address)));
	r.member = calloc((size_t)argc, sizeof *r.member);
	for (int i = 4; i < argc; i++)
		if (strncmp(argv[i], "signer=", 7) != 0)
			add_member(&r.member[r.n++], p->origin, argv[i]);
	sm_buf_init(&b, 1 << 20);
	must(sm_roster_sign(&b, &r, &p->id));
	must(sm_write_full(STDOUT_FILENO, b.data, b.len));
	return 0;
}

static int roster_hash(const char *file)
{
	struct sm_roster r;
	struct sm_buf b;
	char hex[65];

	sm_buf_init(&b, 1 << 20);
	must(sm_file_read(file, &b, false));
	must(sm_roster_parse(&r, (const char *)b.data, b.len));
	sm_hex(hex, r.hash, 32);
	puts(hex);
	return 0;
}

static int spk(const struct person *p, const char *device, const char *id, int argc, char **argv)
{
	const char *created = option(argc, argv, "created");
	int64_t at = created ? strtoll(created, NULL, 10) : sm_time_now();
	uint8_t m[10 + 4 + 4 + 8 + 1 + 32] = "SM-spk-v1", sig[64];

	sm_put_be32(m + 10, (uint32_t)strtoul(device, NULL, 10));
	sm_put_be32(m + 14, (uint32_t)strtoul(id, NULL, 10));
	sm_put_be64(m + 18, (uint64_t)at);
	m[26] = 2;
	sm_sha256(m + 27, p->id.pub.fp, 32); /* a key for the server's purposes */
	m[58] &= 0x7f;
	if (flag(argc, argv, "high-bit"))
		m[58] |= 0x80;
	must(sm_sign(sig, m, sizeof m, p->id.secret.data));
	sig[9] ^= flag(argc, argv, "bad-signature");
	json_dumpf(json_pack("{s:I,s:I,s:o,s:o}", "id", (json_int_t)strtoul(id, NULL, 10), "created", (json_int_t)at, "key",
	                     b64(m + 27, 32), "signature", b64(sig, 64)),
	           stdout, 0);
	return 0;
}

static int opks(long first, long count, const char *seed)
{
	json_t *list = json_array();
	char text[64];

	for (long i = first; i < first + count; i++) {
		uint8_t key[32];
		int n = snprintf(text, sizeof text, "%s %ld", seed ? seed : "", i);
		sm_sha256(key, text, (size_t)n);
		key[31] &= 0x7f;
		json_array_append_new(list, json_pack("{s:I,s:o}", "id", (json_int_t)i, "key", b64(key, 32)));
	}
	json_dumpf(json_pack("{s:o}", "keys", list), stdout, 0);
	return 0;
}

static int group_envelope(const struct person *from, char **argv)
{
	uint8_t hash[32];
	struct sm_buf out;

	must(sm_hex_parse(hash, 32, argv[3], strlen(argv[3])));
	sm_buf_init(&out, 64u << 20);
	make_group_envelope(&out, from, argv[1], strtoull(argv[2], NULL, 10), hash, (size_t)strtoul(argv[0], NULL, 10));
	must(sm_write_full(STDOUT_FILENO, out.data, out.len));
	return 0;
}

static int people(const struct server *s, const char *prefix, long count, const char *password)
{
	const struct faults none = {0};
	char name[64];

	for (long i = 1; i <= count; i++) {
		struct person p;
		snprintf(name, sizeof name, "%s%ld", prefix, i);
		person_load(&p, name);
		struct answer a = do_register(s, &p, password, &none);
		if (a.status != 201)
			return print(&a);
		sm_buf_release(&a.body);
		sm_identity_release(&p.id);
	}
	return 0;
}

static int raw(const struct server *s, const char *file, bool keep)
{
	struct sm_buf b;
	char part[65536];
	ssize_t n;
	int fd = server_connect(s);

	sm_buf_init(&b, 64u << 20);
	must(sm_file_read(file, &b, false));
	(void)!sm_write_full(fd, b.data, b.len);
	if (!keep)
		shutdown(fd, SHUT_WR);
	while ((n = read(fd, part, sizeof part)) > 0)
		fwrite(part, 1, (size_t)n, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct server s;
	struct person p;
	struct answer a;
	const char *verb = argc > 2 ? argv[2] : "";

	must(sm_secret_harden());
	signal(SIGPIPE, SIG_IGN);
	if (argc < 4)
		die("see the head of apiclient.c");
	server_parse(&s, argv[1]);
	if (!strcmp(verb, "batch"))
		return batch(argc - 3, argv + 3);
	if (!strcmp(verb, "raw"))
		return raw(&s, argv[3], argc > 4);
	if (!strcmp(verb, "roster-hash"))
		return roster_hash(argv[3]);
	if (!strcmp(verb, "people") && argc > 5)
		return people(&s, argv[3], strtol(argv[4], NULL, 10), argv[5]);
	person_load(&p, argv[3]);
	if (!strcmp(verb, "enroll") && argc > 4)
		return enroll(&s, &p, argv[4], argc - 5, argv + 5);
	if (!strcmp(verb, "list") && argc > 5)
		return device_list(&p, argv[4], argc - 5, argv + 5);
	if (!strcmp(verb, "roster") && argc > 8)
		return roster(&p, argc - 4, argv + 4);
	if (!strcmp(verb, "spk") && argc > 5)
		return spk(&p, argv[4], argv[5], argc - 6, argv + 6);
	if (!strcmp(verb, "opks") && argc > 5)
		return opks(strtol(argv[4], NULL, 10), strtol(argv[5], NULL, 10), option(argc, argv, "seed"));
	if (!strcmp(verb, "group-envelope") && argc > 7)
		return group_envelope(&p, argv + 4);
	if (!strcmp(verb, "register") && argc > 4) {
		struct faults f = faults_of(argc, argv);
		a = do_register(&s, &p, argv[4], &f);
		return print(&a);
	}
	if (!strcmp(verb, "login") && argc > 4) {
		struct faults f = faults_of(argc, argv);
		a = do_login(&s, &p, argv[4], &f);
		if (a.status == 200)
			person_save(&p);
		return print(&a);
	}
	if (!strcmp(verb, "refresh"))
		return refresh(&s, &p, argc - 4, argv + 4);
	if (!strcmp(verb, "identity") && argc > 4)
		return identity(&s, &p, argv[4], argc - 5, argv + 5);
	if (!strcmp(verb, "call") && argc > 5)
		return call(&s, &p, argv[4], argv[5], argc - 6, argv + 6);
	if (!strcmp(verb, "stream") && argc > 4)
		return stream(&s, &p, strtol(argv[4], NULL, 10), argc - 5, argv + 5);
	if (!strcmp(verb, "envelope") && argc > 5)
		return envelope(&p, (size_t)strtoul(argv[4], NULL, 10), argc - 5, argv + 5);
	if (!strcmp(verb, "show") && argc > 4)
		return show(&p, argv[4]);
	die("unknown verb '%s'", verb);
}
