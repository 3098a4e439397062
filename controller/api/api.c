#include "controller/api/api_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/api/listener.h"
#include "controller/api/routes.h"
#include "policies/memory.h"

#define CONNECTIONS_MAX 1000
#define IDLE_MS         (60 * SECOND_MS)
#define ARRIVE_MS       (20 * SECOND_MS)
#define TAKE_MS         (60 * SECOND_MS)

/* Closing: what waits may still become durable in the first part. */
#define CLOSE_WAIT_MS     (4 * SECOND_MS)
#define CLOSE_PATIENCE_MS (5 * SECOND_MS)

/* --- Requests ------------------------------------------------------------- */

static void on_request(void *data, struct exchange *exchange)
{
    struct api *api = data;
    const struct route *route = NULL;
    struct target target;
    struct refusal refusal;
    char error[256];

    if (!target_read(exchange_target(exchange), &target, error,
                     sizeof(error))) {
        answer_refusal(exchange, 400, "bad_target", NULL, "%s", error);
        return;
    }
    route = route_find(exchange_method(exchange), &target, &refusal);
    if (route == NULL) {
        exchange_refuse(exchange, &refusal, NULL);
        return;
    }
    route->handle(api, exchange, &target);
}

/* What one client did is for `--log-level debug`, for there may be thousands;
 * what stops the door (no files left, ...) is for everybody. */
static void on_log(void *data, const char *line)
{
    struct api *api = data;
    const bool is_of_one =
        strncmp(line, "Connection", 10) == 0 || strncmp(line, "Socket", 6) == 0;

    log_event(driver_log(api->driver), is_of_one ? LOG_DEBUG : LOG_WARNING,
              "api.http", "text", line, NULL);
}

static void on_full(void *data, const char *line)
{
    struct api *api = data;

    log_event(driver_log(api->driver), LOG_WARNING, "api.full", "text", line,
              NULL);
}

void answer_refusal(struct exchange *exchange, int status, const char *code,
                    const char *field, const char *format, ...)
{
    struct refusal refusal;
    char detail[REFUSAL_DETAIL_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    (void)refuse(&refusal, status, code, field, "%s", detail);
    exchange_refuse(exchange, &refusal, NULL);
}

json_t *read_order(struct exchange *exchange, const struct member *members)
{
    size_t length = 0;
    const char *bytes = exchange_body(exchange, &length);
    struct refusal refusal;
    json_t *body = body_read(bytes, length, members, &refusal);

    if (body == NULL) {
        exchange_refuse(exchange, &refusal, NULL);
    }
    return body;
}

static bool read_number(const char *text, uint64_t most, uint64_t *ret_number)
{
    char *end = NULL;
    unsigned long long number = 0;

    if (text[0] < '1' || text[0] > '9' || strlen(text) > 18) {
        return false;
    }
    number = strtoull(text, &end, 10);
    if (*end != '\0' || number > most) {
        return false;
    }
    *ret_number = number;
    return true;
}

uint64_t read_id(struct exchange *exchange, const struct target *target,
                 size_t index)
{
    uint64_t id = 0;

    if (!read_number(target->segments[index], UINT64_MAX, &id)) {
        answer_refusal(exchange, 404, "no_such_id", NULL,
                       "'%s' is no number of anything here",
                       target->segments[index]);
        return 0;
    }
    return id;
}

size_t read_limit(struct exchange *exchange, const struct target *target,
                  size_t otherwise, size_t most)
{
    const char *text = target_parameter(target, "limit");
    uint64_t limit = otherwise;

    if (text != NULL && !read_number(text, most, &limit)) {
        answer_refusal(exchange, 400, "bad_value", "limit",
                       "limit must be a whole number from 1 to %zu", most);
        return 0;
    }
    return (size_t)limit;
}

bool read_about(struct exchange *exchange, const struct target *target,
                bool needed, struct about *ret_about)
{
    static const char *const names[] = {"service", "environment", "version"};
    const char *values[3];

    for (size_t i = 0; i < 3; i++) {
        struct member member = {names[i], MEMBER_NAME, false};
        struct refusal refusal;

        values[i] = target_parameter(target, names[i]);
        if (values[i] == NULL && needed && i < 2) {
            answer_refusal(exchange, 400, "missing_parameter", names[i],
                           "%s= is needed", names[i]);
            return false;
        }
        if (values[i] != NULL &&
            !body_check_text(values[i], &member, &refusal)) {
            exchange_refuse(exchange, &refusal, NULL);
            return false;
        }
    }
    ret_about->service = values[0];
    ret_about->environment = values[1];
    ret_about->version = values[2];
    return true;
}

bool read_principal(struct exchange *exchange, const char **ret_by)
{
    const char *by = exchange_header(exchange, "Lastgood-By");

    if (by != NULL && !name_is_valid(by)) {
        answer_refusal(exchange, 400, "bad_value", "Lastgood-By",
                       "the header Lastgood-By must be a name: letters, "
                       "digits and ._+:@/-");
        return false;
    }
    if (by != NULL && strcmp(by, "lastgood") == 0) {
        answer_refusal(exchange, 400, "bad_value", "Lastgood-By",
                       "'lastgood' is the controller's own name: say who asks");
        return false;
    }
    *ret_by = by != NULL ? by : "local";
    return true;
}

/* --- Opening -------------------------------------------------------------- */

static bool open_server(struct api *api, int fd, char *ret_error, size_t size)
{
    struct http_server_options options = {
        .loop = driver_loop(api->driver),
        .listen_fd = fd,
        .connections_max = CONNECTIONS_MAX,
        .body_max = BODY_BYTES_MAX,
        .idle = IDLE_MS,
        .arrive = ARRIVE_MS,
        .take = TAKE_MS,
        .handle = on_request,
        .log = on_log,
        .full = on_full,
        .data = api,
    };
    struct http_server *server = NULL;

    if (fd < 0) {
        return false;
    }
    server = http_server_new(&options, ret_error, size);
    if (server == NULL) {
        return false;
    }
    api->servers[api->servers_count++] = server;
    return true;
}

static bool open_servers(struct api *api, char *ret_error, size_t size)
{
    const struct config *config = driver_config(api->driver);

    if (config->listen_host[0] != '\0' &&
        !open_server(api,
                     listener_tcp(config->listen_host, config->listen_port,
                                  &api->port, ret_error, size),
                     ret_error, size)) {
        return false;
    }
    if (config->listen_unix[0] == '\0') {
        return true;
    }
    if (!open_server(api, listener_unix(config->listen_unix, ret_error, size),
                     ret_error, size)) {
        return false;
    }
    (void)snprintf(api->unix_path, sizeof(api->unix_path), "%s",
                   config->listen_unix);
    return true;
}

static void ignore_closed(void *data)
{
    (void)data;
}

struct api *api_new(struct driver *driver, char *ret_error, size_t size)
{
    struct api *api = memory_zeroed(1, sizeof(*api));

    api->driver = driver;
    api->wait = API_WAIT_MS;
    (void)uv_timer_init(driver_loop(driver), &api->timer);
    api->timer.data = api;
    if (!open_servers(api, ret_error, size)) {
        api_close(api, ignore_closed, NULL);
        return NULL;
    }
    waiting_start(api);
    return api;
}

int api_port(const struct api *api)
{
    return api->port;
}

/* --- Closing -------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct api *api = handle->data;
    void (*closed)(void *) = api->closed;
    void *data = api->closed_data;

    free(api);
    closed(data);
}

static void finish_close(struct api *api)
{
    if (api->servers_open == 0) {
        waiting_stop(api);
        uv_close((uv_handle_t *)&api->timer, on_timer_closed);
    }
}

static void on_server_closed(void *data)
{
    struct api *api = data;

    api->servers_open--;
    finish_close(api);
}

static void on_close_wait(uv_timer_t *timer)
{
    waiting_give_up(timer->data);
}

void api_close(struct api *api, void (*closed)(void *), void *data)
{
    api->closing = true;
    api->closed = closed;
    api->closed_data = data;
    api->servers_open = api->servers_count;
    if (api->unix_path[0] != '\0') {
        (void)unlink(api->unix_path); /* best effort: the next start does too */
    }
    for (size_t i = 0; i < api->servers_count; i++) {
        http_server_close(api->servers[i], CLOSE_PATIENCE_MS, on_server_closed,
                          api);
    }
    (void)uv_timer_start(&api->timer, on_close_wait, CLOSE_WAIT_MS, 0);
    if (api->servers_count == 0) {
        finish_close(api);
    }
}
