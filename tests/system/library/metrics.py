"""What the library's exporters show, and what each policy must make of it.

Every service runs as two instances and beside a stranger of other labels, so
that a sum forgotten, or one too many, shows.
"""

EVERY = 15  # seconds between two scrapes


class Page:
    """Series of an OpenMetrics file: values are functions of the time."""

    def __init__(self, begin, end):
        self.times = range(begin, end, EVERY)
        self.begin = begin
        self.families = {}

    def series(self, kind, name, labels, value, /):
        family = name.removesuffix("_total") if kind == "counter" else name
        shown = ",".join(f'{key}="{text}"' for key, text in labels.items())
        self.families.setdefault((family, kind), {})[f"{name}{{{shown}}}"] = value

    def gauge(self, name, value, /, **labels):
        self.series("gauge", name, labels, lambda at: value)

    def counter(self, name, rate, /, **labels):
        self.series("counter", name, labels, lambda at: rate * (at - self.begin))

    def untyped(self, name, rate, /, **labels):
        """A counter whose name does not end in _total."""
        self.series("unknown", name, labels, lambda at: rate * (at - self.begin))

    def text(self):
        lines = []
        for (family, kind), series in sorted(self.families.items()):
            lines.append(f"# TYPE {family} {kind}")
            lines += [f"{one} {value(at):.6f} {at}" for one, value in series.items() for at in self.times]
        return "\n".join([*lines, "# EOF", ""])


def http(page, name, count, label, code, service):
    """60 good requests a second and 3 bad ones, on two instances."""
    for instance, good, bad in (("a", 40, 2), ("b", 20, 1)):
        common = {label: service, "instance": instance}
        count(name, good, **common, **{code: "200"})
        count(name, bad, **common, **{code: "500"})
    count(name, 7, **{label: "stranger", "instance": "a", code: "500"})


def pool(page, in_use, size, waiting, names, strangers, count_waiting=None):
    """27 of 40 in use, 3 wait; and another pool."""
    for instance, used, waits in (("a", 15, 2), ("b", 12, 1)):
        name, labels = in_use
        page.gauge(name, used, **names, **labels, instance=instance)
        if labels:
            page.gauge(name, 5, **names, **{key: "idle" for key in labels}, instance=instance)
        page.gauge(size, 20, **names, instance=instance)
        (count_waiting or page.gauge)(waiting, waits, **names, instance=instance)
    page.gauge(in_use[0], 9, **strangers, **in_use[1], instance="a")
    page.gauge(size, 10, **strangers, instance="a")
    (count_waiting or page.gauge)(waiting, 8, **strangers, instance="a")


def pools(page):
    page_of = "hikaricp_connections_"
    http(page, "http_server_requests_seconds_count", page.untyped, "application", "status", "orders")
    pool(page, (page_of + "active", {}), page_of + "max", page_of + "pending",
         {"application": "orders", "pool": "HikariPool-1"}, {"application": "orders", "pool": "reports"})
    http(page, "http_requests_total", page.counter, "job", "code", "inventory")
    pool(page, ("go_sql_in_use_connections", {}), "go_sql_max_open_connections", "go_sql_wait_duration_seconds_total",
         {"job": "inventory", "db_name": "main"}, {"job": "inventory", "db_name": "audit"}, page.counter)
    http(page, "http_server_request_duration_seconds_count", page.untyped, "job", "http_response_status_code", "checkout")
    pool(page, ("db_client_connection_count", {"db_client_connection_state": "used"}), "db_client_connection_max",
         "db_client_connection_pending_requests", {"job": "checkout", "db_client_connection_pool_name": "main"},
         {"job": "checkout", "db_client_connection_pool_name": "other"})
    pool(page, ("db_client_connections_usage", {"state": "used"}), "db_client_connections_max", "unused",
         {"service": "shop"}, {"service": "stranger"})


def pgbouncer(page):
    """Pools are named by `database`, their sizes by `name`."""
    for name in ("accounts", "users"):
        for instance, used, waits in (("a", 15, 2), ("b", 12, 1)):
            common = {"instance": instance, "user": "app"}
            page.gauge("pgbouncer_pools_server_active_connections", used, database=name, **common)
            page.gauge("pgbouncer_pools_client_waiting_connections", waits, database=name, **common)
            # user-service.yaml selects sizes by `database`: there both are one
            behind = "users" if name == "users" else "accounts_v2"
            page.gauge("pgbouncer_databases_pool_size", 20, name=name, database=behind, instance=instance)


def histogram(page):
    """p99 of both instances together lies in the middle of (250 ms, 500 ms]."""
    for service, mean in (("search", 1), ("shop", 1), ("stranger", 3)):
        for instance, counts in (("a", (50, 50, 50)), ("b", (40, 48, 50))):
            for le, rate in zip(("0.1", "0.25", "0.5"), counts):
                page.untyped("http_request_duration_seconds_bucket", rate * mean,
                             service=service, instance=instance, le=le, code="200")
            page.untyped("http_request_duration_seconds_bucket", 50 * mean,
                         service=service, instance=instance, le="+Inf", code="200")
        http(page, "http_request_duration_seconds_count", page.untyped, "service", "code", service)


def queue(page):
    for name, many in (("mails", 1), ("other", 9)):
        common = {"vhost": "/", "queue": name, "instance": "rabbit-1"}
        page.gauge("rabbitmq_detailed_queue_messages", 340 * many, **common)
        page.gauge("rabbitmq_detailed_queue_consumers", 8 * many, **common)
        page.counter("rabbitmq_detailed_queue_messages_acked_total", 50 * many, **common)
        page.series("gauge", "rabbitmq_detailed_queue_head_message_timestamp", common, lambda at: at - 90)


def kubernetes(page):
    """Three pods of the new version, one of the old; kube-state-metrics runs
    twice, and a pod of the same name lives in another namespace."""
    for instance in ("ksm-a", "ksm-b"):
        for pod, version, restarts in (("new-1", "4.4.0", 0.02), ("new-2", "4.4.0", 0.01), ("new-3", "4.4.0", 0),
                                       ("old-1", "4.3.7", 0.005)):
            common = {"namespace": "production", "pod": pod, "instance": instance}
            page.gauge("kube_pod_labels", 1, **common, label_app_kubernetes_io_name="gateway",
                       label_app_kubernetes_io_version=version)
            for container in ("gateway", "proxy"):
                page.counter("kube_pod_container_status_restarts_total", restarts / 2, **common, container=container)
        elsewhere = {"namespace": "staging", "pod": "new-1", "instance": instance}
        page.gauge("kube_pod_labels", 1, **elsewhere, label_app_kubernetes_io_name="gateway",
                   label_app_kubernetes_io_version="4.4.0")
        page.counter("kube_pod_container_status_restarts_total", 1, **elsewhere, container="gateway")
        for namespace, pod, container, reason in (
                ("production", "new-1", "gateway", "CrashLoopBackOff"), ("production", "new-1", "proxy", "CrashLoopBackOff"),
                ("production", "new-2", "gateway", "CrashLoopBackOff"), ("production", "new-3", "gateway", "ImagePullBackOff"),
                ("production", "old-1", "gateway", "CrashLoopBackOff"), ("staging", "new-1", "gateway", "ErrImagePull")):
            page.gauge("kube_pod_container_status_waiting_reason", 1, namespace=namespace, pod=pod,
                       container=container, reason=reason, instance=instance)


def page_of_all(begin, end):
    page = Page(begin, end)
    for service in ("storefront", "partner-api", "accounts", "user-service", "gateway", "shop"):
        http(page, "http_requests_total", page.counter, "service", "code", service)
    pools(page)
    pgbouncer(page)
    histogram(page)
    queue(page)
    kubernetes(page)
    return page.text()


RELEASE = {"release.service": "", "release.version": "4.4.0"}
HTTP = {"errors": 3, "requests": 63}
POOL = {"pool_in_use": 27, "pool_size": 40, "waiting": 3}

# policy: what each fetched signal must be
EXPECTED = {
    "default": {"error_rate": 3 / 63, "requests": 63, "pool_in_use": 27, "pool_size": 40, "latency_p99": 0.375},
    "user-service": {**HTTP, "pool_in_use": 27, "pool_size": 40},
    "errors-only": HTTP,
    "low-traffic": HTTP,
    "latency": {**HTTP, "latency_p99": 0.375},
    "pool-pgbouncer": {**HTTP, **POOL},
    "pool-hikaricp": {**HTTP, **POOL},
    "pool-go-sql": {**HTTP, **POOL},
    "pool-opentelemetry": {**HTTP, **POOL},
    "queue-backlog": {"depth": 340, "done": 50, "consumers": 8, "oldest": 90},
    "kubernetes-restarts": {"pods": 3, "restarts": 0.03, "crash_looping": 2, "not_starting": 1,
                            "all_restarts": 0.035, "requests": 63},
}
