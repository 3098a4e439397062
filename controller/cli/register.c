#include "controller/cli/commands.h"

#include <errno.h>
#include <string.h>

#include "controller/cli/client.h"
#include "policies/problem.h"

/* The API's own limit, with room for a body that it then refuses by name. */
#define BODY_MAX (128 * 1024)

/* --- The body ------------------------------------------------------------- */

static json_t *read_body(const struct cli_call *call, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    static char bytes[BODY_MAX + 1];
    size_t length = 0;
    json_error_t error;
    json_t *body = NULL;

    if (file == NULL) {
        (void)cli_fail(call, "%s: %s", path, strerror(errno));
        return NULL;
    }
    length = fread(bytes, 1, sizeof(bytes), file);
    if (!standard) {
        (void)fclose(file);
    }
    if (length > BODY_MAX) {
        (void)cli_fail(call, "%s: more than %d KiB is no release", path,
                       BODY_MAX / 1024);
        return NULL;
    }
    body = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (body == NULL) {
        (void)cli_fail(call, "%s:%d:%d: %s", path, error.line, error.column,
                       error.text);
    } else if (!json_is_object(body)) {
        (void)cli_fail(call, "%s: a JSON object is needed", path);
        json_decref(body);
        body = NULL;
    }
    return body;
}

/* Only text that is not UTF-8 cannot be put. */
static bool put(json_t *body, const char *member, const char *value)
{
    return value == NULL ||
           json_object_set_new(body, member, json_string(value)) == 0;
}

static bool refuse_text(const struct cli_call *call)
{
    (void)cli_fail(call, "an argument is not UTF-8 text");
    return false;
}

static bool put_labels(const struct cli_call *call, json_t *body)
{
    json_t *labels = json_object();
    const char *label = NULL;
    size_t cursor = 0;

    while ((label = cli_next(call, "label", &cursor)) != NULL) {
        const char *equals = strchr(label, '=');

        if (equals == NULL || equals == label) {
            json_decref(labels);
            (void)cli_fail(call, "--label %s: write NAME=VALUE", label);
            return false;
        }
        if (json_object_getn(labels, label, (size_t)(equals - label)) != NULL) {
            json_decref(labels);
            (void)cli_fail(call, "--label %s: this name is given twice", label);
            return false;
        }
        if (json_object_setn_new(labels, label, (size_t)(equals - label),
                                 json_string(equals + 1)) != 0) {
            json_decref(labels);
            return refuse_text(call);
        }
    }
    if (json_object_size(labels) > 0) {
        json_object_set_new(body, "labels", labels);
    } else {
        json_decref(labels);
    }
    return true;
}

static json_t *make_body(const struct cli_call *call)
{
    json_t *body = NULL;
    bool good = true;

    if (call->positionals != 2 || cli_value(call, "environment") == NULL) {
        (void)cli_fail(call, "usage: lastgood register %s",
                       call->command->arguments);
        return NULL;
    }
    body = json_object();
    if (!(put(body, "service", call->positional[0]) &&
          put(body, "environment", cli_value(call, "environment")) &&
          put(body, "version", call->positional[1]) &&
          put(body, "deployed_at", cli_value(call, "deployed-at")) &&
          put(body, "previous", cli_value(call, "previous")) &&
          put(body, "kind", cli_value(call, "kind")) &&
          put(body, "data_change", cli_value(call, "data-change")) &&
          put(body, "rollback_compatible_from",
              cli_value(call, "rollback-compatible-from")))) {
        good = refuse_text(call);
    }
    if (!good || !put_labels(call, body)) {
        json_decref(body);
        return NULL;
    }
    return body;
}

/* --body is the whole request: nothing else may say it a second time. */
static bool body_stands_alone(const struct cli_call *call)
{
    static const char *const others[] = {
        "environment", "previous",    "data-change", "rollback-compatible-from",
        "label",       "deployed-at", "kind",
    };

    if (call->positionals > 0) {
        (void)cli_fail(call,
                       "--body says the service and version: leave '%s' "
                       "out",
                       call->positional[0]);
        return false;
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (cli_value(call, others[i]) != NULL) {
            (void)cli_fail(call, "--body is the whole request: leave --%s out",
                           others[i]);
            return false;
        }
    }
    return true;
}

/* --- The answer ----------------------------------------------------------- */

static int tell(const json_t *answer, long status, bool json)
{
    bool watched = json_is_true(json_object_get(answer, "watched"));
    char id[64], text[1024];

    if (json) {
        client_print_json(answer);
        return watched ? EXIT_CODE_DONE : EXIT_CODE_UNWATCHED;
    }
    text_escape(client_text(answer, "release"), id, sizeof(id));
    text_escape(client_text(answer, "text"), text, sizeof(text));
    (void)printf("release %s: %s%s\n", id, text,
                 watched || status == 201 ? "" : "; it is not watched");
    return watched ? EXIT_CODE_DONE : EXIT_CODE_UNWATCHED;
}

int register_run(const struct cli_call *call)
{
    const char *file = cli_value(call, "body");
    json_t *body = NULL;
    struct reply reply;
    bool json = false;
    int code = EXIT_CODE_ERROR;

    if (!client_format(call, &json) ||
        (file != NULL && !body_stands_alone(call))) {
        return EXIT_CODE_ERROR;
    }
    body = file != NULL ? read_body(call, file) : make_body(call);
    if (body == NULL) {
        return EXIT_CODE_ERROR;
    }
    client_ask(call, "POST", "/v1/releases", body, cli_value(call, "key"),
               &reply);
    code = reply.end == REPLY_OK ? tell(reply.json, reply.status, json)
                                 : client_fail(call, &reply);
    reply_release(&reply);
    json_decref(body);
    return code;
}
