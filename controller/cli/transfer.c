#include "controller/cli/transfer.h"

#include <string.h>

#include "policies/memory.h"

static size_t on_body(char *bytes, size_t one, size_t count, void *data)
{
    struct transfer_body *body = data;
    size_t length = one * count;

    if (length > body->most - body->length) {
        body->full = true;
        return 0;
    }
    if (length == 0) {
        return 0;
    }
    body->bytes =
        memory_grow(body->bytes, &body->room, body->length + length, 1);
    memcpy(body->bytes + body->length, bytes, length);
    body->length += length;
    return length;
}

void transfer_set(CURL *easy, const char *url, long connect_timeout,
                  long timeout, struct transfer_body *body)
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "lastgood/" LASTGOOD_VERSION);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
}
