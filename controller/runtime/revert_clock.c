#include "controller/runtime/driver_inside.h"

void revert_clock_samples(struct driver *driver)
{
    driver->clocked.samples_at = clock_boot_ns();
}

/* The intent is the decision: the step that made it has just ended. */
void revert_clock_record(struct driver *driver, const struct record *record)
{
    struct revert_clock *clocked = &driver->clocked;

    if (record->kind == RECORD_ROLLBACK_MOVED &&
        record->rollback_state == ROLLBACK_INTENDED) {
        clocked->intended = record->sequence;
        clocked->at = (struct revert_timing){.sample_at = clocked->samples_at,
                                             .decided_at = clock_boot_ns()};
    }
}

void revert_clock_durable(struct driver *driver)
{
    struct revert_clock *clocked = &driver->clocked;

    if (clocked->intended != 0 && clocked->at.durable_at == 0 &&
        driver->durable >= clocked->intended) {
        clocked->at.durable_at = clock_boot_ns();
    }
}

void revert_clock_effect(struct driver *driver, const struct effect *effect)
{
    struct revert_clock *clocked = &driver->clocked;

    if (clocked->intended == 0 || effect->needs != clocked->intended) {
        return;
    }
    if (effect->kind == EFFECT_OBSERVE && clocked->at.observed_at == 0) {
        clocked->observe = effect->id;
    }
    if (effect->kind == EFFECT_REVERT) {
        clocked->at.sent_at = clock_boot_ns();
        driver->timing = clocked->at;
        clocked->intended = 0;
    }
}

void revert_clock_answer(struct driver *driver, const struct input *input)
{
    struct revert_clock *clocked = &driver->clocked;

    if (clocked->intended != 0 &&
        input->target.id.epoch == clocked->observe.epoch &&
        input->target.id.counter == clocked->observe.counter) {
        clocked->at.observed_at = clock_boot_ns();
    }
}

const struct revert_timing *driver_revert_timing(const struct driver *driver)
{
    return &driver->timing;
}
