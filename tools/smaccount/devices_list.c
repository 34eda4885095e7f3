/* The devices that the user key has signed for, and those that wait. Labels are what somebody else has typed. */
#include "base/text.h"
#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "cli/tty.h"
#include "common/json.h"
#include "smaccount/devices.h"

#include <string.h>
#include <unistd.h>

static enum sm_err add_text(struct sm_buf *b, const struct sm_device_info *i, const struct sm_address *self, const uint8_t *user)
{
	char fp[SM_FP_TEXT_LEN + 1], date[SM_TIME_LEN + 1], code[SM_ENROLL_CODE_LEN + 1];
	sm_fp_format(fp, i->fp);
	sm_time_format(date, i->created);
	bool holds = i->number && sm_equal(i->pk, user, SM_PK_LEN);
	enum sm_err e = i->number ? sm_buf_addf(b, "%u\t%s\t%s\t", i->number, fp, date) : sm_buf_addf(b, "waiting\t%s\t%s\t", fp, date);
	if (e == SM_OK)
		e = *i->label ? sm_text_show(b, (const uint8_t *)i->label, strlen(i->label), false) : sm_buf_adds(b, "-");
	if (e == SM_OK && (i->current || holds))
		e = sm_buf_addf(b, "\t%s%s%s", i->current ? "this device" : "", i->current && holds ? ", " : "",
		                holds ? "holds the user key" : "");
	if (e == SM_OK && !i->number) {
		sm_enroll_code(code, self, i->pk);
		e = sm_buf_addf(b, "\tcode %s", code);
	}
	return e == SM_OK ? sm_buf_adds(b, "\n") : e;
}

static enum sm_err add_state(struct sm_buf *b, const struct sm_device_info *i, const struct sm_address *self, const uint8_t *user)
{
	char code[SM_ENROLL_CODE_LEN + 1];
	if (i->number)
		return sm_buf_addf(b, "\"number\":%u,\"current\":%s,\"user_key\":%s}\n", i->number, i->current ? "true" : "false",
		                   sm_equal(i->pk, user, SM_PK_LEN) ? "true" : "false");
	sm_enroll_code(code, self, i->pk);
	return sm_buf_addf(b, "\"waiting\":true,\"expires\":%lld,\"code\":\"%s\"}\n", (long long)i->expires, code);
}

static enum sm_err add_json(struct sm_buf *b, const struct sm_device_info *i, const struct sm_address *self, const uint8_t *user)
{
	char fp[SM_FP_TEXT_LEN + 1];
	sm_fp_format(fp, i->fp);
	enum sm_err e = sm_buf_adds(b, "{\"v\":1,\"identity\":\"");
	if (e == SM_OK)
		e = sm_public_format_ed25519(b, i->pk);
	if (e == SM_OK)
		e = sm_buf_addf(b, "\",\"fingerprint\":\"%s\",", fp);
	if (e == SM_OK)
		e = sm_json_member(b, "label", i->label);
	if (e == SM_OK)
		e = sm_buf_addf(b, ",\"created\":%lld,", (long long)i->created);
	return e == SM_OK ? add_state(b, i, self, user) : e;
}

int sm_devices_list(struct sm_devices_run *r)
{
	struct sm_own_devices d;
	struct sm_buf out;
	int code = sm_own_fetch(&d, &r->on, &r->db, NULL, false);
	if (code == SM_EXIT_OK)
		code = sm_own_keep(&d, &r->on, &r->db);
	if (code != SM_EXIT_OK)
		return code;
	sm_buf_init(&out, 65536);
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < d.n; i++)
		e = (r->o->json ? add_json : add_text)(&out, &d.device[i], &r->on.self, d.user);
	if (e == SM_OK)
		e = sm_put_text(STDOUT_FILENO, out.data, out.len);
	sm_buf_release(&out);
	return e == SM_OK ? SM_EXIT_OK : sm_fail(e, "cannot write to standard output");
}
