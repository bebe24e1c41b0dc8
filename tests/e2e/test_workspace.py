import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, Request, expect
from tests.e2e.charts import drag, painted, panel, pixels, shown, wait_for_line
from tests.e2e.conftest import Opener, Site
from tests.workers.serving import until

KEY = "val/accuracy"


def row(page: Page, run: str) -> Any:
    return page.locator(f'.run-row[data-run="{run}"]')


class TestLive:
    def test_a_line_moves_when_its_run_logs(self, site: Site, opened: Opener) -> None:
        writer = site.writer("moving-1", "moving")
        writer.open(name="moving-1", config={}, wall=time.time())
        writer.send(steps=[0, 1], times=[time.time()] * 2, series={KEY: [0.1, 0.2]})
        page = opened(f"/{site.team}/moving/")
        found = painted(page, KEY)
        expect(page.locator("#live-text")).to_have_text("Live")
        before = pixels(found)

        writer.send(steps=[2, 3], times=[time.time()] * 2, series={KEY: [0.5, 0.4]})

        wait_for_line(page, found, "moving-1", 3)
        page.wait_for_timeout(50)
        assert pixels(found) != before
        assert shown(found)["steps"]["moving-1"] == [0, 1, 2, 3]
        expect(row(page, "moving-1").locator(".v").first).to_have_text("0.4000")

    def test_a_new_run_and_a_new_metric_appear_by_themselves(
        self, site: Site, opened: Opener
    ) -> None:
        first = site.writer("early", "growing")
        first.open(name="early", config={}, wall=time.time())
        first.send(steps=[0], times=[time.time()], series={"loss": [1.0]})
        page = opened(f"/{site.team}/growing/")
        painted(page, "loss")
        expect(page.locator("#live-text")).to_have_text("Live")

        late = site.writer("late", "growing")
        late.open(name="late", config={}, wall=time.time())
        late.send(steps=[0, 1], times=[time.time()] * 2, series={"loss": [2.0, 1.5]})
        late.send(steps=[1], times=[time.time()], series={"extra/score": [7.0]})

        expect(row(page, "late")).to_be_visible()
        wait_for_line(page, painted(page, "loss"), "late", 1)
        assert shown(painted(page, "extra/score"))["runs"] == ["late"]

    def test_a_restarted_server_heals_without_a_reload_or_a_hole(
        self, site: Site, opened: Opener
    ) -> None:
        writer = site.writer("healed-1", "healed")
        writer.open(name="healed-1", config={}, wall=time.time())
        writer.send(steps=[0, 1], times=[time.time()] * 2, series={KEY: [0.1, 0.2]})
        page = opened(f"/{site.team}/healed/", calm=False)
        found = painted(page, KEY)
        expect(page.locator("#live-text")).to_have_text("Live")
        page.evaluate("window.sameDocument = true")

        os.kill(site.serving.banner["pids"]["web"], signal.SIGKILL)
        expect(page.locator("#live")).to_have_attribute("data-state", "reconnecting")
        until(lambda: answers(site), "the server is back")
        for step in (2, 3, 4):
            writer.send(steps=[step], times=[time.time()], series={KEY: [step / 10]})

        wait_for_line(page, found, "healed-1", 4)
        expect(page.locator("#live-text")).to_have_text("Live", timeout=20_000)
        writer.send(steps=[5], times=[time.time()], series={KEY: [0.5]})
        wait_for_line(page, found, "healed-1", 5)
        assert shown(found)["steps"]["healed-1"] == [0, 1, 2, 3, 4, 5]
        assert page.evaluate("window.sameDocument")

    def test_asks_by_rest_where_sockets_do_not_get_through(
        self, site: Site, opened: Opener
    ) -> None:
        writer = site.writer("polled-1", "polled")
        writer.open(name="polled-1", config={}, wall=time.time())
        writer.send(steps=[0, 1], times=[time.time()] * 2, series={KEY: [0.1, 0.2]})
        page = opened("/start", calm=False)
        page.route_web_socket("**/ws/**", lambda socket: socket.close(code=1011))
        page.goto(f"/{site.team}/polled/")
        found = painted(page, KEY)
        expect(page.locator("#live-text")).to_contain_text("Reconnecting in")
        writer.send(steps=[2, 3], times=[time.time()] * 2, series={KEY: [0.3, 0.4]})
        expect(page.locator("#live-text")).to_have_text("Live, every 5 s", timeout=20_000)
        wait_for_line(page, found, "polled-1", 3)

    def test_shows_a_real_training_as_it_logs(
        self, site: Site, opened: Opener, tmp_path: Path
    ) -> None:
        first = site.writer("before", "trained")
        first.open(name="before", config={}, wall=time.time())
        first.send(steps=[0], times=[time.time()], series={KEY: [0.1]})
        page = opened(f"/{site.team}/trained/")
        painted(page, KEY)
        settings = {
            "TIDELOG_URL": site.url,
            "TIDELOG_API_KEY": site.key,
            "TIDELOG_DIR": str(tmp_path),
            "TIDELOG_RUN_ID": "real-training",
            "TIDELOG_PROJECT": f"{site.team}/trained",
        }
        subprocess.run(
            [sys.executable, "-c", TRAINING], env=os.environ | settings, check=True, timeout=60
        )
        found = painted(page, KEY)
        wait_for_line(page, found, "real-training", 90_000)
        expect(row(page, "real-training").locator(".state")).to_have_class("state finished")


TRAINING = f"""
import tidelog
with tidelog.init() as run:
    for step in range(0, 90_001, 3_000):
        run.log({{"{KEY}": step / 100_000}}, step=step)
"""


def answers(site: Site) -> bool:
    try:
        return requests.get(f"{site.url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


class TestRunList:
    def test_an_eye_hides_a_run_and_shows_it_again(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        found = painted(page, KEY)
        run = "tide-swift-119"
        with_it = pixels(found)

        row(page, run).locator(".eye").click()
        page.wait_for_function(
            "([p, r]) => !p.lines.lines.some(l => l.run === r)", arg=[found.element_handle(), run]
        )
        assert len(shown(found)["runs"]) == 9
        assert pixels(found) != with_it
        page.wait_for_url(re.compile("show="))

        row(page, run).locator(".eye").click()
        wait_for_line(page, found, run, 1)

    def test_hovering_a_row_lights_its_line_and_the_other_way_round(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened(site.workspace)
        found = painted(page, KEY)
        row(page, "foam-light-121").hover()
        page.wait_for_function("p => p.lines.lit === 'foam-light-121'", arg=found.element_handle())
        box = found.locator(".u-over").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3)
        page.wait_for_function("p => p.lines.lit !== ''", arg=found.element_handle())
        lit = shown(found)["lit"]
        expect(row(page, lit)).to_have_class(re.compile("lit"))
        expect(page.locator(".tip")).to_be_visible()
        expect(page.locator(".tip-row")).to_have_count(6)

    def test_filters_by_words_and_says_what_is_wrong_with_an_expression(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened(site.workspace)
        page.locator("[data-runs=filter]").fill("failed")
        expect(page.locator(".run-row")).to_have_count(1)
        page.locator("[data-runs=filter]").fill("(")
        page.locator("[data-runs=regex]").click()
        expect(page.locator("[data-runs=fault]")).to_contain_text("Not a regular expression")

    def test_sorts_by_the_main_metric(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        page.locator(".run-head [data-by=value]").click()
        names = page.locator(".run-row").evaluate_all(
            "rows => rows.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)"
            ".map(r => Number(r.querySelector('.v').textContent))"
        )
        numbers = [n for n in names if n == n and n is not None]
        assert numbers == sorted(numbers, reverse=True)


class TestBoard:
    def test_a_zoom_asks_the_server_for_finer_points(self, site: Site, opened: Opener) -> None:
        writer = site.writer("fine-1", "fine")
        writer.open(name="fine-1", config={}, wall=time.time())
        steps = list(range(20_000))
        writer.send(
            steps=steps, times=[time.time()] * 20_000, series={KEY: [s % 97 for s in steps]}
        )
        page = opened(f"/{site.team}/fine/")
        found = painted(page, KEY)
        coarse = len(shown(found)["steps"]["fine-1"])

        with page.expect_request(is_zoom) as asked:
            drag(page, found, 0.4, 0.45)
        body = asked.value.post_data_json
        assert body is not None
        assert 7_500 < body["from"] < body["to"] < 9_500

        page.wait_for_function(
            "p => { const { x } = p.lines.lines[0]; return x[1] - x[0] < 8; }",
            arg=found.element_handle(),
        )
        assert len(shown(found)["steps"]["fine-1"]) < coarse * 1.5
        found.locator(".u-over").dblclick()
        page.wait_for_function("p => p.lines.domain[1] > 19000", arg=found.element_handle())

    def test_zooms_all_panels_together_and_keeps_it_in_the_address(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened(site.workspace)
        found, other = painted(page, KEY), painted(page, "val/loss")
        drag(page, found, 0.2, 0.5)
        page.wait_for_function("p => p.lines.domain[1] < 60000", arg=other.element_handle())
        assert shown(found)["domain"] == shown(other)["domain"]
        page.wait_for_url(re.compile("xr="))

        again = opened(page.url.removeprefix(site.url))
        assert shown(painted(again, KEY))["domain"] == shown(found)["domain"]

    def test_filters_metrics_and_folds_sections(self, site: Site, opened: Opener) -> None:
        page = opened(f"{site.workspace}?m=loss")
        painted(page, "val/loss")
        expect(panel(page, "val/loss")).to_be_visible()
        expect(panel(page, KEY)).to_be_hidden()
        page.locator(".fold").first.click()
        expect(panel(page, "val/loss")).to_be_hidden()

    def test_x_can_be_time_and_y_logarithmic(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        painted(page, KEY)
        page.locator("[data-tool=x]").select_option("relative")
        page.locator("[data-tool=log]").click()
        found = painted(page, KEY)
        label = re.compile("by relative time, 10 runs")
        expect(found.locator("tl-lines")).to_have_attribute("aria-label", label)
        page.wait_for_url(re.compile("x=relative.*log=1"))

    def test_only_panels_near_the_screen_have_a_canvas(self, site: Site, opened: Opener) -> None:
        writer = site.writer("wide-1", "wide")
        writer.open(name="wide-1", config={}, wall=time.time())
        keys = {f"m/{i:03}": [0.1, 0.2] for i in range(150)}
        writer.send(steps=[0, 1], times=[time.time()] * 2, series=keys)
        page = opened(f"/{site.team}/wide/")
        painted(page, "m/000")
        assert page.locator("tl-panel").count() == 150
        assert page.locator("tl-panel canvas").count() < 100
        page.locator(".sections").evaluate("box => box.scrollTo(0, box.scrollHeight)")
        painted(page, "m/149")
        expect(panel(page, "m/000").locator("canvas")).to_have_count(0)


def is_zoom(request: Request) -> bool:
    body = request.post_data_json
    return request.url.endswith("/chart") and body is not None and body["from"] is not None


class TestKeyboard:
    def test_walks_the_runs_and_shows_one_alone(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        found = painted(page, KEY)
        for key in ("j", "j", "k"):
            page.keyboard.press(key)
        expect(row(page, "dune-warm-124")).to_have_class(re.compile("lit"))
        page.keyboard.press("Shift+V")
        page.wait_for_function("p => p.lines.lines.length === 1", arg=found.element_handle())
        assert shown(found)["runs"] == ["dune-warm-124"]

    def test_letters_act_only_outside_fields(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        painted(page, KEY)
        page.keyboard.press("/")
        page.keyboard.type("l[")
        expect(page.locator("[data-runs=filter]")).to_have_value("l[")
        expect(page.locator("[data-tool=log]")).to_have_attribute("aria-pressed", "false")
        page.locator("body").click(position={"x": 5, "y": 5})
        page.keyboard.press("[")
        expect(page.locator("tl-runs")).to_be_hidden()
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()

    def test_arrows_move_the_crosshair_and_say_where_it_is(
        self, site: Site, opened: Opener
    ) -> None:
        page = opened(site.workspace)
        found = painted(page, KEY)
        found.locator("tl-lines").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator("#speech")).to_contain_text("1 of 10")
        page.keyboard.press("Alt+t")
        expect(found.locator("table tbody tr")).to_have_count(10)

    def test_a_dot_pauses_and_resumes(self, site: Site, opened: Opener) -> None:
        page = opened(site.workspace)
        expect(page.locator("#live-text")).to_have_text("Live")
        page.keyboard.press(".")
        expect(page.locator("#live-text")).to_have_text("Paused")
        page.keyboard.press(".")
        expect(page.locator("#live-text")).to_have_text("Live")


class TestOrder:
    def test_live_rows_stay_where_they_are_until_asked(self, site: Site, opened: Opener) -> None:
        writers = {name: site.writer(name, "order") for name in ("low", "high")}
        for value, (name, writer) in enumerate(writers.items()):
            writer.open(name=name, config={}, wall=time.time())
            writer.send(steps=[0], times=[time.time()], series={KEY: [value / 10]})
        page = opened(f"/{site.team}/order/?sort=-value")
        painted(page, KEY)
        expect(row(page, "high")).to_have_attribute("aria-rowindex", "1")
        expect(page.locator("#live-text")).to_have_text("Live")

        writers["low"].send(steps=[1], times=[time.time()], series={KEY: [0.9]})

        expect(row(page, "low").locator(".v").first).to_have_text("0.9000")
        expect(row(page, "high")).to_have_attribute("aria-rowindex", "1")
        page.get_by_role("button", name="re-sort").click()
        expect(row(page, "low")).to_have_attribute("aria-rowindex", "1")
