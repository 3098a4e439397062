#include "controller/cli/online.h"

#include <stdlib.h>
#include <string.h>

#include "controller/cli/client.h"
#include "controller/cli/online_ask.h"
#include "policies/explain/json_make.h"
#include "policies/memory.h"
#include "policies/read/yaml_tree.h"

struct online {
    const struct config *config;
    const struct policy *policy;
    const struct yaml_item *signals; /* of the file; NULL: places are lost */
    struct problems *problems;
    json_t *queries;
    bool alive[SOURCES_MAX]; /* was asked */
};

/* One query, for one entry of `services`. */
struct asking {
    const struct signal *signal;
    const struct source_config *source;
    const struct service_config *service;
    char name[NAME_MAX_BYTES + 1]; /* the service, "" when only a pattern is
                                      known */
};

static const char *text_of(const struct online *online, uint32_t offset)
{
    return policy_text(online->policy, offset);
}

/* --- Complaining ---------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void
complain(struct online *online, const struct signal *signal,
         enum problem_kind kind, const char *format, ...)
{
    const struct yaml_item *entry = NULL, *item = NULL;
    char message[PROBLEM_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (online->signals != NULL) {
        entry = yaml_get(online->signals, text_of(online, signal->name));
    }
    item = entry == NULL ? NULL : yaml_get(entry, "prometheus");
    if (item == NULL) {
        (void)(kind == PROBLEM_ERROR ? problems_error : problems_warning)(
            online->problems, 0, 0, "%s", message);
    } else {
        (void)(kind == PROBLEM_ERROR ? yaml_error : yaml_warning)(
            online->problems, item, "%s", message);
    }
}

/* --- What is selected ----------------------------------------------------- */

/* What a select's value is for this service; NULL: it is known only of a
 * release. */
static const char *wanted(const struct online *online,
                          const struct asking *asking,
                          const struct select *select)
{
    if (!select->is_fact) {
        return text_of(online, select->value);
    }
    if (select->fact == FACT_SERVICE && asking->name[0] != '\0') {
        return asking->name;
    }
    if (select->fact == FACT_ENVIRONMENT &&
        name_is_valid(asking->service->environment)) {
        return asking->service->environment;
    }
    return NULL;
}

static bool is_selected(const struct online *online,
                        const struct asking *asking, const json_t *series)
{
    const struct signal *signal = asking->signal;
    const json_t *metric = json_object_get(series, "metric");

    for (uint8_t i = 0; i < signal->selects; i++) {
        const struct select *select = &signal->select[i];
        const char *value = wanted(online, asking, select);
        const char *label = json_string_value(
            json_object_get(metric, text_of(online, select->label)));

        if (value != NULL && strcmp(label == NULL ? "" : label, value) != 0) {
            return false;
        }
    }
    return true;
}

/* Can it be said which series is meant, without a release? */
static bool is_known(const struct online *online, const struct asking *asking)
{
    for (uint8_t i = 0; i < asking->signal->selects; i++) {
        if (wanted(online, asking, &asking->signal->select[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* --- One query ------------------------------------------------------------ */

static json_t *begin_answer(const struct online *online,
                            const struct asking *asking)
{
    json_t *answer = json_object();

    if (answer == NULL || json_array_append_new(online->queries, answer) != 0) {
        abort();
    }
    json_put(answer, "signal",
             json_string(text_of(online, asking->signal->name)));
    json_put(answer, "service",
             json_string(asking->name[0] != '\0' ? asking->name
                                                 : asking->service->service));
    json_put(answer, "environment", json_string(asking->service->environment));
    json_put(answer, "source", json_string(asking->source->name));
    return answer;
}

/* One series is expected of a selection that is known. */
static void judge_selection(struct online *online, const struct asking *asking,
                            size_t selected, size_t count)
{
    const char *name = text_of(online, asking->signal->name);
    const char *service =
        asking->name[0] != '\0' ? asking->name : asking->service->service;

    if (selected > 1) {
        complain(online, asking->signal, PROBLEM_ERROR,
                 "'%s' finds %zu series for %s where one is expected; sum "
                 "them in the query, or name more labels in 'select'",
                 name, selected, service);
    } else if (selected == 0 && !asking->signal->zero_when_empty) {
        complain(online, asking->signal, PROBLEM_WARNING,
                 count == 0
                     ? "'%s' finds no series for %s: it is unknown (no data) "
                       "as long; say 'on_no_data: zero' if that means none"
                     : "'%s' finds series, but none for %s; look at the "
                       "labels in 'select'",
                 name, service);
    }
}

static void count_series(struct online *online, const struct asking *asking,
                         json_t *answer, const json_t *series)
{
    size_t selected = 0, i = 0;
    const json_t *one = NULL;
    const char *value = "";
    double at = 0;

    json_array_foreach((json_t *)(uintptr_t)series, i, one)
    {
        if (is_selected(online, asking, one)) {
            selected++;
            (void)json_unpack((json_t *)(uintptr_t)one, "{s:[F, s]}", "value",
                              &at, &value);
        }
    }
    json_put(answer, "series",
             json_integer((json_int_t)json_array_size(series)));
    if (is_known(online, asking)) {
        json_put(answer, "selected", json_integer((json_int_t)selected));
        if (selected == 1) {
            json_put(answer, "value", json_string(value));
        }
        judge_selection(online, asking, selected, json_array_size(series));
    }
}

static void ask(struct online *online, const struct asking *asking)
{
    json_t *answer = begin_answer(online, asking);
    char error[ONLINE_ERROR_MAX];
    json_t *series = online_ask(asking->source, asking->service,
                                text_of(online, asking->signal->query), error);

    if (series == NULL) {
        json_put(answer, "error", json_string(error));
        complain(online, asking->signal, PROBLEM_ERROR,
                 "source '%s' does not answer this query: %s",
                 asking->source->name, error);
        return;
    }
    count_series(online, asking, answer, series);
    json_decref(series);
    if (asking->signal->fresh == 0) {
        return;
    }
    series = online_ask(asking->source, asking->service,
                        text_of(online, asking->signal->fresh), error);
    if (series == NULL) {
        complain(online, asking->signal, PROBLEM_ERROR,
                 "source '%s' does not answer 'fresh': %s",
                 asking->source->name, error);
    }
    json_decref(series);
}

/* --- Whom to ask, and for whom -------------------------------------------- */

/* The exact name that both patterns mean, if one of them is exact. */
static bool meet(const char *policy, const char *entry, char *ret_name)
{
    const char *patterns[] = {policy, entry};
    const char *exact = name_is_valid(entry) ? entry : policy;

    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(patterns[i]);
        bool open = length > 0 && patterns[i][length - 1] == '*';

        if (open ? strncmp(exact, patterns[i], length - 1) != 0
                 : strcmp(exact, patterns[i]) != 0) {
            return false;
        }
    }
    (void)snprintf(ret_name, NAME_MAX_BYTES + 1, "%s",
                   name_is_valid(exact) ? exact : "");
    return true;
}

static const struct source_config *source_of(const struct online *online,
                                             const struct signal *signal,
                                             const struct service_config *entry)
{
    const struct config *config = online->config;

    if (signal->source == 0) {
        return entry->source == NONE_INDEX ? NULL
                                           : &config->sources[entry->source];
    }
    for (size_t i = 0; i < config->sources_count; i++) {
        if (strcmp(config->sources[i].name, text_of(online, signal->source)) ==
            0) {
            return &config->sources[i];
        }
    }
    return NULL;
}

/* What the policy and an entry of `services` mean together. */
struct meeting {
    char service[NAME_MAX_BYTES + 1], environment[NAME_MAX_BYTES + 1];
};

static bool meets(const struct online *online,
                  const struct service_config *entry,
                  struct meeting *ret_meeting)
{
    return meet(text_of(online, online->policy->service), entry->service,
                ret_meeting->service) &&
           meet(text_of(online, online->policy->environment),
                entry->environment, ret_meeting->environment);
}

/* First match wins: does an entry above take this service? */
static bool is_taken(const struct online *online,
                     const struct service_config *entry,
                     const struct meeting *meeting)
{
    struct meeting other;

    for (const struct service_config *above = online->config->services;
         above < entry; above++) {
        if (meets(online, above, &other) && meeting->service[0] != '\0' &&
            strcmp(other.service, meeting->service) == 0 &&
            strcmp(other.environment, meeting->environment) == 0) {
            return true;
        }
    }
    return false;
}

/* Once a source: the query that says whether its answers mean anything. */
static void ask_alive(struct online *online, const struct asking *asking)
{
    const struct source_config *source = asking->source;
    size_t index = (size_t)(source - online->config->sources);
    char error[ONLINE_ERROR_MAX];
    json_t *series = NULL;

    if (source->alive[0] == '\0' || online->alive[index]) {
        return;
    }
    online->alive[index] = true;
    series = online_ask(source, asking->service, source->alive, error);
    if (json_array_size(series) == 0) {
        (void)problems_warning(
            online->problems, 0, 0,
            "'alive' of source '%s' %s%s: every signal of "
            "it is a source error as long",
            source->name,
            series == NULL ? "is not answered: " : "finds no series", error);
    }
    json_decref(series);
}

static void ask_for(struct online *online, const struct signal *signal,
                    const struct service_config *entry)
{
    struct asking asking = {.signal = signal,
                            .source = source_of(online, signal, entry),
                            .service = entry};
    struct meeting meeting;

    if (asking.source == NULL || asking.source->fetch != FETCH_PROMETHEUS ||
        !meets(online, entry, &meeting) || is_taken(online, entry, &meeting)) {
        return;
    }
    (void)snprintf(asking.name, sizeof(asking.name), "%s", meeting.service);
    ask(online, &asking);
    ask_alive(online, &asking);
}

json_t *online_check(const struct config *config,
                     const struct online_policy *asked,
                     struct problems *problems)
{
    struct problems *ignored = memory_resized(NULL, sizeof(*ignored));
    struct yaml_tree *tree = NULL;
    struct online online = {.config = config,
                            .policy = asked->policy,
                            .problems = problems,
                            .queries = json_array()};

    if (online.queries == NULL) {
        abort();
    }
    problems_init(ignored, asked->path); /* it was read without any */
    tree = yaml_tree_read(asked->path, asked->source, asked->length, ignored);
    if (tree != NULL) {
        online.signals = yaml_get(yaml_root(tree), "signals");
    }
    for (uint16_t i = 0; i < asked->policy->signals; i++) {
        const struct signal *signal = policy_signal(asked->policy, i);

        for (size_t j = 0;
             signal->fetch == FETCH_PROMETHEUS && j < config->services_count;
             j++) {
            ask_for(&online, signal, &config->services[j]);
        }
    }
    yaml_tree_free(tree);
    free(ignored);
    return online.queries;
}

/* --- For people ----------------------------------------------------------- */

static void print_answer(const json_t *answer, FILE *out)
{
    const json_t *selected = json_object_get(answer, "selected");
    const json_t *series = json_object_get(answer, "series");
    const char *value = client_text(answer, "value");
    char shown[256];

    text_escape(value, shown, sizeof(shown));
    (void)fprintf(out,
                  "  %-20s %s for %s in %s: ", client_text(answer, "signal"),
                  client_text(answer, "source"), client_text(answer, "service"),
                  client_text(answer, "environment"));
    if (series == NULL) {
        (void)fprintf(out, "error\n");
        return;
    }
    (void)fprintf(out, "%s, %lld series",
                  json_integer_value(selected) > 1 ? "error" : "ok",
                  (long long)json_integer_value(series));
    if (selected == NULL) {
        (void)fputs(", selected by facts of a release\n", out);
    } else {
        (void)fprintf(out, ", %lld selected%s%s\n",
                      (long long)json_integer_value(selected),
                      shown[0] != '\0' ? ": " : "", shown);
    }
}

void online_print(const json_t *queries, FILE *out)
{
    const json_t *answer = NULL;
    size_t i = 0;

    json_array_foreach((json_t *)(uintptr_t)queries, i, answer)
    {
        print_answer(answer, out);
    }
}
