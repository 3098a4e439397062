#include "controller/api/http_parts.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "policies/memory.h"

/* A chunked body cannot be refused while it flows; this many times over the
 * limit the connection is cut instead. */
#define BODY_CUT_FACTOR 4

/* --- Arrival -------------------------------------------------------------- */

void *exchange_begin(void *cls, const char *target,
                     struct MHD_Connection *connection)
{
    struct http_server *server = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *exchange = memory_zeroed(1, sizeof(*exchange));

    assert(info != NULL);
    exchange->server = server;
    exchange->peer = info->socket_context;
    exchange->connection = connection;
    exchange->target = memory_text(target);
    exchange->peer->busy = true;
    peer_deadline(exchange->peer, server->options.arrive);
    return exchange;
}

void exchange_end(void *cls, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode how)
{
    struct http_server *server = cls;
    struct exchange *exchange = *context;

    (void)connection;
    (void)how;
    if (exchange == NULL) {
        return;
    }
    assert(!exchange->suspended);
    exchange->peer->busy = false;
    peer_deadline(exchange->peer, server->options.idle);
    if (exchange->response != NULL) {
        MHD_destroy_response(exchange->response);
    }
    free(exchange->target);
    free(exchange->body);
    free(exchange);
    *context = NULL;
}

/* --- Framing -------------------------------------------------------------- */

struct framing {
    unsigned lengths, encodings, hosts;
    bool bad_name;
};

static bool is_token(const char *name, size_t length)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < length; i++) {
        if (isalnum((unsigned char)name[i]) == 0 &&
            (name[i] == '\0' || strchr(others, name[i]) == NULL)) {
            return false;
        }
    }
    return length > 0;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind,
                                 const char *name, const char *value)
{
    struct framing *framing = cls;

    (void)kind;
    (void)value;
    framing->lengths += strcasecmp(name, "Content-Length") == 0 ? 1 : 0;
    framing->encodings += strcasecmp(name, "Transfer-Encoding") == 0 ? 1 : 0;
    framing->hosts += strcasecmp(name, "Host") == 0 ? 1 : 0;
    framing->bad_name = framing->bad_name || !is_token(name, strlen(name));
    return MHD_YES;
}

/* The library takes what two parsers could read in two ways; we do not. */
static bool framing_is_bad(struct exchange *exchange)
{
    struct framing framing = {0};

    (void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND,
                                    on_header, &framing);
    return framing.lengths > 1 || framing.encodings > 1 || framing.hosts > 1 ||
           (framing.lengths > 0 && framing.encodings > 0) || framing.bad_name;
}

/* A page of another site may make a browser send requests here; it cannot hide
 * that it does. */
static bool is_from_another_site(const struct exchange *exchange)
{
    const char *origin = exchange_header(exchange, "Origin");
    const char *host = exchange_header(exchange, "Host");
    const char *name = origin != NULL ? strstr(origin, "://") : NULL;

    if (origin == NULL) {
        return false;
    }
    return name == NULL || host == NULL || strcasecmp(name + 3, host) != 0;
}

static bool announces_too_much(const struct exchange *exchange)
{
    const char *length = exchange_header(exchange, "Content-Length");

    return length != NULL &&
           strtoull(length, NULL, 10) > exchange->server->options.body_max;
}

static void refuse_too_large(struct exchange *exchange)
{
    struct refusal refusal;

    (void)refuse(&refusal, 413, "too_large", NULL,
                 "a body here is at most %zu KiB",
                 exchange->server->options.body_max / 1024);
    exchange_refuse(exchange, &refusal, NULL);
}

/* --- Steps ---------------------------------------------------------------- */

static enum MHD_Result send_answer(struct exchange *exchange)
{
    peer_deadline(exchange->peer, exchange->server->options.take);
    if (exchange->server->closing) {
        (void)MHD_add_response_header(exchange->response, "Connection",
                                      "close");
    }
    exchange->server->counts.answered[exchange->status / 100]++;
    return MHD_queue_response(exchange->connection, exchange->status,
                              exchange->response);
}

/* The headers are there, the body is not. */
static enum MHD_Result first_step(struct exchange *exchange, const char *method)
{
    struct refusal refusal;

    exchange->begun = true;
    exchange->method = method;
    if (framing_is_bad(exchange)) {
        (void)refuse(&refusal, 400, "bad_framing", NULL,
                     "Content-Length, Transfer-Encoding or Host is there "
                     "twice, both of the first are, or a header's name is no "
                     "token");
        exchange_refuse(exchange, &refusal, NULL);
    } else if (is_from_another_site(exchange)) {
        (void)refuse(&refusal, 403, "cross_origin", NULL,
                     "this request was made by a page of another site");
        exchange_refuse(exchange, &refusal, NULL);
    } else if (announces_too_much(exchange)) {
        refuse_too_large(exchange);
    }
    if (exchange->response == NULL) {
        return MHD_YES;
    }
    (void)MHD_add_response_header(exchange->response, "Connection", "close");
    return send_answer(exchange);
}

static enum MHD_Result take_body(struct exchange *exchange, const char *upload,
                                 size_t size)
{
    size_t body_max = exchange->server->options.body_max;
    char *grown = NULL;

    if (exchange->length + size > body_max) {
        exchange->too_large = true;
        exchange->length += size;
        if (exchange->length > BODY_CUT_FACTOR * body_max) {
            (void)shutdown(exchange->peer->fd, SHUT_RDWR);
        }
        return MHD_YES;
    }
    grown = memory_resized(exchange->body, exchange->length + size + 1);
    exchange->body = grown;
    memcpy(exchange->body + exchange->length, upload, size);
    exchange->length += size;
    exchange->body[exchange->length] = '\0';
    return MHD_YES;
}

/* The request is whole: hand it over, and wait when it is not answered yet. */
static enum MHD_Result whole_step(struct exchange *exchange)
{
    if (!exchange->handled) {
        exchange->handled = true;
        peer_no_deadline(exchange->peer);
        if (exchange->too_large) {
            refuse_too_large(exchange);
        } else {
            exchange->server->options.handle(exchange->server->options.data,
                                             exchange);
        }
    }
    if (exchange->response == NULL) {
        exchange->suspended = true;
        exchange->server->counts.waiting++;
        MHD_suspend_connection(exchange->connection);
        return MHD_YES;
    }
    return send_answer(exchange);
}

enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection,
                              const char *url, const char *method,
                              const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    struct exchange *exchange = *context;
    enum MHD_Result result = MHD_YES;

    (void)cls;
    (void)connection;
    (void)url; /* decoded and cut already: exchange_target() is the raw one */
    (void)version;
    if (!exchange->begun) {
        return first_step(exchange, method);
    }
    if (*upload_size > 0) {
        result = take_body(exchange, upload, *upload_size);
        *upload_size = 0;
        return result;
    }
    return whole_step(exchange);
}

/* --- The request, for the handler ----------------------------------------- */

const char *exchange_method(const struct exchange *exchange)
{
    return exchange->method;
}

const char *exchange_target(const struct exchange *exchange)
{
    return exchange->target;
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
                                       name);
}

const char *exchange_body(const struct exchange *exchange, size_t *ret_length)
{
    *ret_length = exchange->too_large ? 0 : exchange->length;
    return exchange->body != NULL ? exchange->body : "";
}

/* --- The answer ----------------------------------------------------------- */

struct long_body {
    char *bytes;
    size_t length;
};

static ssize_t on_piece(void *cls, uint64_t position, char *buffer, size_t room)
{
    const struct long_body *body = cls;
    size_t left = body->length - (size_t)position;
    size_t size = left < room ? left : room;

    if (size == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    memcpy(buffer, body->bytes + position, size);
    return (ssize_t)size;
}

static void on_long_body_done(void *cls)
{
    struct long_body *body = cls;

    free(body->bytes);
    free(body);
}

static struct MHD_Response *make_response(const struct http_reply *answer)
{
    struct long_body *body = NULL;
    struct MHD_Response *response = NULL;

    if (answer->length <= 2 * (size_t)ANSWER_PIECE_BYTES) {
        response = MHD_create_response_from_buffer(
            answer->length, answer->body,
            answer->body != NULL ? MHD_RESPMEM_MUST_FREE
                                 : MHD_RESPMEM_PERSISTENT);
    } else {
        body = memory_resized(NULL, sizeof(*body));
        body->bytes = answer->body;
        body->length = answer->length;
        response = MHD_create_response_from_callback(
            answer->length, ANSWER_PIECE_BYTES, on_piece, body,
            on_long_body_done);
    }
    if (response == NULL) {
        abort();
    }
    return response;
}

static void add_header(struct MHD_Response *response, const char *name,
                       const char *value)
{
    if (value != NULL) {
        (void)MHD_add_response_header(response, name, value);
    }
}

void exchange_answer(struct exchange *exchange, const struct http_reply *answer)
{
    char seconds[16];

    assert(exchange->response == NULL);
    assert(answer->status >= 200);
    assert(answer->status < 600);
    exchange->response = make_response(answer);
    exchange->status = (unsigned)answer->status;
    add_header(exchange->response, "Content-Type", answer->content_type);
    add_header(exchange->response, "Cache-Control", "no-store");
    add_header(exchange->response, "X-Content-Type-Options", "nosniff");
    add_header(exchange->response, "Allow", answer->allow);
    add_header(exchange->response, "Location", answer->location);
    if (answer->retry_after > 0) {
        (void)snprintf(seconds, sizeof(seconds), "%d", answer->retry_after);
        add_header(exchange->response, "Retry-After", seconds);
    }
    if (exchange->suspended) {
        exchange->suspended = false;
        exchange->server->counts.waiting--;
        exchange->server->run_soon = true;
        MHD_resume_connection(exchange->connection);
    }
}

static char *dump(json_t *json, size_t *ret_length)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));

    if (text == NULL) {
        abort();
    }
    *ret_length = strlen(text);
    json_decref(json);
    return text;
}

void exchange_refuse(struct exchange *exchange, const struct refusal *refusal,
                     json_t *more)
{
    struct http_reply answer = {
        .status = refusal->status,
        .content_type = "application/problem+json",
        .allow = refusal->allow,
        .retry_after = refusal->retry_after,
    };
    json_t *json = refusal_json(refusal);

    if (more != NULL) {
        (void)json_object_update_missing(json, more);
        json_decref(more);
    }
    answer.body = dump(json, &answer.length);
    exchange_answer(exchange, &answer);
}

void exchange_answer_json(struct exchange *exchange, int status, json_t *json,
                          const char *location)
{
    struct http_reply answer = {
        .status = status,
        .content_type = "application/json",
        .location = location,
    };

    answer.body = dump(json, &answer.length);
    exchange_answer(exchange, &answer);
}
