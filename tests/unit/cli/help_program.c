#include "help_program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/cli/cli.h"

#define WORDS_MAX 32

/* --- Running -------------------------------------------------------------- */

static int outside(int argc, char **argv)
{
    (void)printf("%s outside, %d words\n", argv[0], argc);
    return 7;
}

/* Let @stream write into a file without a name; returns its old descriptor. */
static int divert(FILE *stream, FILE *into)
{
    int kept = -1;

    (void)fflush(stream);
    kept = dup(fileno(stream));
    assert_true(kept >= 0);
    assert_true(dup2(fileno(into), fileno(stream)) >= 0);
    return kept;
}

static void restore(FILE *stream, int kept, FILE *from, char *ret_text)
{
    size_t length = 0;

    (void)fflush(stream);
    assert_true(dup2(kept, fileno(stream)) >= 0);
    (void)close(kept);
    rewind(from);
    length = fread(ret_text, 1, OUTPUT_MAX - 1, from);
    ret_text[length] = '\0';
    (void)fclose(from);
}

void run_program(struct ran *ret_ran, ...)
{
    static const struct cli_outside others = {outside, outside};
    char *words[WORDS_MAX];
    int count = 0;
    va_list list;
    FILE *out = tmpfile(), *err = tmpfile();
    int kept_out = -1, kept_err = -1;

    assert_non_null(out);
    assert_non_null(err);
    words[count++] = strdup("lastgood");
    va_start(list, ret_ran);
    for (const char *word = va_arg(list, const char *);
         word != NULL && count < WORDS_MAX - 1;
         word = va_arg(list, const char *)) {
        words[count++] = strdup(word);
    }
    va_end(list);
    words[count] = NULL;
    kept_out = divert(stdout, out);
    kept_err = divert(stderr, err);
    ret_ran->code = cli_main(count, words, &others);
    restore(stdout, kept_out, out, ret_ran->out);
    restore(stderr, kept_err, err, ret_ran->err);
    for (int i = 0; i < count; i++) {
        free(words[i]);
    }
}

/* --- The server ----------------------------------------------------------- */

static pid_t server_pid;
static int requests_fd = -1;
static char requests[OUTPUT_MAX];

static size_t body_length(const char *request)
{
    const char *length = strcasestr(request, "\r\nContent-Length: ");

    return length != NULL ? strtoul(length + 18, NULL, 10) : 0;
}

static void read_request(int fd, char *request, size_t size)
{
    size_t length = 0;

    request[0] = '\0';
    while (length < size - 1) {
        const char *end = strstr(request, "\r\n\r\n");
        ssize_t more = 0;

        if (end != NULL &&
            length >= (size_t)(end + 4 - request) + body_length(request)) {
            return;
        }
        more = read(fd, request + length, size - 1 - length);
        if (more <= 0) {
            return;
        }
        length += (size_t)more;
        request[length] = '\0';
    }
}

static void copy_header(const char *request, const char *name, char *ret_text,
                        size_t size)
{
    const char *found = strstr(request, name);

    ret_text[0] = '\0';
    if (found != NULL) {
        (void)snprintf(ret_text, size, " [%.*s]", (int)strcspn(found, "\r"),
                       found);
    }
}

static void note_request(int out, const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    char by[256], key[256], line[8192];
    int length = 0;

    copy_header(request, "Lastgood-By: ", by, sizeof(by));
    copy_header(request, "Idempotency-Key: ", key, sizeof(key));
    length = snprintf(line, sizeof(line), "%.*s %s%s%s\n",
                      (int)(strstr(request, " HTTP/") - request), request,
                      body != NULL ? body + 4 : "", by, key);
    (void)!write(out, line, (size_t)length);
}

static void serve(int listening, int out, const struct scripted *script,
                  size_t count)
{
    static char request[65536];

    for (size_t i = 0; i < count; i++) {
        int fd = accept(listening, NULL, NULL);
        char head[256];
        int length = 0;

        read_request(fd, request, sizeof(request));
        note_request(out, request);
        if (script[i].status != 0) {
            length = snprintf(head, sizeof(head),
                              "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n"
                              "Connection: close\r\n\r\n",
                              script[i].status, strlen(script[i].body));
            (void)!write(fd, head, (size_t)length);
            (void)!write(fd, script[i].body, strlen(script[i].body));
        }
        (void)close(fd);
    }
    _exit(0);
}

void server_start(const struct scripted *script, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int ends[2];
    char url[64];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listening, (void *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listening, 16), 0);
    assert_int_equal(getsockname(listening, (void *)&address, &size), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    server_pid = fork();
    assert_true(server_pid >= 0);
    if (server_pid == 0) {
        (void)alarm(60); /* a test that fails leaves nobody behind */
        serve(listening, ends[1], script, count);
    }
    (void)close(listening);
    (void)close(ends[1]);
    requests_fd = ends[0];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d",
                   ntohs(address.sin_port));
    assert_int_equal(setenv("LASTGOOD_SERVER", url, 1), 0);
}

const char *server_finish(void)
{
    size_t length = 0;
    ssize_t more = 0;
    int status = 0;

    while ((more = read(requests_fd, requests + length,
                        sizeof(requests) - 1 - length)) > 0) {
        length += (size_t)more;
    }
    requests[length] = '\0';
    (void)close(requests_fd);
    assert_int_equal(waitpid(server_pid, &status, 0), server_pid);
    assert_int_equal(status, 0);
    return requests;
}
