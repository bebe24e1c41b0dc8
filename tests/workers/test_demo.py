"""`tidelog demo`: 24 small networks learn to read digits."""

import subprocess
import sys

import pytest
from tests.workers.serving import COMMAND, Serving, all_gone, environment, until

KEYS = {"train/loss", "train/accuracy", "val/loss", "val/accuracy", "lr", "grad_norm"}
CLASSES = {f"class/{digit}" for digit in range(10)}


@pytest.mark.timeout(400)
class TestDemo:
    def test_trains_on_a_server_of_its_own_and_leaves_24_finished_runs(self, tmp_path):
        with Serving(tmp_path, "--fast", command="demo") as serving:
            family = serving.processes()
            assert serving.process.wait(300) == 0, "".join(serving.said)
        assert serving.heard("all 24 networks are trained")
        self.assert_is_calm(serving.said)
        until(lambda: all_gone(family), "no process is left")
        with Serving(tmp_path) as again:
            self.assert_all_is_there(again)

    def assert_is_calm(self, said: list[str]) -> None:
        """Where to look, a line for each training, and that it is over: nothing else."""
        first = next(at for at, line in enumerate(said) if "two at a time" in line)
        assert said[first].rstrip().endswith("/digits/")
        lines = said[first + 1 :]
        assert len(lines) == 25
        assert lines[-2].startswith("tidelog: 24 of 24 trained, best val/accuracy 0.")

    def assert_all_is_there(self, served: Serving) -> None:
        project = f"/projects/{served.banner['team']}/digits"
        runs = served.api(f"{project}/runs?limit=100")["runs"]
        assert len(runs) == 24
        assert {run["state"] for run in runs} == {"finished"}
        assert len({run["group"] for run in runs}) == 8
        assert {run["config"]["seed"] for run in runs} == {1, 2, 3}
        series = {each["key"]: each["n"] for each in self.series(served, project, runs[0]["id"])}
        assert {series[key] for key in KEYS | CLASSES} == {5}
        assert all(run["summary"]["val/accuracy"] > 0.1 for run in runs)

    def series(self, served: Serving, project: str, run: str) -> list[dict[str, object]]:
        series: list[dict[str, object]] = served.api(f"{project}/runs/{run}/series")["series"]
        return series


class TestGradientNorm:
    def test_is_the_slope_of_the_loss(self):
        import numpy as np
        from sklearn.datasets import load_digits
        from sklearn.metrics import log_loss
        from sklearn.neural_network import MLPClassifier

        from tidelog_workers.demo.digits import DIGITS, gradient_norm

        images, labels = load_digits(return_X_y=True)
        x, y = images[:200] / 16.0, labels[:200]
        network = MLPClassifier(hidden_layer_sizes=(16,), solver="sgd", random_state=1)
        network.partial_fit(x, y, classes=DIGITS)
        errors = network.predict_proba(x) - (y[:, None] == DIGITS)
        square = 0.0
        for weights in (*network.coefs_, *network.intercepts_):
            for at in np.ndindex(weights.shape):
                before = weights[at]
                losses = []
                for shift in (1e-5, -1e-5):
                    weights[at] = before + shift
                    losses.append(log_loss(y, network.predict_proba(x)))
                weights[at] = before
                square += ((losses[0] - losses[1]) / 2e-5) ** 2
        assert gradient_norm(network, x, errors) == pytest.approx(square**0.5, rel=1e-3)


class TestWithoutServer:
    def test_says_so_when_a_server_was_named(self, tmp_path):
        argv = [sys.executable, "-c", COMMAND, "demo", "--url", "http://127.0.0.1:1"]
        env = environment(tmp_path)
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == "tidelog: no server answers at http://127.0.0.1:1.\n"
