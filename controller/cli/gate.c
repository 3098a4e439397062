#include "controller/cli/commands.h"

#include <string.h>

#include "controller/cli/client.h"
#include "controller/cli/terminal.h"
#include "policies/problem.h"
#include "policies/units.h"

enum when_unknown { WHEN_UNKNOWN_SAY, WHEN_UNKNOWN_GO, WHEN_UNKNOWN_STOP };

struct question {
    const char *environment, *version, *intent, *reason;
    bool override, json;
    enum when_unknown when_unknown;
};

static bool read_question(const struct cli_call *call, struct question *ask)
{
    const char *when = cli_value(call, "when-unknown");

    memset(ask, 0, sizeof(*ask));
    ask->environment = cli_value(call, "environment");
    ask->version = cli_value(call, "version");
    ask->intent = cli_value(call, "intent");
    ask->reason = cli_value(call, "reason");
    ask->override = cli_value(call, "override") != NULL;
    if (when != NULL && strcmp(when, "go") == 0) {
        ask->when_unknown = WHEN_UNKNOWN_GO;
    } else if (when != NULL && strcmp(when, "stop") == 0) {
        ask->when_unknown = WHEN_UNKNOWN_STOP;
    } else if (when != NULL) {
        (void)cli_fail(call, "--when-unknown is go or stop");
        return false;
    }
    if (ask->environment == NULL) {
        (void)cli_fail(call, "--environment ENV is needed");
        return false;
    }
    if (ask->override && (ask->reason == NULL || ask->reason[0] == '\0')) {
        (void)cli_fail(call, "--override needs --reason TEXT: it is recorded "
                             "and paged");
        return false;
    }
    if (ask->override && ask->intent == NULL && ask->version == NULL) {
        (void)cli_fail(call, "--override needs --version VERSION: it lets one "
                             "version through");
        return false;
    }
    if (ask->intent != NULL && ask->version != NULL &&
        strcmp(ask->intent, ask->version) != 0) {
        (void)cli_fail(call, "--intent and --version name two versions");
        return false;
    }
    return client_format(call, &ask->json);
}

/* One answer on standard output, whatever it is: it is what was asked for. */
static void tell(const struct question *ask, const char *word,
                 const struct reply *reply)
{
    bool colour = terminal_has_colour(stdout);
    enum paint paint =
        terminal_paint_of(strcmp(word, "unknown") == 0 ? "held" : word);
    char text[2048];

    if (ask->json) {
        json_t *said =
            reply->json != NULL
                ? json_incref(reply->json)
                : json_pack("{s:s, s:s, s:s}", "gate", "unknown", "code",
                            "no_answer", "detail", reply->text);

        client_print_json(said);
        json_decref(said);
        return;
    }
    if (reply->end == REPLY_OK) {
        text_escape(client_text(reply->json, "text"), text, sizeof(text));
    } else {
        (void)snprintf(text, sizeof(text), "%s", reply->text);
    }
    (void)printf("%s%s%s%s%s\n", terminal_paint(paint, colour), word,
                 terminal_unpaint(paint, colour), text[0] != '\0' ? ": " : "",
                 text);
}

static int answer_unknown(const struct question *ask, const struct reply *reply)
{
    tell(ask, "unknown", reply);
    switch (ask->when_unknown) {
    case WHEN_UNKNOWN_GO:
        return EXIT_CODE_DONE;
    case WHEN_UNKNOWN_STOP:
        return EXIT_CODE_REFUSED;
    case WHEN_UNKNOWN_SAY:
        break;
    }
    return EXIT_CODE_UNKNOWN;
}

static int answer(const struct cli_call *call, const struct question *ask,
                  const struct reply *reply)
{
    const char *gate = client_text(reply->json, "gate");

    if (reply->end == REPLY_OK) {
        tell(ask, "go", reply);
        return EXIT_CODE_DONE;
    }
    if (reply->end == REPLY_PROBLEM && strcmp(gate, "refused") == 0) {
        tell(ask, "refused", reply);
        return EXIT_CODE_REFUSED;
    }
    if (reply->end == REPLY_NONE || strcmp(gate, "unknown") == 0 ||
        reply->status >= 500) {
        return answer_unknown(ask, reply);
    }
    return client_fail(call, reply);
}

/* What cannot even be asked. */
static void refuse_call(const char *why, struct reply *ret_reply)
{
    memset(ret_reply, 0, sizeof(*ret_reply));
    ret_reply->end = REPLY_PROBLEM;
    (void)snprintf(ret_reply->text, sizeof(ret_reply->text), "%s", why);
}

static void ask_gate(const struct cli_call *call, const struct question *ask,
                     bool override, struct reply *ret_reply)
{
    const char *version = ask->intent != NULL ? ask->intent : ask->version;
    char path[2048] = "/v1/gate";
    json_t *body = NULL;

    if (!override && ask->intent == NULL) {
        if (!client_argument(path, sizeof(path), "service",
                             call->positional[0]) ||
            !client_argument(path, sizeof(path), "environment",
                             ask->environment) ||
            !client_argument(path, sizeof(path), "version", version)) {
            refuse_call("a name is too long", ret_reply);
            return;
        }
        client_ask(call, "GET", path, NULL, NULL, ret_reply);
        return;
    }
    body = json_pack("{s:s, s:s, s:s, s:b, s:s*}", "service",
                     call->positional[0], "environment", ask->environment,
                     "version", version, override ? "override" : "intent", 1,
                     "reason", override ? ask->reason : NULL);
    if (body == NULL) {
        refuse_call("an argument is not UTF-8 text", ret_reply);
        return;
    }
    client_ask(call, "POST", path, body, NULL, ret_reply);
    json_decref(body);
}

int gate_run(const struct cli_call *call)
{
    struct question ask;
    struct reply reply;
    int code = EXIT_CODE_ERROR;

    if (!read_question(call, &ask)) {
        return EXIT_CODE_ERROR;
    }
    ask_gate(call, &ask, ask.override, &reply);
    if (ask.override && ask.intent != NULL && reply.end == REPLY_OK) {
        reply_release(&reply);
        ask_gate(call, &ask, false, &reply);
    }
    code = answer(call, &ask, &reply);
    reply_release(&reply);
    return code;
}
