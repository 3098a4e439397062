/* What every blocking HTTP call of a command sets: no proxies from the
 * environment, no redirects, no signals, http and https only, a time-out and
 * a cap on the answer. */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

/* An answer's body as it comes, at most @most bytes; free @bytes. */
struct transfer_body {
    char *bytes; /* NULL while nothing came */
    size_t length, room, most;
    bool full; /* it was larger: the call failed with CURLE_WRITE_ERROR */
};

/* Prepare @easy for @url; the answer goes into @body.  Time-outs in
 * milliseconds; 0 leaves the time to connect to the whole one. */
void transfer_set(CURL *easy, const char *url, long connect_timeout,
                  long timeout, struct transfer_body *body);

#endif
