#include "controller/runtime/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/json_template.h"

/* Of an address once its variables are filled in. */
#define URL_FILLED_MAX (16 * 1024)

struct filler {
    struct driver *driver;
    const struct call_order *order;
};

static bool fill_string(void *data, const char *text, char *ret_text,
                        size_t size, char *ret_error, size_t error_size)
{
    const struct filler *filler = data;
    const struct call_order *order = filler->order;

    return driver_expand(filler->driver, order->service, text, false,
                         order->more, order->more_count, ret_text, size,
                         ret_error, error_size);
}

/* The headers of @order, NULL-ended; @key_header is where one is written. */
static void list_headers(const struct call_order *order, const char *body,
                         char *key_header, size_t size,
                         const char *ret_headers[4])
{
    size_t count = 0;

    ret_headers[count] = "Accept: application/json";
    count++;
    if (body != NULL) {
        ret_headers[count] = "Content-Type: application/json";
        count++;
    }
    if (order->key != NULL && order->call->idempotency_header[0] != '\0') {
        (void)snprintf(key_header, size, "%s: %s",
                       order->call->idempotency_header, order->key);
        ret_headers[count] = key_header;
        count++;
    }
    ret_headers[count] = NULL;
}

static struct http_request *send_filled(struct driver *driver,
                                        const struct call_order *order,
                                        const char *url, const char *body)
{
    const char *headers[4];
    char key_header[256];
    const struct http_call call = {
        .method = order->call->method,
        .url = url,
        .headers = headers,
        .body = body,
        .length = body != NULL ? strlen(body) : 0,
        .bearer = order->bearer[0] != '\0' ? order->bearer : NULL,
        .timeout = order->call->timeout,
        .body_max = order->body_max,
        .urgent = order->urgent,
        .patience = order->patience,
        .changes_world = strcmp(order->call->method, "GET") != 0};

    list_headers(order, body, key_header, sizeof(key_header), headers);
    return http_send(driver_http(driver), &call, order->done, order->data);
}

struct http_request *call_send(struct driver *driver,
                               const struct call_order *order, char *ret_error,
                               size_t error_size)
{
    struct filler filler = {driver, order};
    struct http_request *request = NULL;
    char url[URL_FILLED_MAX];
    char *body = NULL;

    if (!driver_expand(driver, order->service, order->call->url, true,
                       order->more, order->more_count, url, sizeof(url),
                       ret_error, error_size)) {
        return NULL;
    }
    if (order->call->json[0] != '\0') {
        body = json_template_fill(order->call->json, fill_string, &filler,
                                  ret_error, error_size);
        if (body == NULL) {
            return NULL;
        }
    }
    request = send_filled(driver, order, url, body);
    free(body);
    return request;
}
