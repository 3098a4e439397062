/* Adapters to deployment APIs. */
#ifndef TARGETS_TARGETS_H
#define TARGETS_TARGETS_H

#include "controller/runtime/driver.h"

/* The adapter for entry @index of the configuration's targets. */
struct target_adapter *target_make(struct driver *driver, uint16_t index);

#endif
