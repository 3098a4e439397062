#include "controller/cases/case_table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/replay/table.h"
#include "policies/memory.h"

time_ms case_row_time(const struct test_case *test_case, int64_t row)
{
    time_ms every = test_case->policy->watch.every;

    return grid_at_or_before(test_case->release.deployed_at, every) +
           row * every;
}

int64_t case_first_row(const struct test_case *test_case)
{
    const struct policy *policy = test_case->policy;
    int64_t needed = policy->history / policy->watch.every + 1;
    int64_t first = 0;

    for (size_t i = 0; i < test_case->columns_count; i++) {
        bool fills = false;
        int64_t rows =
            notation_rows(&test_case->columns[i].notation.before, &fills);

        rows = fills && rows < needed ? needed : rows;
        first = 1 - rows < first ? 1 - rows : first;
    }
    return first;
}

int64_t case_last_row(const struct test_case *test_case)
{
    time_ms end = test_case->release.deployed_at + test_case->lasts;

    return (end - case_row_time(test_case, 0)) / test_case->policy->watch.every;
}

static void put_cell(struct sample sample, FILE *out)
{
    switch ((int)sample.unknown) {
    case KNOWN:
        (void)fprintf(out, ",%.17g", sample.number);
        return;
    case UNKNOWN_NAN:
        (void)fputs(",nan", out);
        return;
    case UNKNOWN_INFINITE:
        (void)fputs(",inf", out);
        return;
    case UNKNOWN_NO_DATA:
        (void)fputs(",", out);
        return;
    default:
        (void)fputs(",error", out);
        return;
    }
}

static void put_rows(const struct test_case *test_case, FILE *out)
{
    char at[MOMENT_TEXT_MAX];

    (void)fputs("time", out);
    for (size_t i = 0; i < test_case->columns_count; i++) {
        (void)fprintf(out, ",%s", test_case->columns[i].name);
    }
    (void)fputc('\n', out);
    for (int64_t row = case_first_row(test_case);
         row <= case_last_row(test_case); row++) {
        (void)fputs(moment_print(case_row_time(test_case, row), at), out);
        for (size_t i = 0; i < test_case->columns_count; i++) {
            put_cell(notation_at(&test_case->columns[i].notation, row), out);
        }
        (void)fputc('\n', out);
    }
}

struct csv *case_table(const struct test_case *test_case)
{
    struct problems *problems = memory_resized(NULL, sizeof(*problems));
    bool wanted[CSV_COLUMNS_MAX] = {false};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct csv *csv = NULL;
    bool loaded = false;

    if (out == NULL) {
        abort(); /* sizes are limited; see architecture: memory */
    }
    put_rows(test_case, out);
    if (fclose(out) != 0) {
        abort();
    }
    problems_init(problems, "");
    csv = csv_open(text, length, problems);
    assert(csv != NULL);
    table_want(test_case->policy, csv, wanted);
    loaded = csv_load(csv, wanted, problems);
    assert(loaded);
    free(text);
    free(problems);
    return csv;
}
