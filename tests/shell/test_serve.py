"""The daemon from start to end: what it serves, refuses, survives and leaves."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import unittest

import world
from world import PATIENCE, World, until
from serving import SANITIZER


class Case(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def check_clean(self, daemon):
        self.assertEqual(daemon.terminate(), 0, daemon.said())
        self.assertNotRegex(daemon.said(), SANITIZER)

    def deploy_bad(self, daemon, service="shop", good="1.0", bad="2.0"):
        """`good` is vouched for, `bad` is live and throws errors."""
        code, text = daemon.adopt(good, service)
        self.assertEqual(code, 0, text)
        self.world.deployer.live[service] = bad
        self.world.metrics.values["errors_of_" + service] = 50
        code, text = daemon.register(bad, service)
        self.assertEqual(code, 0, text)


class Ordinary(Case):
    def test_it_starts_answers_and_ends_cleanly(self):
        daemon = self.world.start()
        status, body = daemon.get("/healthz")
        self.assertEqual(status, 200, body)
        status, body = daemon.get("/metrics")
        self.assertEqual(status, 200)
        self.check_clean(daemon)
        self.assertIsNotNone(daemon.find("event=stopped"))

    def test_sigint_ends_it_too(self):
        daemon = self.world.start()
        daemon.signal(signal.SIGINT)
        self.assertEqual(daemon.ended(), 0)

    def test_a_bad_release_is_reverted_once_and_people_are_told(self):
        daemon = self.world.start()
        self.deploy_bad(daemon)
        until("the revert", lambda: self.world.deployer.effective)
        self.world.metrics.values["errors_of_shop"] = 0
        daemon.await_line("event=rollback.recovered")
        self.assertEqual(len(self.world.deployer.posts), 1)
        order = self.world.deployer.posts[0]
        self.assertEqual(order["version"], "1.0")
        self.assertEqual(order["expected_version"], "2.0")
        self.assertTrue(order["key"])
        until("a page", lambda: self.world.pager.pages)
        code, text = daemon.run("gate", "shop", "--environment", "production")
        self.assertEqual(code, 3, text)
        code, text = daemon.run("why", "shop", "2.0", "--environment",
                                "production")
        self.assertEqual(code, 0, text)
        self.assertIn("Are there errors?", text)
        self.check_clean(daemon)

    def test_several_services_are_reverted_each_on_its_own(self):
        names = ["a", "b", "c"]
        for name in names:
            self.world.policy(name)
            self.world.deployer.live[name] = "1.0"
        daemon = self.world.start()
        for name in names:
            self.deploy_bad(daemon, name)
        self.world.deployer.live["shop"] = "1.0"
        until("three reverts", lambda: len(self.world.deployer.effective) == 3)
        self.assertEqual(self.world.deployer.live,
                         {"a": "1.0", "b": "1.0", "c": "1.0", "shop": "1.0"})
        self.check_clean(daemon)

    def test_a_source_that_goes_away_reverts_nothing(self):
        daemon = self.world.start()
        code, text = daemon.adopt("1.0")
        self.assertEqual(code, 0, text)
        self.world.deployer.live["shop"] = "2.0"
        self.assertEqual(daemon.register("2.0")[0], 0)
        until("queries", lambda: self.world.metrics.queries > 2)
        self.world.metrics.stop()
        daemon.await_line("event=source.lost")
        self.world.metrics.start()
        daemon.await_line("event=source.back")
        self.assertEqual(self.world.deployer.posts, [])
        self.check_clean(daemon)

    def test_a_changed_policy_is_taken_up_and_a_broken_one_is_not(self):
        daemon = self.world.start()
        daemon.await_line("event=policy.set .*name=shop")
        self.world.policy("other")
        daemon.await_line("event=policy.set .*name=other")
        self.world.write("policies/shop.yaml", "policy: shop\nnonsense: 1\n")
        daemon.await_line(
            r"level=error event=policy.problem file=\S*shop.yaml line=\d")
        names = str(daemon.json("/v1/policies"))
        self.assertIn("shop", names)
        daemon.signal(signal.SIGHUP)
        until("the folder read again", lambda:
              daemon.said().count("event=policy.folder") >= 4)
        self.check_clean(daemon)

    def test_the_stop_file_holds_everything(self):
        self.world.write("STOP", "")
        daemon = self.world.start()
        daemon.await_line("event=stop_file .*stands=yes")
        self.deploy_bad(daemon)
        daemon.await_line("event=rollback.refused|event=incident.opened")
        self.assertEqual(self.world.deployer.posts, [])
        self.world.remove("STOP")
        daemon.await_line("event=stop_file .*stands=no")
        until("the revert", lambda: self.world.deployer.effective)
        self.check_clean(daemon)


class Killed(Case):
    """kill -9 at a moment; after a restart nothing is lost or done twice."""

    def restart(self, daemon):
        daemon.kill()
        return self.world.start()

    def check_one_revert(self, daemon):
        until("the revert", lambda: self.world.deployer.effective)
        self.world.metrics.values["errors_of_shop"] = 0
        daemon.await_line("event=rollback.recovered")
        self.assertEqual(len(self.world.deployer.effective), 1)
        keys = {order["key"] for order in self.world.deployer.posts}
        self.assertEqual(len(keys), 1, self.world.deployer.posts)
        self.assertEqual(self.world.deployer.live["shop"], "1.0")
        self.check_clean(daemon)

    def test_an_answered_registration_is_never_lost(self):
        daemon = self.world.start()
        for number in range(10):
            version = "3.%d" % number
            self.world.deployer.live["shop"] = version
            code, text = daemon.register(version)
            self.assertEqual(code, 0, text)
            daemon = self.restart(daemon)
            releases = str(daemon.json("/v1/releases?service=shop"))
            self.assertIn("'%s'" % version, releases)
        self.check_clean(daemon)

    def test_right_after_the_registration(self):
        daemon = self.world.start()
        self.deploy_bad(daemon)
        self.check_one_revert(self.restart(daemon))

    def kill_at(self, moment):
        """Kill the daemon while the deployment API serves it."""
        daemon, moments = self.world.start(), self.world.deployer.moments

        def observed():
            if daemon.find("rollback.proposed"):
                daemon.kill()
            else:
                moments["live", "shop"] = observed

        moments[moment, "shop"] = \
            observed if moment == "live" else daemon.kill
        self.deploy_bad(daemon)
        daemon.ended()
        self.check_one_revert(self.world.start())

    def test_while_the_target_is_observed(self):
        self.kill_at("live")

    def test_when_the_revert_arrives(self):
        self.kill_at("post")

    def test_when_the_revert_is_done(self):
        self.kill_at("posted")

    def test_while_recovery_is_proven(self):
        daemon = self.world.start()
        self.deploy_bad(daemon)
        daemon.await_line("event=rollback.verifying|event=rollback.applied")
        self.check_one_revert(self.restart(daemon))


class Refused(Case):
    def check_refused(self, expected, **options):
        code, said = self.world.refuse(**options)
        self.assertEqual(code, 1, said)
        self.assertRegex(said, expected)
        self.assertNotRegex(said, SANITIZER)
        return said

    def test_a_second_daemon_on_the_database(self):
        daemon = self.world.start()
        self.check_refused(r"lastgood serve: .*lastgood\.db")
        status, body = daemon.get("/healthz")
        self.assertEqual(status, 200, body)
        self.check_clean(daemon)

    def test_a_port_that_is_taken(self):
        self.world.configure(port=self.world.metrics.port)
        self.check_refused(r"lastgood serve: .*%d" % self.world.metrics.port)

    def test_a_configuration_with_an_unknown_key(self):
        self.world.configure(more="nonsense: 1\n")
        self.check_refused(r"config\.yaml:\d+:1: error: .*nonsense")

    def test_a_configuration_that_is_not_there(self):
        self.world.config = self.world.folder + "/none.yaml"
        self.check_refused(r"none\.yaml.*No such file")

    def test_a_database_that_is_none(self):
        with open(self.world.state + "/lastgood.db", "wb") as file:
            file.write(b"this is not a database, it is a text\n" * 100)
        self.check_refused(r"lastgood serve: .*lastgood\.db")

    def test_a_state_folder_that_is_not_there(self):
        os.rmdir(self.world.state)
        self.check_refused(r"lastgood serve: .*/state")

    def test_a_database_that_cannot_be_written(self):
        if os.geteuid() == 0:
            def prepare():
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
        else:
            prepare = None
        self.check_clean(self.world.start())
        os.chmod(self.world.state + "/lastgood.db", 0o444)
        os.chmod(self.world.state, 0o555)
        os.chmod(self.world.folder + "/hook.key", 0o444)
        os.chmod(self.world.folder, 0o755)
        # Where it was built another user may not look.
        binary = shutil.copy(world.BINARY, self.world.folder + "/lastgood")
        self.check_refused(r"lastgood serve: .*lastgood\.(db|lock)",
                           prepare=prepare, binary=binary)

    def test_wrong_options(self):
        for options in (["--nonsense"], ["--config"], [],
                        ["--config", "x", "--log", "xml"],
                        ["--config", "x", "--log-level", "loud"]):
            done = subprocess.run([world.BINARY, "serve", *options],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1, options)
            self.assertRegex(done.stderr, "^lastgood serve: .*\n$")

    def test_help_fits_a_screen(self):
        done = subprocess.run([world.BINARY, "serve", "--help"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        lines = done.stdout.splitlines()
        self.assertLessEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 80)


class FullDisk(Case):
    """A file may grow no further: what the disk says when it is full."""

    def grow_to(self, daemon, size):
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))

    def test_nothing_is_lost_and_requests_are_refused(self):
        daemon = self.world.start(
            prepare=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        self.assertEqual(daemon.adopt("1.0")[0], 0)
        self.grow_to(daemon, 4096)
        # Whatever is recorded next fails: here a policy.
        self.world.policy("another")
        daemon.await_line("event=store.down .*lastgood.db")
        code, text = daemon.register("2.0")
        self.assertEqual(code, 1, text)
        self.assertEqual(daemon.get("/healthz")[0], 503)
        self.grow_to(daemon, resource.RLIM_INFINITY)
        daemon.await_line("event=store.up")
        self.deploy_bad(daemon)
        until("the revert", lambda: self.world.deployer.effective)
        self.assertIn("another", str(daemon.json("/v1/policies")))
        self.check_clean(daemon)


def status(number, document=b"<html>no</html>", headers=()):
    def serve(handler):
        handler.answer(number, document, "text/html", headers)
    return serve


BAD_ANSWERS = {
    "a 400": status(400),
    "a 429": status(429, headers=[("Retry-After", "1")]),
    "a 500": status(500),
    "a 503": status(503),
    "HTML": status(200),
    "nothing": status(200, b""),
    "a redirect": status(302, headers=[("Location", "/elsewhere")]),
    "not a vector": status(200, b'{"status":"success","data":{"resultType":'
                           b'"scalar","result":[1,"60"]}}'),
    "NaN": status(200, b'{"status":"success","data":{"resultType":"vector",'
                  b'"result":[{"metric":{},"value":[1,"NaN"]}]}}'),
    "half an answer": status(200, b'{"status":"success","data":{"resultT'),
    "a closed connection": lambda handler: handler.hang_up(),
    "silence": lambda handler: handler.hang(3),
    "10 MiB": lambda handler: handler.chatter(10),
}


class BadMetrics(Case):
    """Whatever a source says instead of an answer reverts nothing."""

    def await_query(self, name):
        asked = self.world.metrics.queries
        until(name, lambda: self.world.metrics.queries > asked)

    def test_no_answer_of_the_source_reverts(self):
        daemon = self.world.start()
        code, text = daemon.adopt("1.0")
        self.assertEqual(code, 0, text)
        self.world.deployer.live["shop"] = "2.0"
        self.assertEqual(daemon.register("2.0")[0], 0)
        for name, serve in BAD_ANSWERS.items():
            self.world.metrics.instead = serve
            self.await_query(name)
            # A good one between them, or the source would rest ever longer.
            self.world.metrics.instead = None
            self.await_query(name)
            self.assertEqual(self.world.deployer.posts, [], name)
            self.assertIsNone(daemon.process.poll(), daemon.said())
        # It was watching all the time: a real answer is acted upon.
        self.world.metrics.values["errors_of_shop"] = 50
        self.world.metrics.instead = None
        until("the revert", lambda: self.world.deployer.effective)
        self.check_clean(daemon)


class BadTarget(Case):
    """However a deployment API fails, at most one revert takes effect, and
    the end is told."""

    MODES = {
        "twice-503": ["503", "503"],
        "once-429": ["429"],
        "once-closed": ["hang_up"],
        "once-silent": ["hang"],
        "done-closed": ["hang_up_after..."],
        "done-silent": ["hang_after..."],
        "done-500": ["500_after..."],
        "done-10-mib": ["chatter_after..."],
        "done-html": ["html_after..."],
    }
    HOPELESS = {
        "always-400": ["400..."],
        "always-404": ["404..."],
        "redirects": ["redirect..."],
        "only-says-ok": ["html..."],
    }

    def deploy_all(self, daemon, modes):
        for name, mode in modes.items():
            self.world.deployer.misbehave(name, *mode)
            self.deploy_bad(daemon, name)

    def test_each_ends_once(self):
        everyone = dict(self.MODES, **self.HOPELESS)
        for name in everyone:
            self.world.policy(name)
            self.world.deployer.live[name] = "1.0"
        daemon = self.world.start()
        self.deploy_all(daemon, everyone)
        for name in self.MODES:
            until(name, lambda: self.world.deployer.live[name] == "1.0")
            self.world.metrics.values["errors_of_" + name] = 0
        for name in self.MODES:
            daemon.await_line("event=rollback.recovered .*service=%s " % name)
        for name in self.HOPELESS:
            daemon.await_line("event=rollback.failed .*service=%s " % name)
            until("the page of " + name,
                  lambda: self.world.pager.about(name, "failed"))
            self.assertEqual(self.world.deployer.live[name], "2.0")
        done = [order["service"] for order in self.world.deployer.effective]
        self.assertEqual(sorted(done), sorted(self.MODES))
        for name in everyone:
            keys = {order["key"] for order in self.world.deployer.posts
                    if order["service"] == name}
            self.assertEqual(len(keys), 1, name)
        self.check_clean(daemon)


class Manager(Case):
    def test_systemd_is_told(self):
        path = self.world.folder + "/notify"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(path)
        listener.settimeout(PATIENCE)
        self.addCleanup(listener.close)
        daemon = self.world.start(environment={"NOTIFY_SOCKET": path,
                                               "WATCHDOG_USEC": "400000"})
        told = {listener.recv(1024).decode() for _ in range(3)}
        self.assertEqual(told, {"READY=1", "WATCHDOG=1"})
        daemon.signal(signal.SIGHUP)
        while not listener.recv(1024).decode().startswith("RELOADING=1\n"):
            pass
        self.check_clean(daemon)
        while listener.recv(1024) != b"STOPPING=1":
            pass

    def test_the_heartbeat_goes_out(self):
        self.world.configure(more="heartbeat: {get: %s/beat, every: 1s}\n" %
                             self.world.pager.url)
        daemon = self.world.start()
        until("two beats", lambda: self.world.pager.beats >= 2)
        self.check_clean(daemon)


if __name__ == "__main__":
    unittest.main(verbosity=2)
