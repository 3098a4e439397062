/* Any bytes as a table of samples: read or refused with a place, and what was
 * read answers at any time. */
#include "controller/replay/csv.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct csv *csv)
{
    time_ms first = csv_time(csv, 0);
    time_ms last = csv_time(csv, csv_rows(csv) - 1);
    time_ms step = (last - first) / 16 + 1;

    assert(last >= first);
    for (size_t column = 0; column < csv_columns(csv); column++) {
        assert(csv_find(csv, csv_name(csv, column)) == column);
        assert(csv_max_age(csv, column) >= 0);
        for (time_ms g = first - step; g <= last + 2 * step; g += step) {
            (void)csv_sample(csv, column, g, CSV_STEP);
            (void)csv_sample(csv, column, g, CSV_LINEAR);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct problems problems;
    struct csv *csv = NULL;

    problems_init(&problems, "fuzz.csv");
    csv = csv_read((const char *)data, size, &problems);
    assert((csv == NULL) == (problems.errors > 0));
    if (csv != NULL) {
        ask(csv);
    } else {
        assert(problems.list[0].text[0] != '\0');
    }
    csv_free(csv);
    return 0;
}
