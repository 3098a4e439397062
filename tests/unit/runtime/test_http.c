#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "controller/runtime/http.h"
#include "help_peer.h"

/* What came back, kept beyond the call. */
struct seen {
    int calls;
    enum http_end end;
    int status;
    size_t length;
    char body[256], type[64], text[256];
    time_ms retry_after;
};

struct world {
    uv_loop_t loop;
    struct http *http;
    struct peer peer;
    bool peer_stopped, closed;
};

static void note(void *data, const struct http_answer *answer)
{
    struct seen *seen = data;

    seen->calls++;
    seen->end = answer->end;
    seen->status = answer->status;
    seen->length = answer->length;
    seen->retry_after = answer->retry_after;
    (void)snprintf(seen->body, sizeof(seen->body), "%s", answer->body);
    (void)snprintf(seen->type, sizeof(seen->type), "%s", answer->content_type);
    (void)snprintf(seen->text, sizeof(seen->text), "%s", answer->text);
}

static struct world *open_world(void (*serve)(struct visitor *), void *data)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    world->http = http_new(&world->loop);
    peer_start(&world->peer, &world->loop, serve, data);
    return world;
}

static void note_closed(void *data)
{
    bool *closed = data;

    *closed = true;
}

static void close_world(struct world *world)
{
    http_close(world->http, note_closed, &world->closed);
    if (!world->peer_stopped) {
        peer_stop(&world->peer);
    }
    assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
    assert_true(world->closed);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    free(world);
}

static struct http_call call_to(const struct world *world, char url[64])
{
    (void)snprintf(url, 64, "http://127.0.0.1:%d/x", world->peer.port);
    return (struct http_call){
        .method = "GET", .url = url, .timeout = 20 * SECOND_MS};
}

static void wait_for(struct world *world, const struct seen *seen)
{
    while (seen->calls == 0) {
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    }
}

/* One call as it is, to a peer that serves so. */
static struct seen one(void (*serve)(struct visitor *),
                       void (*change)(struct http_call *))
{
    struct world *world = open_world(serve, NULL);
    struct seen seen = {0};
    char url[64];
    struct http_call call = call_to(world, url);

    if (change != NULL) {
        change(&call);
    }
    (void)http_send(world->http, &call, note, &seen);
    assert_int_equal(seen.calls, 0);
    wait_for(world, &seen);
    close_world(world);
    assert_int_equal(seen.calls, 1);
    return seen;
}

/* --- Ordinary answers ----------------------------------------------------- */

static void serve_echo(struct visitor *visitor)
{
    visitor_answer(visitor, "200 OK", "Content-Type: text/plain; a=b\r\n",
                   visitor->request);
}

static void post_with_headers(struct http_call *call)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Idempotency-Key: k1", NULL};

    call->method = "POST";
    call->headers = headers;
    call->body = "{\"a\":1}";
    call->length = strlen(call->body);
    call->bearer = "secret-token";
}

static void a_post_carries_headers_token_and_body(void **state)
{
    const struct seen seen = one(serve_echo, post_with_headers);

    (void)state;
    assert_int_equal(seen.end, HTTP_ANSWERED);
    assert_int_equal(seen.status, 200);
    assert_string_equal(seen.type, "text/plain; a=b");
    assert_memory_equal(seen.body, "POST /x HTTP/1.1\r\n", 18);
    assert_non_null(strstr(seen.body, "Idempotency-Key: k1\r\n"));
    assert_non_null(strstr(seen.body, "Authorization: Bearer secret-token"));
    assert_null(strstr(seen.text, "secret"));
    assert_null(strstr(seen.body, "Expect"));
}

static void serve_busy(struct visitor *visitor)
{
    visitor_answer(visitor, "429 Slow Down", "Retry-After: 7\r\n",
                   "<html>\n  <b>later</b>\x1b[31m");
}

static void a_429_says_when_to_come_back(void **state)
{
    const struct seen seen = one(serve_busy, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_ANSWERED);
    assert_int_equal(seen.status, 429);
    assert_int_equal(seen.retry_after, 7000);
    assert_non_null(strstr(
        seen.text, "/x: 429 Too Many Requests: <html> <b>later</b>\\x1b[31m"));
}

static void serve_redirect(struct visitor *visitor)
{
    visitor_answer(visitor, "302 Found", "Location: http://127.0.0.1:1/\r\n",
                   "");
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
    const struct seen seen = one(serve_redirect, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_ANSWERED);
    assert_int_equal(seen.status, 302);
}

static void serve_nothing_inside(struct visitor *visitor)
{
    visitor_answer(visitor, "204 No Content", "", "");
}

static void an_empty_answer_has_an_empty_body(void **state)
{
    const struct seen seen = one(serve_nothing_inside, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_ANSWERED);
    assert_int_equal(seen.length, 0);
    assert_string_equal(seen.type, "");
}

static void put_it(struct http_call *call)
{
    call->method = "PUT";
    call->body = "v";
    call->length = 1;
}

static void delete_it(struct http_call *call)
{
    call->method = "DELETE";
}

static void methods_arrive_as_named(void **state)
{
    (void)state;
    assert_memory_equal(one(serve_echo, put_it).body, "PUT /x ", 7);
    assert_memory_equal(one(serve_echo, delete_it).body, "DELETE /x ", 10);
}

/* --- Bad peers ------------------------------------------------------------ */

static void soon(struct http_call *call)
{
    call->timeout = 150;
}

static void a_peer_that_hangs_is_timed_out(void **state)
{
    const struct seen seen = one(NULL, soon);

    (void)state;
    assert_int_equal(seen.end, HTTP_TIMED_OUT);
    assert_int_equal(seen.status, 0);
    assert_non_null(strstr(seen.text, "no whole answer within 150ms"));
}

static void serve_half_a_head(struct visitor *visitor)
{
    visitor_write(visitor, "HTTP/1.1 200 OK\r\nContent-", 25);
}

static void an_answer_that_never_ends_is_timed_out(void **state)
{
    const struct seen seen = one(serve_half_a_head, soon);

    (void)state;
    assert_int_equal(seen.end, HTTP_TIMED_OUT);
}

static void a_peer_that_closes_at_once_is_broken(void **state)
{
    const struct seen seen = one(visitor_close, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_BROKEN);
}

/* Every answer here lacks the end of its head: curl 7.88 calls them whole. */
static size_t cut_at;
static const char *head_to_cut;

static void serve_cut_head(struct visitor *visitor)
{
    visitor_write(visitor, head_to_cut, cut_at);
    visitor_close(visitor);
}

static void a_head_cut_at_any_byte_is_broken(void **state)
{
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct seen seen = {0};

        head_to_cut = heads[i];
        for (cut_at = 0; cut_at < strlen(heads[i]) - 2; cut_at++) {
            seen = one(serve_cut_head, NULL);
            assert_int_equal(seen.end, HTTP_BROKEN);
            assert_int_equal(seen.status, 0);
        }
        cut_at = strlen(heads[i]);
        seen = one(serve_cut_head, NULL);
        assert_int_equal(seen.end, HTTP_ANSWERED);
    }
}

static void a_cut_head_says_so(void **state)
{
    struct seen seen = {0};

    (void)state;
    head_to_cut = "HTTP/1.1 200 OK\r\nContent-Le";
    cut_at = strlen(head_to_cut);
    seen = one(serve_cut_head, NULL);
    assert_int_equal(seen.end, HTTP_BROKEN);
    assert_non_null(strstr(seen.text, "the answer ends inside its head"));
}

static void serve_endless_head(struct visitor *visitor)
{
    static const char start[] = "HTTP/1.1 200 OK\r\n";
    static char line[1024];

    visitor_write(visitor, start, strlen(start));
    memset(line, 'x', sizeof(line));
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    for (int i = 0; i < 100; i++) {
        visitor_write(visitor, line, sizeof(line));
    }
}

static void an_endless_head_is_too_large(void **state)
{
    const struct seen seen = one(serve_endless_head, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_TOO_LARGE);
    assert_non_null(strstr(seen.text, "the answer's head is larger than"));
}

static void serve_half_a_body(struct visitor *visitor)
{
    static const char half[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nab";

    visitor_write(visitor, half, strlen(half));
    visitor_close(visitor);
}

static void a_cut_body_is_broken_not_short(void **state)
{
    const struct seen seen = one(serve_half_a_body, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_BROKEN);
    assert_int_equal(seen.length, 0);
}

static void serve_garbage(struct visitor *visitor)
{
    visitor_write(visitor, "\x16\x03\x01 hello\r\n\r\n", 13);
    visitor_close(visitor);
}

static void garbage_is_broken(void **state)
{
    const struct seen seen = one(serve_garbage, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_BROKEN);
}

static void serve_10_mib_in_chunks(struct visitor *visitor)
{
    static char chunk[65536 + 16];
    static const char head[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const int start = snprintf(chunk, sizeof(chunk), "10000\r\n");

    memset(chunk + start, 'x', 65536);
    memcpy(chunk + start + 65536, "\r\n", 2);
    visitor_write(visitor, head, strlen(head));
    for (int i = 0; i < 160; i++) {
        visitor_write(visitor, chunk, (size_t)start + 65536 + 2);
    }
    visitor_write(visitor, "0\r\n\r\n", 5);
}

static void ten_mib_in_chunks_are_too_large(void **state)
{
    const struct seen seen = one(serve_10_mib_in_chunks, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_TOO_LARGE);
    assert_int_equal(seen.length, 0);
    assert_non_null(strstr(seen.text, "8388608 bytes"));
}

static void serve_announced_10_mib(struct visitor *visitor)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\nx";

    visitor_write(visitor, head, strlen(head));
}

static void an_announced_length_is_believed_when_too_large(void **state)
{
    const struct seen seen = one(serve_announced_10_mib, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_TOO_LARGE);
}

struct bits {
    unsigned char bytes[128 * 1024];
    size_t count;
};

/* Huffman codes are packed with their first bit first. */
static void put_code(struct bits *bits, const char *code)
{
    for (const char *at = code; *at != '\0'; at++) {
        if (*at == '1') {
            bits->bytes[bits->count / 8] |=
                (unsigned char)(1U << (bits->count % 8));
        }
        bits->count++;
    }
}

/* 12 MiB of zeroes in 80 KB: one zero, then "258 times the byte before", in a
 * deflate block with the fixed codes (RFC 1951, 3.2.6). */
static void serve_gzip_bomb(struct visitor *visitor)
{
    static const unsigned char gzip[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    struct bits *bits = calloc(1, sizeof(*bits));
    char head[128];
    int length = 0;

    assert_non_null(bits);
    memcpy(bits->bytes, gzip, sizeof(gzip));
    bits->count = 8 * sizeof(gzip);
    put_code(bits, "110");
    put_code(bits, "00110000");
    for (int i = 0; i < 12 * 1024 * 1024 / 258; i++) {
        put_code(bits, "11000101"
                       "00000");
    }
    put_code(bits, "0000000");
    length = snprintf(head, sizeof(head),
                      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                      "Content-Length: %zu\r\n\r\n",
                      bits->count / 8 + 1);
    visitor_write(visitor, head, (size_t)length);
    visitor_write(visitor, bits->bytes, bits->count / 8 + 1);
    free(bits);
}

static void a_gzip_bomb_is_counted_as_decoded(void **state)
{
    const struct seen seen = one(serve_gzip_bomb, NULL);

    (void)state;
    assert_int_equal(seen.end, HTTP_TOO_LARGE);
}

static void small_cap(struct http_call *call)
{
    call->body_max = 10;
}

static void serve_ten_bytes(struct visitor *visitor)
{
    visitor_answer(visitor, "200 OK", "", "0123456789");
}

static void serve_eleven_bytes(struct visitor *visitor)
{
    visitor_answer(visitor, "200 OK", "", "0123456789a");
}

static void the_cap_is_exact(void **state)
{
    (void)state;
    assert_int_equal(one(serve_ten_bytes, small_cap).end, HTTP_ANSWERED);
    assert_int_equal(one(serve_eleven_bytes, small_cap).end, HTTP_TOO_LARGE);
}

static void to_a_closed_port(struct http_call *call)
{
    call->url = "http://user:pass@127.0.0.1:1/x?token=t";
}

static void a_refused_connection_is_unreachable(void **state)
{
    const struct seen seen = one(NULL, to_a_closed_port);

    (void)state;
    assert_int_equal(seen.end, HTTP_UNREACHABLE);
    assert_memory_equal(seen.text, "GET http://127.0.0.1:1/x: ", 26);
    assert_null(strstr(seen.text, "pass"));
    assert_null(strstr(seen.text, "token"));
}

static void to_a_missing_socket(struct http_call *call)
{
    call->unix_socket = "/nonexistent/socket";
}

static void a_missing_unix_socket_is_unreachable(void **state)
{
    (void)state;
    assert_int_equal(one(NULL, to_a_missing_socket).end, HTTP_UNREACHABLE);
}

static void to_a_file(struct http_call *call)
{
    call->url = "file:///etc/passwd";
}

static void to_nonsense(struct http_call *call)
{
    call->url = "not a url";
}

static void with_a_header_inside_a_token(struct http_call *call)
{
    call->bearer = "x\r\nEvil: 1";
}

static void what_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    assert_int_equal(one(NULL, to_a_file).end, HTTP_REFUSED);
    assert_int_equal(one(NULL, to_nonsense).end, HTTP_REFUSED);
    assert_int_equal(one(NULL, with_a_header_inside_a_token).end, HTTP_REFUSED);
}

static void the_environment_names_no_proxy(void **state)
{
    struct seen seen;

    (void)state;
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
    seen = one(serve_ten_bytes, NULL);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(seen.end, HTTP_ANSWERED);
}

/* --- Connections ---------------------------------------------------------- */

/* Answers the first request of a connection and closes without a word at the
 * second: the moment at which curl would send a POST again. */
static void serve_once_then_close(struct visitor *visitor)
{
    if (visitor->requests > 1) {
        visitor_close(visitor);
        return;
    }
    visitor_answer(visitor, "200 OK", "", "ok");
}

static void a_post_on_a_closed_kept_connection_is_not_repeated(void **state)
{
    struct world *world = open_world(serve_once_then_close, NULL);
    struct seen first = {0}, second = {0};
    char url[64];
    struct http_call call = call_to(world, url);

    (void)state;
    (void)http_send(world->http, &call, note, &first);
    wait_for(world, &first);
    assert_int_equal(world->peer.connections, 1);

    post_with_headers(&call);
    call.changes_world = true;
    (void)http_send(world->http, &call, note, &second);
    wait_for(world, &second);
    assert_int_equal(second.end, HTTP_ANSWERED);
    assert_int_equal(world->peer.connections, 2);
    assert_int_equal(world->peer.requests, 2);
    close_world(world);
}

static void a_lost_post_is_reported_and_not_repeated(void **state)
{
    struct world *world = open_world(visitor_close, NULL);
    struct seen seen = {0};
    char url[64];
    struct http_call call = call_to(world, url);

    (void)state;
    post_with_headers(&call);
    call.changes_world = true;
    (void)http_send(world->http, &call, note, &seen);
    wait_for(world, &seen);
    assert_int_equal(seen.end, HTTP_BROKEN);
    assert_int_equal(world->peer.requests, 1);
    close_world(world);
}

static void questions_keep_their_connection(void **state)
{
    struct world *world = open_world(serve_ten_bytes, NULL);
    char url[64];
    const struct http_call call = call_to(world, url);

    (void)state;
    for (int i = 0; i < 10; i++) {
        struct seen seen = {0};

        (void)http_send(world->http, &call, note, &seen);
        wait_for(world, &seen);
        assert_int_equal(seen.end, HTTP_ANSWERED);
    }
    assert_int_equal(world->peer.connections, 1);
    close_world(world);
}

/* --- The queue ------------------------------------------------------------ */

static void at_most_eight_a_host_fly(void **state)
{
    enum { COUNT = 100 };
    struct world *world = open_world(NULL, NULL);
    struct seen seen[COUNT] = {0};
    char url[64];
    const struct http_call call = call_to(world, url);

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        (void)http_send(world->http, &call, note, &seen[i]);
    }
    while (world->peer.requests < 8) {
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    }
    for (int i = 0; i < 20; i++) {
        (void)uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(http_in_flight(world->http), 8);
    assert_int_equal(world->peer.requests, 8);
    close_world(world);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(seen[i].calls, 1);
        assert_int_equal(seen[i].end, HTTP_CANCELLED);
    }
}

/* A host that hangs with a long queue keeps no other host waiting. */
static void a_slow_host_keeps_nobody_waiting(void **state)
{
    struct world *world = open_world(NULL, NULL);
    static struct seen slow[500];
    struct peer quick;
    struct seen seen = {0};
    char url[64], other[64];
    struct http_call call = call_to(world, url);

    (void)state;
    memset(slow, 0, sizeof(slow));
    peer_start(&quick, &world->loop, serve_ten_bytes, NULL);
    for (int i = 0; i < 500; i++) {
        (void)http_send(world->http, &call, note, &slow[i]);
    }
    (void)snprintf(other, sizeof(other), "http://127.0.0.1:%d/", quick.port);
    call.url = other;
    (void)http_send(world->http, &call, note, &seen);
    wait_for(world, &seen);
    assert_int_equal(seen.end, HTTP_ANSWERED);
    assert_int_equal(slow[0].calls, 0);
    peer_stop(&quick);
    close_world(world);
}

static void all_that_waits_is_answered_in_the_end(void **state)
{
    enum { COUNT = 300 };
    struct world *world = open_world(serve_ten_bytes, NULL);
    struct seen seen[COUNT] = {0};
    char url[64];
    const struct http_call call = call_to(world, url);

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        (void)http_send(world->http, &call, note, &seen[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        wait_for(world, &seen[i]);
        assert_int_equal(seen[i].end, HTTP_ANSWERED);
    }
    assert_true(world->peer.connections <= 8);
    close_world(world);
}

static void a_full_queue_refuses(void **state)
{
    enum { COUNT = 20001 };
    struct world *world = open_world(NULL, NULL);
    struct seen *seen = calloc(COUNT, sizeof(*seen));
    struct seen urgent = {0};
    char url[64];
    struct http_call call = call_to(world, url);

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        (void)http_send(world->http, &call, note, &seen[i]);
    }
    assert_int_equal(seen[COUNT - 1].calls, 0);
    wait_for(world, &seen[COUNT - 1]);
    assert_int_equal(seen[COUNT - 1].end, HTTP_REFUSED);
    assert_non_null(strstr(seen[COUNT - 1].text, "too many"));
    call.urgent = true;
    (void)http_send(world->http, &call, note, &urgent);
    while (world->peer.requests < 9) {
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    }
    close_world(world);
    assert_int_equal(urgent.end, HTTP_CANCELLED);
    assert_int_equal(seen[COUNT - 2].end, HTTP_CANCELLED);
    free(seen);
}

/* --- What is urgent, what is late ------------------------------------------
 */

static void some_turns(struct world *world)
{
    for (int i = 0; i < 20; i++) {
        (void)uv_run(&world->loop, UV_RUN_NOWAIT);
    }
}

static void await_requests(struct world *world, const struct peer *peer,
                           int count)
{
    while (peer->requests < count) {
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    }
    some_turns(world);
    assert_int_equal(peer->requests, count);
}

/* A host that hangs has all its places taken and a queue before them. */
static void an_urgent_request_waits_behind_nobody(void **state)
{
    struct world *world = open_world(NULL, NULL);
    struct seen seen[100] = {0}, urgent = {0};
    char url[64];
    struct http_call call = call_to(world, url);

    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)http_send(world->http, &call, note, &seen[i]);
    }
    await_requests(world, &world->peer, 8);
    call.urgent = true;
    (void)http_send(world->http, &call, note, &urgent);
    await_requests(world, &world->peer, 9);
    assert_int_equal(http_in_flight(world->http), 9);
    close_world(world);
    assert_int_equal(urgent.end, HTTP_CANCELLED);
}

/* Nor do hosts that hang keep it from another one. */
static void an_urgent_request_has_a_place_when_all_are_taken(void **state)
{
    struct world *world = open_world(serve_ten_bytes, NULL);
    struct peer hung[9];
    struct seen seen[9 * 8] = {0}, ordinary = {0}, urgent = {0};
    char url[64], other[64];
    struct http_call call = call_to(world, url);
    int requests = 0;

    (void)state;
    for (int i = 0; i < 9; i++) {
        peer_start(&hung[i], &world->loop, NULL, NULL);
        (void)snprintf(other, sizeof(other), "http://127.0.0.1:%d/",
                       hung[i].port);
        call.url = other;
        for (int k = 0; k < 8; k++) {
            (void)http_send(world->http, &call, note, &seen[8 * i + k]);
        }
    }
    while (requests < 64) {
        (void)uv_run(&world->loop, UV_RUN_ONCE);
        requests = 0;
        for (int i = 0; i < 9; i++) {
            requests += hung[i].requests;
        }
    }
    call.url = url;
    (void)http_send(world->http, &call, note, &ordinary);
    call.urgent = true;
    (void)http_send(world->http, &call, note, &urgent);
    wait_for(world, &urgent);
    assert_int_equal(urgent.end, HTTP_ANSWERED);
    some_turns(world);
    assert_int_equal(ordinary.calls, 0);
    for (int i = 0; i < 9; i++) {
        peer_stop(&hung[i]);
    }
    close_world(world);
}

/* Who asked has given up by the time a place is free: it is not sent. */
static void what_waited_too_long_is_not_sent(void **state)
{
    struct world *world = open_world(NULL, NULL);
    struct seen seen[8] = {0}, late = {0};
    char url[64];
    struct http_call call = call_to(world, url);

    (void)state;
    call.timeout = 300;
    for (int i = 0; i < 8; i++) {
        (void)http_send(world->http, &call, note, &seen[i]);
    }
    await_requests(world, &world->peer, 8);
    call.timeout = 20 * SECOND_MS;
    call.patience = 1;
    (void)http_send(world->http, &call, note, &late);
    wait_for(world, &late);
    assert_int_equal(seen[0].end, HTTP_TIMED_OUT);
    assert_int_equal(late.end, HTTP_TIMED_OUT);
    assert_non_null(strstr(late.text, "not sent"));
    assert_int_equal(world->peer.requests, 8);
    close_world(world);
}

/* --- Cancelling ----------------------------------------------------------- */

static void a_waiting_and_a_flying_request_can_be_cancelled(void **state)
{
    struct world *world = open_world(NULL, NULL);
    struct seen waiting = {0}, flying = {0};
    char url[64];
    const struct http_call call = call_to(world, url);
    struct http_request *request = NULL;

    (void)state;
    request = http_send(world->http, &call, note, &waiting);
    http_cancel(world->http, request);
    assert_int_equal(waiting.calls, 1);
    assert_int_equal(waiting.end, HTTP_CANCELLED);

    request = http_send(world->http, &call, note, &flying);
    while (world->peer.requests == 0) {
        (void)uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_int_equal(http_in_flight(world->http), 1);
    http_cancel(world->http, request);
    assert_int_equal(flying.calls, 1);
    assert_int_equal(flying.end, HTTP_CANCELLED);
    assert_int_equal(http_in_flight(world->http), 0);
    close_world(world);
    assert_int_equal(flying.calls, 1);
}

/* The first answer cancels all the others from within its callback, whatever
 * state they are in, and sends one more. */
struct crowd {
    struct world *world;
    struct http_request *requests[40];
    struct seen seen[40];
    struct seen last;
    bool did;
};
static struct crowd crowd;

static void note_and_cancel_the_rest(void *data, const struct http_answer *it)
{
    struct seen *seen = data;
    char url[64];
    const struct http_call call = call_to(crowd.world, url);

    note(data, it);
    if (crowd.did) {
        return;
    }
    crowd.did = true;
    for (int i = 0; i < 40; i++) {
        if (&crowd.seen[i] != seen && crowd.seen[i].calls == 0) {
            http_cancel(crowd.world->http, crowd.requests[i]);
        }
    }
    (void)http_send(crowd.world->http, &call, note, &crowd.last);
}

static void cancelling_from_within_an_answer_is_safe(void **state)
{
    char url[64];
    struct http_call call;

    (void)state;
    memset(&crowd, 0, sizeof(crowd));
    crowd.world = open_world(serve_ten_bytes, NULL);
    call = call_to(crowd.world, url);
    for (int i = 0; i < 40; i++) {
        crowd.requests[i] = http_send(crowd.world->http, &call,
                                      note_and_cancel_the_rest, &crowd.seen[i]);
    }
    wait_for(crowd.world, &crowd.last);
    assert_int_equal(crowd.last.end, HTTP_ANSWERED);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(crowd.seen[i].calls, 1);
    }
    close_world(crowd.world);
}

static void closing_from_within_an_answer_is_safe(void *data,
                                                  const struct http_answer *it)
{
    struct world *world = crowd.world;

    note(data, it);
    if (!crowd.did) {
        crowd.did = true;
        http_close(world->http, note_closed, &world->closed);
    }
}

static void a_close_in_the_middle_answers_everyone(void **state)
{
    char url[64];
    struct http_call call;

    (void)state;
    memset(&crowd, 0, sizeof(crowd));
    crowd.world = open_world(serve_ten_bytes, NULL);
    call = call_to(crowd.world, url);
    for (int i = 0; i < 40; i++) {
        (void)http_send(crowd.world->http, &call,
                        closing_from_within_an_answer_is_safe, &crowd.seen[i]);
    }
    while (!crowd.world->closed) {
        (void)uv_run(&crowd.world->loop, UV_RUN_ONCE);
    }
    for (int i = 0; i < 40; i++) {
        assert_int_equal(crowd.seen[i].calls, 1);
    }
    peer_stop(&crowd.world->peer);
    assert_int_equal(uv_run(&crowd.world->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&crowd.world->loop), 0);
    free(crowd.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_carries_headers_token_and_body),
        cmocka_unit_test(a_429_says_when_to_come_back),
        cmocka_unit_test(a_redirect_is_an_answer_and_is_not_followed),
        cmocka_unit_test(an_empty_answer_has_an_empty_body),
        cmocka_unit_test(methods_arrive_as_named),
        cmocka_unit_test(a_peer_that_hangs_is_timed_out),
        cmocka_unit_test(an_answer_that_never_ends_is_timed_out),
        cmocka_unit_test(a_peer_that_closes_at_once_is_broken),
        cmocka_unit_test(a_head_cut_at_any_byte_is_broken),
        cmocka_unit_test(a_cut_head_says_so),
        cmocka_unit_test(an_endless_head_is_too_large),
        cmocka_unit_test(a_cut_body_is_broken_not_short),
        cmocka_unit_test(garbage_is_broken),
        cmocka_unit_test(ten_mib_in_chunks_are_too_large),
        cmocka_unit_test(an_announced_length_is_believed_when_too_large),
        cmocka_unit_test(a_gzip_bomb_is_counted_as_decoded),
        cmocka_unit_test(the_cap_is_exact),
        cmocka_unit_test(a_refused_connection_is_unreachable),
        cmocka_unit_test(a_missing_unix_socket_is_unreachable),
        cmocka_unit_test(what_cannot_be_sent_is_refused),
        cmocka_unit_test(the_environment_names_no_proxy),
        cmocka_unit_test(a_post_on_a_closed_kept_connection_is_not_repeated),
        cmocka_unit_test(a_lost_post_is_reported_and_not_repeated),
        cmocka_unit_test(questions_keep_their_connection),
        cmocka_unit_test(at_most_eight_a_host_fly),
        cmocka_unit_test(a_slow_host_keeps_nobody_waiting),
        cmocka_unit_test(all_that_waits_is_answered_in_the_end),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(an_urgent_request_waits_behind_nobody),
        cmocka_unit_test(an_urgent_request_has_a_place_when_all_are_taken),
        cmocka_unit_test(what_waited_too_long_is_not_sent),
        cmocka_unit_test(a_waiting_and_a_flying_request_can_be_cancelled),
        cmocka_unit_test(cancelling_from_within_an_answer_is_safe),
        cmocka_unit_test(a_close_in_the_middle_answers_everyone),
    };
    int failed = 0;

    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
