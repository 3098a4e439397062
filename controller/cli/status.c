#include "controller/cli/commands.h"

#include <string.h>

#include "controller/cli/client.h"
#include "controller/cli/terminal.h"
#include "policies/problem.h"

/* --- The head line -------------------------------------------------------- */

static long long count_of(const json_t *status, const char *name)
{
    return json_integer_value(
        json_object_get(json_object_get(status, "counts"), name));
}

static void print_head(const json_t *status, bool colour)
{
    bool ready = json_is_true(json_object_get(status, "ready"));
    bool stopped = json_is_true(json_object_get(status, "stopped"));
    enum paint paint = ready ? PAINT_GOOD : PAINT_BAD;
    char why_not[512];

    text_escape(client_text(status, "why_not"), why_not, sizeof(why_not));
    (void)printf("lastgood %s: %s%s%s%s%s, ceiling %s%s\n",
                 client_text(status, "version"), terminal_paint(paint, colour),
                 ready ? "ready" : "not ready", terminal_unpaint(paint, colour),
                 ready ? "" : ": ", ready ? "" : why_not,
                 client_text(status, "ceiling"),
                 stopped ? " (the STOP file stands)" : "");
    (void)printf("%lld services, %lld releases watched, %lld incidents open, "
                 "%lld rollbacks under way, %lld blind\n",
                 count_of(status, "services"), count_of(status, "watched"),
                 count_of(status, "incidents_open"),
                 count_of(status, "rollbacks_under_way"),
                 count_of(status, "blind"));
}

/* Errors in full: the file is not in force.  Warnings are for `check`. */
static void print_problems(const json_t *status, bool colour)
{
    const json_t *problems = json_object_get(status, "policy_problems");
    size_t warnings = 0;

    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *problem = json_array_get(problems, i);
        char path[512], text[1024];

        if (strcmp(client_text(problem, "kind"), "error") != 0) {
            warnings++;
            continue;
        }
        text_escape(client_text(problem, "path"), path, sizeof(path));
        text_escape(client_text(problem, "text"), text, sizeof(text));
        (void)printf(
            "%spolicy error%s %s:%lld: %s\n", terminal_paint(PAINT_BAD, colour),
            terminal_unpaint(PAINT_BAD, colour), path,
            (long long)json_integer_value(json_object_get(problem, "line")),
            text);
    }
    if (warnings > 0) {
        (void)printf("%zu policy warning%s: 'lastgood check' shows %s\n",
                     warnings, warnings == 1 ? "" : "s",
                     warnings == 1 ? "it" : "them");
    }
}

/* --- The table ------------------------------------------------------------ */

static void add(struct table *table, const char *text)
{
    table_add(table, text[0] != '\0' ? text : "-", terminal_paint_of(text));
}

static void add_watch(struct table *table, const json_t *release)
{
    time_ms healthy =
        json_integer_value(json_object_get(release, "healthy_ms"));
    time_ms lasts = json_integer_value(json_object_get(release, "lasts_ms"));
    char done[SPAN_TEXT_MAX], whole[SPAN_TEXT_MAX], cell[2 * SPAN_TEXT_MAX];

    if (lasts == 0) {
        add(table, "");
        return;
    }
    (void)snprintf(cell, sizeof(cell), "%s of %s", terminal_span(healthy, done),
                   terminal_span(lasts, whole));
    table_add(table, cell, PAINT_PLAIN);
}

static void add_service(struct table *table, const json_t *service)
{
    const json_t *release = json_object_get(service, "release");
    const json_t *gate = json_object_get(service, "gate");
    const char *word = client_text(gate, "gate");

    table_add(table, client_text(service, "service"), PAINT_PLAIN);
    table_add(table, client_text(service, "environment"), PAINT_PLAIN);
    add(table, client_text(service, "live"));
    add(table, client_text(release, "state"));
    add(table, client_text(release, "grade"));
    add_watch(table, release);
    add(table, client_text(json_object_get(release, "verdict"), "verdict"));
    if (strcmp(word, "refused") == 0) {
        table_add(table, client_text(gate, "code"), PAINT_WARN);
    } else {
        add(table, word);
    }
}

static void print_table(const json_t *services, bool colour)
{
    static const char *const titles[] = {"SERVICE", "ENVIRONMENT", "LIVE",
                                         "STATE",   "GRADE",       "WATCH",
                                         "VERDICT", "GATE"};
    struct table *table = table_new(titles, 8);

    for (size_t i = 0; i < json_array_size(services); i++) {
        add_service(table, json_array_get(services, i));
    }
    (void)printf("\n");
    table_print(table, colour, stdout);
    table_free(table);
}

/* --- What happened, what was done, what is needed ------------------------- */

static void print_line(const char *title, const char *text, enum paint paint,
                       bool colour)
{
    char shown[2048];

    if (text[0] == '\0') {
        return;
    }
    text_escape(text, shown, sizeof(shown));
    (void)printf("  %s%-9s%s ", terminal_paint(paint, colour), title,
                 terminal_unpaint(paint, colour));
    terminal_wrap(shown, 12, stdout);
    (void)printf("\n");
}

static void print_story(const json_t *service, bool colour)
{
    const char *happened = client_text(service, "happened");
    const char *did = client_text(service, "did");
    const json_t *needs = json_object_get(service, "needs");
    char name[160], environment[160];

    if (happened[0] == '\0' && did[0] == '\0' && json_array_size(needs) == 0) {
        return;
    }
    text_escape(client_text(service, "service"), name, sizeof(name));
    text_escape(client_text(service, "environment"), environment,
                sizeof(environment));
    (void)printf("\n%s in %s\n", name, environment);
    print_line("happened", happened, PAINT_PLAIN, colour);
    print_line("did", did, PAINT_PLAIN, colour);
    for (size_t i = 0; i < json_array_size(needs); i++) {
        const char *text = json_string_value(json_array_get(needs, i));

        print_line("needs", text != NULL ? text : "", PAINT_WARN, colour);
    }
}

static void print_status(const json_t *status)
{
    const json_t *services = json_object_get(status, "services");
    bool colour = terminal_has_colour(stdout);

    print_head(status, colour);
    print_problems(status, colour);
    if (json_array_size(services) == 0) {
        (void)printf("\nno service is known yet: 'lastgood register --help' "
                     "says how one is told\n");
        return;
    }
    print_table(services, colour);
    for (size_t i = 0; i < json_array_size(services); i++) {
        print_story(json_array_get(services, i), colour);
    }
    if (json_is_true(json_object_get(status, "cut"))) {
        (void)printf("\n(more services are known: name one)\n");
    }
}

int status_run(const struct cli_call *call)
{
    char path[2048] = "/v1/status";
    struct reply reply;
    bool json = false;
    int code = EXIT_CODE_DONE;

    if (!client_format(call, &json)) {
        return EXIT_CODE_ERROR;
    }
    if (!client_argument(path, sizeof(path), "service",
                         call->positionals > 0 ? call->positional[0] : NULL) ||
        !client_argument(path, sizeof(path), "environment",
                         cli_value(call, "environment"))) {
        return cli_fail(call, "a name is too long (at most %d bytes)",
                        NAME_MAX_BYTES);
    }
    client_ask(call, "GET", path, NULL, NULL, &reply);
    if (reply.end != REPLY_OK) {
        code = client_fail(call, &reply);
    } else if (json) {
        client_print_json(reply.json);
    } else {
        print_status(reply.json);
    }
    reply_release(&reply);
    return code;
}
