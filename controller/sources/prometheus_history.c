#include "controller/sources/prometheus.h"

#include "controller/prometheus/selection.h"
#include "policies/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Prometheus refuses more points a series. */
#define POINTS_MAX 11000

/* One column of the past: a signal's values, a signal's ages, or whether the
 * source was alive. */
enum column_kind { COLUMN_VALUES, COLUMN_AGES, COLUMN_ALIVE };

struct column {
    enum column_kind kind;
    struct past *past;
    uint16_t signal;
    char *texts[2 * POLICY_SELECT_MAX]; /* of the selection */
    struct selection selection;
    time_ms max_age;
    struct sample *samples; /* one for each row */
    uint8_t *found;         /* how many elements had a value there, 2: more */
    struct column *next;
};

/* What answers one EFFECT_HISTORY. */
struct past {
    struct driver *driver;
    struct effect_id id;
    time_ms from, every;
    size_t rows, signals;
    struct sample *samples; /* rows x signals */
    struct column *columns;
    unsigned open; /* columns that have not ended */
    char error[RECORD_TEXT_MAX];
};

/* --- Reading ------------------------------------------------------------- */

static bool on_element(void *data, const struct prometheus_element *element)
{
    struct column *column = data;
    const struct past *past = column->past;
    struct sample sample;
    size_t cursor = 0;
    time_ms at;
    bool once;
    if (!selection_has(&column->selection, element, &once)) {
        return once;
    }
    while (prometheus_next_point(element, &cursor, &at, &sample)) {
        time_ms since = at - past->from;
        size_t row = since < 0 ? past->rows : (size_t)(since / past->every);
        if (row >= past->rows || since % past->every != 0) {
            continue; /* not a moment that was asked for */
        }
        if (column->kind != COLUMN_ALIVE) {
            column->found[row] = column->found[row] == 0 ? 1 : 2;
            column->samples[row] = sample;
        } else if (sample.unknown == KNOWN && sample.number > 0) {
            column->found[row] = 1;
        }
    }
    return true;
}

/* --- The answer ---------------------------------------------------------- */

static void column_free(struct column *column)
{
    for (size_t i = 0; i < 2 * POLICY_SELECT_MAX; i++) {
        free(column->texts[i]);
    }
    free(column->samples);
    free(column->found);
    free(column);
}

static bool is_stale(const struct column *ages, size_t row)
{
    return ages->found[row] != 1 || ages->samples[row].unknown != KNOWN ||
           ages->samples[row].number * 1000 > (double)ages->max_age;
}

/* Values were laid first, so ages and alive only take away. */
static void lay_row(const struct column *column, size_t row,
                    struct sample *samples, size_t signals)
{
    struct sample *sample = &samples[column->signal];
    switch (column->kind) {
    case COLUMN_VALUES:
        *sample = column->samples[row];
        if (column->found[row] == 0) {
            *sample = (struct sample){.unknown = UNKNOWN_NO_DATA};
        } else if (column->found[row] > 1) {
            *sample = (struct sample){.unknown = UNKNOWN_SEVERAL};
        }
        break;
    case COLUMN_AGES:
        if ((sample->unknown == KNOWN || sample->unknown == UNKNOWN_NO_DATA) &&
            is_stale(column, row)) {
            *sample = (struct sample){.unknown = UNKNOWN_STALE};
        }
        break;
    case COLUMN_ALIVE:
        for (size_t i = 0; column->found[row] == 0 && i < signals; i++) {
            if (samples[i].unknown != UNKNOWN_NOT_ASKED) {
                samples[i] = (struct sample){.unknown = UNKNOWN_SOURCE_ERROR};
            }
        }
        break;
    }
}

static void lay(const struct past *past, enum column_kind kind)
{
    for (struct column *column = past->columns; column; column = column->next) {
        for (size_t row = 0; column->kind == kind && row < past->rows; row++) {
            lay_row(column, row, past->samples + row * past->signals,
                    past->signals);
        }
    }
}

static void past_answer(struct past *past)
{
    struct input input = {.kind = INPUT_HISTORY,
                          .now = driver_now(past->driver)};
    input.history.id = past->id;
    if (past->error[0]) {
        input.history.error = past->error;
    } else {
        lay(past, COLUMN_VALUES);
        lay(past, COLUMN_AGES);
        lay(past, COLUMN_ALIVE);
        input.history.history.from = past->from;
        input.history.history.rows = past->rows;
        input.history.history.samples = past->samples;
    }
    (void)driver_push(past->driver, &input); /* never refused to an adapter */
    struct column *column = past->columns;
    while (column) {
        struct column *next = column->next;
        column_free(column);
        column = next;
    }
    free(past->samples);
    free(past);
}

static void past_part_ended(struct past *past, const char *what,
                            const char *error)
{
    if (error && !past->error[0]) {
        (void)snprintf(past->error, sizeof(past->error), "%s%s", what, error);
    }
    if (--past->open == 0) {
        past_answer(past);
    }
}

static void on_column_done(void *data, const char *error)
{
    static const char *const whats[] = {[COLUMN_VALUES] = "",
                                        [COLUMN_AGES] = "fresh: ",
                                        [COLUMN_ALIVE] = "alive: "};
    struct column *column = data;
    past_part_ended(column->past, whats[column->kind], error);
}

static void on_nothing_done(void *data, const char *error)
{
    past_part_ended(data, "", error);
}

/* --- Asking -------------------------------------------------------------- */

static struct column *column_add(struct past *past, enum column_kind kind,
                                 uint16_t signal)
{
    struct column *column = memory_zeroed(1, sizeof(*column));
    column->kind = kind;
    column->past = past;
    column->signal = signal;
    column->samples = memory_zeroed(1, past->rows * sizeof(struct sample));
    column->found = memory_zeroed(1, past->rows);
    column->next = past->columns;
    past->columns = column;
    return column;
}

static void ask_column(struct past *past, struct prometheus_client *client,
                       struct column *column, const char *query,
                       uint16_t service)
{
    char *text = selection_narrow(&column->selection, query);
    struct ask_call call = {.service = service,
                            .want = WANT_MATRIX,
                            .query = text,
                            .from = past->from,
                            .to = past->from +
                                  (time_ms)(past->rows - 1) * past->every,
                            .step = past->every};
    past->open++;
    prometheus_client_ask(client, &call, on_element, on_column_done, column);
    free(text);
}

static bool find_series(const struct core *core, uint32_t query,
                        uint32_t series, struct series_view *ret_view)
{
    size_t cursor = 0;
    while (view_next_series(core, query, &cursor, ret_view)) {
        if (ret_view->id == series) {
            return true;
        }
    }
    return false;
}

static void select_series(struct column *column,
                          const struct series_view *series)
{
    struct selection *selection = &column->selection;
    selection->count = series->selects;
    for (size_t i = 0; i < series->selects; i++) {
        char *label = memory_text(series->labels[i]);
        char *value = memory_text(series->values[i]);
        column->texts[2 * i] = label;
        column->texts[2 * i + 1] = value;
        selection->labels[i] = label;
        selection->values[i] = value;
    }
}

/* Ask for one signal's values, and ages.  False when nothing is asked: it is of
 * another source, or gone, or the release does not say what it selects. */
static bool ask_signal(struct past *past, struct prometheus_client *client,
                       uint16_t index, uint64_t release, uint16_t signal,
                       uint16_t *ret_service)
{
    const struct core *core = driver_core(past->driver);
    uint32_t query, series;
    struct query_view view;
    struct series_view selected;
    if (!view_release_series(core, release, signal, &query, &series) ||
        !view_query(core, query, &view) || view.source != index ||
        !find_series(core, query, series, &selected)) {
        return false;
    }
    if (series_says_nothing(&selected)) {
        for (size_t row = 0; row < past->rows; row++) {
            past->samples[row * past->signals + signal].unknown = UNKNOWN_FACT;
        }
        return false;
    }
    struct column *column = column_add(past, COLUMN_VALUES, signal);
    select_series(column, &selected);
    ask_column(past, client, column, view.text, view.service);
    if (view.fresh[0]) {
        column = column_add(past, COLUMN_AGES, signal);
        select_series(column, &selected);
        column->max_age = view.max_age;
        ask_column(past, client, column, view.fresh, view.service);
    }
    *ret_service = view.service;
    return true;
}

void prometheus_history(struct driver *driver, struct prometheus_client *client,
                        uint16_t index, const struct effect *effect)
{
    const struct source_config *config = &driver_config(driver)->sources[index];
    struct past *past = memory_zeroed(1, sizeof(*past));
    time_ms from = effect->history.from, every = effect->history.every;
    uint16_t service = NONE_INDEX;
    bool any = false;
    assert(every > 0 && effect->history.to >= from);
    past->driver = driver;
    past->id = effect->id;
    past->from = from;
    past->every = every;
    past->rows = (size_t)((effect->history.to - from) / every) + 1;
    past->signals = effect->history.policy->signals;
    past->samples = memory_zeroed(1, (past->rows * past->signals + 1) *
                                         sizeof(struct sample));
    for (size_t i = 0; i < past->rows * past->signals; i++) {
        past->samples[i].unknown = UNKNOWN_NOT_ASKED;
    }
    past->open = 1; /* this function: nothing is answered from within */
    if (past->rows > POINTS_MAX) {
        (void)snprintf(past->error, sizeof(past->error),
                       "%s: %zu points asked for, Prometheus gives at most %d",
                       config->name, past->rows, POINTS_MAX);
    } else {
        for (uint16_t i = 0; i < past->signals; i++) {
            any |= ask_signal(past, client, index, effect->history.release, i,
                              &service);
        }
    }
    if (any && config->alive[0]) {
        struct column *column = column_add(past, COLUMN_ALIVE, 0);
        ask_column(past, client, column, config->alive, service);
    }
    prometheus_client_soon(client, on_nothing_done, past);
}
