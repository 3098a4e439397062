/* Any bytes as a table of samples: read or refused with a place, and what was
 * read answers at any time. */
#include "controller/replay/csv.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct csv *csv, enum csv_fill fill)
{
    static struct csv_cursor cursor;
    time_ms first = csv_time(csv, 0);
    time_ms last = csv_time(csv, csv_rows(csv) - 1);
    time_ms step = (last - first) / 16 + 1;

    assert(last >= first);
    csv_begin(&cursor, csv, fill);
    for (time_ms g = first - step; g <= last + 2 * step; g += step) {
        csv_seek(&cursor, g);
        for (size_t column = 0; column < csv_columns(csv); column++) {
            time_ms max_age = csv_max_age(csv, column);

            assert(csv_find(csv, csv_name(csv, column)) == column);
            assert(max_age >= 0);
            (void)csv_at(&cursor, column, max_age);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct problems problems;
    struct csv *csv = NULL;
    bool good = false;

    problems_init(&problems, "fuzz.csv");
    csv = csv_open((const char *)data, size, &problems);
    good = csv != NULL && csv_load(csv, NULL, &problems);
    assert(good == (problems.errors == 0));
    if (good) {
        ask(csv, CSV_STEP);
        ask(csv, CSV_LINEAR);
    } else {
        assert(problems.list[0].text[0] != '\0');
    }
    csv_free(csv);
    return 0;
}
