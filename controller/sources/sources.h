/* Adapters to metrics: Prometheus, a scraped page, a JSON endpoint. */
#ifndef SOURCES_SOURCES_H
#define SOURCES_SOURCES_H

#include "controller/runtime/driver.h"

/* The adapter for entry @index of the configuration's sources. */
struct source_adapter *source_make(struct driver *driver, uint16_t index);

#endif
