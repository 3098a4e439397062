#include "controller/replay/backtest_past.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/facts.h"
#include "policies/memory.h"

#define COLUMNS (2 * POLICY_SIGNALS_MAX)

struct past {
    const struct policy *policy;
    const struct replay_release *release;
    struct csv *table;
    time_ms from;
    size_t rows, columns, count;
    struct past_question questions[COLUMNS];
};

/* --- What is asked -------------------------------------------------------- */

/* A metrics page has no past. */
static bool is_asked(const struct signal *signal)
{
    return signal->fetch == FETCH_PROMETHEUS && signal->node != NONE_INDEX;
}

/* False when the release does not say what is selected. */
static bool select_series(const struct past *past, const struct signal *signal,
                          struct selection *ret_selection)
{
    const struct replay_release *release = past->release;
    const struct facts facts = {.service = release->service,
                                .environment = release->environment,
                                .version = release->version,
                                .control_version = release->last_good,
                                .kind = release->kind,
                                .data_change = release->data_change,
                                .labels = release->labels,
                                .labels_count = release->labels_count};

    ret_selection->count = signal->selects;
    for (uint8_t i = 0; i < signal->selects; i++) {
        const struct select *select = &signal->select[i];
        const char *value = selected_text(past->policy, select, &facts);

        if (value == NULL || value[0] == '\0') {
            return false;
        }
        ret_selection->labels[i] = policy_text(past->policy, select->label);
        ret_selection->values[i] = value;
    }
    return true;
}

static void fill(struct past *past, size_t column, enum unknown unknown)
{
    for (size_t row = 0; row < past->rows; row++) {
        csv_put(past->table, row, column, (struct sample){0, unknown});
    }
}

/* A signal's columns begin at @column.  Returns the next one. */
static size_t ask_signal(struct past *past, uint16_t index, size_t column)
{
    const struct signal *signal = policy_signal(past->policy, index);
    struct past_question question = {.signal = index, .column = column};

    if (!is_asked(signal)) {
        return column;
    }
    if (!select_series(past, signal, &question.selection)) {
        fill(past, column, UNKNOWN_FACT);
        return column + (signal->fresh != 0 ? 2 : 1);
    }
    question.query = policy_text(past->policy, signal->query);
    past->questions[past->count++] = question;
    if (signal->fresh != 0) {
        question.ages = true;
        question.query = policy_text(past->policy, signal->fresh);
        question.column = ++column;
        past->questions[past->count++] = question;
    }
    return column + 1;
}

size_t past_columns(const struct policy *policy)
{
    size_t count = 0;

    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);

        count += is_asked(signal) ? (signal->fresh != 0 ? 2 : 1) : 0;
    }
    return count;
}

/* No signal has a name with a blank in it. */
#define AGES_NAME "ages of "

static struct csv *make_table(const struct past *past)
{
    static const size_t room = NAME_MAX_BYTES + sizeof(AGES_NAME);
    char(*texts)[NAME_MAX_BYTES + sizeof(AGES_NAME)] =
        memory_zeroed(COLUMNS, room);
    const char *names[COLUMNS];
    struct csv *table = NULL;
    size_t count = 0;

    for (uint16_t i = 0; i < past->policy->signals; i++) {
        const struct signal *signal = policy_signal(past->policy, i);
        const char *name = policy_text(past->policy, signal->name);

        if (is_asked(signal)) {
            (void)snprintf(texts[count], room, "%s", name);
            names[count] = texts[count];
            count++;
        }
        if (is_asked(signal) && signal->fresh != 0) {
            (void)snprintf(texts[count], room, AGES_NAME "%s", name);
            names[count] = texts[count];
            count++;
        }
    }
    table = csv_make(names, count);
    free(texts);
    return table;
}

/* --- The past ------------------------------------------------------------- */

size_t past_rows(const struct policy *policy,
                 const struct backtest_release *release, time_ms *ret_from)
{
    time_ms every = policy->watch.every;
    time_ms deployed_at = release->release.deployed_at;

    *ret_from = grid_at_or_before(deployed_at - policy->history, every);
    return (size_t)((release->ends - *ret_from) / every) + 1;
}

struct past *past_new(const struct policy *policy,
                      const struct backtest_release *release)
{
    struct past *past = memory_zeroed(1, sizeof(*past));
    size_t column = 0;

    past->policy = policy;
    past->release = &release->release;
    past->rows = past_rows(policy, release, &past->from);
    past->columns = past_columns(policy);
    assert(past->rows * (past->columns + 1) <= PAST_CELLS_MAX);
    past->table = make_table(past);
    csv_make_rows(past->table, past->from, policy->watch.every, past->rows);
    for (uint16_t i = 0; i < policy->signals; i++) {
        column = ask_signal(past, i, column);
    }
    assert(column == past->columns);
    return past;
}

void past_free(struct past *past)
{
    csv_free(past->table);
    free(past);
}

size_t past_questions(const struct past *past)
{
    return past->count;
}

const struct past_question *past_question(const struct past *past, size_t i)
{
    assert(i < past->count);
    return &past->questions[i];
}

void past_take(struct past *past, const struct past_question *question,
               time_ms at, struct sample sample)
{
    time_ms every = past->policy->watch.every;
    time_ms since = at - past->from;
    size_t row = since < 0 ? past->rows : (size_t)(since / every);

    if (row >= past->rows || since % every != 0) {
        return;
    }
    if (csv_get(past->table, row, question->column).unknown !=
        UNKNOWN_NO_DATA) {
        sample = (struct sample){0, UNKNOWN_SEVERAL};
    }
    csv_put(past->table, row, question->column, sample);
}

/* Values that are not fresh are stale, and so is "nothing" then. */
static void take_ages(struct past *past, const struct past_question *question)
{
    time_ms max_age = policy_signal(past->policy, question->signal)->max_age;

    for (size_t row = 0; row < past->rows; row++) {
        struct sample value = csv_get(past->table, row, question->column - 1);
        struct sample age = csv_get(past->table, row, question->column);

        if ((value.unknown == KNOWN || value.unknown == UNKNOWN_NO_DATA) &&
            (age.unknown != KNOWN || age.number * 1000 > (double)max_age)) {
            value = (struct sample){0, UNKNOWN_STALE};
        }
        csv_put(past->table, row, question->column - 1, value);
    }
}

const struct csv *past_table(struct past *past)
{
    for (size_t i = 0; i < past->count; i++) {
        if (past->questions[i].ages) {
            take_ages(past, &past->questions[i]);
        }
    }
    return past->table;
}
