/* Recovery codes: round trips, a fixed one, and every way to mistype one. */
#include "tap.h"

#include "wire/recovery.h"

#include <ctype.h>
#include <string.h>

/* The seed 00 01 .. 1f; the code comes from Python's base64.b32encode and hashlib. */
#define CODE "AAAQE-AYEAU-DAOCA-JBIFQ-YDIOB-4IBCE-QTCQK-RMFYY-DENBW-HA5DY-PVNXQ-WYLKQ"

static void known(void)
{
	uint8_t seed[SM_SEED_LEN], got[SM_SEED_LEN];
	char code[SM_RECOVERY_LEN + 1];
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)i;
	sm_recovery_format(code, seed);
	ok(!strcmp(code, CODE), "the code of a known seed");
	ok(sm_recovery_parse(got, NULL, code, strlen(code)) == SM_OK && !memcmp(got, seed, sizeof(seed)), "and back");
}

static void round_trips(void)
{
	uint8_t seed[SM_SEED_LEN], got[SM_SEED_LEN];
	char code[SM_RECOVERY_LEN + 1];
	bool good = true;
	for (unsigned k = 0; k < 1000 && good; k++) {
		for (size_t i = 0; i < sizeof(seed); i++)
			seed[i] = (uint8_t)(k * 2654435761u >> (i % 4 * 8)) ^ (uint8_t)(i * 37 * k);
		sm_recovery_format(code, seed);
		good = strlen(code) == SM_RECOVERY_LEN && !sm_recovery_parse(got, NULL, code, strlen(code)) &&
		       !memcmp(seed, got, sizeof(seed));
	}
	ok(good, "1,000 seeds go there and back");
}

static void lenient(void)
{
	static const char *const forms[] = {"lower", "spaces", "lines", "none", "digits"};
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		char text[2 * sizeof(CODE)];
		size_t n = 0;
		uint8_t got[SM_SEED_LEN] = {0};
		for (const char *p = CODE; *p; p++) {
			char c = *p;
			if (f == 0)
				c = (char)tolower((unsigned char)c);
			else if (f == 1 && c == '-')
				c = ' ';
			else if (f == 2 && c == '-')
				c = '\n';
			else if (f == 4)
				c = c == 'O' ? '0' : c == 'I' ? '1' : c == 'B' ? '8' : c;
			if (f != 3 || c != '-')
				text[n++] = c;
		}
		ok(sm_recovery_parse(got, NULL, text, n) == SM_OK && got[1] == 1 && got[31] == 31, "read: %s", forms[f]);
	}
}

static void mistyped(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char text[sizeof(CODE)];
	uint8_t got[SM_SEED_LEN];
	size_t at = 99, wrong = 0, tried = 0, swapped = 0, swaps = 0;
	for (size_t i = 0; i + 1 < sizeof(CODE); i++) {
		memcpy(text, CODE, sizeof(CODE));
		for (const char *c = alphabet; *c && text[i] != '-'; c++) {
			if (CODE[i] == *c)
				continue;
			text[i] = *c;
			tried++;
			wrong += sm_recovery_parse(got, &at, text, SM_RECOVERY_LEN) == SM_ERR_PAYLOAD && at == 0;
		}
		memcpy(text, CODE, sizeof(CODE));
		if (i + 2 < sizeof(CODE) && text[i] != '-' && text[i + 1] != '-' && text[i] != text[i + 1]) {
			text[i] = CODE[i + 1];
			text[i + 1] = CODE[i];
			swaps++;
			swapped += sm_recovery_parse(got, &at, text, SM_RECOVERY_LEN) == SM_ERR_PAYLOAD;
		}
	}
	ok(tried == SM_RECOVERY_CHARS * 31 && wrong == tried, "every other character at every place: %zu of %zu found", wrong, tried);
	ok(swaps > 30 && swapped == swaps, "neighbours swapped: %zu of %zu found", swapped, swaps);
}

static void malformed(void)
{
	uint8_t got[SM_SEED_LEN];
	char text[sizeof(CODE) + 1];
	size_t at = 99;
	ok(sm_recovery_parse(got, &at, CODE, SM_RECOVERY_LEN - 1) == SM_ERR_LIMIT && at == 59, "one character less");
	memcpy(text, CODE, sizeof(CODE));
	text[SM_RECOVERY_LEN] = 'A';
	ok(sm_recovery_parse(got, &at, text, SM_RECOVERY_LEN + 1) == SM_ERR_LIMIT && at == 61, "one more");
	ok(sm_recovery_parse(got, &at, "", 0) == SM_ERR_LIMIT && at == 0, "nothing");
	memcpy(text, CODE, sizeof(CODE));
	text[12] = '9';
	ok(sm_recovery_parse(got, &at, text, SM_RECOVERY_LEN) == SM_ERR_FORMAT && at == 3, "a 9 in the third group");
	memcpy(text, CODE, sizeof(CODE));
	text[0] = 0;
	ok(sm_recovery_parse(got, &at, text, SM_RECOVERY_LEN) == SM_ERR_FORMAT && at == 1, "a zero byte");
}

int main(void)
{
	known();
	round_trips();
	lenient();
	mistyped();
	malformed();
	return tap_done();
}
