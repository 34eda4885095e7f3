/* smencrypt --rekey: the same content to new recipients, as a new signed envelope. The body's key is bound to the header (sm-format(5)),
 * and with the recipients the header changes, so all of it is encrypted anew; nothing of it touches the disk in between: a thread opens
 * into pipes, and sealing reads from them. */
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/input.h"
#include "smencrypt/decryption.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One pipe for each attachment and, last, one for the content. */
#define PIPES (SM_ATTACH_MAX + 1)

struct pump {
	struct sm_opened *opened;
	size_t n; /* pipes */
	int in[PIPES], out[PIPES];
	enum sm_err err[PIPES]; /* written before its pipe is closed, read after its end has been */
	struct sm_source source[PIPES];
	pthread_t thread;
};

struct end {
	struct pump *p;
	size_t i;
};

static void *pump_all(void *arg)
{
	struct pump *p = arg;

	for (size_t i = 0; i < p->n; i++) {
		struct sm_sink sink;
		sm_sink_fd(&sink, p->in[i], NULL);
		p->err[i] = i + 1 < p->n ? sm_open_attachment(p->opened, i, &sink) : sm_open_release(p->opened, &sink);
		sm_sink_release(&sink);
		close(p->in[i]);
	}
	return NULL;
}

/* The end of a pipe is the end of the content only if the thread says so. */
static enum sm_err pump_read(void *ctx, void *buf, size_t n, size_t *got)
{
	const struct end *end = ctx;
	enum sm_err e = sm_read_some(end->p->out[end->i], buf, n, got);

	return e || *got ? e : end->p->err[end->i];
}

static enum sm_err pump_start(struct pump *p, struct end *ends)
{
	p->n = p->opened->header.nattach + 1;
	for (size_t i = 0; i < PIPES; i++)
		p->in[i] = p->out[i] = -1;
	for (size_t i = 0; i < p->n; i++) {
		int fd[2];
		if (pipe2(fd, O_CLOEXEC))
			return SM_ERR_IO;
		p->out[i] = fd[0], p->in[i] = fd[1];
		ends[i] = (struct end){p, i};
		sm_source_fn(&p->source[i], pump_read, &ends[i], false);
	}
	return pthread_create(&p->thread, NULL, pump_all, p) ? SM_ERR_NOMEM : SM_OK;
}

/* Closing our ends first lets a thread that still writes go on to its end. */
static void pump_stop(struct pump *p, bool started)
{
	for (size_t i = 0; i < p->n; i++) {
		sm_source_release(&p->source[i]);
		if (p->out[i] >= 0)
			close(p->out[i]);
	}
	if (started)
		pthread_join(p->thread, NULL);
	for (size_t i = 0; !started && i < p->n; i++)
		if (p->in[i] >= 0)
			close(p->in[i]);
}

static enum sm_err reseal(struct options *o, struct pump *p, struct sm_identity *id)
{
	struct sm_seal_attachment files[SM_ATTACH_MAX];
	struct sm_fields f = *p->opened->fields; /* its strings stay the opened envelope's */
	enum sm_err e;

	f.nattach = 0;
	for (size_t i = 0; i + 1 < p->n; i++)
		files[i] = (struct sm_seal_attachment){&p->source[i], p->opened->fields->attach[i].name, p->opened->fields->attach[i].type};
	struct sm_seal job = {.to = o->to.party,
	                      .to_pub = o->to.pub,
	                      .nto = o->to.n,
	                      .signer = id,
	                      .fields = &f,
	                      .attach = files,
	                      .nattach = p->n - 1,
	                      .no_pad = o->no_pad,
	                      .date = sm_time_now(),
	                      .rand = &sm_rand_system};
	if (!(e = sm_sender(o, id, &job))) {
		job.nto = o->to.n;
		e = sm_seal_to_output(o, &job, &p->source[p->n - 1], -1);
	}
	sm_wipe(&f, sizeof f);
	return e;
}

static enum sm_err rekey(struct sm_decryption *d, int fd)
{
	struct options *o = d->o;
	struct pump *p = calloc(1, sizeof *p);
	struct end ends[PIPES];
	struct sm_identity id = {0};
	struct sm_opened opened = {0};
	struct sm_source in;
	enum sm_err e = SM_ERR_NOMEM;

	sm_source_fd(&in, fd, true);
	if (!p || (e = sm_input_not_output(fd, o->output)) || (e = sm_recipients_resolve(&o->to, o->common.profile)))
		goto out;
	if ((e = sm_open_verify(&opened, &d->opener, &in))) {
		sm_decryption_say_failure(d, e, opened.header_line);
		goto out;
	}
	sm_decryption_say_sender(d, &opened);
	sm_warning("--rekey encrypts all of it anew: the old body is bound to its old recipients");
	p->opened = &opened;
	e = pump_start(p, ends);
	bool started = !e;
	if (e)
		(void)sm_fail(e, "cannot start");
	else
		e = reseal(o, p, &id);
	pump_stop(p, started);
out:
	sm_identity_release(&id);
	sm_opened_release(&opened);
	sm_source_release(&in);
	free(p);
	return e;
}

int sm_rekey(struct options *o)
{
	struct sm_decryption d;
	int fd;
	enum sm_err e;

	o->sign = true;
	if ((e = sm_decryption_init(&d, o)) || (e = sm_input_open(&fd, o->input)))
		return sm_exit_code(e);
	e = rekey(&d, fd);
	if (fd > 0)
		close(fd);
	sm_decryption_release(&d);
	return e == SM_ERR_NOTFOUND ? SM_EXIT_NORECIPIENT : sm_exit_code(e);
}
