#include "controller/replay/run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/core/view.h"
#include "policies/explain/explain.h"
#include "policies/memory.h"

/* One service, its release and what was good before. */
#define SERVICES 2
#define RELEASES 8
#define SERIES   (2 * POLICY_SIGNALS_MAX)

/* Effects that wait to be carried out: each step asks for few, and an answer
 * for fewer. */
#define QUEUE_MAX (4 * DECISION_EFFECTS_MAX)

/* Token of the answer. */
#define REPLY_REGISTERED 1

/* The verdict that stands, as told at its last change. */
struct standing {
    bool any;
    enum leaf_kind kind;
    struct told told;
    struct verdict verdict;
    struct facts facts;
};

/* Which series of the one query is which signal.  They change only when
 * something is recorded, so they are looked up again after that. */
struct series_map {
    uint64_t sequence; /* of the newest record then */
    size_t count;
    uint32_t series[SERIES];
    uint16_t signals[SERIES];
};

struct run {
    const struct run_options *options;
    struct report *report;
    struct core *core;
    struct decision decision;
    time_ms now, end;
    bool deployed, over;
    char refusal[RECORD_TEXT_MAX]; /* of the registration */
    uint64_t release;
    struct standing standing;
    time_ms counts_until; /* a countdown's end, 0: none runs */
    bool acts, by_countdown;
    time_ms first_action_at;
    time_ms looked_at; /* grid time of the newest look, 0: none */
    struct table table;
    struct series_map map;
    struct csv_cursor cursor;
    struct sample row[POLICY_SIGNALS_MAX]; /* at the cursor */
    struct sample answers[SERIES];
    struct csv_cursor past;         /* of a history's rows */
    struct sample *rows;            /* of a history */
    struct effect queue[QUEUE_MAX]; /* [done, queued) are to be carried out */
    size_t done, queued;
};

/* --- What the core remembers ---------------------------------------------- */

/* A wait that waits for something else is recorded, and decides nothing. */
static bool is_same_path(const struct standing *standing,
                         const struct verdict *verdict)
{
    bool is_same = standing->any && standing->verdict.leaf == verdict->leaf &&
                   standing->verdict.steps == verdict->steps;

    for (uint8_t i = 0; is_same && i < verdict->steps; i++) {
        is_same =
            standing->verdict.path[i].question == verdict->path[i].question &&
            standing->verdict.path[i].answer == verdict->path[i].answer;
    }
    return is_same;
}

static void on_verdict(struct run *run, const struct record *record)
{
    struct standing *standing = &run->standing;

    assert(record->verdict != NULL);
    assert(record->facts != NULL);
    if (is_same_path(standing, record->verdict)) {
        return;
    }
    standing->any = true;
    standing->kind = policy_leaf(record->policy, record->leaf)->kind;
    standing->verdict = *record->verdict;
    standing->facts = *record->facts;
    standing->told = (struct told){
        .mode = record->mode,
        .countdown = record->countdown,
        .policy = run->options->policy,
        .verdict = &standing->verdict,
        .facts = &standing->facts,
    };
    report_decision(run->report, &standing->told);
}

/* The end of the watch is the end, unless it is endless. */
static void on_moved(struct run *run, const struct record *record)
{
    static const char *const told[] = {"provisional", "good", "undetermined",
                                       "quiet"};

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        if (strcmp(record->code, told[i]) == 0) {
            report_note(run->report, run->now, record->code, record->text);
        }
    }
    run->over = run->over || record->state == RELEASE_GOOD ||
                strcmp(record->code, "undetermined") == 0;
}

static void note_countdown(struct run *run, const struct record *record)
{
    char at[MOMENT_TEXT_MAX], text[128];

    run->counts_until = record->until;
    (void)snprintf(text, sizeof(text),
                   "the call leaves at %s unless the policy changes its mind",
                   moment_print(record->until, at));
    report_note(run->report, run->now, "countdown", text);
}

/* Until the call leaves; what comes of it is no part of a table. */
static void on_rollback(struct run *run, const struct record *record)
{
    bool waits = record->rollback_state == ROLLBACK_PROPOSED;

    if (run->acts) {
        return;
    }
    if (waits && strcmp(record->code, "countdown") == 0) {
        note_countdown(run, record);
    } else if (waits && strcmp(record->code, "overdue") == 0) {
        report_note(run->report, run->now, "countdown",
                    "ran down, and the leaf does not stand: it acts when the "
                    "leaf is back");
    } else if (record->rollback_state == ROLLBACK_REFUSED) {
        run->counts_until = 0;
        report_note(run->report, run->now, "refused", record->text);
    } else if (record->rollback_state == ROLLBACK_CANCELLED &&
               run->counts_until != 0) {
        run->counts_until = 0;
        report_note(run->report, run->now, "withdrawn", record->text);
    }
}

static void on_record(struct run *run, const struct record *record)
{
    if (record->kind == RECORD_VERDICT) {
        on_verdict(run, record);
    } else if (record->kind == RECORD_RELEASE_MOVED &&
               record->release == run->release) {
        on_moved(run, record);
    } else if (record->kind == RECORD_ROLLBACK_MOVED) {
        on_rollback(run, record);
    } else if (record->kind == RECORD_BLIND) {
        report_note(run->report, run->now, record->on ? "blind" : "seen",
                    record->text);
    }
}

/* --- Stepping ------------------------------------------------------------- */

/* For whoever wants to see every look. */
static void tell_look(struct run *run)
{
    const struct verdict *verdict = view_verdict(run->core);

    if (verdict->at > run->looked_at) {
        run->looked_at = verdict->at;
        report_look(run->report, verdict, view_facts(run->core));
    }
}

static void step(struct run *run, struct input *input)
{
    const struct decision *decision = &run->decision;

    input->now = run->now;
    core_step(run->core, input, &run->decision);
    for (size_t i = 0; i < decision->records_count; i++) {
        on_record(run, &decision->records[i]);
    }
    tell_look(run);
    assert(run->queued + decision->effects_count <= QUEUE_MAX);
    for (size_t i = 0; i < decision->effects_count; i++) {
        memcpy(&run->queue[run->queued++], &decision->effects[i],
               effect_bytes(decision->effects[i].kind));
    }
}

/* --- The table answers ---------------------------------------------------- */

static uint16_t signal_named(const struct policy *policy, const char *name)
{
    uint16_t i = 0;

    while (strcmp(policy_text(policy, policy_signal(policy, i)->name), name) !=
           0) {
        i++; /* asserts beyond the last one */
    }
    return i;
}

static void map_series(struct run *run, uint32_t query)
{
    struct series_map *map = &run->map;
    struct series_view view;
    size_t cursor = 0;

    if (map->sequence == core_sequence(run->core)) {
        return;
    }
    map->sequence = core_sequence(run->core);
    map->count = 0;
    while (view_next_series(run->core, query, &cursor, &view)) {
        assert(map->count < SERIES);
        assert(view.selects == 1);
        map->series[map->count] = view.id;
        map->signals[map->count++] =
            signal_named(run->options->policy, view.values[0]);
    }
}

static void answer_query(struct run *run, const struct effect *effect)
{
    struct series_map *map = &run->map;
    struct input input = {.kind = INPUT_SAMPLES};

    map_series(run, effect->query.query);
    csv_seek(&run->cursor, effect->query.g);
    table_row(&run->table, &run->cursor, run->row);
    for (size_t i = 0; i < map->count; i++) {
        run->answers[i] = run->row[map->signals[i]];
    }
    input.samples.query = effect->query.query;
    input.samples.g = effect->query.g;
    input.samples.series = map->series;
    input.samples.samples = run->answers;
    input.samples.count = map->count;
    step(run, &input);
}

static void answer_history(struct run *run, const struct effect *effect)
{
    const struct run_options *options = run->options;
    struct input input = {.kind = INPUT_HISTORY};
    struct history *history = &input.history.history;
    time_ms every = effect->history.every;

    input.history.id = effect->id;
    history->from = effect->history.from;
    history->rows =
        (size_t)((effect->history.to - effect->history.from) / every) + 1;
    assert(history->rows <= HISTORY_ROWS_MAX);
    csv_begin(&run->past, options->csv, options->fill);
    for (size_t i = 0; i < history->rows; i++) {
        csv_seek(&run->past, history->from + (time_ms)i * every);
        table_row(&run->table, &run->past,
                  run->rows + i * options->policy->signals);
    }
    history->samples = run->rows;
    step(run, &input);
}

/* --- The world answers ---------------------------------------------------- */

static void answer_observe(struct run *run, const struct effect *effect)
{
    const struct replay_release *release = run->options->release;
    struct input input = {.kind = INPUT_TARGET};

    input.target.id = effect->id;
    input.target.result = TARGET_OBSERVED;
    input.target.version =
        run->deployed ? release->version : release->last_good;
    input.target.complete = true;
    step(run, &input);
}

/* The call would leave. */
static void answer_revert(struct run *run, const struct effect *effect)
{
    struct input input = {.kind = INPUT_TARGET};

    if (!run->acts) {
        run->acts = true;
        run->by_countdown =
            run->counts_until != 0 && run->now >= run->counts_until;
        run->first_action_at = run->now;
    }
    if (!run->options->goes_on) {
        run->over = true;
        return;
    }
    input.target.id = effect->id;
    input.target.result = TARGET_REJECTED;
    input.target.text = "a table has no target";
    step(run, &input);
}

static void answer_done(struct run *run, enum input_kind kind, uint64_t id)
{
    struct input input = {.kind = kind};

    input.done.id = id;
    input.done.delivered = true;
    step(run, &input);
}

static void on_answer(struct run *run, const struct effect *effect)
{
    if (effect->answer.reply == REPLY_REGISTERED &&
        effect->answer.outcome != OUTCOME_DONE) {
        memcpy(run->refusal, effect->answer.text, sizeof(run->refusal));
        run->over = true;
    } else if (effect->answer.reply == REPLY_REGISTERED) {
        run->release = effect->answer.release;
    }
}

static void carry_out(struct run *run, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_ANSWER:
        on_answer(run, effect);
        return;
    case EFFECT_QUERY:
        answer_query(run, effect);
        return;
    case EFFECT_HISTORY:
        answer_history(run, effect);
        return;
    case EFFECT_OBSERVE:
        answer_observe(run, effect);
        return;
    case EFFECT_REVERT:
        answer_revert(run, effect);
        return;
    case EFFECT_NOTIFY:
        answer_done(run, INPUT_NOTICE_DONE, effect->notify.notice);
        return;
    case EFFECT_RUN:
        answer_done(run, INPUT_ACTION_DONE, effect->run.action);
        return;
    case EFFECT_POLICY_RELEASED:
        policy_free(effect->policy);
        return;
    case EFFECT_HAS: /* can_check is false */
        break;
    }
    assert(effect->kind != EFFECT_HAS);
}

/* Take an input, and everything that follows from it at the same moment. */
static void feed(struct run *run, struct input *input)
{
    assert(run->done == run->queued);
    run->done = 0;
    run->queued = 0;
    step(run, input);
    while (run->done < run->queued && !run->over) {
        carry_out(run, &run->queue[run->done]);
        run->done++;
    }
    run->done = run->queued;
}

/* --- Time ----------------------------------------------------------------- */

static void tick(struct run *run, time_ms deadline)
{
    struct input input = {.kind = INPUT_TICK};

    run->now = deadline > run->now ? deadline : run->now;
    feed(run, &input);
}

static void tick_until(struct run *run, time_ms until)
{
    while (!run->over && core_deadline(run->core) <= until) {
        tick(run, core_deadline(run->core));
    }
}

/* --- Before the deploy ---------------------------------------------------- */

static void adopt(struct run *run)
{
    const struct replay_release *release = run->options->release;
    struct input input = {.kind = INPUT_COMMAND, .by = "replay"};

    input.command.kind = COMMAND_ADOPT;
    input.command.service = release->service;
    input.command.environment = release->environment;
    input.command.version = release->last_good;
    input.command.reason = "what was good before";
    feed(run, &input);
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static void deploy(struct run *run)
{
    const struct replay_release *release = run->options->release;
    struct input input = {
        .kind = INPUT_REGISTER, .by = "replay", .reply = REPLY_REGISTERED};

    input.registration = (struct registration){
        .service = release->service,
        .environment = release->environment,
        .version = release->version,
        .deployed_at = release->deployed_at,
        .previous = or_null(release->previous),
        .kind = or_null(release->kind),
        .data_change = or_null(release->data_change),
        .compatible_from = or_null(release->compatible_from),
        .labels = release->labels,
        .labels_count = release->labels_count,
    };
    run->deployed = true;
    feed(run, &input);
}

static void begin(struct run *run)
{
    struct input started = {.kind = INPUT_STARTED};
    struct input accepted = {.kind = INPUT_POLICY_ACCEPTED};

    run->now = run->options->release->deployed_at - 1;
    feed(run, &started);
    accepted.policy.block =
        table_asked(run->options->policy, run->options->goes_on);
    feed(run, &accepted);
    adopt(run);
    tick_until(run, run->now);
    run->now++;
    deploy(run);
}

/* --- The end -------------------------------------------------------------- */

/* Why a rollback that stands was not carried out. */
static const char *not_carried_out(const struct run *run)
{
    switch (run->standing.told.mode) {
    case MODE_OBSERVE:
        return "rollback (observe)";
    case MODE_SUGGEST:
        return "rollback (suggest)";
    case MODE_COUNTDOWN:
        return run->counts_until != 0 ? "rollback (countdown)"
                                      : "rollback (refused)";
    case MODE_AUTO:
        break;
    }
    return "rollback (refused)";
}

static const char *final_of(const struct run *run)
{
    if (run->acts) {
        return leaf_kind_name(LEAF_ROLLBACK);
    }
    if (!run->standing.any) {
        return leaf_kind_name(LEAF_WAIT);
    }
    return run->standing.kind == LEAF_ROLLBACK
               ? not_carried_out(run)
               : leaf_kind_name(run->standing.kind);
}

static void tell_end(struct run *run)
{
    const struct ending ending = {
        .final = final_of(run),
        .at = run->over ? run->now : run->end,
        .acts = run->acts,
        .first_action_at = run->first_action_at,
        .by_countdown = run->by_countdown,
        .last = run->standing.any ? &run->standing.told : NULL,
    };

    report_end(run->report, &ending);
}

static struct core *make_core(const struct replay_release *release)
{
    static const struct service_option service = {
        .service = "*", .environment = "*", .ceiling = MODE_AUTO};
    static const struct source_option source = {.name = "table",
                                                .fetch = FETCH_PROMETHEUS};
    static const struct target_option target = {
        .name = "none", .deadline = 10 * MINUTE_MS, .timeout = SECOND_MS};
    const struct core_options options = {
        .services_max = SERVICES,
        .releases_max = RELEASES,
        .series_max = SERIES,
        .ceiling = MODE_AUTO,
        .services = &service,
        .sources = &source,
        .targets = &target,
        .services_count = 1,
        .sources_count = 1,
        .targets_count = 1,
        .version = "",
    };

    assert(release->deployed_at > 0);
    return core_new(&options);
}

bool run_judge(const struct run_options *options, struct report *report,
               char *ret_error, size_t size)
{
    struct run *run = memory_zeroed(1, sizeof(*run));
    size_t cells = HISTORY_ROWS_MAX * (size_t)options->policy->signals + 1;
    bool good = false;

    run->rows = memory_zeroed(cells, sizeof(*run->rows));
    run->options = options;
    run->report = report;
    table_init(&run->table, options->policy, options->csv);
    csv_begin(&run->cursor, options->csv, options->fill);
    run->core = make_core(options->release);
    run->end = csv_time(options->csv, csv_rows(options->csv) - 1);
    begin(run);
    good = run->refusal[0] == '\0';
    if (good) {
        tick_until(run, run->end);
        tell_end(run);
    } else {
        (void)snprintf(ret_error, size, "%s", run->refusal);
    }
    core_free(run->core);
    free(run->rows);
    free(run);
    return good;
}
