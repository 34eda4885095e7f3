/* GET stream: what a reader has seen is said by Last-Event-ID, or ?after=. */
#include "api.h"

#include "../stream.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void sm_api_stream(struct sm_req *req)
{
	const char *last = sm_req_header(req, "Last-Event-ID", NULL);
	uint64_t after;
	char *end;

	if (!sm_api_query_number(req, "after", 0, 0, INT64_MAX, &after))
		return;
	if (last) {
		after = isdigit((unsigned char)*last) && strlen(last) <= 18 ? strtoull(last, &end, 10) : 0;
		if (!isdigit((unsigned char)*last) || strlen(last) > 18 || *end) {
			sm_problem(req, 400, "bad_request", "Last-Event-ID is not a sequence number");
			return;
		}
	}
	sm_stream_open(req, after);
}
