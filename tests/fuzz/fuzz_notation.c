/* Any bytes as made-up series: what is read can be asked at any row, and what
 * is not has an error. */
#include "controller/cases/notation.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct notation *notation)
{
    bool fills = false;
    int64_t before = notation_rows(&notation->before, &fills);
    int64_t after = notation_rows(&notation->after, &fills);
    const int64_t rows[] = {-before - 1, -before, 1 - before, -1,       0,
                            1,           2,       after,      after + 1};

    assert(before <= SERIES_ROWS_MAX);
    assert(after <= SERIES_ROWS_MAX);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sample sample = notation_at(notation, rows[i]);

        assert(sample.unknown < UNKNOWN_LAST);
        assert(sample.unknown != KNOWN || sample.number == sample.number);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct notation_kind kind = {{0, 1, 0}, 0.001, 15 * SECOND_MS};
    static struct problems problems;
    static struct notation notation;
    struct yaml_tree *tree = NULL;

    problems_init(&problems, "fuzz.yaml");
    tree = yaml_tree_read("fuzz.yaml", (const char *)data, size, &problems);
    if (tree == NULL || problems.errors > 0) {
        yaml_tree_free(tree);
        return 0;
    }
    for (const struct yaml_item *item = yaml_root(tree)->first; item != NULL;
         item = item->next) {
        size_t errors = problems.errors;

        if (notation_read(tree, item, &kind, &notation, &problems)) {
            ask(&notation);
        } else {
            assert(problems.errors > errors);
        }
    }
    yaml_tree_free(tree);
    return 0;
}
