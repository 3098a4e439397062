#include "controller/cli/commands.h"

#include <string.h>

#include "controller/cli/client.h"
#include "controller/cli/terminal.h"
#include "policies/explain/explain.h"
#include "policies/problem.h"

#define TEXT_MAX 2048

/* Where an event's own words begin. */
#define TEXT_COLUMN 46

static void print_event(const json_t *event, bool colour)
{
    time_ms since =
        json_integer_value(json_object_get(event, "since_deploy_ms"));
    const char *by = client_text(event, "by");
    const char *at = client_text(event, "at");
    char span[SPAN_TEXT_MAX], when[SPAN_TEXT_MAX + 1], who[160], text[TEXT_MAX];
    enum paint paint = terminal_paint_of(client_text(event, "state"));

    (void)snprintf(when, sizeof(when), "%s%s", since < 0 ? "" : "+",
                   terminal_span(since, span));
    text_escape(by[0] != '\0' ? by : "lastgood", who, sizeof(who));
    text_escape(client_text(event, "text"), text, sizeof(text));
    (void)printf("%s%.19sZ%s  %9s  %-12s ", terminal_paint(PAINT_DIM, colour),
                 at, terminal_unpaint(PAINT_DIM, colour), when, who);
    (void)printf("%s", terminal_paint(paint, colour));
    terminal_wrap(text, TEXT_COLUMN, stdout);
    (void)printf("%s\n", terminal_unpaint(paint, colour));
}

static void print_why(const json_t *answer)
{
    const json_t *explanation = json_object_get(answer, "explanation");
    const json_t *timeline = json_object_get(answer, "timeline");
    bool colour = terminal_has_colour(stdout);
    char text[TEXT_MAX];

    text_escape(client_text(answer, "sentence"), text, sizeof(text));
    (void)printf("%s\n\n", text);
    if (json_is_object(explanation)) {
        explain_print(explanation, colour, terminal_columns(stdout), stdout);
        (void)printf("\n");
    }
    if (json_is_true(json_object_get(answer, "cut"))) {
        (void)printf("(older events are left out)\n");
    }
    for (size_t i = 0; i < json_array_size(timeline); i++) {
        print_event(json_array_get(timeline, i), colour);
    }
}

/* A service without a version: the API chooses, which after a rollback is
 * what was rolled back. */
static bool find_path(const struct cli_call *call, char *ret_path, size_t size)
{
    const char *environment = cli_value(call, "environment");
    char id[32];

    if (call->positionals == 1 && environment != NULL) {
        (void)snprintf(ret_path, size, "/v1/why");
        if (!client_argument(ret_path, size, "service", call->positional[0]) ||
            !client_argument(ret_path, size, "environment", environment)) {
            (void)cli_fail(call, "a name is too long (at most %d bytes)",
                           NAME_MAX_BYTES);
            return false;
        }
        return true;
    }
    if (!client_release(call, id, sizeof(id))) {
        return false;
    }
    (void)snprintf(ret_path, size, "/v1/releases/%s/why", id);
    return true;
}

int why_run(const struct cli_call *call)
{
    char path[2048];
    struct reply reply;
    bool json = false;
    int code = EXIT_CODE_DONE;

    if (!client_format(call, &json) || !find_path(call, path, sizeof(path))) {
        return EXIT_CODE_ERROR;
    }
    client_ask(call, "GET", path, NULL, NULL, &reply);
    if (reply.end != REPLY_OK) {
        code = client_fail(call, &reply);
    } else if (json) {
        client_print_json(reply.json);
    } else {
        print_why(reply.json);
    }
    reply_release(&reply);
    return code;
}
