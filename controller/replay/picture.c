#include "controller/replay/picture.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

void picture_init(struct picture *picture, time_ms start, time_ms every,
                  size_t rows, time_ms deployed_at)
{
    assert(rows > 0);
    assert(every > 0);
    memset(picture, 0, sizeof(*picture));
    picture->start = start;
    picture->every = every;
    picture->rows = rows;
    picture->mark = rows;
    picture->deploy = deployed_at < start
                          ? rows
                          : (size_t)((deployed_at - start) / every) + 1;
    if (picture->deploy > rows) {
        picture->deploy = rows;
    }
    picture->verdicts = memory_resized(NULL, rows);
    memset(picture->verdicts, ' ', rows);
}

void picture_release(struct picture *picture)
{
    for (size_t i = 0; i < picture->count; i++) {
        free(picture->traces[i].values);
    }
    free(picture->verdicts);
    memset(picture, 0, sizeof(*picture));
}

struct picture_trace *picture_add(struct picture *picture, const char *name,
                                  struct unit unit)
{
    struct picture_trace *trace = NULL;

    if (picture->count == PICTURE_TRACES_MAX) {
        return NULL;
    }
    trace = &picture->traces[picture->count++];
    (void)snprintf(trace->name, sizeof(trace->name), "%s", name);
    trace->unit = unit;
    trace->values =
        memory_resized(NULL, picture->rows * sizeof(*trace->values));
    for (size_t i = 0; i < picture->rows; i++) {
        trace->values[i] = (struct value){0, UNKNOWN_NOT_ASKED};
    }
    return trace;
}

void picture_judge(struct picture *picture, size_t row, enum leaf_kind kind)
{
    /* As grave as they stand. */
    static const char order[] = " -?PHR";
    static const char letters[] = {
        [LEAF_HEALTHY] = '-', [LEAF_WAIT] = '?', [LEAF_ROLLBACK] = 'R',
        [LEAF_HOLD] = 'H',    [LEAF_PAGE] = 'P',
    };

    assert(row < picture->rows);
    if (strchr(order, letters[kind]) > strchr(order, picture->verdicts[row])) {
        picture->verdicts[row] = letters[kind];
    }
}
