#include "controller/cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "controller/cli/brief.h"
#include "controller/cli/client.h"
#include "controller/cli/terminal.h"
#include "policies/problem.h"

#define NAMED_MAX 8 /* services in the last line */

/* --- The head line -------------------------------------------------------- */

static long long count_of(const json_t *status, const char *name)
{
    return json_integer_value(
        json_object_get(json_object_get(status, "counts"), name));
}

static void print_count(const json_t *status, const char *name, const char *one,
                        const char *many)
{
    long long count = count_of(status, name);

    if (count > 0) {
        (void)printf(", %lld %s", count, count == 1 ? one : many);
    }
}

static void print_head(const json_t *status, bool colour)
{
    bool ready = json_is_true(json_object_get(status, "ready"));
    bool stopped = json_is_true(json_object_get(status, "stopped"));
    enum paint paint = ready ? PAINT_GOOD : PAINT_BAD;
    char version[64], why_not[512], ceiling[64];

    text_escape(client_text(status, "version"), version, sizeof(version));
    text_escape(client_text(status, "why_not"), why_not, sizeof(why_not));
    text_escape(client_text(status, "ceiling"), ceiling, sizeof(ceiling));
    (void)printf("lastgood %s: %s%s%s%s%s, ceiling %s%s\n", version,
                 terminal_paint(paint, colour), ready ? "ready" : "not ready",
                 terminal_unpaint(paint, colour), ready ? "" : ": ",
                 ready ? "" : why_not, ceiling,
                 stopped ? " (the STOP file stands)" : "");
    (void)printf("%lld service%s", count_of(status, "services"),
                 count_of(status, "services") == 1 ? "" : "s");
    print_count(status, "watched", "release watched", "releases watched");
    print_count(status, "incidents_open", "incident open", "incidents open");
    print_count(status, "rollbacks_under_way", "rollback under way",
                "rollbacks under way");
    print_count(status, "blind", "blind", "blind");
    (void)putchar('\n');
}

static bool is_error(const json_t *problem)
{
    return strcmp(client_text(problem, "kind"), "error") == 0;
}

static size_t count_errors(const json_t *status)
{
    const json_t *problems = json_object_get(status, "policy_problems");
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(problems); i++) {
        count += is_error(json_array_get(problems, i));
    }
    return count;
}

/* Errors in full: the file is not in force.  Warnings are for `check`. */
static void print_problems(const json_t *status, bool colour)
{
    const json_t *problems = json_object_get(status, "policy_problems");
    size_t warnings = 0;

    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *problem = json_array_get(problems, i);
        char path[512], text[1024], line[24] = "";
        const json_int_t number =
            json_integer_value(json_object_get(problem, "line"));

        if (!is_error(problem)) {
            warnings++;
            continue;
        }
        text_escape(client_text(problem, "path"), path, sizeof(path));
        text_escape(client_text(problem, "text"), text, sizeof(text));
        if (number > 0) {
            (void)snprintf(line, sizeof(line), ":%lld", (long long)number);
        }
        (void)printf("%spolicy error%s %s%s: %s\n",
                     terminal_paint(PAINT_BAD, colour),
                     terminal_unpaint(PAINT_BAD, colour), path, line, text);
    }
    if (warnings > 0) {
        (void)printf("%zu policy warning%s: 'lastgood check' shows %s\n",
                     warnings, warnings == 1 ? "" : "s",
                     warnings == 1 ? "it" : "them");
    }
}

/* The newest that nobody was told, and how many more. */
static void print_undelivered(const json_t *status, bool colour)
{
    const json_t *list = json_object_get(status, "undelivered");
    const json_t *newest = json_array_get(list, 0);
    size_t count = json_array_size(list);
    char at[64], sink[160], text[1024], why[300];

    if (count == 0) {
        return;
    }
    text_escape(client_text(newest, "at"), at, sizeof(at));
    text_escape(client_text(newest, "sink"), sink, sizeof(sink));
    text_escape(client_text(newest, "text"), text, sizeof(text));
    text_escape(client_text(newest, "why"), why, sizeof(why));
    (void)printf("%snobody was told%s at %s by %s: %s (%s)\n",
                 terminal_paint(PAINT_BAD, colour),
                 terminal_unpaint(PAINT_BAD, colour), at, sink, text, why);
    if (count > 1) {
        (void)printf("  and %zu more in the last day: --format json lists "
                     "them\n",
                     count - 1);
    }
}

static void print_heartbeat(const json_t *status, bool colour)
{
    const json_t *beat = json_object_get(status, "heartbeat");
    char taken[64];

    if (!json_is_true(json_object_get(beat, "fails"))) {
        return;
    }
    text_escape(client_text(beat, "taken_at"), taken, sizeof(taken));
    (void)printf("%sthe heartbeat is not taken%s: the last time %s\n",
                 terminal_paint(PAINT_BAD, colour),
                 terminal_unpaint(PAINT_BAD, colour),
                 taken[0] != '\0' ? taken : "never");
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

    if (lasts == 0 || strcmp(client_text(release, "state"), "good") == 0) {
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
    static const int spare[] = {5, 4, 6, -1};
    struct table *table = table_new(titles, 8);

    for (size_t i = 0; i < json_array_size(services); i++) {
        add_service(table, json_array_get(services, i));
    }
    (void)printf("\n");
    table_print(table, spare, colour, stdout);
    table_free(table);
}

/* --- What happened, what was done, what is needed ------------------------- */

static void print_name(const json_t *service, FILE *out)
{
    char name[160], environment[160];

    text_escape(client_text(service, "service"), name, sizeof(name));
    text_escape(client_text(service, "environment"), environment,
                sizeof(environment));
    (void)fprintf(out, "%s in %s", name, environment);
}

static void print_stories(const json_t *services, bool colour)
{
    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);

        if (brief_says_something(service)) {
            (void)putchar('\n');
            print_name(service, stdout);
            brief_print(service, colour);
        }
    }
}

/* --- Brakes --------------------------------------------------------------- */

/* Lines of them; one says for how many services it stands. */
#define BRAKES_MAX 12

struct brakes {
    const json_t *shown[BRAKES_MAX];   /* {code, text} */
    const json_t *service[BRAKES_MAX]; /* the first that has it */
    size_t services[BRAKES_MAX];       /* how many have it */
    size_t count, more;
};

static void gather(struct brakes *brakes, const json_t *service,
                   const json_t *brake)
{
    for (size_t i = 0; i < brakes->count; i++) {
        if (json_equal(brakes->shown[i], brake)) {
            brakes->services[i]++;
            return;
        }
    }
    if (brakes->count == BRAKES_MAX) {
        brakes->more++;
        return;
    }
    brakes->shown[brakes->count] = brake;
    brakes->service[brakes->count] = service;
    brakes->services[brakes->count++] = 1;
}

static void print_brake(const struct brakes *brakes, size_t i, bool colour)
{
    char code[64], text[1024];

    text_escape(client_text(brakes->shown[i], "code"), code, sizeof(code));
    text_escape(client_text(brakes->shown[i], "text"), text, sizeof(text));
    (void)printf("  %s%-13s%s ", terminal_paint(PAINT_WARN, colour), code,
                 terminal_unpaint(PAINT_WARN, colour));
    if (brakes->services[i] > 1) {
        (void)printf("%zu services", brakes->services[i]);
    } else {
        print_name(brakes->service[i], stdout);
    }
    (void)printf("\n                ");
    terminal_wrap(text, 16, stdout);
    (void)putchar('\n');
}

/* What would keep a rollback from leaving, before it is needed. */
static void print_brakes(const json_t *services, bool colour)
{
    struct brakes brakes = {.count = 0};

    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        const json_t *list = json_object_get(service, "brakes");

        for (size_t j = 0; j < json_array_size(list); j++) {
            gather(&brakes, service, json_array_get(list, j));
        }
    }
    if (brakes.count > 0) {
        (void)printf("\nbrakes that are on: no policy would roll back\n");
    }
    for (size_t i = 0; i < brakes.count; i++) {
        print_brake(&brakes, i, colour);
    }
    if (brakes.more > 0) {
        (void)printf("  and %zu more: '--format json' lists them\n",
                     brakes.more);
    }
}

/* --- The last line -------------------------------------------------------- */

static size_t count_unwatched(const json_t *services)
{
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *release =
            json_object_get(json_array_get(services, i), "release");

        count += strcmp(client_text(release, "state"), "unwatched") == 0;
    }
    return count;
}

/* Who needs somebody, by name; more than a few are counted. */
static void list_needy(const json_t *status, FILE *out)
{
    const json_t *services = json_object_get(status, "services");
    const char *comma = "";
    size_t count = 0;

    if (!json_is_true(json_object_get(status, "ready"))) {
        (void)fprintf(out, "lastgood itself");
        comma = ", ";
    }
    if (count_errors(status) > 0) {
        (void)fprintf(out, "%sthe policies", comma);
        comma = ", ";
    }
    if (json_array_size(json_object_get(status, "undelivered")) > 0) {
        (void)fprintf(out, "%sa notice that nobody got", comma);
        comma = ", ";
    }
    for (size_t i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);

        if (brief_needs_somebody(service) && ++count <= NAMED_MAX) {
            (void)fprintf(out, "%s", comma);
            print_name(service, out);
            comma = ", ";
        }
    }
    if (count > NAMED_MAX) {
        (void)fprintf(out, " and %zu more", count - NAMED_MAX);
    }
}

/* The last line is what is needed from whoever reads it. */
static void print_end(const json_t *status, bool colour)
{
    static const char title[] = "needs you: ";
    size_t unwatched = count_unwatched(json_object_get(status, "services"));
    size_t length = 0;
    char *list = NULL;
    FILE *out = open_memstream(&list, &length);

    if (out == NULL) {
        abort();
    }
    list_needy(status, out);
    (void)fclose(out); /* memory: cannot fail but for want of it */
    (void)putchar('\n');
    if (unwatched > 0) {
        (void)printf("%zu service%s not watched: no policy's applies_to "
                     "matches\n",
                     unwatched, unwatched == 1 ? " is" : "s are");
    }
    if (json_is_true(json_object_get(status, "cut"))) {
        (void)printf("more services are known: name one\n");
    }
    if (length == 0) {
        (void)printf("nothing needs you\n");
    } else {
        (void)printf("%s%s%s", terminal_paint(PAINT_WARN, colour), title,
                     terminal_unpaint(PAINT_WARN, colour));
        terminal_wrap(list, (int)strlen(title), stdout);
        (void)putchar('\n');
    }
    free(list);
}

static void print_status(const json_t *status)
{
    const json_t *services = json_object_get(status, "services");
    bool colour = terminal_has_colour(stdout);

    print_head(status, colour);
    print_problems(status, colour);
    print_undelivered(status, colour);
    print_heartbeat(status, colour);
    if (json_array_size(services) == 0) {
        (void)printf("\nno service is known yet: 'lastgood register --help' "
                     "says how one is told\n");
        return;
    }
    print_table(services, colour);
    print_stories(services, colour);
    print_brakes(services, colour);
    print_end(status, colour);
}

/* Asked for by name, and not there. */
static int tell_unknown(const struct cli_call *call)
{
    const char *environment = cli_value(call, "environment");

    return cli_fail(call,
                    "%s%s%s is not known here; 'lastgood status' shows what is",
                    call->positionals > 0 ? call->positional[0] : "",
                    call->positionals > 0 && environment != NULL ? " in " : "",
                    environment != NULL ? environment : "");
}

static bool is_unknown(const struct cli_call *call, const json_t *status)
{
    return json_array_size(json_object_get(status, "services")) == 0 &&
           (call->positionals > 0 || cli_value(call, "environment") != NULL);
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
    } else if (is_unknown(call, reply.json)) {
        code = tell_unknown(call);
    } else {
        print_status(reply.json);
    }
    reply_release(&reply);
    return code;
}
