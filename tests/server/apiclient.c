/* One call to a running smserver, honest or broken on purpose. Prints the status, then the body.
 *   apiclient URL register NAME PASSWORD [FAULT]...
 *   apiclient URL login NAME PASSWORD [FAULT]...        keeps the session in $CLIENTS/NAME.session
 *   apiclient URL refresh NAME [token=T] [keep]         keep: do not take over the new tokens
 *   apiclient URL identity NAME NEWNAME [FAULT]...      NAME's key becomes the one in NEWNAME.key
 *   apiclient URL call NAME METHOD TARGET [body=FILE] [type=T] [header=K: V]... [created=+N] [at=TIME] [nonce=N] [token=T] [digest=D]
 *                                         [signature=S] [keyid=K] [no-token] [unsigned] [again] [head]
 *   apiclient URL stream NAME COUNT [after=N]           prints events until COUNT messages or the end; "closed" at the end
 *   apiclient URL envelope NAME BYTES ADDRESS[=KEYOWNER]...   writes an envelope to stdout; the key is KEYOWNER's (default: the name's)
 *   apiclient URL batch FILE...                         frames files with their names as keys
 *   apiclient URL show NAME sid|token|refresh|fp|identity
 *   apiclient URL raw FILE [keep]                       writes FILE to a connection, prints what comes back; keep: without ending its side
 */
#include "client.h"

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
	person_load(&p, argv[3]);
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
