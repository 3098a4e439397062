#include "state/store.h"

/* The record that makes a thing carries its id as its own sequence. */
struct entry entry_of_record(const struct record *record)
{
    struct entry entry = {.sequence = record->sequence,
                          .at = record->at,
                          .kind = record->kind,
                          .release = record->release,
                          .incident = record->incident};
    if (record->kind == RECORD_REGISTERED) {
        entry.release = record->sequence;
    }
    if (record->kind == RECORD_INCIDENT_OPENED) {
        entry.incident = record->sequence;
    }
    entry.goes_back = record->kind == RECORD_ROLLBACK_PROPOSED ||
                      record->kind == RECORD_ROLLBACK_MOVED;
    return entry;
}
