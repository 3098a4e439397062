/* The server over real sockets: framing, limits, deadlines, stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/api/http_server.h"
#include "controller/api/listener.h"
#include "help_socket.h"

#define BODY_MAX 1024

struct fixture {
    uv_loop_t loop;
    struct http_server *server;
    int port;
    size_t handled;
    struct exchange *kept; /* of "/later", until it is answered */
    bool closed;
    char logged[256], full[256];
};

static void answer_text(struct exchange *exchange, const char *text)
{
    struct http_reply reply = {.status = 200,
                               .content_type = "text/plain",
                               .body = strdup(text),
                               .length = strlen(text)};

    exchange_answer(exchange, &reply);
}

static void answer_long(struct exchange *exchange)
{
    struct http_reply reply = {.status = 200,
                               .content_type = "text/plain",
                               .body = malloc(1000000),
                               .length = 1000000};

    memset(reply.body, 'x', reply.length);
    exchange_answer(exchange, &reply);
}

static void on_request(void *data, struct exchange *exchange)
{
    struct fixture *fixture = data;
    const char *target = exchange_target(exchange);
    char text[4096];
    size_t length = 0;
    const char *body = exchange_body(exchange, &length);

    fixture->handled++;
    if (strcmp(target, "/later") == 0) {
        fixture->kept = exchange;
        return;
    }
    if (strcmp(target, "/long") == 0) {
        answer_long(exchange);
        return;
    }
    (void)snprintf(text, sizeof(text), "%s %s %zu %s",
                   exchange_method(exchange), target, length, body);
    answer_text(exchange, text);
}

static void on_log(void *data, const char *line)
{
    struct fixture *fixture = data;

    (void)snprintf(fixture->logged, sizeof(fixture->logged), "%s", line);
}

static void on_full(void *data, const char *line)
{
    struct fixture *fixture = data;

    (void)snprintf(fixture->full, sizeof(fixture->full), "%s", line);
}

static void on_closed(void *data)
{
    struct fixture *fixture = data;

    fixture->closed = true;
}

static bool is_closed(void *data)
{
    return ((const struct fixture *)data)->closed;
}

static void open_fixture(struct fixture *fixture, time_ms idle, time_ms arrive)
{
    struct http_server_options options = {
        .loop = &fixture->loop,
        .connections_max = 8,
        .body_max = BODY_MAX,
        .idle = idle,
        .arrive = arrive,
        .take = 60 * SECOND_MS,
        .handle = on_request,
        .log = on_log,
        .full = on_full,
        .data = fixture,
    };
    char error[256];

    memset(fixture, 0, sizeof(*fixture));
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    options.listen_fd =
        listener_tcp("127.0.0.1", 0, &fixture->port, error, sizeof(error));
    assert_true(options.listen_fd >= 0);
    fixture->server = http_server_new(&options, error, sizeof(error));
    assert_non_null(fixture->server);
}

static void close_fixture(struct fixture *fixture)
{
    if (!fixture->closed) {
        http_server_close(fixture->server, 5 * SECOND_MS, on_closed, fixture);
        loop_until(&fixture->loop, is_closed, fixture);
    }
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
}

static void ask(struct fixture *fixture, const char *request, int status,
                const char *in_body)
{
    struct heard heard;

    socket_ask(&fixture->loop, fixture->port, request, &heard);
    assert_int_equal(heard_status(&heard), status);
    assert_non_null(strstr(heard_body(&heard), in_body));
    heard_free(&heard);
}

/* --- Requests ------------------------------------------------------------- */

static void a_request_is_handed_over_whole_and_raw(void **state)
{
    struct fixture fixture;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    ask(&fixture, "GET /v1/%2e%2e/a%2Fb?x=%00c HTTP/1.1\r\nHost: h\r\n\r\n",
        200, "GET /v1/%2e%2e/a%2Fb?x=%00c 0 ");
    ask(&fixture,
        "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 200,
        "POST /p 5 hello");
    ask(&fixture,
        "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        200, "POST /c 5 abcde");
    assert_int_equal(fixture.handled, 3);
    close_fixture(&fixture);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    const char *first = NULL, *second = NULL;
    static const char requests[] =
        "GET /one HTTP/1.1\r\nHost: h\r\n\r\n"
        "POST /two HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"
        "GET /three HTTP/1.1\r\nHost: h\r\n\r\n";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    fd = socket_open(fixture.port);
    socket_say(fd, requests, sizeof(requests) - 1);
    socket_hear(&fixture.loop, fd, 3, &heard);
    first = strstr(heard.bytes, "GET /one 0");
    second = strstr(heard.bytes, "POST /two 1 x");
    assert_non_null(first);
    assert_non_null(second);
    assert_true(first < second);
    (void)close(fd);
    heard_free(&heard);
    close_fixture(&fixture);
}

static void head_has_the_length_and_no_body(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    char value[256];
    int fd = -1;
    static const char head[] = "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n";
    static const char get[] = "GET /y HTTP/1.1\r\nHost: h\r\nConnection: "
                              "close\r\n\r\n";

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    fd = socket_open(fixture.port);
    socket_say(fd, head, sizeof(head) - 1);
    socket_say(fd, get, sizeof(get) - 1);
    socket_hear_end(&fixture.loop, fd, &heard);
    assert_int_equal(heard_status(&heard), 200);
    assert_string_equal(heard_header(&heard, "Content-Length", value), "10");
    assert_non_null(strstr(heard.bytes, "\r\n\r\nHTTP/1.1 200"));
    assert_non_null(strstr(heard.bytes, "GET /y 0"));
    (void)close(fd);
    heard_free(&heard);
    close_fixture(&fixture);
}

static void a_long_answer_arrives_whole(void **state)
{
    struct fixture fixture;
    struct heard heard;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    socket_ask(&fixture.loop, fixture.port,
               "GET /long HTTP/1.1\r\nHost: h\r\n\r\n", &heard);
    assert_int_equal(strlen(heard_body(&heard)), 1000000);
    assert_int_equal(strspn(heard_body(&heard), "x"), 1000000);
    heard_free(&heard);
    close_fixture(&fixture);
}

/* --- Refusals ------------------------------------------------------------- */

static void bad_framing_is_refused_and_closed(void **state)
{
    static const char *const requests[] = {
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
        "Transfer-Encoding: chunked\r\n\r\nabc",
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
        "Content-Length: 4\r\n\r\nabc",
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\nName : v\r\n\r\n",
    };
    struct fixture fixture;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct heard heard = {0};
        int fd = socket_open(fixture.port);

        socket_say(fd, requests[i], strlen(requests[i]));
        socket_hear_end(&fixture.loop, fd, &heard);
        assert_int_equal(heard_status(&heard), 400);
        (void)close(fd);
        heard_free(&heard);
    }
    assert_int_equal(fixture.handled, 0);
    close_fixture(&fixture);
}

static void our_refusals_are_problem_details(void **state)
{
    struct fixture fixture;
    struct heard heard;
    char value[256];

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    socket_ask(&fixture.loop, fixture.port,
               "GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", &heard);
    assert_string_equal(heard_header(&heard, "Content-Type", value),
                        "application/problem+json");
    assert_non_null(strstr(heard_body(&heard), "\"code\":\"bad_framing\""));
    heard_free(&heard);
    close_fixture(&fixture);
}

static void a_page_of_another_site_is_refused(void **state)
{
    struct fixture fixture;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    ask(&fixture,
        "POST /a HTTP/1.1\r\nHost: h:1\r\nOrigin: http://evil\r\n"
        "Content-Length: 0\r\n\r\n",
        403, "cross_origin");
    ask(&fixture,
        "POST /a HTTP/1.1\r\nHost: h:1\r\nOrigin: null\r\n"
        "Content-Length: 0\r\n\r\n",
        403, "cross_origin");
    assert_int_equal(fixture.handled, 0);
    ask(&fixture,
        "POST /a HTTP/1.1\r\nHost: h:1\r\nOrigin: http://h:1\r\n"
        "Content-Length: 0\r\n\r\n",
        200, "POST /a");
    close_fixture(&fixture);
}

static void an_announced_body_over_the_limit_is_413_at_once(void **state)
{
    struct fixture fixture;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    ask(&fixture,
        "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        "Content-Length: 1025\r\n\r\n",
        413, "too_large");
    assert_int_equal(fixture.handled, 0);
    close_fixture(&fixture);
}

static void a_chunked_body_over_the_limit_is_413_at_its_end(void **state)
{
    struct fixture fixture;
    char request[4096];
    int length = snprintf(request, sizeof(request),
                          "POST /a HTTP/1.1\r\nHost: h\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n401\r\n");

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    memset(request + length, 'x', 0x401);
    (void)snprintf(request + length + 0x401, 64, "\r\n0\r\n\r\n");
    ask(&fixture, request, 413, "too_large");
    assert_int_equal(fixture.handled, 0);
    close_fixture(&fixture);
}

static void a_chunked_body_without_end_is_cut(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    char chunk[0x400 + 16];
    int fd = -1;
    int head = snprintf(chunk, sizeof(chunk), "400\r\n");
    static const char start[] = "POST /a HTTP/1.1\r\nHost: h\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n";

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    memset(chunk + head, 'x', 0x400);
    memcpy(chunk + head + 0x400, "\r\n", 2);
    fd = socket_open(fixture.port);
    socket_say(fd, start, sizeof(start) - 1);
    for (int i = 0; i < 16; i++) {
        socket_say(fd, chunk, (size_t)head + 0x400 + 2);
    }
    socket_hear_end(&fixture.loop, fd, &heard);
    assert_int_equal(fixture.handled, 0);
    (void)close(fd);
    heard_free(&heard);
    close_fixture(&fixture);
}

static void headers_over_the_memory_are_refused_by_the_library(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    static char request[40000];
    int fd = -1;
    int length =
        snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\nHost: h\r\nX: ");

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    memset(request + length, 'x', sizeof(request) - (size_t)length - 1);
    fd = socket_open(fixture.port);
    socket_say(fd, request, sizeof(request) - 1);
    socket_hear_end(&fixture.loop, fd, &heard);
    assert_int_equal(heard_status(&heard), 431);
    (void)close(fd);
    heard_free(&heard);
    close_fixture(&fixture);
}

/* --- Deadlines ------------------------------------------------------------ */

static void a_trickle_of_headers_is_cut(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    static const char start[] = "GET /a HTTP/1.1\r\nHost: h\r\n";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 50);
    fd = socket_open(fixture.port);
    socket_say(fd, start, sizeof(start) - 1);
    socket_hear_end(&fixture.loop, fd, &heard);
    assert_int_equal(fixture.handled, 0);
    assert_int_equal(heard.length, 0);
    (void)close(fd);
    close_fixture(&fixture);
}

static void a_trickle_of_body_is_cut(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    static const char start[] = "POST /a HTTP/1.1\r\nHost: h\r\n"
                                "Content-Length: 100\r\n\r\nabc";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 50);
    fd = socket_open(fixture.port);
    socket_say(fd, start, sizeof(start) - 1);
    socket_hear_end(&fixture.loop, fd, &heard);
    assert_int_equal(fixture.handled, 0);
    (void)close(fd);
    heard_free(&heard);
    close_fixture(&fixture);
}

static void half_a_first_line_is_cut(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    static const char start[] = "GET /a";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 50);
    fd = socket_open(fixture.port);
    socket_say(fd, start, sizeof(start) - 1);
    socket_hear_end(&fixture.loop, fd, &heard);
    assert_int_equal(heard.length, 0);
    (void)close(fd);
    close_fixture(&fixture);
}

static void an_idle_connection_is_closed(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    struct http_server_counts counts;
    static const char request[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 50, 60000);
    fd = socket_open(fixture.port);
    socket_say(fd, request, sizeof(request) - 1);
    socket_hear_end(&fixture.loop, fd, &heard);
    assert_int_equal(heard_status(&heard), 200);
    (void)close(fd);
    heard_free(&heard);
    http_server_count(fixture.server, &counts);
    assert_int_equal(counts.waiting, 0);
    close_fixture(&fixture);
}

static bool is_full(void *data)
{
    struct http_server_counts counts;

    http_server_count(((const struct fixture *)data)->server, &counts);
    return counts.connections == 8;
}

static void beyond_the_limit_connections_wait_their_turn(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    static const char request[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    int idle[8], late = -1;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    for (size_t i = 0; i < 8; i++) {
        idle[i] = socket_open(fixture.port);
    }
    loop_until(&fixture.loop, is_full, &fixture);
    assert_string_equal(fixture.full,
                        "8 connections are open, and more are not taken: new "
                        "ones wait until some end; look who holds them");
    fixture.full[0] = '\0';
    late = socket_open(fixture.port);
    socket_say(late, request, sizeof(request) - 1);
    (void)uv_run(&fixture.loop, UV_RUN_NOWAIT);
    assert_int_equal(fixture.handled, 0);
    (void)close(idle[0]); /* room for one */
    socket_hear(&fixture.loop, late, 1, &heard);
    assert_int_equal(heard_status(&heard), 200);
    assert_string_equal(fixture.full, ""); /* full again: not said again */
    (void)close(late);
    for (size_t i = 1; i < 8; i++) {
        (void)close(idle[i]);
    }
    heard_free(&heard);
    close_fixture(&fixture);
}

/* --- Later answers -------------------------------------------------------- */

static bool has_kept(void *data)
{
    return ((const struct fixture *)data)->kept != NULL;
}

static bool is_long_ago(void *data)
{
    return uv_hrtime() - *(const uint64_t *)data > 60000000;
}

static void a_later_answer_needs_no_other_request_to_leave(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    struct http_server_counts counts;
    static const char request[] = "GET /later HTTP/1.1\r\nHost: h\r\n\r\n";
    uint64_t since = 0;
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 20);
    fd = socket_open(fixture.port);
    socket_say(fd, request, sizeof(request) - 1);
    loop_until(&fixture.loop, has_kept, &fixture);
    http_server_count(fixture.server, &counts);
    assert_int_equal(counts.waiting, 1);
    /* The deadline of its arrival does not count while it waits. */
    since = uv_hrtime();
    loop_until(&fixture.loop, is_long_ago, &since);
    answer_text(fixture.kept, "at last");
    socket_hear(&fixture.loop, fd, 1, &heard);
    assert_string_equal(heard_body(&heard), "at last");
    http_server_count(fixture.server, &counts);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(counts.answered[2], 1);
    (void)close(fd);
    heard_free(&heard);
    close_fixture(&fixture);
}

static void a_client_that_left_does_no_harm(void **state)
{
    struct fixture fixture;
    static const char request[] = "GET /later HTTP/1.1\r\nHost: h\r\n\r\n";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    fd = socket_open(fixture.port);
    socket_say(fd, request, sizeof(request) - 1);
    loop_until(&fixture.loop, has_kept, &fixture);
    (void)close(fd);
    answer_text(fixture.kept, "nobody hears");
    ask(&fixture, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET /next");
    close_fixture(&fixture);
}

/* --- Stop ----------------------------------------------------------------- */

static void stop_lets_waiting_requests_be_answered(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    char value[256];
    static const char request[] = "GET /later HTTP/1.1\r\nHost: h\r\n\r\n";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    fd = socket_open(fixture.port);
    socket_say(fd, request, sizeof(request) - 1);
    loop_until(&fixture.loop, has_kept, &fixture);
    http_server_close(fixture.server, 5 * SECOND_MS, on_closed, &fixture);
    (void)uv_run(&fixture.loop, UV_RUN_NOWAIT);
    assert_false(fixture.closed);
    answer_text(fixture.kept, "still in time");
    socket_hear_end(&fixture.loop, fd, &heard);
    assert_string_equal(heard_body(&heard), "still in time");
    assert_string_equal(heard_header(&heard, "Connection", value), "close");
    loop_until(&fixture.loop, is_closed, &fixture);
    (void)close(fd);
    heard_free(&heard);
    close_fixture(&fixture);
}

static void stop_closes_idle_connections_and_the_door(void **state)
{
    struct fixture fixture;
    struct heard heard = {0};
    static const char request[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    fd = socket_open(fixture.port);
    socket_say(fd, request, sizeof(request) - 1);
    socket_hear(&fixture.loop, fd, 1, &heard);
    http_server_close(fixture.server, 60 * SECOND_MS, on_closed, &fixture);
    socket_hear_end(&fixture.loop, fd, &heard);
    loop_until(&fixture.loop, is_closed, &fixture);
    (void)close(fd);
    heard_free(&heard);
    close_fixture(&fixture);
}

static bool has_handled(void *data)
{
    return ((const struct fixture *)data)->handled > 0;
}

static void stop_cuts_those_who_do_not_take_their_answer(void **state)
{
    struct fixture fixture;
    static const char request[] = "GET /long HTTP/1.1\r\nHost: h\r\n\r\n";
    int fd = -1;

    (void)state;
    open_fixture(&fixture, 60000, 60000);
    fd = socket_open(fixture.port);
    for (int i = 0; i < 20; i++) { /* more than any socket buffers */
        socket_say(fd, request, sizeof(request) - 1);
    }
    loop_until(&fixture.loop, has_handled, &fixture);
    http_server_close(fixture.server, 20, on_closed, &fixture);
    loop_until(&fixture.loop, is_closed, &fixture);
    (void)close(fd);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_handed_over_whole_and_raw),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(head_has_the_length_and_no_body),
        cmocka_unit_test(a_long_answer_arrives_whole),
        cmocka_unit_test(bad_framing_is_refused_and_closed),
        cmocka_unit_test(our_refusals_are_problem_details),
        cmocka_unit_test(a_page_of_another_site_is_refused),
        cmocka_unit_test(an_announced_body_over_the_limit_is_413_at_once),
        cmocka_unit_test(a_chunked_body_over_the_limit_is_413_at_its_end),
        cmocka_unit_test(a_chunked_body_without_end_is_cut),
        cmocka_unit_test(headers_over_the_memory_are_refused_by_the_library),
        cmocka_unit_test(a_trickle_of_headers_is_cut),
        cmocka_unit_test(a_trickle_of_body_is_cut),
        cmocka_unit_test(half_a_first_line_is_cut),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(beyond_the_limit_connections_wait_their_turn),
        cmocka_unit_test(a_later_answer_needs_no_other_request_to_leave),
        cmocka_unit_test(a_client_that_left_does_no_harm),
        cmocka_unit_test(stop_lets_waiting_requests_be_answered),
        cmocka_unit_test(stop_closes_idle_connections_and_the_door),
        cmocka_unit_test(stop_cuts_those_who_do_not_take_their_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
