/* The commands' side of the API: one blocking request at a time. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "controller/cli/cli.h"

#include <jansson.h>

#define CLIENT_SERVER_DEFAULT "http://127.0.0.1:7333"
#define CLIENT_ANSWER_MAX     (32 * 1024 * 1024)

enum reply_end {
    REPLY_OK,      /* 2xx */
    REPLY_PROBLEM, /* the API refused: status, code and text say why; status
                      0: the server's address is none */
    REPLY_NONE     /* nobody answered, or not in lastgood's words: text */
};

struct reply {
    enum reply_end end;
    long status;     /* 0 with REPLY_NONE when there was no answer */
    json_t *json;    /* the whole answer; NULL with REPLY_NONE */
    char code[64];   /* REPLY_PROBLEM: its stable word */
    char text[2048]; /* one line for people, escaped: what, where, what next */
};

/* Ask.  @path is the raw target ("/v1/gate?service=a"); @body may be NULL and
 * is only lent; @key is an idempotency key or NULL.  The server is named by
 * --server, else LASTGOOD_SERVER, else the default.  Release the reply. */
void client_ask(const struct cli_call *call, const char *method,
                const char *path, const json_t *body, const char *key,
                struct reply *ret_reply);
void reply_release(struct reply *reply);

/* Append "NAME=VALUE", percent-encoded, to the target in @path; nothing when
 * @value is NULL.  False when it does not fit in @size. */
bool client_argument(char *path, size_t size, const char *name,
                     const char *value);

/* --format: false with a line on standard error when it is another word. */
bool client_format(const struct cli_call *call, bool *ret_json);

/* Print the API's answer as JSON. */
void client_print_json(const json_t *json);

/* Print the reply's text as an error; returns the exit code 1. */
int client_fail(const struct cli_call *call, const struct reply *reply);

/* A text member of an answer, "" when it is missing or null. */
const char *client_text(const json_t *json, const char *name);

/* Is it the number of a release or an incident? */
bool client_is_id(const char *text);

/* The path of the release that [RELEASE | SERVICE [VERSION] --environment ENV]
 * names, "/v1/releases/ID"; asks the API when it must.  False with the line
 * printed. */
bool client_release(const struct cli_call *call, char *ret_id, size_t size);

#endif
