/* How a webhook proves who sent it: HMAC-SHA256 over "timestamp.body".
 * Receivers compute the same with the shared secret, compare in constant
 * time, and refuse a timestamp that is over 5 minutes old. */
#ifndef NOTICES_SIGNATURE_H
#define NOTICES_SIGNATURE_H

#include <stddef.h>

/* "v1=" and 64 hex digits. */
#define SIGNATURE_TEXT_MAX 80

void signature_make(const char *secret, const char *timestamp, const char *body,
                    char ret_text[SIGNATURE_TEXT_MAX]);

#endif
