#include "controller/cli/backtest_ask.h"

#include <stdlib.h>
#include <string.h>

#include "controller/cli/transfer.h"
#include "controller/config/config.h"
#include "policies/memory.h"

#define CONNECT_TIMEOUT_MS 3000

struct backtest_server {
    CURL *easy;
    time_ms timeout;
    char url[CONFIG_URL_MAX + 32];
    char shown[256]; /* without a password */
    char words[CURL_ERROR_SIZE];
    struct transfer_body body;
};

/* --- The server ----------------------------------------------------------- */

static void set_transfer(struct backtest_server *server)
{
    CURL *easy = server->easy;
    long timeout = (long)server->timeout;

    transfer_set(easy, server->url,
                 timeout < CONNECT_TIMEOUT_MS ? timeout
                                              : (long)CONNECT_TIMEOUT_MS,
                 timeout, &server->body);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, server->words);
}

/* For people: what stands before an @ is a name and a password. */
static void show_address(const char *url, size_t length,
                         struct backtest_server *server)
{
    char bare[CONFIG_URL_MAX];
    const char *host = strstr(url, "://") + 3;
    size_t authority = strcspn(host, "/");
    const char *at = memrchr(host, '@', authority);

    (void)snprintf(bare, sizeof(bare), "%.*s%.*s", (int)(host - url), url,
                   (int)(url + length - (at != NULL ? at + 1 : host)),
                   at != NULL ? at + 1 : host);
    text_escape(bare, server->shown, sizeof(server->shown));
}

struct backtest_server *backtest_server_new(const char *url, time_ms timeout,
                                            char ret_error[ASK_ERROR_MAX])
{
    bool is_http =
        strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
    size_t length = strlen(url);
    struct backtest_server *server = NULL;

    while (length > 0 && url[length - 1] == '/') {
        length--;
    }
    if (!is_http || length >= CONFIG_URL_MAX || strpbrk(url, "?# ") != NULL ||
        strstr(url, "://") + 3 >= url + length) {
        char shown[256];

        text_escape(url, shown, sizeof(shown));
        (void)snprintf(ret_error, ASK_ERROR_MAX,
                       "'%s' is no Prometheus' address; write "
                       "http://HOST:9090",
                       shown);
        return NULL;
    }
    server = memory_zeroed(1, sizeof(*server));
    server->timeout = timeout;
    server->body.most = SLICE_BYTES_MAX;
    (void)snprintf(server->url, sizeof(server->url), "%.*s/api/v1/query_range",
                   (int)length, url);
    show_address(url, length, server);
    server->easy = curl_easy_init();
    if (server->easy == NULL) {
        abort();
    }
    set_transfer(server);
    return server;
}

void backtest_server_free(struct backtest_server *server)
{
    if (server != NULL) {
        curl_easy_cleanup(server->easy);
        free(server->body.bytes);
        free(server);
    }
}

/* --- The answer ----------------------------------------------------------- */

static bool is_between(const struct backtest_slice *slice, time_ms at)
{
    return at >= slice->from && at <= slice->to;
}

static bool take_element(const struct backtest_slice *slice,
                         const struct prometheus_element *element,
                         struct past *past, size_t *points)
{
    struct sample sample;
    size_t cursor = 0;
    time_ms at = 0;
    bool once = true;

    if (!selection_has(&slice->question->selection, element, &once)) {
        return once;
    }
    while (prometheus_next_point(element, &cursor, &at, &sample)) {
        if (is_between(slice, at)) {
            past_take(past, slice->question, at, sample);
            (*points)++;
        }
    }
    return true;
}

static void say_answer(const struct backtest_server *server,
                       const struct prometheus_answer *answer, long status,
                       char ret_error[ASK_ERROR_MAX])
{
    char text[ASK_ERROR_MAX / 2], type[128];

    text_escape(answer->text, text, sizeof(text));
    text_escape(answer->error_type, type, sizeof(type));
    if (answer->state == ANSWER_ERROR) {
        (void)snprintf(ret_error, ASK_ERROR_MAX, "%s%s%s", type,
                       type[0] != '\0' ? ": " : "", text);
    } else if (status != 200) {
        (void)snprintf(ret_error, ASK_ERROR_MAX,
                       "%s answered %ld, not in Prometheus' words; is that "
                       "address a Prometheus?",
                       server->shown, status);
    } else {
        (void)snprintf(ret_error, ASK_ERROR_MAX,
                       "%s answered what Prometheus would not (%s); is that "
                       "address a Prometheus?",
                       server->shown, text);
    }
}

static bool read_answer(struct backtest_server *server,
                        const struct backtest_slice *slice, struct past *past,
                        size_t *points, char ret_error[ASK_ERROR_MAX])
{
    struct prometheus_answer answer;
    struct prometheus_element element;
    long status = 0;

    curl_easy_getinfo(server->easy, CURLINFO_RESPONSE_CODE, &status);
    prometheus_answer_begin(&answer, WANT_MATRIX,
                            server->body.bytes != NULL ? server->body.bytes
                                                       : "",
                            server->body.length);
    while (prometheus_answer_next(&answer, &element) == ANSWER_ELEMENT) {
        if (!take_element(slice, &element, past, points)) {
            (void)snprintf(ret_error, ASK_ERROR_MAX,
                           "%s answered a series with a label that stands "
                           "twice",
                           server->shown);
            return false;
        }
    }
    if (answer.state != ANSWER_WHOLE || status != 200) {
        say_answer(server, &answer, status, ret_error);
        return false;
    }
    return true;
}

/* --- Asking --------------------------------------------------------------- */

/* The body of a POST: a long query fits there. */
static char *make_form(const struct backtest_server *server,
                       const struct backtest_slice *slice)
{
    char *query =
        selection_narrow(&slice->question->selection, slice->question->query);
    char *escaped = curl_easy_escape(server->easy, query, 0);
    char *form = NULL;

    if (escaped == NULL ||
        asprintf(&form, "query=%s&start=%.3f&end=%.3f&step=%.3f&timeout=%lldms",
                 escaped, (double)slice->from / 1000, (double)slice->to / 1000,
                 (double)slice->every / 1000, (long long)server->timeout) < 0) {
        abort();
    }
    curl_free(escaped);
    free(query);
    return form;
}

static void say_failure(const struct backtest_server *server, CURLcode code,
                        char ret_error[ASK_ERROR_MAX])
{
    char span[DURATION_TEXT_MAX];

    if (server->body.full) {
        (void)snprintf(ret_error, ASK_ERROR_MAX,
                       "%s answered with more than %d MiB; let the query have "
                       "fewer series",
                       server->shown, SLICE_BYTES_MAX / 1024 / 1024);
    } else if (code == CURLE_COULDNT_CONNECT) {
        (void)snprintf(ret_error, ASK_ERROR_MAX,
                       "nobody answers at %s; is Prometheus running there?",
                       server->shown);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        (void)snprintf(ret_error, ASK_ERROR_MAX,
                       "%s did not answer within %s; give it longer with "
                       "--timeout",
                       server->shown, duration_print(server->timeout, span));
    } else {
        char words[2 * CURL_ERROR_SIZE];

        text_escape(server->words[0] != '\0' ? server->words
                                             : curl_easy_strerror(code),
                    words, sizeof(words));
        (void)snprintf(ret_error, ASK_ERROR_MAX, "%s: %s", server->shown,
                       words);
    }
}

bool backtest_ask(struct backtest_server *server,
                  const struct backtest_slice *slice, struct past *past,
                  size_t *ret_points, char ret_error[ASK_ERROR_MAX])
{
    char *form = make_form(server, slice);
    CURLcode code = CURLE_OK;

    *ret_points = 0;
    server->body.length = 0;
    server->words[0] = '\0';
    curl_easy_setopt(server->easy, CURLOPT_POSTFIELDS, form);
    code = curl_easy_perform(server->easy);
    free(form);
    if (code != CURLE_OK) {
        say_failure(server, code, ret_error);
        return false;
    }
    return read_answer(server, slice, past, ret_points, ret_error);
}
