/* Defaults and normal forms of a server's URL. */
#include "common/net_place.h"

#include "cli/diag.h"
#include "cli/exit.h"
#include "net/http.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lower case, no slash at the end. */
static bool copy_url(char out[static SM_URL_MAX + 1], const char *url)
{
	size_t n = strlen(url);
	while (n && url[n - 1] == '/')
		n--;
	if (!n || n > SM_URL_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)url[i]);
	out[n] = 0;
	return true;
}

/* The file is named from any directory later, so its path is kept absolute. */
static int copy_cacert(struct sm_account *a, const char *cacert)
{
	char *path = realpath(cacert, NULL);
	int code = SM_EXIT_OK;
	if (!path)
		return sm_fail(SM_ERR_NOINPUT, "cannot open '%s'", cacert);
	if (strlen(path) > SM_ACCOUNT_PATH_MAX)
		code = sm_fail_plain(SM_ERR_LIMIT, "the path of '%s' is too long", cacert);
	else
		memcpy(a->cacert, path, strlen(path) + 1);
	free(path);
	return code;
}

int sm_place_account(struct sm_account *a, const struct sm_address *address, const struct sm_place *p)
{
	char url[SM_URL_MAX + 1];
	(void)snprintf(url, sizeof(url), "%s://%s", sm_http_loopback(address->host) ? "http" : "https", address->host);
	memcpy(a->address, address->text, strlen(address->text) + 1);
	a->insecure_http = p->insecure_http;
	if (!copy_url(a->url, p->url ? p->url : url))
		return sm_fail_plain(SM_ERR_CONFIG, "'%s' is not a server's URL: http[s]://HOST[:PORT]", p->url ? p->url : url);
	return p->cacert ? copy_cacert(a, p->cacert) : SM_EXIT_OK;
}
