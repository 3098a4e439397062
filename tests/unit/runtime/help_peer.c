#include "help_peer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX (1024 * 1024)

static void on_closed(uv_handle_t *handle)
{
    struct visitor *visitor = handle->data;

    free(visitor->request);
    free(visitor);
}

void visitor_close(struct visitor *visitor)
{
    if (!uv_is_closing((uv_handle_t *)&visitor->tcp)) {
        visitor->peer->open--;
        uv_close((uv_handle_t *)&visitor->tcp, on_closed);
    }
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write->data);
    free(write);
}

void visitor_write(struct visitor *visitor, const void *bytes, size_t length)
{
    uv_write_t *write = malloc(sizeof(*write));
    uv_buf_t buffer = {0};

    assert(write != NULL);
    buffer.base = malloc(length + 1);
    assert(buffer.base != NULL);
    memcpy(buffer.base, bytes, length);
    buffer.len = length;
    write->data = buffer.base;
    if (uv_write(write, (uv_stream_t *)&visitor->tcp, &buffer, 1, on_written) !=
        0) {
        on_written(write, -1);
    }
}

void visitor_answer(struct visitor *visitor, const char *status,
                    const char *headers, const char *body)
{
    char head[1024];
    const int length = snprintf(head, sizeof(head),
                                "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n",
                                status, headers, strlen(body));

    visitor_write(visitor, head, (size_t)length);
    visitor_write(visitor, body, strlen(body));
}

/* Bytes of the request that lies whole at the start of the buffer, or 0. */
static size_t whole_request(const struct visitor *visitor)
{
    const char *end = strstr(visitor->request, "\r\n\r\n");
    const char *field = strcasestr(visitor->request, "\ncontent-length:");
    size_t length = 0;

    if (end == NULL) {
        return 0;
    }
    length = (size_t)(end - visitor->request) + 4;
    if (field != NULL && field < end) {
        length += strtoul(field + strlen("\ncontent-length:"), NULL, 10);
    }
    return length <= visitor->length ? length : 0;
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct visitor *visitor = handle->data;

    (void)suggested;
    if (visitor->size < visitor->length + 65536) {
        visitor->size = visitor->length + 65536;
        visitor->request = realloc(visitor->request, visitor->size + 1);
        assert(visitor->request != NULL);
    }
    buffer->base = visitor->request + visitor->length;
    buffer->len = visitor->size - visitor->length;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct visitor *visitor = stream->data;
    size_t whole = 0;

    (void)buffer;
    if (got < 0 || visitor->length > REQUEST_MAX) {
        visitor_close(visitor);
        return;
    }
    visitor->length += (size_t)got;
    visitor->request[visitor->length] = '\0';
    whole = whole_request(visitor);
    if (whole == 0) {
        return;
    }
    assert(whole == visitor->length); /* nobody pipelines here */
    visitor->requests++;
    visitor->peer->requests++;
    if (visitor->peer->serve != NULL) {
        visitor->peer->serve(visitor);
    }
    visitor->length = 0;
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct peer *peer = stream->data;
    struct visitor *visitor = calloc(1, sizeof(*visitor));
    int failed = 0;

    assert(status == 0);
    assert(visitor != NULL);
    visitor->peer = peer;
    failed = uv_tcp_init(stream->loop, &visitor->tcp);
    assert(failed == 0);
    visitor->tcp.data = visitor;
    (void)uv_tcp_nodelay(&visitor->tcp, 1);
    failed = uv_accept(stream, (uv_stream_t *)&visitor->tcp);
    assert(failed == 0);
    peer->connections++;
    peer->open++;
    failed = uv_read_start((uv_stream_t *)&visitor->tcp, on_allocate, on_read);
    assert(failed == 0);
}

void peer_start(struct peer *peer, uv_loop_t *loop,
                void (*serve)(struct visitor *visitor), void *data)
{
    struct sockaddr_in address;
    struct sockaddr_storage bound;
    int length = sizeof(bound);
    int failed = 0;

    memset(peer, 0, sizeof(*peer));
    peer->serve = serve;
    peer->data = data;
    failed = uv_tcp_init(loop, &peer->tcp);
    assert(failed == 0);
    peer->tcp.data = peer;
    (void)uv_ip4_addr("127.0.0.1", 0, &address);
    failed = uv_tcp_bind(&peer->tcp, (struct sockaddr *)&address, 0);
    assert(failed == 0);
    failed = uv_listen((uv_stream_t *)&peer->tcp, 1024, on_connection);
    assert(failed == 0);
    failed = uv_tcp_getsockname(&peer->tcp, (struct sockaddr *)&bound, &length);
    assert(failed == 0);
    memcpy(&address, &bound, sizeof(address));
    peer->port = ntohs(address.sin_port);
}

void peer_stop(struct peer *peer)
{
    uv_close((uv_handle_t *)&peer->tcp, NULL);
}
