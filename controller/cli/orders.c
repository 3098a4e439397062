/* What people order: adopt, hold, resume, rollback, approve, cancel, mute,
 * close, freeze, thaw.  Each is one POST and one sentence. */
#include "controller/cli/commands.h"

#include "controller/cli/client.h"
#include "policies/problem.h"
#include "policies/units.h"

static int send_order(const struct cli_call *call, const char *path,
                      const json_t *body)
{
    struct reply reply;
    bool json = false;
    char text[1024];
    int code = EXIT_CODE_DONE;

    if (!client_format(call, &json)) {
        return EXIT_CODE_ERROR;
    }
    client_ask(call, "POST", path, body, NULL, &reply);
    if (reply.end != REPLY_OK) {
        code = client_fail(call, &reply);
    } else if (json) {
        client_print_json(reply.json);
    } else {
        text_escape(client_text(reply.json, "text"), text, sizeof(text));
        (void)printf("%s\n", text);
    }
    reply_release(&reply);
    return code;
}

/* Everything that changes something says why. */
static const char *reason_of(const struct cli_call *call)
{
    const char *reason = cli_value(call, "reason");

    if (reason == NULL || reason[0] == '\0') {
        (void)cli_fail(call, "--reason TEXT is needed: it is recorded, and "
                             "whoever is paged next reads it");
        return NULL;
    }
    return reason;
}

static int order_with_reason(const struct cli_call *call, const char *path,
                             const char *reason)
{
    json_t *body = json_pack("{s:s}", "reason", reason);
    int code = EXIT_CODE_ERROR;

    if (body == NULL) {
        return cli_fail(call, "--reason is not UTF-8 text");
    }
    code = send_order(call, path, body);
    json_decref(body);
    return code;
}

static int order_on_release(const struct cli_call *call, const char *verb)
{
    const char *reason = reason_of(call);
    char id[32], path[96];

    if (reason == NULL || !client_release(call, id, sizeof(id))) {
        return EXIT_CODE_ERROR;
    }
    (void)snprintf(path, sizeof(path), "/v1/releases/%s/%s", id, verb);
    return order_with_reason(call, path, reason);
}

static int order_on_service(const struct cli_call *call, const char *path,
                            const char *version, const char *span)
{
    const char *reason = reason_of(call);
    const char *environment = cli_value(call, "environment");
    json_t *body = NULL;
    int code = EXIT_CODE_ERROR;

    if (reason == NULL) {
        return EXIT_CODE_ERROR;
    }
    if (environment == NULL) {
        return cli_fail(call, "--environment ENV is needed");
    }
    body = json_pack("{s:s, s:s, s:s*, s:s*, s:s}", "service",
                     call->positional[0], "environment", environment, "version",
                     version, "for", span, "reason", reason);
    if (body == NULL) {
        return cli_fail(call, "an argument is not UTF-8 text");
    }
    code = send_order(call, path, body);
    json_decref(body);
    return code;
}

int hold_run(const struct cli_call *call)
{
    return order_on_release(call, "hold");
}

int resume_run(const struct cli_call *call)
{
    return order_on_release(call, "resume");
}

int rollback_run(const struct cli_call *call)
{
    return order_on_release(call, "rollback");
}

int mute_run(const struct cli_call *call)
{
    const char *reason = reason_of(call);
    char id[32], path[96];
    json_t *body = NULL;
    int code = EXIT_CODE_ERROR;

    if (reason == NULL || !client_release(call, id, sizeof(id))) {
        return EXIT_CODE_ERROR;
    }
    (void)snprintf(path, sizeof(path), "/v1/releases/%s/mute", id);
    body = json_pack("{s:s, s:s*}", "reason", reason, "for",
                     cli_value(call, "for"));
    if (body == NULL) {
        return cli_fail(call, "an argument is not UTF-8 text");
    }
    code = send_order(call, path, body);
    json_decref(body);
    return code;
}

/* The one argument is the number of a thing that 'lastgood status' shows. */
static int order_on_number(const struct cli_call *call, const char *what,
                           const char *verb, const char *reason)
{
    char path[96];

    if (reason == NULL) {
        return EXIT_CODE_ERROR;
    }
    if (!client_is_id(call->positional[0])) {
        return cli_fail(call, "%s is its number; 'lastgood status' shows it",
                        what);
    }
    (void)snprintf(path, sizeof(path), "/v1/%ss/%s/%s", what,
                   call->positional[0], verb);
    return order_with_reason(call, path, reason);
}

int close_run(const struct cli_call *call)
{
    return order_on_number(call, "incident", "close", reason_of(call));
}

int approve_run(const struct cli_call *call)
{
    const char *reason = cli_value(call, "reason");

    return order_on_number(call, "rollback", "approve",
                           reason != NULL ? reason : "approved");
}

int cancel_run(const struct cli_call *call)
{
    return order_on_number(call, "rollback", "cancel", reason_of(call));
}

int adopt_run(const struct cli_call *call)
{
    return order_on_service(call, "/v1/adoptions", call->positional[1], NULL);
}

int freeze_run(const struct cli_call *call)
{
    const char *span = cli_value(call, "for");

    return order_on_service(call, "/v1/freezes", NULL,
                            span != NULL ? span : "24h");
}

int thaw_run(const struct cli_call *call)
{
    return order_on_service(call, "/v1/thaw", NULL, NULL);
}
