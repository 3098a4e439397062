#include "controller/cli/commands.h"

#include <string.h>

#include "controller/cli/brief.h"
#include "controller/cli/client.h"
#include "controller/cli/terminal.h"
#include "policies/explain/explain.h"
#include "policies/problem.h"

#define TEXT_MAX    4096
#define DATE_LENGTH 10 /* of "2024-09-18T14:23:07Z" */

/* Where an event's own words begin: behind "14:23:07Z   +2m 10s  ". */
#define TEXT_COLUMN 22

/* --- The timeline --------------------------------------------------------- */

static void print_event(const json_t *event, bool colour)
{
    time_ms since =
        json_integer_value(json_object_get(event, "since_deploy_ms"));
    const char *at = client_text(event, "at");
    const char *by = client_text(event, "by");
    char span[SPAN_TEXT_MAX], when[SPAN_TEXT_MAX + 1];
    char clock[16], said[TEXT_MAX], text[TEXT_MAX];
    enum paint paint = terminal_paint_of(client_text(event, "state"));

    (void)snprintf(when, sizeof(when), "%s%s", since < 0 ? "" : "+",
                   terminal_span(since, span));
    (void)snprintf(clock, sizeof(clock), "%.8s",
                   strlen(at) > DATE_LENGTH ? at + DATE_LENGTH + 1 : "");
    (void)snprintf(said, sizeof(said), "%s%s%s%s", client_text(event, "text"),
                   by[0] != '\0' ? " (" : "", by, by[0] != '\0' ? ")" : "");
    text_escape(clock, text, sizeof(text));
    (void)printf("%s%8sZ  %9s%s  ", terminal_paint(PAINT_DIM, colour), text,
                 when, terminal_unpaint(PAINT_DIM, colour));
    text_escape(said, text, sizeof(text));
    (void)printf("%s", terminal_paint(paint, colour));
    terminal_wrap(text, TEXT_COLUMN, stdout);
    (void)printf("%s\n", terminal_unpaint(paint, colour));
}

/* A day's date stands once, before its events. */
static void print_timeline(const json_t *answer, bool colour)
{
    const json_t *timeline = json_object_get(answer, "timeline");
    char day[DATE_LENGTH + 1] = "";

    for (size_t i = 0; i < json_array_size(timeline); i++) {
        const json_t *event = json_array_get(timeline, i);
        char date[DATE_LENGTH + 1], shown[64];

        (void)snprintf(date, sizeof(date), "%s", client_text(event, "at"));
        if (strcmp(date, day) != 0) {
            text_escape(date, shown, sizeof(shown));
            (void)printf("\n%s%s\n", shown,
                         i == 0 && json_is_true(json_object_get(answer, "cut"))
                             ? " (what was before is left out)"
                             : "");
            memcpy(day, date, sizeof(day));
        }
        print_event(event, colour);
    }
}

/* --- All of it ------------------------------------------------------------ */

/* What happened, was done and is needed; without an incident, how it stands. */
static void print_begin(const json_t *answer, bool colour)
{
    const json_t *release = json_object_get(answer, "release");
    char service[160], version[160], environment[160], text[TEXT_MAX];

    if (!brief_says_something(answer)) {
        text_escape(client_text(answer, "sentence"), text, sizeof(text));
        terminal_wrap(text, 0, stdout);
        (void)putchar('\n');
        return;
    }
    text_escape(client_text(release, "service"), service, sizeof(service));
    text_escape(client_text(release, "version"), version, sizeof(version));
    text_escape(client_text(release, "environment"), environment,
                sizeof(environment));
    (void)printf("%s %s in %s", service, version, environment);
    brief_print(answer, colour);
}

static void print_why(const json_t *answer)
{
    const json_t *explanation = json_object_get(answer, "explanation");
    bool colour = terminal_has_colour(stdout);
    int columns = terminal_columns(stdout);

    print_begin(answer, colour);
    if (json_is_object(explanation)) {
        (void)putchar('\n');
        explain_print_verdict(explanation, colour, columns, stdout);
    }
    print_timeline(answer, colour);
    if (json_is_object(explanation)) {
        (void)putchar('\n');
        explain_print_signals(explanation, colour, columns, stdout);
    }
}

/* --- The command ---------------------------------------------------------- */

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
