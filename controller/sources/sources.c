#include "controller/sources/sources.h"

#include "controller/sources/prometheus.h"
#include "controller/sources/scrape.h"

struct source_adapter *source_make(struct driver *driver, uint16_t index)
{
    if (driver_config(driver)->sources[index].fetch == FETCH_PROMETHEUS) {
        return prometheus_make(driver, index);
    }
    return scrape_make(driver, index);
}
