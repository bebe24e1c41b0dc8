FIVE = """
import tidelog
run = tidelog.init(project="acme/demo", id="r1", config={"lr": 0.1, "net": {"depth": 3}})
for i in range(5):
    run.log({"loss": i / 2, "acc": float("nan")})
print("trained")
"""


class TestOnlineRun:
    def test_is_on_the_server_when_the_script_has_ended(self, train, online, server):
        script = train(FIVE, online).ends()
        assert script.code == 0, script.err
        assert server.points("r1", "loss") == [(i, i / 2) for i in range(5)]
        assert server.records("r1", 7)[0]["state"] == "finished"
        assert server.projects == {"acme/demo"}
        assert server.descriptions["r1"]["project"] == "demo"

    def test_says_where_it_is(self, train, online, server):
        script = train(FIVE, online).ends()
        assert f"{server.url}/acme/demo/runs/r1" in script.err
        assert script.out == "trained\n"

    def test_sends_config_console_and_environment(self, train, online, server):
        train(FIVE, online).ends()
        sets = server.records("r1", 2)
        ops = {(each["k"], path): value for each in sets for path, value in each["ops"]}
        assert ops["config", "net/depth"] == 3
        assert "train.py" in ops["environment", "command"]
        assert any(record["x"] == "trained\n" for record in server.records("r1", 3))

    def test_never_writes_the_key(self, train, online, server, buffer):
        train(FIVE, online).ends()
        files = [path for path in buffer.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if server.key.encode() in path.read_bytes()]
        assert not [path for path in buffer.rglob("*") if path.stat().st_mode & 0o077]
