/* One HTTP request of http.c: what is asked, its curl handle while it is under
 * way, and what came back.  Private to runtime/http*.c. */
#ifndef RUNTIME_HTTP_REQUEST_H
#define RUNTIME_HTTP_REQUEST_H

#include "controller/runtime/http.h"

#include <curl/curl.h>
#include <sys/queue.h>

/* A host, port and scheme; a unix socket counts as one.  What is urgent goes to
 * another host of the same address. */
struct host {
    char *key;
    bool is_urgent;
    size_t in_flight;
    bool is_ready; /* in the list of those that may start a request */
    TAILQ_HEAD(, http_request) waiting;
    TAILQ_ENTRY(host) ready;
    TAILQ_ENTRY(host) bucket;
};

enum request_state { REQUEST_WAITS, REQUEST_FLIES, REQUEST_ENDED };

struct http_request {
    struct http *http;
    struct host *host; /* NULL once ended */
    enum request_state state;
    TAILQ_ENTRY(http_request) list; /* of its state */

    char *method, *url, *body, *unix_socket;
    size_t length;
    char *where; /* "POST http://h/x", for people */
    char *host_key;
    struct curl_slist *headers;
    time_ms timeout;
    size_t body_max;
    bool changes_world, is_urgent;
    time_ms sent_until; /* clock_boot(): too late after it */
    http_done *done;
    void *data;

    CURL *easy; /* while it flies */
    char curl_words[CURL_ERROR_SIZE];
    char *received;
    size_t received_size;
    size_t head_size;
    bool head_ended; /* the blank line after the last status came */
    bool is_too_large;
    char content_type[128];
    struct http_answer answer;
};

/* Copy @call.  When it cannot be sent at all the answer is set to HTTP_REFUSED
 * with its reason and request_is_refused() says so. */
struct http_request *request_new(const struct http_call *call, http_done *done,
                                 void *data);
bool request_is_refused(const struct http_request *request);
void request_free(struct http_request *request);

/* Set every option of @easy, which is new or reset, for @request. */
void request_prepare(struct http_request *request, CURL *easy);

/* Fill in the answer from what curl says, while the handle still has it. */
void request_conclude(struct http_request *request, CURLcode code);

/* Fill in an answer that curl had no part in. */
void request_end(struct http_request *request, enum http_end end,
                 const char *words);

#endif
