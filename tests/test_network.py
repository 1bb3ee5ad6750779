"""The way to the upstream: names, TLS, proxies. SPDX-License-Identifier: MIT"""

import ssl
import time

import pytest

from harness import certs, proxies, replies
from harness.gateway import KEYS, expect_keys, free_port
from harness.replies import Say
from harness.upstream import Upstream
from harness.vendors import VENDORS

# -- where it is


def test_name_instead_of_an_address(start, upstream):
    gateway = start(
        {"backends": {"openai": {"base_url": f"http://localhost:{upstream.port}/v1", "api_key": KEYS["openai"]}}}
    )
    for _ in range(2):
        upstream.say(text="found")
        assert gateway.chat("gpt-4").status == 200
    assert upstream.last().header("host") == f"localhost:{upstream.port}"


def test_name_that_does_not_exist(start):
    gateway = start({"backends": {"openai": {"base_url": "http://no-such-host.invalid/v1", "api_key": "k"}}})
    reply = gateway.chat("gpt-4")
    assert reply.status == 502 and reply.error["message"]


def test_nobody_listens(start):
    gateway = start({"backends": {"openai": {"base_url": f"http://127.0.0.1:{free_port()}/v1", "api_key": "k"}}})
    began = time.monotonic()
    reply = gateway.chat("gpt-4")
    assert reply.status == 502 and reply.error["message"] and time.monotonic() - began < 2
    assert gateway.chat("gpt-4", stream=True).status == 502


def test_base_url_with_and_without_the_version(start, upstream):
    gateway = start(
        {
            "backends": {
                "openai": {"base_url": upstream.url("/proxy/v1/"), "api_key": KEYS["openai"]},
                "claude": {"base_url": upstream.url("/v1"), "api_key": KEYS["claude"]},
            }
        }
    )
    upstream.say(text="ok")
    assert gateway.chat("gpt-4").status == 200 and upstream.last().target == "/proxy/v1/chat/completions"
    upstream.say(text="ok")
    assert gateway.chat("claude-sonnet-4-5").status == 200 and upstream.last().target == "/v1/messages"


# -- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("authority"))


def sealed(authority, name, hosts):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(name, hosts))
    return Upstream(tls=context)


@pytest.fixture(scope="module")
def sealed_localhost(authority):
    upstream = sealed(authority, "localhost", ["localhost"])
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def vendors_tls(authority):
    """An upstream that is every vendor at once."""
    upstream = sealed(
        authority, "vendors", ["api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com"]
    )
    yield upstream
    upstream.close()


@pytest.fixture
def proxy():
    opened = []

    def start(*arguments, **words):
        opened.append(proxies.Proxy(*arguments, **words))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def at_tls(upstream, authority, host="localhost"):
    return {
        "openai": {"base_url": f"https://{host}:{upstream.port}/v1", "api_key": "k", "ca_file": str(authority.cert)}
    }


def test_tls_with_an_own_authority(start, sealed_localhost, authority):
    sealed_localhost.reset()
    gateway = start({"backends": at_tls(sealed_localhost, authority)})
    sealed_localhost.say(text="sealed")
    assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == "sealed"
    sealed_localhost.say(text="sealed words " * 5000)
    assert gateway.chat("gpt-4", stream=True).events[-1] == "[DONE]"
    assert "localhost" in sealed_localhost.names and sealed_localhost.violations == []


def test_unknown_authority_is_refused(start, sealed_localhost):
    sealed_localhost.reset()
    gateway = start(
        {
            "backends": {
                "openai": {"base_url": f"https://localhost:{sealed_localhost.port}/v1", "api_key": "sk-canary-x"}
            }
        }
    )
    reply = gateway.chat("gpt-4")
    assert reply.status == 502 and sealed_localhost.seen == []
    assert "sk-canary" not in reply.text + gateway.said()


def test_wrong_host_is_refused(start, sealed_localhost, authority):
    sealed_localhost.reset()
    gateway = start({"backends": at_tls(sealed_localhost, authority, "127.0.0.1")})
    assert gateway.chat("gpt-4").status == 502 and sealed_localhost.seen == []


def test_plain_server_behind_https_is_refused(start, upstream, authority):
    at = at_tls(upstream, authority)
    at["openai"]["timeouts"] = {"connect": "500ms"}
    gateway = start({"backends": at})
    assert gateway.chat("gpt-4").status in (502, 504) and upstream.seen == []


def test_bytes_after_an_answer_reach_nobody(start, sealed_localhost, authority):
    """As without TLS (test_upstream): the next caller gets an answer of its own."""
    sealed_localhost.reset()
    gateway = start({"backends": at_tls(sealed_localhost, authority), "server": {"workers": 1}})
    evil = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"evil":"twice"}'
    sealed_localhost.answer(lambda r: replies.answer(r, Say(text="honest")).with_(extra=evil))
    sealed_localhost.say(text="also honest")
    for text in ("honest", "also honest"):
        assert gateway.chat("gpt-4").json["choices"][0]["message"]["content"] == text
        time.sleep(0.1)


# -- proxies; the vendors' own addresses through them, as in production

HOSTS = {
    "openai": "api.openai.com:443",
    "claude": "api.anthropic.com:443",
    "gemini": "generativelanguage.googleapis.com:443",
}
PATHS = {
    "openai": "/v1/chat/completions",
    "claude": "/v1/messages",
    "gemini": "/v1beta/models/gemini-2.5-flash:generateContent",
}


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_real_addresses_of_the_vendors(start, proxy, vendors_tls, authority, vendor, kind):
    vendors_tls.reset()
    expect_keys(vendors_tls)
    outward = proxy(kind, vendors_tls.port)
    gateway = start(
        {"backends": {vendor: {"api_key": KEYS[vendor], "proxy": outward.url(), "ca_file": str(authority.cert)}}}
    )
    for stream in (False, True):
        vendors_tls.say(text="from afar")
        reply = gateway.chat(VENDORS[vendor], stream=stream)
        assert reply.status == 200, reply.text
    assert outward.asked[0] == HOSTS[vendor]
    assert (
        vendors_tls.names[-1] == HOSTS[vendor].split(":")[0]
        and vendors_tls.last().header("host") == HOSTS[vendor].split(":")[0]
    )
    assert vendors_tls.seen[0].path == PATHS[vendor] and vendors_tls.violations == []


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_proxy_with_a_password(start, proxy, vendors_tls, authority, kind):
    vendors_tls.reset()
    outward = proxy(kind, vendors_tls.port, user="anna:s3cret")
    config = {"openai": {"api_key": "k", "proxy": outward.url("anna:s3cret"), "ca_file": str(authority.cert)}}
    gateway = start({"backends": config})
    vendors_tls.say(text="let in")
    assert gateway.chat("gpt-4").status == 200
    config["openai"]["proxy"] = outward.url("anna:wrong")
    gateway = start({"backends": config})
    reply = gateway.chat("gpt-4")
    assert reply.status == 502 and "wrong" not in reply.text and "s3cret" not in gateway.said()


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_proxy_that_refuses(start, proxy, vendors_tls, kind):
    vendors_tls.reset()
    gateway = start(
        {"backends": {"openai": {"api_key": "k", "proxy": proxy(kind, vendors_tls.port, refuse=True).url()}}}
    )
    assert gateway.chat("gpt-4").status == 502


def test_proxy_of_the_environment(start, proxy, vendors_tls, authority, upstream):
    vendors_tls.reset()
    outward = proxy("http", vendors_tls.port)
    at = {
        "openai": {"api_key": "k", "ca_file": str(authority.cert)},
        "near": {"type": "openai", "base_url": upstream.url("/v1"), "models": ["near"]},
    }
    upstream.keys = {}
    gateway = start(
        {"backends": at},
        env={"HTTPS_PROXY": outward.url(), "HTTP_PROXY": outward.url(), "NO_PROXY": "127.0.0.1,.internal"},
    )
    vendors_tls.say(text="around the corner")
    assert gateway.chat("gpt-4").status == 200 and outward.asked == ["api.openai.com:443"]
    upstream.say(text="next door")
    assert gateway.chat("near").status == 200 and len(outward.asked) == 1
