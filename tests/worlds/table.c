#include "tests/worlds/table.h"

#include <math.h>

static void write_cell(const struct reading *reading, int cell, double number,
                       FILE *out)
{
    if (reading->nan & (1 << cell)) {
        (void)fputs(",nan", out);
    } else if (reading->empty & (1 << cell)) {
        (void)fputs(",", out);
    } else {
        (void)fprintf(out, ",%.6g", number);
    }
}

void world_write_samples(const struct world *world, FILE *out)
{
    const struct plan *plan = &world->plan;

    (void)fprintf(out, "time,error_rate,requests%s%s\n",
                  plan->has_pool ? ",pool_in_use,pool_size" : "",
                  plan->has_latency ? ",latency_p99" : "");
    for (size_t i = 0; i < world->count; i++) {
        const struct reading *reading = &world->readings[i];

        (void)fprintf(out, "%lld",
                      WORLD_DEPLOYED_AT + (long long)floor(reading->at + 0.5));
        write_cell(reading, 0, reading->error_rate, out);
        write_cell(reading, 1, reading->requests, out);
        if (plan->has_pool) {
            write_cell(reading, 2, reading->pool_in_use, out);
            write_cell(reading, 3, reading->pool_size, out);
        }
        if (plan->has_latency) {
            write_cell(reading, 4, reading->latency_p99, out);
        }
        (void)fputc('\n', out);
    }
}

void world_write_release(const struct world *world, FILE *out)
{
    (void)fprintf(out,
                  "{\"service\": \"shop\", \"environment\": \"production\", "
                  "\"version\": \"2.0.0\", \"previous\": \"1.9.0\", "
                  "\"deployed_at\": %lld",
                  WORLD_DEPLOYED_AT);
    if (world->plan.data_change != NULL) {
        (void)fprintf(out, ", \"data_change\": \"%s\"",
                      world->plan.data_change);
    }
    (void)fputs("}\n", out);
}
