#include "controller/runtime/http_request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "policies/problem.h"

#include "controller/runtime/clock.h"

#define WHERE_MAX        200 /* bytes of "POST http://h/x" */
#define HEAD_MAX         (64 * 1024)
#define RECEIVED_LEAST   4096
#define RETRY_AFTER_MOST (24 * HOUR_MS)
#define KEPT_SECONDS     60 /* a longer idle connection may be dead */

/* --- Making --------------------------------------------------------------- */

static bool add_header(struct http_request *request, const char *line)
{
    struct curl_slist *longer = NULL;

    if (text_has_control(line)) { /* it would end the header early */
        return false;
    }
    longer = curl_slist_append(request->headers, line);
    assert(longer != NULL);
    request->headers = longer;
    return true;
}

static bool add_headers(struct http_request *request,
                        const struct http_call *call)
{
    bool clean = true;

    for (size_t i = 0; call->headers != NULL && call->headers[i] != NULL; i++) {
        clean = add_header(request, call->headers[i]) && clean;
    }
    if (call->bearer != NULL) {
        const size_t size = strlen(call->bearer) + 32;
        char *line = memory_resized(NULL, size);

        (void)snprintf(line, size, "Authorization: Bearer %s", call->bearer);
        clean = add_header(request, line) && clean;
        free(line);
    }
    /* Without this a large POST would wait a second for a "100 Continue". */
    return add_header(request, "Expect:") && clean;
}

static char *url_part(CURLU *url, CURLUPart part, unsigned int flags)
{
    char *text = NULL;

    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
        return NULL;
    }
    return text;
}

/* The parts of @url that may be shown: no user, no password, no query. */
static void describe(struct http_request *request, CURLU *url)
{
    char *scheme = url_part(url, CURLUPART_SCHEME, 0);
    char *host = url_part(url, CURLUPART_HOST, 0);
    char *port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    char *given = url_part(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    char *path = url_part(url, CURLUPART_PATH, 0);
    char where[WHERE_MAX], key[512];

    (void)snprintf(where, sizeof(where), "%s %s://%s%s%s%s", request->method,
                   scheme, host, given == NULL ? "" : ":",
                   given == NULL ? "" : given, path == NULL ? "" : path);
    (void)snprintf(key, sizeof(key), "%s%s://%s:%s",
                   request->is_urgent ? "urgent " : "",
                   request->unix_socket == NULL ? scheme : "unix",
                   request->unix_socket == NULL ? host : request->unix_socket,
                   port == NULL ? "" : port);
    request->where = memory_text(where);
    request->host_key = memory_text(key);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(given);
    curl_free(path);
}

/* Understand the address; false with the answer set when it is none. */
static bool read_url(struct http_request *request)
{
    CURLU *url = curl_url();
    CURLUcode code = CURLUE_OK;
    char *scheme = NULL;
    bool known = false;

    assert(url != NULL);
    code = curl_url_set(url, CURLUPART_URL, request->url, 0);
    if (code == CURLUE_OK) {
        scheme = url_part(url, CURLUPART_SCHEME, 0);
        known = scheme != NULL &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
        curl_free(scheme);
    }
    if (known) {
        describe(request, url);
    } else {
        char words[160];

        request->where = memory_text(request->method);
        (void)snprintf(words, sizeof(words), "not an http or https URL: %s",
                       code == CURLUE_OK ? "other scheme"
                                         : curl_url_strerror(code));
        request_end(request, HTTP_REFUSED, words);
    }
    curl_url_cleanup(url);
    return known;
}

struct http_request *request_new(const struct http_call *call, http_done *done,
                                 void *data)
{
    struct http_request *request = memory_zeroed(1, sizeof(*request));

    assert(call->timeout > 0);
    request->method = memory_text(call->method);
    request->url = memory_text(call->url);
    if (call->unix_socket != NULL) {
        request->unix_socket = memory_text(call->unix_socket);
    }
    if (call->body != NULL) {
        request->body = memory_resized(NULL, call->length + 1);
        memcpy(request->body, call->body, call->length);
        request->length = call->length;
    }
    request->timeout = call->timeout;
    request->body_max = call->body_max == 0 ? HTTP_BODY_MAX : call->body_max;
    request->changes_world = call->changes_world;
    request->is_urgent = call->urgent;
    request->sent_until =
        clock_boot() +
        (call->patience == 0 ? 2 * call->timeout : call->patience);
    request->done = done;
    request->data = data;
    request->answer.end = HTTP_CANCELLED;
    if (read_url(request) && !add_headers(request, call)) {
        request_end(request, HTTP_REFUSED,
                    "a header or token holds a control character");
    }
    return request;
}

bool request_is_refused(const struct http_request *request)
{
    return request->answer.end == HTTP_REFUSED;
}

void request_free(struct http_request *request)
{
    assert(request->easy == NULL);
    curl_slist_free_all(request->headers);
    free(request->method);
    free(request->url);
    free(request->body);
    free(request->unix_socket);
    free(request->where);
    free(request->host_key);
    free(request->received);
    free(request);
}

/* --- While it flies ------------------------------------------------------- */

/* Decoded bytes are counted here: an announced length says nothing about a
 * chunked or compressed answer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct http_request *request = data;
    const size_t length = size * count;
    const size_t needed = request->answer.length + length + 1;

    if (needed - 1 > request->body_max) {
        request->is_too_large = true;
        return 0;
    }
    if (needed > request->received_size) {
        size_t larger = request->received_size * 2;
        char *moved = NULL;

        larger = larger < RECEIVED_LEAST ? RECEIVED_LEAST : larger;
        larger = larger < needed ? needed : larger;
        moved = memory_resized(request->received, larger);
        request->received = moved;
        request->received_size = larger;
    }
    memcpy(request->received + request->answer.length, bytes, length);
    request->answer.length += length;
    request->received[request->answer.length] = '\0';
    return length;
}

/* One line of a head, or of the trailers after a body.  Some versions of curl
 * call an answer whole that ends inside its head: only the blank line says that
 * the status and the length were all there was to say. */
static size_t on_head(char *line, size_t size, size_t count, void *data)
{
    struct http_request *request = data;
    const size_t length = size * count;

    request->head_size += length;
    if (request->head_size > HEAD_MAX) {
        request->is_too_large = true;
        return 0;
    }
    if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
        request->head_ended = false;
    } else if (length > 0 && (line[0] == '\r' || line[0] == '\n')) {
        request->head_ended = true;
    }
    return length;
}

/* curl_easy_setopt() is variadic: these give each option its one true type. */
static void set_long(CURL *easy, CURLoption option, long value)
{
    const CURLcode code = curl_easy_setopt(easy, option, value);

    assert(code == CURLE_OK);
    (void)code;
}

static void set_text(CURL *easy, CURLoption option, const char *value)
{
    const CURLcode code = curl_easy_setopt(easy, option, value);

    assert(code == CURLE_OK);
    (void)code;
}

static void set_pointer(CURL *easy, CURLoption option, void *value)
{
    const CURLcode code = curl_easy_setopt(easy, option, value);

    assert(code == CURLE_OK);
    (void)code;
}

/* What holds for every request: nothing from the environment, no redirects,
 * no other protocols, old TLS refused. */
static void set_rules(CURL *easy)
{
    set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set_text(easy, CURLOPT_PROXY, "");
    set_text(easy, CURLOPT_USERAGENT, "lastgood/" LASTGOOD_VERSION);
    set_text(easy, CURLOPT_ACCEPT_ENCODING, "");
    set_long(easy, CURLOPT_FOLLOWLOCATION, 0);
    set_long(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED);
    set_long(easy, CURLOPT_NOSIGNAL, 1);
    set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set_long(easy, CURLOPT_MAXAGE_CONN, KEPT_SECONDS);
    set_long(easy, CURLOPT_DNS_CACHE_TIMEOUT, KEPT_SECONDS);
    /* Else a time-out joins the resolver's thread and stops the loop. */
    set_long(easy, CURLOPT_QUICK_EXIT, 1);
    /* One request a connection: a lost HTTP/2 stream would be sent again. */
    set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
}

static void set_method(const struct http_request *request, CURL *easy)
{
    if (request->body != NULL || strcmp(request->method, "POST") == 0) {
        set_long(easy, CURLOPT_POST, 1);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                               (curl_off_t)request->length);
        set_text(easy, CURLOPT_POSTFIELDS,
                 request->body == NULL ? "" : request->body);
    }
    set_text(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

void request_prepare(struct http_request *request, CURL *easy)
{
    set_rules(easy);
    set_method(request, easy);
    set_text(easy, CURLOPT_URL, request->url);
    set_pointer(easy, CURLOPT_HTTPHEADER, request->headers);
    set_pointer(easy, CURLOPT_PRIVATE, request);
    set_pointer(easy, CURLOPT_WRITEDATA, request);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    set_pointer(easy, CURLOPT_HEADERDATA, request);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    set_pointer(easy, CURLOPT_ERRORBUFFER, request->curl_words);
    set_long(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout);
    set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->timeout);
    (void)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                           (curl_off_t)request->body_max);
    if (request->unix_socket != NULL) {
        set_text(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    }
    if (request->changes_world) {
        /* On a kept connection that the peer just closed, curl sends a POST
         * again without a word. */
        set_long(easy, CURLOPT_FRESH_CONNECT, 1);
        set_long(easy, CURLOPT_FORBID_REUSE, 1);
    }
    request->easy = easy;
}

/* --- What came back ------------------------------------------------------- */

static const struct {
    int status;
    const char *name;
} status_names[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *name_of_status(int status)
{
    for (size_t i = 0; i < sizeof(status_names) / sizeof(status_names[0]);
         i++) {
        if (status_names[i].status == status) {
            return status_names[i].name;
        }
    }
    return "";
}

static void set_words(struct http_request *request, const char *words)
{
    char text[WHERE_MAX + CURL_ERROR_SIZE + HTTP_BEGIN_MAX];

    (void)snprintf(text, sizeof(text), "%s: %s", request->where, words);
    text_escape(text, request->answer.text, sizeof(request->answer.text));
}

void http_begin_of(const struct http_answer *answer,
                   char ret_text[HTTP_BEGIN_MAX])
{
    size_t used = 0;

    for (size_t i = 0; i < answer->length && used < HTTP_BEGIN_MAX - 1; i++) {
        const char byte = answer->body[i];

        if (byte != '\0' && strchr(" \t\r\n", byte) == NULL) {
            ret_text[used++] = byte;
        } else if (used > 0 && ret_text[used - 1] != ' ') {
            ret_text[used++] = ' ';
        }
    }
    ret_text[used] = '\0';
}

static void conclude_answered(struct http_request *request)
{
    char words[HTTP_BEGIN_MAX + 64], start[HTTP_BEGIN_MAX];
    curl_off_t seconds = 0;
    long status = 0;
    char *type = NULL;

    (void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(request->easy, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &seconds);
    request->answer.end = HTTP_ANSWERED;
    request->answer.status = (int)status;
    request->answer.retry_after = seconds > RETRY_AFTER_MOST / SECOND_MS
                                      ? RETRY_AFTER_MOST
                                      : (time_ms)seconds * SECOND_MS;
    (void)snprintf(request->content_type, sizeof(request->content_type), "%s",
                   type == NULL ? "" : type);
    start[0] = '\0';
    if (status >= 300) {
        request->answer.body = request->received;
        http_begin_of(&request->answer, start);
    }
    (void)snprintf(words, sizeof(words), "%ld%s%s%s%s", status,
                   name_of_status((int)status)[0] == '\0' ? "" : " ",
                   name_of_status((int)status), start[0] == '\0' ? "" : ": ",
                   start);
    set_words(request, words);
}

/* "100 Continue" and its like have heads of their own and answer nothing. */
static bool has_whole_head(const struct http_request *request)
{
    long status = 0;

    (void)curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    return request->head_ended && status >= 200;
}

/* Did the request certainly not reach the peer? */
static bool never_left(CURLcode code)
{
    static const CURLcode codes[] = {
        CURLE_COULDNT_RESOLVE_PROXY,    CURLE_COULDNT_RESOLVE_HOST,
        CURLE_COULDNT_CONNECT,          CURLE_SSL_CONNECT_ERROR,
        CURLE_SSL_CERTPROBLEM,          CURLE_SSL_CIPHER,
        CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_ISSUER_ERROR,         CURLE_SSL_INVALIDCERTSTATUS,
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

void request_conclude(struct http_request *request, CURLcode code)
{
    char words[CURL_ERROR_SIZE], span[DURATION_TEXT_MAX];

    if (code == CURLE_OK && has_whole_head(request)) {
        conclude_answered(request);
    } else if (code == CURLE_OK) {
        request_end(request, HTTP_BROKEN, "the answer ends inside its head");
    } else if (request->is_too_large || code == CURLE_FILESIZE_EXCEEDED) {
        const bool is_head = request->head_size > HEAD_MAX;

        (void)snprintf(words, sizeof(words),
                       "the answer%s is larger than %zu bytes",
                       is_head ? "'s head" : "",
                       is_head ? (size_t)HEAD_MAX : request->body_max);
        request_end(request, HTTP_TOO_LARGE, words);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        (void)snprintf(words, sizeof(words), "no whole answer within %s",
                       duration_print(request->timeout, span));
        request_end(request, HTTP_TIMED_OUT, words);
    } else {
        request_end(request, never_left(code) ? HTTP_UNREACHABLE : HTTP_BROKEN,
                    request->curl_words[0] != '\0' ? request->curl_words
                                                   : curl_easy_strerror(code));
    }
}

void request_end(struct http_request *request, enum http_end end,
                 const char *words)
{
    assert(end != HTTP_ANSWERED);
    request->answer.end = end;
    request->answer.status = 0;
    request->answer.length = 0;
    set_words(request, words);
}
