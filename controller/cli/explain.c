/* A verdict of the past, judged again from what was recorded of it. */
#include <stdlib.h>
#include <string.h>

#include "controller/cli/client.h"
#include "controller/cli/commands.h"
#include "controller/cli/journal.h"
#include "controller/cli/terminal.h"
#include "controller/core/watch.h"
#include "policies/explain/explain.h"
#include "policies/memory.h"
#include "policies/read/policy_read.h"
#include "state/windows.h"

#define COLUMNS_MAX 100

/* What the journal says. */
struct past {
    const struct cli_call *call;
    struct store *store;
    const char *path;
    struct record *verdict; /* with its explanation as the body, */
    char *explanation;      /* which this owns */
    struct policy *policy;
    struct windows windows;
    char error[1024];
};

/* --- Finding -------------------------------------------------------------- */

struct search {
    struct record *record;
    char *body;
    time_ms at;         /* verdicts: of this time or before */
    const char *digest; /* policies */
    bool found;
};

static bool visit(void *data, const struct entry *entry)
{
    struct search *search = data;
    struct record *record = search->record;
    char error[256], *body = NULL;

    if (entry->payload == NULL ||
        !record_from_json(entry->payload, entry->length, record, &body, error,
                          sizeof(error))) {
        return true; /* erased, or 'verify' says what is wrong with it */
    }
    search->found = search->digest != NULL
                        ? strcmp(record->digest, search->digest) == 0
                        : record->grid <= search->at;
    if (search->found) {
        search->body = body;
    } else {
        free(body);
    }
    return !search->found;
}

/* The newest that fits. */
static bool find(struct past *past, const struct store_query *query,
                 struct search *search, const char *none)
{
    if (past->store->ops->read(past->store, query, visit, search, past->error,
                               sizeof(past->error)) != STORE_OK) {
        return false;
    }
    if (!search->found) {
        (void)snprintf(past->error, sizeof(past->error), "%s", none);
    }
    return search->found;
}

static bool find_verdict(struct past *past, uint64_t release, time_ms at)
{
    const struct store_query query = {
        .release = release, .kind = RECORD_VERDICT, .newest_first = true};
    struct search search = {.record = past->verdict, .at = at};
    char none[200], text[MOMENT_TEXT_MAX];

    (void)snprintf(none, sizeof(none),
                   "release %llu has no verdict at or before %s; 'lastgood "
                   "why' shows when it had one",
                   (unsigned long long)release, moment_print(at, text));
    if (!find(past, &query, &search, none)) {
        return false;
    }
    past->explanation = search.body;
    return true;
}

static bool find_policy(struct past *past)
{
    const struct store_query query = {.kind = RECORD_POLICY_SET,
                                      .newest_first = true};
    struct problems *problems = memory_zeroed(1, sizeof(*problems));
    struct search search = {.record =
                                memory_resized(NULL, sizeof(struct record)),
                            .digest = past->verdict->digest};

    if (find(past, &query, &search,
             "the policy that judged it is not in the journal")) {
        past->policy = policy_read("policy.yaml", search.body,
                                   strlen(search.body), problems);
        if (past->policy == NULL) {
            (void)snprintf(past->error, sizeof(past->error),
                           "this version of lastgood cannot read the policy "
                           "that judged it: %.300s",
                           problems->list[0].text);
        }
    }
    free(search.body);
    free(search.record);
    free(problems);
    return past->policy != NULL;
}

static bool find_windows(struct past *past)
{
    const unsigned long long sequence = past->verdict->sequence;
    char digest[RECORD_DIGEST_MAX], *json = NULL;
    size_t length = 0;
    bool found = false;

    if (past->store->ops->windows(past->store, past->verdict->sequence, &json,
                                  &length, past->error,
                                  sizeof(past->error)) != STORE_OK) {
        return false;
    }
    if (json == NULL) {
        (void)snprintf(past->error, sizeof(past->error),
                       "what record %llu was judged from is not kept (any "
                       "more): its explanation is, 'lastgood export' prints "
                       "it",
                       sequence);
        return false;
    }
    windows_digest(json, length, digest);
    if (strcmp(digest, past->verdict->windows) != 0) {
        (void)snprintf(past->error, sizeof(past->error),
                       "what record %llu was judged from is not what was "
                       "recorded: its hash is another",
                       sequence);
    } else {
        found = windows_from_json(json, length, past->policy, &past->windows,
                                  past->error, sizeof(past->error));
    }
    free(json);
    return found;
}

/* --- Judging again -------------------------------------------------------- */

/* As the journal would have it. */
static char *judge_again(struct past *past)
{
    struct verdict *verdict = memory_zeroed(1, sizeof(*verdict));
    const struct windows *windows = &past->windows;
    const time_ms settled =
        judge_deployed_at(windows->judge) + past->policy->watch.settle;
    json_t *explanation = NULL;
    char *text = NULL;

    judge_look(past->policy, past->windows.judge, windows->grid, windows->row,
               &windows->facts, verdict);
    if (windows->grid <= settled) {
        look_disbelieve(past->policy, verdict);
    }
    explanation = explain_verdict(past->policy, verdict, &windows->facts);
    text = json_dumps(explanation, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (text == NULL) {
        abort(); /* out of memory */
    }
    json_decref(explanation);
    free(verdict);
    return text;
}

/* --- Telling -------------------------------------------------------------- */

static void print_one(const char *title, const char *json)
{
    json_t *explanation = json_loads(json, 0, NULL);
    int columns = terminal_columns(stdout);

    (void)printf("%s\n", title);
    explain_print(explanation, terminal_has_colour(stdout),
                  columns > 0 && columns < COLUMNS_MAX ? columns : COLUMNS_MAX,
                  stdout);
    json_decref(explanation);
}

static void print_text(const struct past *past, const char *again, bool same)
{
    char title[160];

    (void)snprintf(title, sizeof(title), "record %llu, as it was recorded:",
                   (unsigned long long)past->verdict->sequence);
    print_one(title, past->explanation);
    if (same) {
        (void)printf("\njudged again from what was recorded: the same, byte "
                     "for byte\n");
    } else {
        print_one("\nNOT THE SAME, judged again from what was recorded:",
                  again);
    }
}

static void print_json(const struct past *past, const char *again, bool same)
{
    (void)printf("{\"record\":%llu,\"same\":%s,\"recorded\":%s,\"again\":%s}\n",
                 (unsigned long long)past->verdict->sequence,
                 same ? "true" : "false", past->explanation, again);
}

static int explain(struct past *past, uint64_t release, time_ms at, bool json)
{
    char *again = NULL;
    bool same = false;

    if (!find_verdict(past, release, at) || !find_policy(past) ||
        !find_windows(past)) {
        return cli_fail(past->call, "%s: %s", past->path, past->error);
    }
    again = judge_again(past);
    same = strcmp(again, past->explanation) == 0;
    if (json) {
        print_json(past, again, same);
    } else {
        print_text(past, again, same);
    }
    free(again);
    return same ? EXIT_CODE_DONE : EXIT_CODE_BAD;
}

int explain_run(const struct cli_call *call)
{
    struct past past = {.call = call, .path = cli_value(call, "database")};
    const char *moment = cli_value(call, "at");
    uint64_t release = 0;
    time_ms at = TIME_NEVER;
    bool json = false;
    int code = EXIT_CODE_ERROR;

    if (!client_format(call, &json) ||
        !journal_number(call, "RELEASE", call->positional[0], &release)) {
        return EXIT_CODE_ERROR;
    }
    if (past.path == NULL) {
        return cli_fail(call, "--database FILE is needed: the journal");
    }
    if (moment != NULL && !moment_read(moment, &at)) {
        return cli_fail(call, "--at is a time, like 2024-09-18T14:23:00Z");
    }
    past.store = journal_open(call, past.path, STORE_READ_ONLY);
    if (past.store == NULL) {
        return EXIT_CODE_ERROR;
    }
    past.verdict = memory_resized(NULL, sizeof(*past.verdict));
    code = explain(&past, release, at, json);
    windows_release(&past.windows);
    policy_free(past.policy);
    free(past.explanation);
    free(past.verdict);
    past.store->ops->close(past.store);
    return code;
}
