#include "controller/cli/client.h"

#include <assert.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/cli/transfer.h"
#include "controller/config/template.h"
#include "policies/memory.h"
#include "policies/problem.h"
#include "policies/units.h"

#define CONNECT_TIMEOUT_MS 3000L
#define ANSWER_TIMEOUT_MS  30000L

/* --- The request ---------------------------------------------------------- */

struct server {
    char url[512];         /* base address */
    char unix_socket[256]; /* "" for TCP */
    const char *name;      /* as the person wrote it */
};

static bool find_server(const struct cli_call *call, struct server *server,
                        char *ret_error, size_t size)
{
    const char *name = cli_value(call, "server");
    char shown[256];

    if (name == NULL) {
        name = getenv("LASTGOOD_SERVER");
    }
    if (name == NULL || name[0] == '\0') {
        name = CLIENT_SERVER_DEFAULT;
    }
    server->name = name;
    server->unix_socket[0] = '\0';
    if (strncmp(name, "unix:", 5) == 0 && name[5] != '\0' &&
        strlen(name + 5) < sizeof(server->unix_socket)) {
        (void)snprintf(server->unix_socket, sizeof(server->unix_socket), "%s",
                       name + 5);
        (void)snprintf(server->url, sizeof(server->url), "http://localhost");
        return true;
    }
    if ((strncmp(name, "http://", 7) == 0 ||
         strncmp(name, "https://", 8) == 0) &&
        strlen(name) < sizeof(server->url)) {
        size_t length = strlen(name);

        while (length > 0 && name[length - 1] == '/') {
            length--;
        }
        (void)snprintf(server->url, sizeof(server->url), "%.*s", (int)length,
                       name);
        return true;
    }
    text_escape(name, shown, sizeof(shown));
    (void)snprintf(ret_error, size,
                   "'%s' is no server's address; write http://HOST:PORT or "
                   "unix:PATH (--server or LASTGOOD_SERVER)",
                   shown);
    return false;
}

/* Who asks: "cli:root", or NULL when the user has no plain name. */
static const char *principal(char *ret_header, size_t size)
{
    struct passwd *user = getpwuid(geteuid());
    char by[NAME_MAX_BYTES + 1];

    if (user == NULL) {
        return NULL;
    }
    (void)snprintf(by, sizeof(by), "cli:%s", user->pw_name);
    if (!name_is_valid(by)) {
        return NULL;
    }
    (void)snprintf(ret_header, size, "Lastgood-By: %s", by);
    return ret_header;
}

static struct curl_slist *make_headers(bool has_body, const char *key)
{
    struct curl_slist *headers = NULL;
    char line[320];

    headers = curl_slist_append(headers, "Expect:");
    if (has_body) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
    }
    if (key != NULL) {
        (void)snprintf(line, sizeof(line), "Idempotency-Key: %s", key);
        headers = curl_slist_append(headers, line);
    }
    if (principal(line, sizeof(line)) != NULL) {
        headers = curl_slist_append(headers, line);
    }
    return headers;
}

/* --- The reply ------------------------------------------------------------ */

static void say_nobody(const struct server *server, CURLcode code,
                       const char *words, struct reply *reply)
{
    char name[256];

    text_escape(server->name, name, sizeof(name));
    reply->end = REPLY_NONE;
    if (code == CURLE_COULDNT_CONNECT) {
        (void)snprintf(reply->text, sizeof(reply->text),
                       "no lastgood answers at %s: is 'lastgood serve' "
                       "running? (--server or LASTGOOD_SERVER names another)",
                       name);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        (void)snprintf(reply->text, sizeof(reply->text),
                       "%s did not answer in time: look at the controller's "
                       "log, then ask again",
                       name);
    } else {
        (void)snprintf(reply->text, sizeof(reply->text),
                       "%s: %s (--server or LASTGOOD_SERVER names another)",
                       name,
                       words[0] != '\0' ? words : curl_easy_strerror(code));
    }
}

static void say_problem(struct reply *reply)
{
    const char *detail = client_text(reply->json, "detail");
    const char *field = client_text(reply->json, "field");
    char shown[1600];
    char name[160];

    reply->end = REPLY_PROBLEM;
    text_escape(client_text(reply->json, "code"), reply->code,
                sizeof(reply->code));
    if (detail[0] == '\0') {
        detail = client_text(reply->json, "title");
    }
    text_escape(detail, shown, sizeof(shown));
    text_escape(field, name, sizeof(name));
    if (name[0] != '\0' && strstr(shown, name) == NULL) {
        (void)snprintf(reply->text, sizeof(reply->text), "%s: %s", name, shown);
    } else {
        (void)snprintf(reply->text, sizeof(reply->text), "%s", shown);
    }
}

static void read_answer(const struct server *server,
                        const struct transfer_body *answer, struct reply *reply)
{
    json_error_t error;

    reply->json = answer->bytes == NULL
                      ? NULL
                      : json_loadb(answer->bytes, answer->length,
                                   JSON_REJECT_DUPLICATES, &error);
    if (reply->json == NULL || !json_is_object(reply->json)) {
        char name[256];

        text_escape(server->name, name, sizeof(name));
        json_decref(reply->json);
        reply->json = NULL;
        reply->end = REPLY_NONE;
        (void)snprintf(reply->text, sizeof(reply->text),
                       "%s answered %ld, not in lastgood's words: is that "
                       "address lastgood's? (--server or LASTGOOD_SERVER)",
                       name, reply->status);
        return;
    }
    if (reply->status >= 200 && reply->status < 300) {
        reply->end = REPLY_OK;
        return;
    }
    say_problem(reply);
}

static void transfer(const struct server *server, const char *method,
                     const char *path, const char *body, const char *key,
                     struct reply *reply)
{
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = make_headers(body != NULL, key);
    struct transfer_body answer = {.most = CLIENT_ANSWER_MAX};
    char url[8192];
    char words[CURL_ERROR_SIZE] = "";
    CURLcode code = CURLE_OK;

    if (easy == NULL) {
        abort();
    }
    (void)snprintf(url, sizeof(url), "%s%s", server->url, path);
    transfer_set(easy, url, CONNECT_TIMEOUT_MS, ANSWER_TIMEOUT_MS, &answer);
    if (server->unix_socket[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, server->unix_socket);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    if (body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    }
    code = curl_easy_perform(easy);
    if (code != CURLE_OK) {
        say_nobody(server, code, words, reply);
    } else {
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply->status);
        read_answer(server, &answer, reply);
    }
    free(answer.bytes);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
}

void client_ask(const struct cli_call *call, const char *method,
                const char *path, const json_t *body, const char *key,
                struct reply *ret_reply)
{
    struct server server;
    char *text = NULL;

    memset(ret_reply, 0, sizeof(*ret_reply));
    if (!find_server(call, &server, ret_reply->text, sizeof(ret_reply->text))) {
        ret_reply->end = REPLY_PROBLEM;
        return;
    }
    if (key != NULL && text_has_control(key)) { /* it would end the header */
        ret_reply->end = REPLY_PROBLEM;
        (void)snprintf(ret_reply->text, sizeof(ret_reply->text),
                       "--key holds a control character");
        return;
    }
    if (body != NULL) {
        text = json_dumps(body, JSON_COMPACT);
        if (text == NULL) {
            abort();
        }
    }
    transfer(&server, method, path, text, key, ret_reply);
    free(text);
}

void reply_release(struct reply *reply)
{
    json_decref(reply->json);
    reply->json = NULL;
}

/* --- What every command needs --------------------------------------------- */

bool client_argument(char *path, size_t size, const char *name,
                     const char *value)
{
    size_t length = strlen(path);
    int written = 0;

    if (value == NULL) {
        return true;
    }
    written = snprintf(path + length, size - length,
                       "%c%s=", strchr(path, '?') != NULL ? '&' : '?', name);
    length += (size_t)written;
    return length < size &&
           template_encode(value, path + length, size - length) < size - length;
}

bool client_format(const struct cli_call *call, bool *ret_json)
{
    const char *format = cli_value(call, "format");

    if (format == NULL || strcmp(format, "text") == 0) {
        *ret_json = false;
        return true;
    }
    if (strcmp(format, "json") == 0) {
        *ret_json = true;
        return true;
    }
    (void)cli_fail(call, "--format is text or json");
    return false;
}

void client_print_json(const json_t *json)
{
    /* What people typed may hold characters that a terminal obeys. */
    size_t escape = isatty(fileno(stdout)) == 1 ? JSON_ENSURE_ASCII : 0;

    (void)json_dumpf(json, stdout,
                     JSON_INDENT(2) | JSON_REAL_PRECISION(15) | escape);
    (void)putchar('\n');
}

int client_fail(const struct cli_call *call, const struct reply *reply)
{
    return cli_fail(call, "%s", reply->text);
}

const char *client_text(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text != NULL ? text : "";
}

bool client_is_id(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
           strlen(text) < 20;
}

/* The newest release of a version, or the live one. */
static bool ask_release(const struct cli_call *call, char *ret_id, size_t size)
{
    char path[2048] = "/v1/releases?limit=1";
    struct reply reply;
    const json_t *first = NULL;

    if (call->positionals < 2) {
        (void)snprintf(path, sizeof(path), "/v1/releases?live=true");
    }
    if (!client_argument(path, sizeof(path), "service", call->positional[0]) ||
        !client_argument(path, sizeof(path), "environment",
                         cli_value(call, "environment")) ||
        !client_argument(path, sizeof(path), "version",
                         call->positionals > 1 ? call->positional[1] : NULL)) {
        (void)cli_fail(call, "a name is too long (at most %d bytes)",
                       NAME_MAX_BYTES);
        return false;
    }
    client_ask(call, "GET", path, NULL, NULL, &reply);
    if (reply.end != REPLY_OK) {
        (void)client_fail(call, &reply);
        reply_release(&reply);
        return false;
    }
    first = json_array_get(json_object_get(reply.json, "releases"), 0);
    (void)snprintf(ret_id, size, "%s", client_text(first, "id"));
    reply_release(&reply);
    if (ret_id[0] != '\0') {
        return true;
    }
    if (call->positionals > 1) {
        (void)cli_fail(call,
                       "no release %s of %s in %s is known; 'lastgood status' "
                       "shows what is",
                       call->positional[1], call->positional[0],
                       cli_value(call, "environment"));
    } else {
        (void)cli_fail(call,
                       "no live release of %s in %s is known; 'lastgood "
                       "status' shows what is%s",
                       call->positional[0], cli_value(call, "environment"),
                       client_is_id(call->positional[0])
                           ? " (the release of that number: without "
                             "--environment)"
                           : "");
    }
    return false;
}

bool client_release(const struct cli_call *call, char *ret_id, size_t size)
{
    if (client_is_id(call->positional[0]) && call->positionals == 1 &&
        cli_value(call, "environment") == NULL) {
        (void)snprintf(ret_id, size, "%s", call->positional[0]);
        return true;
    }
    if (cli_value(call, "environment") == NULL) {
        (void)cli_fail(call, "%s",
                       "say --environment ENV too, or the number "
                       "of a release");
        return false;
    }
    return ask_release(call, ret_id, size);
}
