#include "crowd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMES_MAX   (1 << 20)
#define ANSWER_MAX  4096
#define REQUEST_MAX 1024

struct client {
    int fd;
    bool waits; /* for its answer */
    double asked_at;
    size_t length;
    char answer[ANSWER_MAX];
};

static struct client clients[CROWD_CLIENTS];
static double times[TIMES_MAX];

static double now(void)
{
    return (double)uv_hrtime() / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    abort();
}

static void open_client(struct client *client, int port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int on = 1;

    memset(client, 0, sizeof(*client));
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 ||
        connect(client->fd, (const struct sockaddr *)&address,
                sizeof(address)) != 0 ||
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) !=
            0) {
        fail("crowd: connect");
    }
}

static void post(struct client *client, uint64_t number)
{
    char body[256], request[REQUEST_MAX];
    int length = snprintf(body, sizeof(body),
                          "{\"service\":\"t%u\",\"environment\":\"production\","
                          "\"version\":\"3.%llu\",\"data_change\":\"none\"}",
                          (unsigned)(number % CROWD_SERVICES),
                          (unsigned long long)number);

    length = snprintf(request, sizeof(request),
                      "POST /v1/releases HTTP/1.1\r\nHost: bench\r\n"
                      "Content-Type: application/json\r\n"
                      "Idempotency-Key: crowd-%llu\r\n"
                      "Content-Length: %d\r\n\r\n%s",
                      (unsigned long long)number, length, body);
    assert(length < REQUEST_MAX);
    client->asked_at = now();
    client->waits = true;
    client->length = 0;
    if (send(client->fd, request, (size_t)length, 0) != length) {
        fail("crowd: send");
    }
}

/* Head and body are there. */
static bool is_whole(const struct client *client)
{
    const char *body = strstr(client->answer, "\r\n\r\n");
    const char *length = strcasestr(client->answer, "Content-Length: ");

    return body != NULL && length != NULL &&
           client->length == (size_t)(body + 4 - client->answer) +
                                 strtoul(length + 16, NULL, 10);
}

static void hear(struct crowd *crowd, struct client *client)
{
    const ssize_t count = recv(client->fd, client->answer + client->length,
                               ANSWER_MAX - 1 - client->length, 0);

    if (count <= 0) {
        fail("crowd: the server hung up");
    }
    client->length += (size_t)count;
    client->answer[client->length] = '\0';
    if (!is_whole(client)) {
        return;
    }
    client->waits = false;
    if (strncmp(client->answer, "HTTP/1.1 201", 12) != 0) {
        crowd->refused++;
        return;
    }
    if (crowd->registered < TIMES_MAX) {
        times[crowd->registered] = now() - client->asked_at;
    }
    crowd->registered++;
}

static void hear_all(struct crowd *crowd)
{
    struct pollfd polls[CROWD_CLIENTS];

    for (size_t i = 0; i < CROWD_CLIENTS; i++) {
        polls[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
    }
    if (poll(polls, CROWD_CLIENTS, 1) < 0) {
        fail("crowd: poll");
    }
    for (size_t i = 0; i < CROWD_CLIENTS; i++) {
        if (polls[i].revents != 0) {
            hear(crowd, &clients[i]);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void run(void *data)
{
    static uint64_t number; /* of the posts, in all runs */
    struct crowd *crowd = data;
    const double begin = now();
    uint64_t posted = 0;
    size_t count = 0;

    while (!crowd->enough) {
        for (size_t i = 0; i < CROWD_CLIENTS; i++) {
            const bool is_due = crowd->rate <= 0 ||
                                (double)posted < (now() - begin) * crowd->rate;

            if (!clients[i].waits && is_due) {
                post(&clients[i], number++);
                posted++;
            }
        }
        hear_all(crowd);
    }
    crowd->seconds = now() - begin;
    count = crowd->registered < TIMES_MAX ? crowd->registered : TIMES_MAX;
    qsort(times, count, sizeof(times[0]), compare);
    crowd->p50_ms = count > 0 ? times[count / 2] * 1e3 : 0;
    crowd->p99_ms = count > 0 ? times[count * 99 / 100] * 1e3 : 0;
}

void crowd_start(struct crowd *crowd, int port, double rate)
{
    memset(crowd, 0, sizeof(*crowd));
    crowd->port = port;
    crowd->rate = rate;
    for (size_t i = 0; i < CROWD_CLIENTS; i++) {
        open_client(&clients[i], port);
    }
    if (uv_thread_create(&crowd->thread, run, crowd) != 0) {
        fail("crowd: no thread");
    }
}

void crowd_stop(struct crowd *crowd)
{
    crowd->enough = true;
    (void)uv_thread_join(&crowd->thread);
    for (size_t i = 0; i < CROWD_CLIENTS; i++) {
        (void)close(clients[i].fd);
    }
}
