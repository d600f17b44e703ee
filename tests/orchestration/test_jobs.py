"""One command, one job: submitted again it is found at work, or begins its next attempt."""

import pytest

from orchestration.jobs import attempt_id, follow, job_name, latest_attempt, stop, submit

COMMAND = ["synthgen", "augment", "--recipe", "night cars.yaml"]


class Server:
    """A job server in memory."""

    def __init__(self):
        self.jobs, self.entrypoints = {}, []

    def submit_job(self, *, entrypoint, submission_id=None, runtime_env=None):
        if submission_id in self.jobs:
            raise RuntimeError(f"Job with submission_id {submission_id} already exists")
        self.jobs[submission_id] = "RUNNING"
        self.entrypoints.append((entrypoint, runtime_env))
        return submission_id

    def get_job_status(self, job_id):
        if job_id not in self.jobs:
            raise RuntimeError(f"Job {job_id} does not exist")
        return self.jobs[job_id]

    def stop_job(self, job_id):
        self.jobs[job_id] = "STOPPED"
        return True

    async def tail_job_logs(self, job_id):
        yield "one\n"
        self.jobs[job_id] = "SUCCEEDED"
        yield "two\n"


def test_the_command_arrives_as_it_was_typed():
    server = Server()
    submit(server, COMMAND, "recipes")
    assert server.entrypoints == [("synthgen augment --recipe 'night cars.yaml'", {"working_dir": "recipes"})]


def test_a_command_at_work_is_not_started_again():
    server = Server()
    assert submit(server, COMMAND, None) == (attempt_id(job_name(COMMAND), 1), True)
    assert submit(server, COMMAND, None) == (attempt_id(job_name(COMMAND), 1), False)
    assert len(server.entrypoints) == 1


@pytest.mark.parametrize("ended", ["FAILED", "STOPPED", "SUCCEEDED"])
def test_after_its_end_the_command_gets_its_next_attempt(ended):
    server, name = Server(), job_name(COMMAND)
    submit(server, COMMAND, None)
    server.jobs[attempt_id(name, 1)] = ended
    assert submit(server, COMMAND, None) == (attempt_id(name, 2), True)
    assert latest_attempt(server, name) == (2, "RUNNING")


def test_who_loses_the_race_follows_the_winner():
    class Raced(Server):
        def submit_job(self, **asked):
            super().submit_job(**asked)
            return super().submit_job(**asked)

    server = Raced()
    assert submit(server, COMMAND, None) == (attempt_id(job_name(COMMAND), 1), False)


def test_a_server_that_refuses_is_heard():
    class Refusing(Server):
        def submit_job(self, **_asked):
            raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match=r"^no room$"):
        submit(Refusing(), COMMAND, None)


def test_other_commands_are_other_jobs():
    assert job_name(COMMAND) == job_name(list(COMMAND)) != job_name([*COMMAND, "--quiet"])


def test_a_log_is_followed_to_the_end():
    server, shown = Server(), []
    job, _ = submit(server, COMMAND, None)
    assert follow(server, job, shown.append) == "SUCCEEDED"
    assert shown == ["one\n", "two\n"]


def test_a_log_is_taken_up_where_the_line_broke():
    class Breaking(Server):
        async def tail_job_logs(self, job_id):
            yield "one\n"
            if self.entrypoints:
                self.entrypoints = []
                return
            yield "two\n"
            self.jobs[job_id] = "FAILED"

    server, shown = Breaking(), []
    job, _ = submit(server, COMMAND, None)
    assert follow(server, job, shown.append) == "FAILED"
    assert shown == ["one\n", "two\n"]


def test_a_job_that_is_stopped_is_waited_for():
    class Slow(Server):
        asked = 0

        def stop_job(self, job_id):
            return True

        def get_job_status(self, job_id):
            self.asked += 1
            return "STOPPED" if self.asked > 3 else super().get_job_status(job_id)

    server = Slow()
    job, _ = submit(server, COMMAND, None)
    assert stop(server, job) == "STOPPED"


def test_a_cluster_that_is_just_starting_is_asked_again():
    class Starting(Server):
        asked = 0

        def submit_job(self, **said):
            self.asked += 1
            if self.asked == 1:
                raise RuntimeError("No available agent to submit job, please try again later.")
            return super().submit_job(**said)

    assert submit(Starting(), COMMAND, None) == (attempt_id(job_name(COMMAND), 1), True)


def test_a_line_that_breaks_for_a_moment_is_no_failure():
    class Flaky(Server):
        asked = 0

        def get_job_status(self, job_id):
            self.asked += 1
            if self.asked % 2:
                raise OSError("Connection aborted.")
            return super().get_job_status(job_id)

    server = Flaky()
    assert submit(server, COMMAND, None) == (attempt_id(job_name(COMMAND), 1), True)
    assert len(server.entrypoints) == 1
