"""Starting, `sluice check`, the environment, reload. SPDX-License-Identifier: MIT"""

import json
import socket
import threading
import time

import pytest

from harness import replies
from harness.gateway import KEYS, backends, command, free_port
from harness.replies import Say
from harness.upstream import Gate

# The file of the project's first description, to the letter but for the port.
SEED = """server:
  host: "0.0.0.0"
  port: 8000
backends:
  openai:
    enabled: true
    models: ["gpt-4", "gpt-3.5-turbo"]
  claude:
    enabled: true
    models: ["claude-3-opus-20240229", "claude-3-sonnet-20240229"]
monitoring:
  enable_logging: true
  log_level: "INFO"
"""


def model_ids(gateway):
    return [m["id"] for m in gateway.get("/v1/models").json["data"]]


def test_the_first_description_works_as_it_stands(start):
    """PORT beats the file, so the very same bytes serve on a free port."""
    port = free_port()
    gateway = start(
        SEED, port=port, env={"PORT": str(port), "OPENAI_API_KEY": "sk-canary-a", "CLAUDE_API_KEY": "sk-canary-b"}
    )
    assert gateway.file.read_text() == SEED
    named = ["gpt-4", "gpt-3.5-turbo", "claude-3-opus-20240229", "claude-3-sonnet-20240229"]
    assert [m for m in model_ids(gateway) if m != "demo"] == named
    refused = gateway.chat("gpt-4o")
    assert refused.status == 404 and '"gpt-4"' in refused.error["message"]
    with socket.create_connection(("127.0.0.2", port), 1):
        pass  # host 0.0.0.0: every address


def test_the_first_description_without_keys_serves_and_says_what_is_missing(start):
    port = free_port()
    gateway = start(SEED, port=port, env={"PORT": str(port)})
    reply = gateway.chat("gpt-4")
    assert reply.status in (404, 503) and "OPENAI_API_KEY" in reply.error["message"]
    assert "OPENAI_API_KEY" in gateway.said() and "CLAUDE_API_KEY" in gateway.said()
    assert gateway.chat("demo").status == 200


def test_no_file_and_no_key_serves_the_demo(start):
    port = free_port()
    gateway = start(None, port=port, env={"PORT": str(port)})
    reply = gateway.chat("demo", "Say something")
    assert reply.status == 200 and reply.json["choices"][0]["message"]["content"]
    assert gateway.chat("demo", "Say something").json["choices"] == reply.json["choices"]
    streamed = gateway.chat("demo", "Say something", stream=True)
    assert streamed.events[-1] == "[DONE]"
    text = "".join(e["choices"][0]["delta"].get("content") or "" for e in streamed.events[:-1] if e["choices"])
    assert text == reply.json["choices"][0]["message"]["content"]


@pytest.mark.parametrize("stream", [False, True])
def test_demo_calls_a_tool_when_it_has_one(gateway, stream):
    tool = {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    reply = gateway.chat("demo", "Use the tool", tools=[tool], stream=stream)
    assert reply.status == 200
    if stream:
        choices = [e["choices"][0] for e in reply.events[:-1] if e["choices"]]
        name = "".join((c["delta"].get("tool_calls") or [{}])[0].get("function", {}).get("name") or "" for c in choices)
        arguments = "".join(
            (c["delta"].get("tool_calls") or [{}])[0].get("function", {}).get("arguments") or "" for c in choices
        )
        finish = choices[-1]["finish_reason"]
    else:
        choice = reply.json["choices"][0]
        call = choice["message"]["tool_calls"][0]["function"]
        name, arguments, finish = call["name"], call["arguments"], choice["finish_reason"]
    assert (name, finish) == ("weather", "tool_calls")
    assert isinstance(json.loads(arguments)["city"], str)


@pytest.mark.parametrize(
    "variable, model",
    [
        ("OPENAI_API_KEY", "gpt-4o"),
        ("CLAUDE_API_KEY", "claude-sonnet-4-5"),
        ("ANTHROPIC_API_KEY", "claude-sonnet-4-5"),
        ("GEMINI_API_KEY", "gemini-2.5-flash"),
        ("GOOGLE_API_KEY", "gemini-2.5-flash"),
    ],
)
def test_keys_from_the_environment(start, upstream, variable, model):
    """A known vendor at an address of the file takes its key from the environment."""
    key = "sk-canary-from-the-environment"
    upstream.keys = dict.fromkeys(("openai_chat", "anthropic", "gemini"), key)
    upstream.say(text="keyed")
    plain = {name: {"base_url": b["base_url"]} for name, b in backends(upstream).items()}
    gateway = start({"backends": plain}, env={variable: key})
    reply = gateway.chat(model)
    assert reply.status == 200, reply.text
    assert key not in gateway.said()


def test_secret_from_variable_fallback_and_file(start, upstream, tmp_path):
    (tmp_path / "secret").write_text("sk-canary-in-a-file\n")
    at = backends(upstream)
    at["openai"]["api_key"] = "${file:" + str(tmp_path / "secret") + "}"
    at["claude"]["api_key"] = "${NO_SUCH_VARIABLE:-sk-canary-fallback}"
    at["gemini"]["api_key"] = "${MY_KEY}"
    gateway = start({"backends": at}, env={"MY_KEY": "sk-canary-variable"})
    upstream.keys = {
        "openai_chat": "sk-canary-in-a-file",
        "anthropic": "sk-canary-fallback",
        "gemini": "sk-canary-variable",
    }
    for model in ("gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash"):
        upstream.say(text="ok")
        assert gateway.chat(model).status == 200
    assert "sk-canary" not in gateway.said()


def test_model_renamed_and_backend_named(gateway, start, upstream):
    at = backends(upstream)
    at["openai"]["models"] = [{"name": "fast", "upstream": "gpt-4o-mini"}, "gpt-*"]
    at["mine"] = {"type": "openai", "base_url": upstream.url("/v1"), "models": ["some-*"]}
    own = start({"backends": at})
    upstream.keys = {}
    upstream.answer(lambda r: replies.answer(r, Say(text="hi", model="gpt-4o-mini-2024-07-18")))
    reply = own.chat("fast")
    assert upstream.last().json["model"] == "gpt-4o-mini" and reply.json["model"] == "gpt-4o-mini-2024-07-18"
    assert reply.header("x-sluice-model") == "fast"
    upstream.say(text="hi")
    reply = own.chat("mine/some-model")
    assert upstream.last().json["model"] == "some-model" and reply.header("x-sluice-backend") == "mine"


def test_switched_off_backend_is_never_called(start, upstream):
    at = backends(upstream)
    at["openai"]["enabled"] = False
    gateway = start({"backends": at})
    reply = gateway.chat("gpt-4")
    assert reply.status == 404 and "switched off" in reply.error["message"] and upstream.seen == []


BROKEN = """server:
  hots: "127.0.0.1"
  port: 99999
backends:
  openai:
    modells: ["gpt-4"]
    timeouts: {connect: soon}
  nobody:
    enabled: true
monitoring:
  log_level: LOUD
"""


def test_check_tells_every_fault_with_its_place(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(BROKEN)
    done = command("check", file)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    for place, word in [
        ("2:3", "hots"),
        ("3:9", "99999"),
        ("6:5", "modells"),
        ("7:25", "soon"),
        ("8:3", "nobody"),
        ("11:14", "LOUD"),
    ]:
        assert f"config.yaml:{place}" in said, (place, said)
        assert word in said
    assert '"host"' in said and '"models"' in said  # suggestions


def test_check_is_content_with_the_first_description(tmp_path):
    (tmp_path / "config.yaml").write_text(SEED)
    assert command("check", tmp_path / "config.yaml", OPENAI_API_KEY="x", CLAUDE_API_KEY="y").returncode == 0
    assert command("check", folder=tmp_path).returncode == 0  # config.yaml of the working folder


def test_serve_refuses_a_broken_file(tmp_path):
    (tmp_path / "config.yaml").write_text(BROKEN)
    done = command("serve", "--config", tmp_path / "config.yaml")
    assert done.returncode != 0 and "config.yaml:2:3" in done.stdout + done.stderr


def test_an_empty_file_is_a_good_one(start):
    port = free_port()
    gateway = start("", port=port, env={"PORT": str(port)})
    assert gateway.get("/health").status == 200
    assert command("check", str(gateway.folder / "config.yaml")).returncode == 0


def test_missing_file_is_told(tmp_path):
    done = command("serve", "--config", tmp_path / "none.yaml")
    assert done.returncode != 0 and "none.yaml" in done.stderr


def test_secrets_stay_out_of_faults(tmp_path):
    (tmp_path / "config.yaml").write_text('backends:\n  openai: {api_key: "sk-canary-oops", modell: [a]}\n')
    done = command("check", tmp_path / "config.yaml")
    assert done.returncode != 0 and "sk-canary-oops" not in done.stdout + done.stderr


def test_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("serve", folder=tmp_path, PORT=str(port))
    said = done.stdout + done.stderr
    assert done.returncode != 0 and str(port) in said and "PORT" in said and "in use" in said


def test_bad_port_in_the_environment(tmp_path):
    done = command("serve", folder=tmp_path, PORT="eighty")
    assert done.returncode != 0 and "PORT" in done.stdout + done.stderr


def test_version_and_help():
    assert command("--version").stdout.startswith("sluice ")
    words = command("--help")
    assert words.returncode == 0 and "serve" in words.stdout and "check" in words.stdout
    assert command("frobnicate").returncode != 0


# -- reload


def wait_until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("how", ["file", "signal"])
def test_reload(start, upstream, how):
    """A new file is served after it changed, or at the latest after SIGHUP."""
    at = backends(upstream)
    at["openai"]["models"] = ["gpt-4"]
    gateway = start({"backends": at})
    assert gateway.chat("gpt-5").status == 404
    at["openai"]["models"] = ["gpt-4", "gpt-5"]
    gateway.write({"backends": at})
    if how == "signal":
        gateway.reload()
    assert wait_until(lambda: "gpt-5" in model_ids(gateway))
    upstream.say(text="new")
    assert gateway.chat("gpt-5").status == 200


def test_file_written_in_place_is_noticed(start, upstream):
    at = backends(upstream)
    at["openai"]["models"] = ["gpt-4"]
    gateway = start({"backends": at})
    at["openai"]["models"] = ["gpt-4", "gpt-5"]
    gateway.file.write_text(json.dumps({"server": {"port": gateway.port}, "backends": at}))
    assert wait_until(lambda: "gpt-5" in model_ids(gateway))


def test_bad_file_keeps_the_old_one_serving_and_says_why(start, upstream):
    gateway = start({"backends": backends(upstream)})
    gateway.write("server: {port: {port}}\nbackends:\n  openai:\n    modells: []\n")
    gateway.reload()
    gateway.wait_for_words("modells")
    assert "config.yaml:4:5" in gateway.said()
    health = gateway.get("/health").json
    assert health["status"] == "degraded" and "config.yaml:4:5" in health["config_error"]
    upstream.say(text="still here")
    assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == "still here"
    gateway.write({"backends": backends(upstream)})
    gateway.reload()
    assert wait_until(lambda: "config_error" not in gateway.get("/health").json)


def test_open_stream_finishes_on_the_snapshot_it_began_with(start, upstream):
    at = backends(upstream)
    gateway = start({"backends": at})
    gate = Gate()

    def held(request):
        answer = replies.answer(request, Say(text="one two three four"))
        return answer.with_(pieces=[*answer.pieces[:2], gate, *answer.pieces[2:]])

    upstream.answer(held)
    got = []
    thread = threading.Thread(target=lambda: got.append(gateway.chat("gpt-4", stream=True)))
    thread.start()
    assert gate.reached.wait(5)
    del at["openai"]
    gateway.write({"backends": at})
    gateway.reload()
    assert wait_until(lambda: gateway.chat("gpt-4").status == 404)
    gate.open()
    thread.join(5)
    assert got[0].complete and got[0].events[-1] == "[DONE]"


def test_log_level_changes_live(start, upstream):
    config = {"backends": backends(upstream), "monitoring": {"enable_logging": False, "log_level": "ERROR"}}
    gateway = start(config)
    upstream.say(text="quiet")
    assert gateway.chat("gpt-4").status == 200
    time.sleep(0.4)
    assert gateway.lines() == []
    config["monitoring"] = {"enable_logging": True, "log_level": "INFO"}
    gateway.write(config)
    gateway.reload()

    def logged():
        upstream.say(text="loud")
        assert gateway.chat("gpt-4").status == 200
        time.sleep(0.3)
        return gateway.lines() != []

    assert wait_until(logged)


def test_limits_survive_a_reload(start, upstream):
    config = {"backends": backends(upstream), "limits": {"requests_per_minute": 2}}
    gateway = start(config)
    for _ in range(2):
        upstream.say(text="ok")
        assert gateway.chat("gpt-4").status == 200
    config["backends"]["openai"]["headers"] = {"x-new": "1"}
    gateway.write(config)
    gateway.reload()
    time.sleep(0.3)
    assert gateway.chat("gpt-4").status == 429


# -- the end


def test_sigterm_lets_open_exchanges_finish(start, upstream):
    gateway = start({"backends": backends(upstream), "server": {"grace": "10s"}})
    gate = Gate()

    def held(request):
        answer = replies.answer(request, Say(text="one two three four"))
        return answer.with_(pieces=[*answer.pieces[:2], gate, *answer.pieces[2:]])

    upstream.answer(held)
    got = []
    thread = threading.Thread(target=lambda: got.append(gateway.chat("gpt-4", stream=True)))
    thread.start()
    assert gate.reached.wait(5)
    gateway.process.terminate()

    def refuses():
        try:
            gateway.connect().close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:  # it stood in the queue when the listener closed
            return False
        return False

    assert wait_until(refuses), "it still accepts"
    assert gateway.process.poll() is None
    gate.open()
    thread.join(5)
    assert got[0].complete and got[0].events[-1] == "[DONE]"
    assert gateway.stop() == 0


def test_sigterm_ends_after_the_grace_period(start, upstream):
    gateway = start({"backends": backends(upstream), "server": {"grace": "500ms"}})
    gate = Gate()

    def held(request):
        answer = replies.answer(request, Say(text="one two three four"))
        return answer.with_(pieces=[*answer.pieces[:2], gate, *answer.pieces[2:]])

    upstream.answer(held)
    got = []

    def ask():
        try:
            got.append(gateway.chat("gpt-4", stream=True))
        except OSError as e:
            got.append(e)

    thread = threading.Thread(target=ask)
    thread.start()
    assert gate.reached.wait(5)
    began = time.monotonic()
    assert gateway.stop() == 0
    assert 0.4 < time.monotonic() - began < 3
    thread.join(5)
    assert isinstance(got[0], OSError) or "[DONE]" not in got[0].events


def test_sigterm_with_idle_connections_is_quick(start, upstream):
    gateway = start({"backends": backends(upstream)})
    upstream.say(text="ok")
    gateway.chat("gpt-4")
    idle = gateway.connect()
    began = time.monotonic()
    assert gateway.stop() == 0
    assert time.monotonic() - began < 2
    idle.close()
    assert KEYS["openai"] not in gateway.said()
